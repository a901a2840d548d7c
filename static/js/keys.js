// Keys that work on every page: "/" goes to the search of the navigation, or, where that is folded away, of the page. A drawer
// that the focus leaves is closed: nothing is focused behind it.
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

  document.addEventListener("focusin", ({ target }) => {
    for (const drawer of document.querySelectorAll(":popover-open")) {
      const opens = target.getAttribute("popovertarget") === drawer.id;
      if (!opens && !drawer.contains(target)) drawer.hidePopover();
    }
  });
})();
