// Filters that are left empty say nothing, so they do not stand in the URL either.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.verb !== "get") return;
  for (const name of new Set(detail.formData.keys())) {
    const kept = detail.formData.getAll(name).filter((value) => value !== "");
    detail.formData.delete(name);
    for (const value of kept) detail.formData.append(name, value);
  }
});
