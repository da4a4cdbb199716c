/* What a term means, beside its first use in a chapter: while the pointer is on it or the keyboard
   has brought one there, until Escape. Without this script the term is a link to the glossary. */
(() => {
  "use strict";

  const margin = 16; // pixels that stay free at either side
  let shown = null;
  let leaving = 0;

  function hide() {
    clearTimeout(leaving);
    if (shown) shown.hidden = true;
    shown = null;
  }

  function leave() {
    leaving = setTimeout(hide, 200); // time to move the pointer onto the box
  }

  function show(link, box) {
    hide();
    box.hidden = false;
    shown = box;
    const word = link.getClientRects()[0];
    const page = box.offsetParent.getBoundingClientRect();
    const left = Math.min(word.left - page.left, page.width - box.offsetWidth - margin);
    const below = word.bottom + box.offsetHeight + 8 < window.innerHeight || word.top < box.offsetHeight;
    const top = below ? word.bottom + 4 : word.top - box.offsetHeight - 4;
    box.style.left = `${Math.max(left, margin)}px`;
    box.style.top = `${top - page.top}px`;
  }

  for (const link of document.querySelectorAll("a.glossary-term")) {
    const box = document.getElementById(`preview-${link.hash.slice(1)}`);
    link.setAttribute("aria-describedby", box.id);
    link.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "touch") show(link, box);
    });
    link.addEventListener("pointerleave", leave);
    link.addEventListener("focus", () => show(link, box));
    link.addEventListener("blur", hide);
    box.addEventListener("pointerenter", () => clearTimeout(leaving));
    box.addEventListener("pointerleave", leave);
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
})();
