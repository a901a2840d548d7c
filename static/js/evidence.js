// Evidence: files dropped on a form or pasted join those chosen there, and go one by one, each with its progress.
// Without this script the form sends them all at once.
(() => {
  const forms = () => [...document.querySelectorAll("form[data-evidence]")];
  const input = (form) => form.querySelector("input[type=file]");
  const inWords = (bytes) => (bytes < 1048576 ? `${Math.ceil(bytes / 1024)} kB` : `${(bytes / 1048576).toFixed(1)} MB`);

  function row(form, file, words) {
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("span"), { className: "clip", textContent: file.name }));
    const state = Object.assign(document.createElement("span"), { className: "small subtle num", textContent: words });
    item.append(state);
    form.querySelector("[data-files]").append(item);
    return { item, state };
  }

  function list(form) {
    const files = form.querySelector("[data-files]");
    files.replaceChildren();
    for (const file of input(form).files) row(form, file, inWords(file.size));
  }

  function add(form, files) {
    const all = new DataTransfer();
    for (const file of [...input(form).files, ...files]) all.items.add(file);
    input(form).files = all.files;
    list(form);
  }

  function named(file) {
    if (file.name && file.name !== "image.png") return file;
    const time = new Date().toISOString().slice(0, 19).replace("T", "-").replaceAll(":", "");
    const kind = file.type.split("/")[1]?.replace(/[^a-z0-9].*/, "") || "bin";
    return new File([file], `screenshot-${time}.${kind}`, { type: file.type });
  }

  function send(form, file, { item, state }) {
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", `Upload of ${file.name}`);
    item.append(bar);
    const body = new FormData(form);
    body.delete("files");
    body.append("files", file, file.name);
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("HX-Request", "true");
      request.upload.addEventListener("progress", ({ loaded, total }) => {
        bar.value = loaded / total;
        state.textContent = loaded < total ? `${Math.floor((100 * loaded) / total)} %` : "Storing …";
      });
      request.addEventListener("loadend", () => {
        bar.remove();
        resolve(request);
      });
      request.send(body);
    });
  }

  function fail(line, words) {
    line.item.classList.add("error");
    line.state.textContent = words;
  }

  async function upload(form) {
    const limit = Number(form.dataset.limit);
    const files = [...input(form).files];
    form.querySelector("[data-files]").replaceChildren();
    const left = new DataTransfer();
    let page = "";
    for (const [file, line] of files.map((file) => [file, row(form, file, "Waiting …")])) {
      if (file.size > limit) {
        fail(line, `Not sent: it has ${inWords(file.size)}, at most ${inWords(limit)} are taken`);
        continue;
      }
      const answer = await send(form, file, line);
      if (answer.getResponseHeader("HX-Redirect")) return location.assign(answer.getResponseHeader("HX-Redirect"));
      if (answer.status === 200) {
        line.item.remove();
        page = answer.responseText;
        continue;
      }
      const isText = (answer.getResponseHeader("Content-Type") || "").startsWith("text/plain");
      fail(line, `Not kept: ${isText ? answer.responseText : answer.status ? "the server refused it" : "no connection"}`);
      left.items.add(file);
    }
    input(form).files = left.files;
    if (page) htmx.swap(document.body, page, { swapStyle: "none" });
  }

  document.addEventListener("change", ({ target }) => {
    if (target.matches("form[data-evidence] input[type=file]")) list(target.form);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-evidence]")) return;
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    upload(form).finally(() => (button.disabled = false));
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const form = event.target instanceof Element && event.target.closest("form[data-evidence]");
      if (!form || !event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      form.classList.toggle("is-over", kind === "dragover");
      if (kind === "drop") add(form, event.dataTransfer.files);
    });
  }
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const near = event.target instanceof Element && event.target.closest(".half")?.querySelector("form[data-evidence]");
    const form = near || forms()[0];
    if (!files.length || !form) return;
    event.preventDefault();
    add(form, files.map(named));
    form.scrollIntoView({ block: "nearest" });
    form.querySelector("button").focus();
  });
})();
