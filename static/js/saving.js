// Fields that save themselves: says what goes on beside the half, shows refusals where they belong, and warns before
// anything unsaved is left. Without this script a half is saved by its button.
(() => {
  const unsaved = new Set();

  function say(form, words) {
    const state = document.getElementById(form.dataset.saves);
    if (state) state.textContent = words;
  }

  function halfOf(element) {
    return element instanceof Element ? (element.form ?? element).closest("[data-saves]") : null;
  }

  document.addEventListener("input", ({ target }) => {
    const form = halfOf(target);
    if (!form) return;
    unsaved.add(form.id);
    say(form, "Not saved yet");
  });
  document.addEventListener("htmx:beforeSend", ({ detail }) => {
    const form = halfOf(detail.elt);
    if (!form) return;
    unsaved.delete(form.id);
    say(form, "Saving …");
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const header = (name) => detail.xhr.getResponseHeader(name);
    if (detail.xhr.status < 400 || !(header("HX-Retarget") || header("HX-Reswap"))) return;
    const form = halfOf(detail.elt);
    if (form) unsaved.add(form.id);
  });
  for (const fault of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(fault, ({ detail }) => {
      const form = halfOf(detail.elt);
      if (!form) return;
      unsaved.add(form.id);
      say(form, fault === "htmx:responseError" ? "Not saved: the server refused it" : "Not saved: no connection");
    });
  }
  window.addEventListener("beforeunload", (event) => {
    if (unsaved.size) event.preventDefault();
  });
  document.addEventListener("submit", ({ target }) => {
    if (target.dataset.saves) unsaved.delete(target.id);
  });
})();
