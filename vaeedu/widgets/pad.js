// The picture of a pad: while the pointer is pressed on the map, it says at which stop it is; so do the arrow keys.

/** By how many stops a key moves the point, across and up. */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** The stop along a side of length 1 that is cut into equal shares. */
function stop(fraction, count) {
  return Math.min(count - 1, Math.max(0, Math.floor(fraction * count)));
}

/** Where a pointer is on the map: 0 to 1 from the left, and from the bottom. */
function place(event, image, [left, top, width, height]) {
  const box = image.getBoundingClientRect();
  const x = (event.clientX - box.left) / box.width;
  const y = (event.clientY - box.top) / box.height;
  return [(x - left) / width, 1 - (y - top) / height];
}

function render({ model, el }) {
  const map = document.createElement("div");
  map.className = "vaeedu-keys";
  map.tabIndex = 0;
  map.setAttribute("role", "application"); // screen readers leave the arrow keys to it
  map.setAttribute("aria-label", `${model.get("alt")} Arrow keys move the point.`);
  map.dataset.lmSuppressShortcuts = "true"; // JupyterLab would go to the next cell
  const image = document.createElement("img");
  image.alt = image.dataset.what = model.get("alt");
  image.draggable = false;
  image.style.maxWidth = "100%";
  image.style.touchAction = "none";
  map.append(image);
  el.append(map);

  let url = null;
  function show() {
    const old = url;
    url = URL.createObjectURL(new Blob([model.get("value")], { type: "image/png" }));
    image.src = url;
    if (old) URL.revokeObjectURL(old);
  }

  function go(index) {
    if (index.join() === model.get("index").join()) return;
    model.set("index", index);
    model.save_changes(); // while the kernel is at work, only the latest is kept for it
  }

  function move(event) {
    go(place(event, image, model.get("area")).map((part) => stop(part, model.get("num_stops"))));
  }

  map.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const last = model.get("num_stops") - 1;
    go(model.get("index").map((at, side) => Math.min(last, Math.max(0, at + step[side]))));
  });

  function isOnMap(event) {
    return place(event, image, model.get("area")).every((part) => part >= 0 && part < 1);
  }

  image.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !isOnMap(event)) return;
    image.setPointerCapture(event.pointerId);
    move(event);
  });
  image.addEventListener("pointermove", (event) => {
    image.style.cursor = isOnMap(event) ? "crosshair" : "default";
    if (image.hasPointerCapture(event.pointerId)) move(event);
  });

  model.on("change:value", show);
  show();
  return () => {
    model.off("change:value", show);
    URL.revokeObjectURL(url);
  };
}

export default { render };
