// A sheet on which one draws, by a pointer or by keys: lines go to the kernel when the pen is lifted, and what it adds
// comes back.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
/** How far an arrow key moves the pen, as a part of the side; with Shift. */
const STEP = 0.05;
const SMALL_STEP = 0.01;
const HELP = "Arrow keys move the pen, the space bar puts it down and lifts it, Escape drops the line.";

/** Where a pointer is on the sheet: 0 to 1 from the left, and from the bottom. */
function place(event, canvas) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
}

function render({ model, el }) {
  const canvas = document.createElement("canvas");
  const size = model.get("size");
  canvas.width = canvas.height = size;
  canvas.style.cssText = `max-width: 100%; border: 1px solid #888; touch-action: none; cursor: crosshair; background: #fff`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", model.get("alt"));
  const sheet = document.createElement("div");
  sheet.className = "vaeedu-keys";
  sheet.tabIndex = 0;
  sheet.style.width = "fit-content";
  sheet.style.maxWidth = "100%";
  sheet.setAttribute("role", "application"); // screen readers leave the arrow keys to it
  sheet.setAttribute("aria-label", `${model.get("alt")}. ${HELP}`);
  sheet.dataset.lmSuppressShortcuts = "true"; // JupyterLab would go to the next cell
  const said = document.createElement("div");
  said.setAttribute("role", "status");
  said.style.cssText = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)";
  sheet.append(canvas, said);
  el.append(sheet);
  const pen = canvas.getContext("2d");
  let line = null;
  let at = null; // where the keys have put the pen; null while nobody uses them

  function trace(points, colour) {
    if (points.length === 0) return;
    pen.strokeStyle = colour;
    pen.lineWidth = 3;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    points.forEach(([x, y], i) => pen[i ? "lineTo" : "moveTo"](x * size, (1 - y) * size));
    pen.stroke();
  }

  function draw() {
    pen.clearRect(0, 0, size, size);
    model.get("added").forEach((points) => trace(points, model.get("colour")));
    model.get("lines").forEach((points) => trace(points, "#000"));
    if (line) trace(line, "#000");
    if (at) mark(at);
  }

  /** A ring where the pen is: filled while it is down. */
  function mark([x, y]) {
    pen.beginPath();
    pen.arc(x * size, (1 - y) * size, 6, 0, 2 * Math.PI);
    pen.lineWidth = 2;
    pen.strokeStyle = pen.fillStyle = "#0072b2";
    if (line) pen.fill();
    pen.stroke();
  }

  function lift() {
    if (line?.length > 1) {
      model.set("lines", [...model.get("lines"), line]);
      model.save_changes();
    }
    line = null;
  }

  function say() {
    const [x, y] = at.map((part) => Math.round(100 * part));
    said.textContent = `pen ${line ? "down" : "up"}, ${x} from the left, ${y} from the bottom`;
  }

  function press(key, isSmall) {
    if (key === "Escape") line = null;
    else if (key === " ") line ? lift() : (line = [at]);
    else {
      const length = isSmall ? SMALL_STEP : STEP;
      at = at.map((part, side) => Math.min(1, Math.max(0, part + length * STEPS[key][side])));
      if (line) line.push(at);
    }
    say();
    draw();
  }

  sheet.addEventListener("keydown", (event) => {
    const isOurs = event.key in STEPS || event.key === " " || event.key === "Escape";
    if (!isOurs || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    at ??= [0.5, 0.5];
    press(event.key, event.shiftKey);
  });
  sheet.addEventListener("blur", () => {
    lift();
    at = null;
    draw();
  });

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    lift();
    at = null;
    line = [place(event, canvas)];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!line || at) return;
    line.push(place(event, canvas));
    draw();
  });
  canvas.addEventListener("pointerup", () => {
    if (!line || at) return;
    lift();
    draw();
  });

  model.on("change:lines", draw);
  model.on("change:added", draw);
  draw();
  return () => {
    model.off("change:lines", draw);
    model.off("change:added", draw);
  };
}

export default { render };
