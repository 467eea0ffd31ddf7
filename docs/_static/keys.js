// What the theme leaves without a name, or out of the keyboard's reach.

/** Each arrow of the list of pages is called after the page above those that it shows. */
function nameArrows() {
  for (const arrow of document.querySelectorAll(".bd-links summary")) {
    const page = arrow.closest("li").querySelector("a");
    arrow.setAttribute("aria-label", `Pages below ${page.textContent.trim()}`);
  }
}

/** Arrow keys scroll what is wider than its place, once Tab leads there. */
function reachWideOnes() {
  for (const box of document.querySelectorAll(".bd-article table, .bd-article mjx-container")) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

window.addEventListener("load", () => {
  nameArrows();
  const typeset = window.MathJax?.startup?.promise ?? Promise.resolve();
  // After `formulas.js` has fitted formulas to their column.
  typeset.then(() => setTimeout(reachWideOnes));
  window.addEventListener("resize", reachWideOnes);
});
