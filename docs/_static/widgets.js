// Draws the widgets that no film was made of, as the run left them. Loaded last, because require.js, once it is there,
// takes the definitions of scripts that come after it.
(() => {
  const base = new URL("widgets/", document.currentScript.src).href;
  const load = (name) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      Object.assign(script, { src: base + name, onload: resolve, onerror: reject });
      document.head.append(script);
    });
  window.addEventListener("load", async () => {
    await load("require.js");
    window.require.config({ paths: { anywidget: `${base}anywidget` } });
    await load("embed-amd.js");
  });
})();
