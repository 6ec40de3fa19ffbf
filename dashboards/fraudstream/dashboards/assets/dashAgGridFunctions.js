// Numbers in tables, as the browser's locale writes them, and links to a transaction.
(function () {
  const form = function (digits) {
    return new Intl.NumberFormat(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  };
  const forms = { money: form(2), score: form(3), whole: form(0) };
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  Object.keys(forms).forEach(function (name) {
    functions[name] = function (value) {
      return value === null || value === undefined || value === '' ? '–' : forms[name].format(value);
    };
  });

  const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const link = function (before) {
    return function (props) {
      const address = before + encodeURIComponent(props.value);
      return window.React.createElement('a', { href: address, className: 'cell-link' }, props.value);
    };
  };
  components.TransactionLink = link('/explorer?id=');
  components.RejectedLink = link('/explorer?tab=rejected&event=');
})();
