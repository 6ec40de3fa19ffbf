// Decide when figures are drawn. The first time, figures in sight are drawn at once, the others one by one while the
// browser is idle. Later, figures are drawn one by one after the rest of a refresh, so that no card or table waits for
// six figures. This file is loaded after Plotly, and replaces the functions of Plotly that Dash's graphs call.
(function () {
  const react = window.Plotly.react;
  const resize = window.Plotly.Plots.resize;
  const whenIdle = window.requestIdleCallback || function (run) { return setTimeout(run, 50); };
  // The longest time that a figure waits for an idle browser.
  const LONGEST_WAIT_MS = 1000;

  // Figure → its newest content and the promises that wait for its drawing, in the order of arrival.
  const queue = new Map();
  const scheduled = { soon: false, idle: false };

  function outOfSight(figure) {
    const place = figure.getBoundingClientRect();
    return place.top >= window.innerHeight || place.bottom <= 0;
  }

  function isDrawn(figure) {
    return Boolean(figure._fullLayout);
  }

  function drawNext() {
    const figures = Array.from(queue.keys());
    const figure = figures.find(isDrawn) || figures[0];
    if (!figure) return;
    const { content, promises } = queue.get(figure);
    queue.delete(figure);
    schedule();
    // The figure's page has been left: Dash would look for the figure there if its promises were resolved.
    if (!figure.isConnected) return;
    react(figure, content).then(
      function (result) { promises.forEach(function (promise) { promise.resolve(result); }); },
      function (error) { promises.forEach(function (promise) { promise.reject(error); }); },
    );
  }

  function schedule() {
    const kind = Array.from(queue.keys()).some(isDrawn) ? 'soon' : 'idle';
    if (scheduled[kind] || !queue.size) return;
    scheduled[kind] = true;
    const draw = function () {
      scheduled[kind] = false;
      drawNext();
    };
    if (kind === 'soon') setTimeout(draw); else whenIdle(draw, { timeout: LONGEST_WAIT_MS });
  }

  window.Plotly.react = function (figure, content) {
    const earlier = queue.get(figure);
    if (!earlier && !isDrawn(figure) && !outOfSight(figure)) return react.apply(this, arguments);
    return new Promise(function (resolve, reject) {
      // Newer content replaces content that has not been drawn yet.
      queue.set(figure, { content, promises: (earlier ? earlier.promises : []).concat([{ resolve, reject }]) });
      schedule();
    });
  };

  // Dash asks for a resize after each first drawing, which would draw the whole figure again.
  window.Plotly.Plots.resize = function (figure) {
    const layout = figure._fullLayout;
    const fits = layout && figure.isConnected
      && figure.clientWidth === layout.width && figure.clientHeight === layout.height;
    return fits ? Promise.resolve(figure) : resize.apply(this, arguments);
  };
})();
