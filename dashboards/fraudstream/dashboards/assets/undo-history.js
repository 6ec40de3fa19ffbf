// Dash keeps every change of a component, each tick among them, for an undo that these pages do not offer: a page left
// open for days would grow, and copy all of it at each tick. Loaded before Dash, which puts its store into this list.
(function () {
  const MOST_KEPT = 100;
  const stores = [];
  stores.push = function (store) {
    store.subscribe(function () {
      const past = store.getState().history.past;
      if (past.length > MOST_KEPT) past.length = 0;
    });
    return Array.prototype.push.call(stores, store);
  };
  window.dash_stores = stores;
})();
