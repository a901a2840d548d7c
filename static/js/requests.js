// A refusal that says where it belongs is shown there.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const header = (name) => detail.xhr.getResponseHeader(name);
  if (detail.xhr.status < 400 || !(header("HX-Retarget") || header("HX-Reswap"))) return;
  detail.shouldSwap = true;
  detail.isError = false;
});
// Filters that are left empty say nothing, so they do not stand in the URL either.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.verb !== "get") return;
  for (const name of new Set(detail.formData.keys())) {
    const kept = detail.formData.getAll(name).filter((value) => value !== "");
    detail.formData.delete(name);
    for (const value of kept) detail.formData.append(name, value);
  }
});
