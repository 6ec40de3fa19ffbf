// Dash keeps every change of a component, even each tick, for an undo that these pages do not offer. The list of a page
// that stays open for days would grow, and be copied at each tick. This file is loaded before Dash, which adds its store
// to this array.
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
