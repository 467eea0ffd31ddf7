// A sheet on which one draws: lines go to the kernel when the pen is lifted, and what it adds comes back.

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
  el.append(canvas);
  const pen = canvas.getContext("2d");
  let line = null;

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
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    line = [place(event, canvas)];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!line) return;
    line.push(place(event, canvas));
    draw();
  });
  canvas.addEventListener("pointerup", () => {
    if (!line) return;
    if (line.length > 1) {
      model.set("lines", [...model.get("lines"), line]);
      model.save_changes();
    }
    line = null;
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
