// When figures are drawn: those in sight at once, the others one by one as soon as the page has nothing else to do.
// Loaded after Plotly, whose functions Dash's graphs call by these names.
(function () {
  const react = window.Plotly.react;
  const resize = window.Plotly.Plots.resize;
  const whenIdle = window.requestIdleCallback || function (run) { return setTimeout(run, 50); };
  // A page that is never idle shows its figures nevertheless.
  const LONGEST_WAIT_MS = 1000;

  // Figure → what it is to show and whom to tell, in the order of their arrival.
  const waiting = new Map();
  let asked = false;

  function outOfSight(figure) {
    const place = figure.getBoundingClientRect();
    return place.top >= window.innerHeight || place.bottom <= 0;
  }

  function drawNext() {
    asked = false;
    const next = waiting.entries().next();
    if (next.done) return;
    const [figure, { shown, told }] = next.value;
    waiting.delete(figure);
    askForTime();
    // Its page is gone: whoever is told now would look for it there.
    if (!figure.isConnected) return;
    react(figure, shown).then(
      function (result) { told.forEach(function (one) { one.resolve(result); }); },
      function (error) { told.forEach(function (one) { one.reject(error); }); },
    );
  }

  function askForTime() {
    if (asked || !waiting.size) return;
    asked = true;
    whenIdle(drawNext, { timeout: LONGEST_WAIT_MS });
  }

  window.Plotly.react = function (figure, shown) {
    const before = waiting.get(figure);
    if (!before && (figure._fullLayout || !outOfSight(figure))) return react.apply(this, arguments);
    return new Promise(function (resolve, reject) {
      // Newer data replaces what was not drawn yet.
      waiting.set(figure, { shown, told: (before ? before.told : []).concat([{ resolve, reject }]) });
      askForTime();
    });
  };

  // Dash asks for it after each first drawing, which would draw all of it again.
  window.Plotly.Plots.resize = function (figure) {
    const layout = figure._fullLayout;
    const fits = layout && figure.isConnected
      && figure.clientWidth === layout.width && figure.clientHeight === layout.height;
    return fits ? Promise.resolve(figure) : resize.apply(this, arguments);
  };
})();
