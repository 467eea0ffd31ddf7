// A formula that is wider than its column is written smaller, down to a part of its size; what is still too wide scrolls.
function fitFormulas(root, least) {
  for (const formula of root.querySelectorAll("mjx-container[display=true]")) {
    const room = formula.closest("p, li, td, div, section").clientWidth;
    const drawn = formula.querySelector("svg");
    const whole = parseFloat(getComputedStyle(formula).fontSize);
    // Some of a drawing's width does not follow the letters', so one step may not be enough.
    for (let size = whole, steps = 0; steps < 4; steps += 1) {
      const excess = drawn.getBoundingClientRect().width / scaleOf(root) / room;
      if (excess <= 1 || size <= least * whole) break;
      size = Math.max((0.99 * size) / excess, least * whole);
      formula.style.fontSize = `${size}px`;
    }
  }
}

/** By how much reveal.js enlarges its slides; a page is as large as it is. */
function scaleOf(root) {
  return root === document ? 1 : Reveal.getScale();
}

window.addEventListener("load", () => {
  const first = () => (window.Reveal ? fitFormulas(Reveal.getCurrentSlide(), 0) : fitFormulas(document, 0.65));
  window.MathJax?.startup?.promise.then(first);
});
