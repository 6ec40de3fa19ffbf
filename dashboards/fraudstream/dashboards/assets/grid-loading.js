// The tables' library, a third of all scripts, is loaded when a table comes into sight, or when the page has long been
// shown and has nothing else to do; until then a table's place is kept for it.
(function () {
  const LONGEST_WAIT_MS = 1500;
  const address = document.querySelector('meta[name="grid-library"]').content;
  let library = null;

  function load() {
    library = library || new Promise(function (resolve, reject) {
      const script = document.createElement('script');
      script.onload = function () {
        const loaded = window.dash_ag_grid;
        // Dash looks a component up at each drawing: another one would be a new table, which loses the reader's place.
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
      let gone = false;
      let again = null;
      const show = function () {
        load().then(
          function (found) { if (!gone) setLoaded(function () { return found; }); },
          function () { if (!gone) again = setTimeout(show, LONGEST_WAIT_MS); },
        );
      };
      const sight = new IntersectionObserver(function (entries) {
        if (entries.some(function (entry) { return entry.isIntersecting; })) show();
      });
      sight.observe(place.current);
      const idle = setTimeout(function () {
        if (window.requestIdleCallback) window.requestIdleCallback(show, { timeout: LONGEST_WAIT_MS }); else show();
      }, LONGEST_WAIT_MS);
      return function () {
        gone = true;
        sight.disconnect();
        clearTimeout(idle);
        clearTimeout(again);
      };
    }, [Loaded]);

    if (Loaded) return React.createElement(Loaded, props);
    return React.createElement('div', { ref: place, id: props.id, style: props.style, className: props.className });
  }

  window.dash_ag_grid = { AgGrid: Grid };
})();
