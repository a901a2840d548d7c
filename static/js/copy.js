// Copy buttons: the exact text stands as JSON in data-copy, because a page's own text loses carriage returns and hidden characters.
(() => {
  function say(button, word) {
    const label = button.querySelector("[data-copy-label]");
    const before = label.dataset.copyLabel;
    label.textContent = word;
    setTimeout(() => (label.textContent = before), 2000);
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(JSON.parse(button.dataset.copy));
      say(button, "Copied");
    } catch {
      say(button, "Not allowed here"); // browsers give the clipboard only to https and localhost
    }
  });
})();
