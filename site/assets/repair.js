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
    each("button.theme-switch-button", (button) => {
      button.querySelectorAll("[title]").forEach((icon) => icon.removeAttribute("title"));
      button.querySelectorAll("svg, i").forEach((icon) => icon.setAttribute("aria-hidden", "true"));
    });
    each("summary[aria-label]", (summary) => summary.removeAttribute("aria-label"));
    // The book's title stands outside of every landmark.
    each("#pst-primary-sidebar .sidebar-primary-item:has(> a.logo)", (item) => {
      item.setAttribute("role", "navigation");
      item.setAttribute("aria-label", "Start of the book");
    });
    // Roles that ARIA has withdrawn or that don't fit the element.
    each('[role="doc-biblioentry"], [role="doc-bibliography"]', (item) => item.removeAttribute("role"));
  }

  function repairScrollers() {
    // What scrolls must be reachable from the keyboard.
    each('.bd-article :is(mjx-container[display="true"], .pst-scrollable-table-container, .output, pre)', (box) => {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else if (box.tabIndex === 0) box.removeAttribute("tabindex");
    });
  }

  function repair() {
    repairLabels();
    repairScrollers();
  }

  repair();
  window.addEventListener("load", () => {
    repair();
    if (window.MathJax?.startup?.promise) window.MathJax.startup.promise.then(repairScrollers);
  });
  window.addEventListener("resize", repairScrollers);
})();
