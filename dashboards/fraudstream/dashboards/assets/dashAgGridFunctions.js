// Cells of tables: numbers as the browser's locale writes them, and links to a transaction or a rejected event.
(function () {
  const formats = {};
  const numberFormat = function (digits) {
    const decimals = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return (formats[digits] = formats[digits] || new Intl.NumberFormat(undefined, decimals));
  };
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  functions.fixed = function (value, digits) {
    return value === null || value === undefined || value === '' ? '–' : numberFormat(digits).format(value);
  };

  const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const link = function (prefix) {
    return function (props) {
      // What is shown of an id may be cut; the row's id is whole, and fit for an address.
      const address = prefix + props.data.id;
      return window.React.createElement('a', { href: address, className: 'cell-link' }, props.value);
    };
  };
  components.TransactionLink = link('/explorer?id=');
  components.RejectedLink = link('/explorer?tab=rejected&event=');
})();
