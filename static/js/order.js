// Tests of a campaign are dragged to their place; the buttons beside them do the same without a mouse.
(() => {
  let row = null; // what is being dragged

  const rowAt = (event) => event.target.closest?.("tr[data-order]");

  document.addEventListener("dragstart", (event) => {
    row = rowAt(event);
    if (!row) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", row.dataset.order);
    row.classList.add("is-dragged");
  });

  document.addEventListener("dragover", (event) => {
    const over = rowAt(event);
    if (!row || !over || over.parentNode !== row.parentNode) return;
    event.preventDefault(); // it may be dropped here
    if (over === row) return;
    const box = over.getBoundingClientRect();
    over[event.clientY > box.top + box.height / 2 ? "after" : "before"](row);
  });

  document.addEventListener("drop", (event) => {
    if (row && rowAt(event)) event.preventDefault();
  });

  document.addEventListener("dragend", () => {
    if (!row) return;
    row.classList.remove("is-dragged");
    const order = [...row.parentNode.querySelectorAll("tr[data-order]")].map((one) => one.dataset.order);
    row = null;
    const form = document.getElementById("order");
    htmx.ajax("POST", form.action, { source: form, target: "#tests-panel", swap: "outerHTML", values: { order } });
  });
})();
