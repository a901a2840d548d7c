// "Now" beside a field for a time: writes the present, in UTC. Without this script the button stays hidden.
(() => {
  const now = () => new Date().toISOString().slice(0, 19).replace("T", " ");

  function show() {
    for (const button of document.querySelectorAll("[data-now][hidden]")) button.hidden = false;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-now]");
    if (!button) return;
    const field = document.getElementById(button.dataset.now);
    field.value = now();
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.focus();
  });
  // The facts are drawn anew when another one is added.
  document.addEventListener("htmx:load", show);
  show();
})();
