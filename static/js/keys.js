// Keys that work on every page: "/" goes to the search of the navigation, or, where that is folded away, of the page.
(() => {
  const writing = "input, textarea, select, [contenteditable]";

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest(writing)) return;
    const search = [...document.querySelectorAll("input[type=search]")].find((input) => input.checkVisibility());
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
})();
