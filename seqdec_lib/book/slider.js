// Shows one frame of each slider figure at a time. Runs once a figure, however often it is loaded.
for (const figure of document.querySelectorAll(".slider-figure:not([data-ready])")) {
  figure.dataset.ready = "";
  const frames = figure.querySelectorAll("svg > g[data-label]");
  const input = figure.querySelector("input");
  const show = () => {
    frames.forEach((frame, i) => frame.setAttribute("display", i === +input.value ? "inline" : "none"));
    const { label, description } = frames[+input.value].dataset;
    input.setAttribute("aria-valuetext", label);
    figure.querySelector("output").textContent = label;
    figure.querySelector(".slider-description").textContent = description;
  };
  input.addEventListener("input", show);
  figure.querySelector(".slider-control").hidden = false;
  figure.querySelector(".slider-fallback").remove();
  show();
}
