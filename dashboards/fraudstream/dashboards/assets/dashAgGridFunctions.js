// Cells of tables: numbers as the browser's locale writes them, and links to a transaction or a rejected event.
(function () {
  const numberFormat = function (digits) {
    return new Intl.NumberFormat(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  };
  const formats = { money: numberFormat(2), score: numberFormat(3), whole: numberFormat(0) };
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  Object.keys(formats).forEach(function (name) {
    functions[name] = function (value) {
      return value === null || value === undefined || value === '' ? '–' : formats[name].format(value);
    };
  });

  const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const link = function (prefix) {
    return function (props) {
      const address = prefix + encodeURIComponent(props.value);
      return window.React.createElement('a', { href: address, className: 'cell-link' }, props.value);
    };
  };
  components.TransactionLink = link('/explorer?id=');
  components.RejectedLink = link('/explorer?tab=rejected&event=');
})();
