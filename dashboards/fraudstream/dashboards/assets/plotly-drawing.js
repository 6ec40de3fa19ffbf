// When figures are drawn: the first time those in sight at once, the others one by one as soon as the page has nothing
// else to do; again one by one behind what came with them, so that no card or table waits for six figures.
// Loaded after Plotly, whose functions Dash's graphs call by these names.
(function () {
  const react = window.Plotly.react;
  const resize = window.Plotly.Plots.resize;
  const whenIdle = window.requestIdleCallback || function (run) { return setTimeout(run, 50); };
  // A page that is never idle shows its figures nevertheless.
  const LONGEST_WAIT_MS = 1000;

  // Figure → what it is to show and whom to tell, in the order of their arrival.
  const waiting = new Map();
  const asked = { soon: false, idle: false };

  function outOfSight(figure) {
    const place = figure.getBoundingClientRect();
    return place.top >= window.innerHeight || place.bottom <= 0;
  }

  function isDrawn(figure) {
    return Boolean(figure._fullLayout);
  }

  function drawNext() {
    const figures = Array.from(waiting.keys());
    const figure = figures.find(isDrawn) || figures[0];
    if (!figure) return;
    const { shown, told } = waiting.get(figure);
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
    const kind = Array.from(waiting.keys()).some(isDrawn) ? 'soon' : 'idle';
    if (asked[kind] || !waiting.size) return;
    asked[kind] = true;
    const draw = function () {
      asked[kind] = false;
      drawNext();
    };
    if (kind === 'soon') setTimeout(draw); else whenIdle(draw, { timeout: LONGEST_WAIT_MS });
  }

  window.Plotly.react = function (figure, shown) {
    const before = waiting.get(figure);
    if (!before && !isDrawn(figure) && !outOfSight(figure)) return react.apply(this, arguments);
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
