// A formula that is wider than its column is written smaller, down to a part of its size; what is still too wide scrolls.
function fitFormulas(root, least) {
  for (const formula of root.querySelectorAll("mjx-container[display=true]")) {
    const excess = formula.scrollWidth / formula.clientWidth;
    if (excess > 1) {
      const size = parseFloat(getComputedStyle(formula).fontSize);
      formula.style.fontSize = `${size * Math.max(0.99 / excess, least)}px`;
    }
  }
}

window.addEventListener("load", () => {
  window.MathJax?.startup?.promise.then(() => fitFormulas(document, document.querySelector(".reveal") ? 0 : 0.65));
});
