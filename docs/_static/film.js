// A widget without a kernel: its pictures were drawn in advance, and its controls choose among them.

/** Makes an element with attributes and children. */
function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Shows frames of a film: a picture and a line of text for each setting of the controls. */
class Film {
  constructor(root) {
    this.about = JSON.parse(root.querySelector("script").textContent);
    this.controls = root.querySelector(".film-controls");
    this.image = root.querySelector("img");
    this.caption = root.querySelector(".film-caption");
    this.shown = new Map(this.about.shown.map(([places, picture, text]) => [places.join(), [picture, text]]));
    if (this.about.kind === "pixels") this.addPixels();
    else this.addSliders();
    if (this.about.note) this.controls.append(made("p", { class: "film-note" }, this.about.note));
    // Frames are fetched when somebody reaches for the controls, so that opening a page stays cheap.
    const fetchAll = () => (this.fetched = this.about.frames.map((address) => Object.assign(new Image(), { src: address })));
    for (const kind of ["pointerenter", "focusin"]) root.addEventListener(kind, fetchAll, { once: true });
  }

  /** Shows the frame of these places, one for each control. */
  show(places) {
    const [picture, text] = this.shown.get(places.join());
    this.image.src = this.about.frames[picture];
    this.caption.innerHTML = this.about.texts[text];
    this.image.alt = `${this.about.alt} ${this.about.alts[text]}`.trim();
  }

  addSliders() {
    this.places = this.about.sliders.map((slider) => slider.start);
    this.inputs = this.about.sliders.map((slider, number) => this.addSlider(slider, number));
    if (this.about.interval) this.addPlay();
    if (this.about.area) this.followPointer(...this.about.area);
  }

  addSlider({ description, labels, start }, number) {
    const value = made("output", {}, labels[start]);
    const input = made("input", { type: "range", min: 0, max: labels.length - 1, step: 1 });
    input.value = start;
    input.setAttribute("aria-valuetext", labels[start]);
    input.addEventListener("input", () => this.move(number, Number(input.value)));
    this.controls.append(made("label", { class: "film-slider" }, made("span", {}, description), input, value));
    return { input, value, labels };
  }

  /** Moves one control; where not every combination was drawn, the others go back. */
  move(number, place) {
    if (!this.about.together) this.places = this.about.sliders.map((slider) => slider.start);
    this.places[number] = place;
    this.inputs.forEach(({ input, value, labels }, i) => {
      input.value = this.places[i];
      value.textContent = labels[this.places[i]];
      input.setAttribute("aria-valuetext", labels[this.places[i]]);
    });
    this.show(this.places);
  }

  addPlay() {
    const button = made("button", { type: "button", class: "film-play" }, "▶ play");
    let timer = null;
    const stop = () => {
      clearInterval(timer);
      timer = null;
      button.textContent = "▶ play";
    };
    const step = () => {
      const last = this.inputs[0].labels.length - 1;
      if (this.places[0] >= last) stop();
      else this.move(0, this.places[0] + 1);
    };
    button.addEventListener("click", () => {
      if (timer !== null) return stop();
      if (this.places[0] >= this.inputs[0].labels.length - 1) this.move(0, 0);
      timer = setInterval(step, this.about.interval);
      button.textContent = "⏸ stop";
    });
    this.controls.prepend(button);
  }

  /** Lets the point of a map follow the pointer while it is pressed. */
  followPointer(left, top, width, height) {
    const move = (event) => {
      const box = this.image.getBoundingClientRect();
      const across = ((event.clientX - box.left) / box.width - left) / width;
      const up = 1 - ((event.clientY - box.top) / box.height - top) / height;
      [across, up].forEach((part, number) => this.move(number, nearest(this.about.sliders[number].shares, part)));
    };
    this.image.draggable = false;
    this.image.style.touchAction = "none";
    this.image.style.cursor = "crosshair";
    this.image.addEventListener("pointerdown", (event) => {
      this.image.setPointerCapture(event.pointerId);
      move(event);
    });
    this.image.addEventListener("pointermove", (event) => {
      if (this.image.hasPointerCapture(event.pointerId)) move(event);
    });
  }

  addPixels() {
    const { columns, names, start } = this.about;
    const grid = made("div", { class: "film-pixels", style: `--columns: ${columns}` });
    names.forEach((name, number) => {
      const button = made("button", { type: "button", title: name, "aria-label": name, "aria-pressed": number === start });
      button.addEventListener("click", () => {
        grid.querySelector("[aria-pressed=true]").setAttribute("aria-pressed", false);
        button.setAttribute("aria-pressed", true);
        this.show([number]);
      });
      grid.append(button);
    });
    this.controls.append(grid);
  }
}

/** The index of the share that is nearest to a part of a map's side. */
function nearest(shares, part) {
  return shares.reduce((best, share, i) => (Math.abs(share - part) < Math.abs(shares[best] - part) ? i : best), 0);
}

document.addEventListener("DOMContentLoaded", () => {
  for (const root of document.querySelectorAll(".film")) new Film(root);
});
