/** Sets the theme before anything is drawn: what was chosen here, else what the system says. */
(() => {
  const chosen = localStorage.getItem('dexops-theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
