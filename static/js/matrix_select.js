// Selected techniques: one that stands in several columns is selected in all, and the selection outlives other filters.
(() => {
  const chosen = new Set();
  const form = () => document.getElementById("mx-pick");
  const boxes = (value) => [...form().querySelectorAll('input[name="technique"]')].filter((box) => !value || box.value === value);

  const count = () => {
    const number = document.getElementById("mx-count");
    if (number) number.textContent = chosen.size;
  };

  const choose = (value, isChosen) => {
    if (isChosen) chosen.add(value);
    else chosen.delete(value);
    for (const box of boxes(value)) box.checked = isChosen;
    count();
  };

  document.addEventListener("change", ({ target }) => {
    if (target.name === "technique" && target.form === form()) choose(target.value, target.checked);
  });

  // From the keyboard: see matrix.js. Without a detail the selection of the cell is turned.
  document.addEventListener("pick", ({ target, detail }) => {
    const box = target.previousElementSibling;
    choose(box.value, detail ?? !box.checked);
  });

  document.addEventListener("reset", ({ target }) => {
    if (target !== form()) return;
    chosen.clear();
    count();
  });

  // What the filters hide is not sent: people act on what they see.
  const renew = () => {
    if (!form()) return;
    const here = new Set(boxes().map((box) => box.value));
    for (const value of chosen) if (!here.has(value)) chosen.delete(value);
    for (const box of boxes()) {
      if (box.checked) chosen.add(box.value);
      box.checked = chosen.has(box.value);
    }
    count();
  };

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id === "matrix") renew();
  });
  // One menu at a time, and none once something else is clicked.
  document.addEventListener("click", ({ target }) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  });
  document.addEventListener("keydown", ({ key, target }) => {
    const menu = key === "Escape" && target.closest("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  renew();
})();
