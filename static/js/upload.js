// One file, sent with its progress; what the server says against it stands in the form. Without this script the form sends it.
(() => {
  const inWords = (bytes) => `${(bytes / 1048576).toFixed(1)} MB`;

  function refuse(form, words) {
    form.querySelector("[data-words]").textContent = words;
    form.querySelector("[data-refusal]").hidden = false;
  }

  function answered(form, request) {
    if (request.getResponseHeader("HX-Redirect")) return location.assign(request.getResponseHeader("HX-Redirect"));
    const isText = (request.getResponseHeader("Content-Type") || "").startsWith("text/plain");
    const words = request.status ? "The server refused it." : "No connection, or the proxy refused it as too large.";
    refuse(form, isText ? request.responseText : words);
  }

  function send(form) {
    const part = form.querySelector("[data-progress]");
    const [bar, state, button] = ["progress", "[data-state]"].map((one) => part.querySelector(one)).concat(form.querySelector("button"));
    const request = new XMLHttpRequest();
    form.querySelector("[data-refusal]").hidden = true;
    part.hidden = false;
    button.disabled = true;
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.value = loaded / total;
      state.textContent = loaded < total ? `${Math.floor((100 * loaded) / total)} % of ${inWords(total)}` : "Verifying …";
    });
    request.addEventListener("loadend", () => {
      part.hidden = true;
      button.disabled = false;
      answered(form, request);
    });
    request.send(new FormData(form));
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-upload]")) return;
    event.preventDefault();
    const limit = Number(form.dataset.limit);
    const [file] = form.querySelector("input[type=file]").files;
    if (file && file.size > limit) refuse(form, `Not sent: it has ${inWords(file.size)}, at most ${inWords(limit)} are taken.`);
    else send(form);
  });
})();
