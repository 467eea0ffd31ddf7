// What the theme leaves without a name, or out of the keyboard's reach.

/** Each arrow of the list of pages is called after the page above those that it shows. */
function nameArrows() {
  for (const arrow of document.querySelectorAll(".bd-links summary")) {
    const page = arrow.closest("li").querySelector("a");
    arrow.setAttribute("aria-label", `Pages below ${page.textContent.trim()}`);
  }
}

/** Where a table's first heading is empty, the cells below it are headings of their rows. */
function headRows() {
  for (const corner of document.querySelectorAll(".bd-article thead th:first-child")) {
    if (corner.textContent.trim() || !corner.parentElement.textContent.trim()) continue;
    for (const row of corner.closest("table").tBodies[0]?.rows ?? []) rename(row.cells[0], "th").scope = "row";
    rename(corner, "td");
  }
}

/** Puts another element in the place of one, with all that is in it. */
function rename(element, tag) {
  const other = document.createElement(tag);
  for (const { name, value } of element.attributes) other.setAttribute(name, value);
  other.append(...element.childNodes);
  element.replaceWith(other);
  return other;
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
  headRows();
  const typeset = window.MathJax?.startup?.promise ?? Promise.resolve();
  // After `formulas.js` has fitted formulas to their column.
  typeset.then(() => setTimeout(reachWideOnes));
  window.addEventListener("resize", reachWideOnes);
});
