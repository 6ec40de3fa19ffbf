// Load the tables' library, a third of all scripts, when a table comes into sight, or a while after the page was shown,
// when the browser is idle. Until then an empty element reserves the table's place.
(function () {
  const LONGEST_WAIT_MS = 1500;
  const address = document.querySelector('meta[name="grid-library"]').content;
  let library = null;

  function load() {
    library = library || new Promise(function (resolve, reject) {
      const script = document.createElement('script');
      script.onload = function () {
        const loaded = window.dash_ag_grid;
        // Dash looks the component up at each rendering. It must stay the same one: another component would be a new
        // table, which loses the reader's scroll position.
        window.dash_ag_grid = Object.assign({}, loaded, { AgGrid: Grid });
        resolve(loaded.AgGrid);
      };
      script.onerror = function () {
        library = null;
        script.remove();
        reject(new Error('The tables\' library cannot be loaded.'));
      };
      script.src = address;
      document.head.appendChild(script);
    });
    return library;
  }

  function Grid(props) {
    const React = window.React;
    const [Loaded, setLoaded] = React.useState(null);
    const place = React.useRef(null);

    React.useEffect(function () {
      if (Loaded) return undefined;
      let removed = false;
      let retry = null;
      const show = function () {
        load().then(
          function (component) { if (!removed) setLoaded(function () { return component; }); },
          function () { if (!removed) retry = setTimeout(show, LONGEST_WAIT_MS); },
        );
      };
      const visibility = new IntersectionObserver(function (entries) {
        if (entries.some(function (entry) { return entry.isIntersecting; })) show();
      });
      visibility.observe(place.current);
      const idle = setTimeout(function () {
        if (window.requestIdleCallback) window.requestIdleCallback(show, { timeout: LONGEST_WAIT_MS }); else show();
      }, LONGEST_WAIT_MS);
      return function () {
        removed = true;
        visibility.disconnect();
        clearTimeout(idle);
        clearTimeout(retry);
      };
    }, [Loaded]);

    if (Loaded) return React.createElement(Loaded, props);
    return React.createElement('div', { ref: place, id: props.id, style: props.style, className: props.className });
  }

  window.dash_ag_grid = { AgGrid: Grid };
})();
