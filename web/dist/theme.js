// Before the first paint, so that a chosen theme does not flash in the other.
(function () {
  try {
    var theme = localStorage.getItem('gatehouse.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch (e) {
    // no storage: the system's theme
  }
})();
