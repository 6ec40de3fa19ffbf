// The pages' work in the browser: cross-filtering by a click, pausing, drill-down, and pictures of figures.
window.dash_clientside = window.dash_clientside || {};

(function () {
  // A function, because Dash defines `no_update` only with its first callback, after this file has been loaded.
  function unchanged() { return window.dash_clientside.no_update; }

  // The id of the component that triggered this callback.
  function triggerId() {
    return ((window.dash_clientside.callback_context.triggered[0] || {}).prop_id || '').split('.')[0];
  }

  // The data of the bar or point that was clicked just now; other graphs may still hold their last click.
  function clickedData() {
    const triggered = window.dash_clientside.callback_context.triggered || [];
    const click = triggered.find(function (entry) {
      return entry.prop_id.endsWith('.clickData') && entry.value && entry.value.points && entry.value.points.length;
    });
    const data = click ? click.value.points[0].customdata : null;
    // The bar of all other values stands for none.
    return data && data[1] !== null ? data : null;
  }

  function toggled(values, value) {
    const kept = (values || []).filter(function (other) { return other !== value; });
    return kept.length === (values || []).length ? kept.concat([value]) : kept;
  }

  window.dash_clientside.live = {
    // A bar's data is [dimension, value]: a click adds the value to its dimension's filter, or removes it.
    // The arguments: the panels' clicks, the two buttons, the filters, the minutes, and the filters' dimensions.
    filter: function () {
      const inputs = Array.from(arguments);
      const dimensions = inputs.pop();
      let minutes = inputs.pop();
      const values = inputs.splice(inputs.length - dimensions.length);
      const clicks = inputs.slice(0, -2);
      const trigger = triggerId();
      if (trigger === 'live-clear') {
        return clicks.map(function () { return null; }).concat(values.map(function () { return []; }), [[]]);
      }
      if (trigger === 'live-minute-clear') {
        return clicks.map(unchanged).concat(values.map(unchanged), [[]]);
      }
      const data = clickedData();
      if (!data) return clicks.map(unchanged).concat(values.map(unchanged), [unchanged()]);
      const outputs = values.map(function (chosen, index) {
        return dimensions[index] === data[0] ? toggled(chosen, data[1]) : unchanged();
      });
      minutes = data[0] === '$minute' ? toggled(minutes, data[1]) : unchanged();
      // clickData becomes null, so that a second click on the same bar is a change too.
      return clicks.map(function () { return null; }).concat(outputs, [minutes]);
    },

    describe_filters: function (minutes) {
      const filters = Array.from(arguments).slice(1);
      const chosen = (minutes || []).map(function (start) { return start.slice(11, 16); });
      const number = filters.reduce(function (sum, values) { return sum + (values || []).length; }, chosen.length);
      const hidden = { display: 'none' };
      return [
        chosen.length ? 'Minute ' + chosen.join(', ') + '  ✕' : '',
        chosen.length ? {} : hidden,
        number ? {} : hidden,
        number ? '(' + number + ')' : '',
      ];
    },

    // Keep the time of the pause: the page stands still at it, and a reader can still filter.
    pause: function (clicks, paused, moment) {
      return paused ? [null, false, 'Pause', 'default'] : [moment || String(Date.now()), true, 'Resume', 'filled'];
    },
  };

  window.dash_clientside.history = {
    // A click on a bar or a point, or a choice from the list, opens its transactions.
    drill: function () {
      const inputs = Array.from(arguments);
      const clicks = inputs.slice(0, -2);
      const choice = inputs[inputs.length - 1];
      const trigger = triggerId();
      const nulls = clicks.map(function () { return null; });
      const same = clicks.map(unchanged);
      if (trigger === 'history-rows-close') return nulls.concat([null, null]);
      if (trigger === 'history-drill-choice') return same.concat([choice ? JSON.parse(choice) : null, unchanged()]);
      const data = clickedData();
      if (!data) return same.concat([unchanged(), unchanged()]);
      return nulls.concat([data, JSON.stringify(data)]);
    },
  };

  // Links inside tables and texts change the page without a reload, as the navigation's links do.
  document.addEventListener('click', function (event) {
    const link = event.target.closest && event.target.closest('a.cell-link');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    window.history.pushState(null, '', link.getAttribute('href'));
    window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'));
  });

  document.addEventListener('click', function (event) {
    const button = event.target.closest && event.target.closest('.png');
    if (!button) return;
    const id = button.id.replace(/-png$/, '');
    const plot = document.querySelector('#' + id + '-figure .js-plotly-plot');
    const title = document.getElementById(id + '-title').textContent;
    if (!plot || !window.Plotly) return;
    const style = getComputedStyle(document.documentElement);
    const layout = Object.assign({}, plot.layout, {
      paper_bgcolor: style.getPropertyValue('--surface').trim(),
      title: { text: title, x: 0.02, xanchor: 'left', y: 0.97, yanchor: 'top', font: { size: 15 } },
      margin: { l: 12, r: 16, t: 44, b: 12 },
    });
    window.Plotly.downloadImage(
      { data: plot.data, layout: layout },
      { format: 'png', scale: 2, width: Math.max(plot.clientWidth, 480), height: plot.clientHeight + 40, filename: 'fraudstream-' + id }
    );
  });
})();
