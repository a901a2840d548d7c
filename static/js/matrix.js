// The matrix by keyboard and pointer: arrows walk, Space opens sub-techniques, the line below tells what is under the focus.
(() => {
  const AWAY = { ArrowLeft: -1, ArrowRight: 1 };
  const ALONG = { ArrowUp: -1, ArrowDown: 1 };

  const frame = () => document.querySelector(".mx");
  const cells = (within) => [...within.querySelectorAll(".cell")].filter((cell) => cell.checkVisibility());
  const columnOf = (cell) => cell.closest(".tcol");
  const familyOf = (cell) => cell.closest(".tcol > ol > li");
  const isSub = (cell) => cell.closest(".subs") !== null;
  const idOf = (cell) => cell.title.split(" · ")[0];

  // One cell is reached by Tab, the others from there.
  const settle = () => {
    if (!frame()) return;
    for (const link of frame().querySelectorAll(".cell, .cell-more, .tcol h2 a, input")) link.tabIndex = -1;
    const first = frame().querySelector(".cell");
    if (first) first.tabIndex = 0;
    frame().removeAttribute("tabindex");
  };

  const moveTo = (cell) => {
    if (!cell) return;
    for (const old of frame().querySelectorAll('.cell[tabindex="0"]')) old.tabIndex = -1;
    cell.tabIndex = 0;
    cell.focus();
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  };

  const nearest = (candidates, cell) => {
    const middle = (one) => one.getBoundingClientRect().top + one.offsetHeight / 2;
    const far = (one) => Math.abs(middle(one) - middle(cell));
    return candidates.reduce((best, one) => (!best || far(one) < far(best) ? one : best), null);
  };

  // Cells that stand below one another: those of one family's sub-techniques, or the column's own.
  const track = (cell) => cells(isSub(cell) ? cell.closest(".subs") : columnOf(cell)).filter((one) => isSub(one) === isSub(cell));

  const below = (cell, step) => {
    const line = track(cell);
    return line[line.indexOf(cell) + step];
  };

  const beside = (cell, step) => {
    const family = familyOf(cell);
    const subs = cells(family).filter(isSub);
    if (step > 0 && !isSub(cell) && subs.length) return subs[0];
    if (step < 0 && isSub(cell)) return family.querySelector(".cell");
    const columns = [...frame().querySelectorAll(".tcol")].filter((column) => cells(column).length);
    const next = columns[columns.indexOf(columnOf(cell)) + step];
    return next && nearest(cells(next).filter((one) => step < 0 || !isSub(one)), cell);
  };

  const ends = (cell, key) => (key === "Home" ? track(cell)[0] : track(cell).at(-1));

  // The address says what is open, so that it can be shared: see coverage/matrix/query.py.
  const remember = (family, isOpen) => {
    const url = new URL(location);
    const key = `${idOf(family.querySelector(".cell"))}~${columnOf(family).dataset.tactic}`;
    const [from, to] = isOpen ? ["closed", "open"] : ["open", "closed"];
    const kept = url.searchParams.getAll(from).filter((value) => value !== key);
    const wasThere = kept.length < url.searchParams.getAll(from).length;
    url.searchParams.delete(from);
    for (const value of kept) url.searchParams.append(from, value);
    if (!wasThere) url.searchParams.append(to, key);
    history.replaceState(history.state, "", url);
  };

  const toggle = (cell) => {
    const family = familyOf(cell);
    const more = family.querySelector(".cell-more");
    if (!more) return;
    const isOpen = more.getAttribute("aria-expanded") !== "true";
    more.setAttribute("aria-expanded", isOpen);
    family.querySelector(".subs").hidden = !isOpen;
    remember(family, isOpen);
    if (isSub(cell)) moveTo(family.querySelector(".cell"));
  };

  const tell = (cell) => {
    const line = document.querySelector(".mx-facts");
    if (!line) return;
    const [id, ...figures] = cell.title.split(" · ");
    const name = [...cell.querySelector(".t").childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data).join("");
    const texts = [["mono strong", id], ["strong clip", name], ...figures.map((figure) => ["num muted", figure])];
    line.replaceChildren(
      ...texts.map(([look, text]) => Object.assign(document.createElement("span"), { className: look, textContent: text })),
    );
  };

  document.addEventListener("keydown", (event) => {
    const cell = event.target.closest(".mx .cell");
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.shiftKey && (event.key in AWAY || event.key in ALONG)) cell.dispatchEvent(new CustomEvent("pick", { bubbles: true, detail: true }));
    if (event.key === "x" || event.key === "X") cell.dispatchEvent(new CustomEvent("pick", { bubbles: true }));
    else if (event.key in AWAY) moveTo(beside(cell, AWAY[event.key]));
    else if (event.key in ALONG) moveTo(below(cell, ALONG[event.key]));
    else if (event.key === "Home" || event.key === "End") moveTo(ends(cell, event.key));
    else if (event.key === " ") toggle(cell);
    else return;
    event.preventDefault();
    const reached = document.activeElement.closest(".mx .cell");
    if (event.shiftKey && reached && reached !== cell) reached.dispatchEvent(new CustomEvent("pick", { bubbles: true, detail: true }));
  });

  document.addEventListener("click", (event) => {
    const more = event.target.closest(".mx .cell-more");
    if (!more || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const cell = familyOf(more).querySelector(".cell");
    toggle(cell);
    moveTo(cell);
  });

  for (const kind of ["focusin", "pointerover"]) {
    document.addEventListener(kind, (event) => {
      const cell = event.target.closest(".mx .cell");
      if (cell) tell(cell);
    });
  }

  // What was opened stays open under other filters; who asks for none or all starts afresh.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt.id !== "mx-form" || detail.triggeringEvent?.target.name === "subs") return;
    for (const name of ["open", "closed"]) {
      for (const value of new URL(location).searchParams.getAll(name)) detail.formData.append(name, value);
    }
  });

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id !== "matrix") return;
    settle();
    for (const select of document.querySelectorAll("select[data-adds]")) select.value = "";
  });

  settle();
})();
