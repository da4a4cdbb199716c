/* Small repairs of the theme's accessibility. Each names what a screen reader or a keyboard
   would otherwise miss; the page works without them. */
(() => {
  "use strict";

  const each = (selector, repair) => document.querySelectorAll(selector).forEach(repair);

  function repairLabels() {
    // The visible text has to be part of the name that is read out.
    each("button.search-button-field", (button) => {
      button.setAttribute("aria-label", button.textContent.replace(/\s+/g, " ").trim());
    });
    each("button.theme-switch-button [title]", (icon) => icon.removeAttribute("title"));
    each("summary[aria-label]", (summary) => summary.removeAttribute("aria-label"));
    // The book's title stands outside of every landmark.
    each("#pst-primary-sidebar .sidebar-primary-item:has(> a.logo)", (item) => {
      item.setAttribute("role", "navigation");
      item.setAttribute("aria-label", "Start of the book");
    });
    // A list whose entries don't say that they are its items.
    each('.citation-list[role="list"] > .citation', (item) => item.setAttribute("role", "listitem"));
  }

  // What scrolls must be reachable from the keyboard. A box is measured when it is laid out, that
  // is when a reader comes near it; all of a moment are measured before any is changed.
  const scrollers = new ResizeObserver((entries) => {
    const boxes = entries.map((entry) => entry.target);
    const wide = boxes.map((box) => box.scrollWidth > box.clientWidth + 1);
    boxes.forEach((box, index) => {
      if (wide[index]) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    });
  });

  // The theme would leave the field of the search for the reader to find.
  document.querySelector(".bd-search-container input")?.focus();

  repairLabels();
  each(".bd-article :is(div.math, .pst-scrollable-table-container, .output, pre)",
    (box) => scrollers.observe(box));
})();
