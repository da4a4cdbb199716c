/* Predictions that count: what a reader writes at a prediction stays in this browser, and is
   shown again beside the answer. Nothing is sent anywhere. */
(() => {
  "use strict";

  const memory = new Map(); // where the browser keeps nothing, the page does until it is left
  const name = (key) => `sequential-decision-making/prediction/${key}`;

  function read(key) {
    try {
      return localStorage.getItem(name(key)) ?? "";
    } catch {
      return memory.get(key) ?? "";
    }
  }

  function write(key, value) {
    memory.set(key, value);
    try {
      if (value) localStorage.setItem(name(key), value);
      else localStorage.removeItem(name(key));
    } catch { /* the page remembers it */ }
  }

  function show() {
    for (const note of document.querySelectorAll(".predicted")) {
      for (const line of note.querySelectorAll("p[data-key]")) {
        const value = read(line.dataset.key);
        line.hidden = !value;
        const ask = line.dataset.ask.replace(/\w$/, "$&:");
        line.replaceChildren(`${ask} `, Object.assign(document.createElement("strong"), { textContent: value }), ` ${line.dataset.unit}`);
      }
      note.hidden = !note.querySelector("p[data-key]:not([hidden])");
      if (!note.querySelector("a")) {
        const link = Object.assign(document.createElement("a"), { href: `#${note.dataset.form}`, textContent: "You predicted" });
        note.prepend(link);
      }
    }
  }

  for (const form of document.querySelectorAll("form.prediction")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const control of form.querySelectorAll("[data-key]")) {
      control.value = read(control.dataset.key);
      control.addEventListener("input", () => {
        write(control.dataset.key, control.value);
        show();
      });
    }
  }
  show();
})();
