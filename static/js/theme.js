// Theme switch: system (no attribute), light or dark. Runs before the first paint, so it stands in the head and is not deferred.
(() => {
  const root = document.documentElement;
  const key = "aegis-theme";

  function remembered() {
    try {
      return localStorage.getItem(key) || "system";
    } catch {
      return "system"; // storage is switched off: the theme lasts as long as the page
    }
  }

  function remember(theme) {
    try {
      localStorage.setItem(key, theme);
    } catch {
      // see above
    }
  }

  function show(theme) {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    for (const button of document.querySelectorAll("[data-set-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
    }
  }

  show(remembered());
  document.addEventListener("DOMContentLoaded", () => show(remembered()));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-set-theme]");
    if (!button) return;
    remember(button.dataset.setTheme);
    show(button.dataset.setTheme);
  });
})();
