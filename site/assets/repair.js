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
    each("button.theme-switch-button svg", (icon) => {
      ["role", "aria-labelledby"].forEach((name) => icon.removeAttribute(name));
      icon.setAttribute("aria-hidden", "true");
      icon.querySelector("title")?.remove();
    });
    each("summary[aria-label]", (summary) => summary.removeAttribute("aria-label"));
    // The book's title stands outside of every landmark.
    each("#pst-primary-sidebar .sidebar-primary-item:has(> a.logo)", (item) => {
      item.setAttribute("role", "navigation");
      item.setAttribute("aria-label", "Start of the book");
    });
    // A list whose entries don't say that they are its items.
    each('.citation-list[role="list"] > .citation', (item) => item.setAttribute("role", "listitem"));
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
  // The theme's icons are drawn, with titles of their own, whenever their script gets to it.
  const icons = new MutationObserver(repairLabels);
  const changes = { childList: true, subtree: true, attributeFilter: ["role", "title", "aria-labelledby"] };
  each("button.theme-switch-button", (button) => icons.observe(button, changes));
  window.addEventListener("load", () => {
    repair();
    if (window.MathJax?.startup?.promise) window.MathJax.startup.promise.then(repairScrollers);
  });
  window.addEventListener("resize", repairScrollers);
})();
