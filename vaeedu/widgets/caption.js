// The line of text below a picture. It is read out when it changes, and it gives names to what stands around it:
// ipywidgets gives none to a picture, to a slider's handle and to the buttons of a player.

const BUTTONS = { "fa-play": "play", "fa-pause": "pause", "fa-stop": "stop", "fa-retweet": "repeat" };

/** Sets an attribute where it is another: a change that is none would be observed, and never end. */
function put(element, name, value) {
  if (value && element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Each slider is called as its label says, and its value is read as it is shown. */
function nameControls(around) {
  for (const slider of around.querySelectorAll(".widget-slider, .widget-hslider, .widget-vslider")) {
    const label = slider.querySelector(".widget-label")?.textContent;
    const readout = slider.querySelector(".widget-readout");
    const shown = readout?.textContent;
    if (readout) put(readout, "contenteditable", "false"); // a list of stops takes no text, but Tab would stop there
    for (const handle of slider.querySelectorAll("[role=slider]")) {
      put(handle, "aria-label", label);
      put(handle, "aria-valuetext", shown);
    }
  }
  for (const icon of around.querySelectorAll(".widget-play button > i")) {
    const found = Object.keys(BUTTONS).find((name) => icon.classList.contains(name));
    if (found) put(icon.parentElement, "aria-label", BUTTONS[found]);
    put(icon, "aria-hidden", "true");
  }
}

/** The picture in the nearest box around an element that holds one. */
function pictureBeside(element) {
  for (let box = element.parentElement; box?.matches(".widget-box"); box = box.parentElement) {
    const picture = box.querySelector("img");
    if (picture) return picture;
  }
  return null;
}

function render({ model, el }) {
  const text = document.createElement("div");
  text.className = "vaeedu-caption";
  text.setAttribute("role", "status");
  el.append(text);

  function describe() {
    const picture = pictureBeside(el);
    if (picture) put(picture, "alt", `${picture.dataset.what ?? ""} ${model.get("alt")}`.trim());
  }
  function show() {
    text.innerHTML = model.get("value");
  }

  let around = el;
  let ended = false;
  const observer = new MutationObserver(name);
  function name() {
    nameControls(around);
    describe();
  }
  function begin() {
    if (ended) return;
    if (!el.isConnected) {
      requestAnimationFrame(begin); // the page has not taken the widget in yet
      return;
    }
    around = el.closest(".jp-OutputArea-output") ?? el.parentElement.closest(".widget-box") ?? el.parentElement;
    name();
    const watched = { subtree: true, childList: true, characterData: true };
    observer.observe(around, { ...watched, attributeFilter: ["aria-valuetext", "class", "contenteditable"] });
  }

  model.on("change:value", show);
  model.on("change:alt", describe);
  show();
  begin();
  return () => {
    ended = true;
    observer.disconnect();
    model.off("change:value", show);
    model.off("change:alt", describe);
  };
}

export default { render };
