// The book's interactive figures: one frame at a time, chosen by dials (range inputs), by a touch
// on a part of the drawing, or by moves (buttons). Runs once a figure, however often it is loaded.
(() => {
  "use strict";

  function enliven(figure) {
    figure.dataset.ready = "";
    const find = (selector) => figure.querySelector(selector);
    const all = (selector) => [...figure.querySelectorAll(selector)];
    const svg = find("svg"), controls = find(".figure-controls"), moves = find(".figure-moves");
    const frames = all("svg > g[data-description]"), dials = all("input");
    const kept = svg.appendChild(document.createElementNS(svg.namespaceURI, "g"));

    function show(number) {
      frames.forEach((frame, i) => frame.setAttribute("display", i === number ? "inline" : "none"));
      const frame = frames[number];
      kept.append(...frame.querySelectorAll(".kept")); // what stays once it has been seen
      find(".figure-description").textContent = frame.dataset.description;
      const focused = moves.contains(document.activeElement);
      moves.replaceChildren(...JSON.parse(frame.dataset.moves || "[]").map(([words, target]) => {
        const button = Object.assign(document.createElement("button"), { type: "button", textContent: words });
        button.addEventListener("click", () => show(target));
        return button;
      }));
      if (focused) moves.firstChild.focus();
    }

    function turn() { // frames are in the order of the dials, the last one turns fastest
      show(dials.reduce((number, dial) => number * (+dial.max + 1) + +dial.value, 0));
      dials.forEach((dial, i) => {
        const value = JSON.parse(dial.dataset.values)[+dial.value];
        dial.setAttribute("aria-valuetext", value);
        dial.closest("div").querySelector("output").textContent = value;
        all(`[data-dial="${i}"]`).forEach((part) => part.classList.toggle("chosen", part.dataset.value === dial.value));
      });
    }

    for (const part of all("[data-dial]")) {
      part.addEventListener("click", () => {
        dials[+part.dataset.dial].value = part.dataset.value;
        turn();
      });
    }
    dials.forEach((dial) => dial.addEventListener("input", turn));
    controls.hidden = false;
    find(".figure-fallback").remove();
    if (dials.length) turn();
    else show(0);
  }

  document.querySelectorAll(".interactive-figure:not([data-ready])").forEach(enliven);
})();
