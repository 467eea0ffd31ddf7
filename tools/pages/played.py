"""Plays a notebook's widgets while their kernel lives, so that a page without one can show them move.

It runs in the lecture's own kernel, after its last cell: each slider goes through its stops, each pixel is clicked, and
the pictures and captions are kept. Nothing of it reaches the reader's window, and every widget ends where it was.
"""

import base64
import io
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import ipywidgets
from ipywidgets.widgets import widget as instances
from PIL import Image

from vaeedu.widgets.parts import Caption

MOST_FRAMES = 120  # of one widget: a pad of 25 × 25 stops keeps every third


def record(path: str) -> None:
    """Writes a JSON file: the state of every widget, and a film of each that can be played.

    Args:
        path: Of the file.
    """
    state = ipywidgets.Widget.get_manager_state(drop_defaults=False)["state"]
    Path(path).write_text(json.dumps({"state": state, "films": films()}), encoding="utf-8")


def films() -> dict[str, Any]:
    """Plays every widget that can be played; returns each one's film under its name."""
    with mock.patch.object(ipywidgets.Widget, "send_state"):
        return {root.model_id: made for root in roots() if (made := film(root)) is not None}


def roots() -> list[ipywidgets.Box]:
    """Returns the boxes that stand in no other box, in the order in which they were made."""
    boxes = [widget for widget in instances._instances.values() if isinstance(widget, ipywidgets.Box)]
    inner = {id(child) for box in boxes for child in box.children}
    return [box for box in boxes if id(box) not in inner]


def film(root: ipywidgets.Box) -> dict[str, Any] | None:
    """Plays one widget; None where it has nothing that a page without a kernel could show."""
    parts = list(_inside(root))
    pictures = [part for part in parts if isinstance(getattr(part, "value", None), (bytes, memoryview))]
    controls = [part for part in parts if isinstance(part, ipywidgets.SelectionSlider)]
    controls.sort(key=lambda control: control.orientation)  # of a pad, across ("horizontal") before up
    buttons = [part for part in parts if isinstance(part, ipywidgets.Button)]
    if len(pictures) != 1 or bool(controls) == bool(buttons):
        return None
    captions = [part for part in parts if isinstance(part, Caption)]
    frames = _Frames(pictures[0], captions)
    if controls:
        played = [part for part in parts if isinstance(part, ipywidgets.Play)]
        about = _play_sliders(controls, frames) | {"interval": played[0].interval if played else None}
    else:
        about = _play_pixels(buttons, frames, parts)
    about["area"] = getattr(pictures[0], "area", None)  # of a pad's map, on which the pointer moves
    return about | frames.kept() | {"alt": getattr(pictures[0], "alt", "")}


class _Frames:
    """The pictures and captions that were seen, each kept once."""

    def __init__(self, picture: Any, captions: Sequence[Any]) -> None:
        self.picture, self.captions = picture, captions
        self.pictures: dict[str, int] = {}
        self.texts: dict[tuple[str, str], int] = {}  # a caption, and what the picture above it shows

    def take(self) -> tuple[int, int]:
        """Keeps what is shown now; returns which picture it is, and which text."""
        picture = base64.b64encode(as_webp(self.picture.value)).decode()
        text = tuple(" ".join(getattr(each, name) for each in self.captions) for name in ("value", "alt"))
        number = self.pictures.setdefault(picture, len(self.pictures))
        return number, self.texts.setdefault(text, len(self.texts))

    def kept(self) -> dict[str, Any]:
        texts, alts = zip(*self.texts, strict=True)
        return {"pictures": list(self.pictures), "texts": texts, "alts": alts}


def as_webp(png: bytes | memoryview) -> bytes:
    """Packs a picture without loss: a film has a hundred of them."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(bytes(png))).convert("RGB").save(
        buffer, "WEBP", lossless=True, quality=40, method=2
    )
    return buffer.getvalue()


def kept_stops(sizes: Sequence[int], starts: Sequence[int], together: bool) -> list[list[int]]:
    """Chooses each slider's stops, the one it begins with among them, so that there are not too many frames.

    Args:
        sizes: How many stops each slider has.
        starts: The stop that each begins with.
        together: Whether every stop of one goes with every stop of the others; else one slider moves at a time.
    """
    for stride in itertools.count(1):
        stops = [list(range(start % stride, size, stride)) for size, start in zip(sizes, starts, strict=True)]
        frames = 1
        for each in stops:
            frames = frames * len(each) if together else frames + len(each)
        if frames <= MOST_FRAMES:
            return stops
    raise AssertionError("some stride leaves one stop each")


def _play_sliders(controls: Sequence[Any], frames: _Frames) -> dict[str, Any]:
    starts = [control.index for control in controls]
    together = len(controls) <= 2
    stops = kept_stops([len(control.options) for control in controls], starts, together)

    def move_to(places: Sequence[int]) -> None:
        for control, place in zip(controls, places, strict=True):
            control.index = place

    shown = []
    for places in _settings(stops, starts, together):
        move_to(places)
        shown.append([[each.index(p) for each, p in zip(stops, places, strict=True)], *frames.take()])
    move_to(starts)
    sliders = [
        {
            "description": control.description,
            "labels": [control.options[i][0] for i in each],
            "shares": [(i + 0.5) / len(control.options) for i in each],  # of the side of a pad's map
            "start": each.index(start),
            "up": control.orientation == "vertical",
        }
        for control, each, start in zip(controls, stops, starts, strict=True)
    ]
    thinned = any(len(each) < len(control.options) for each, control in zip(stops, controls, strict=True))
    return {"kind": "sliders", "together": together, "thinned": thinned, "sliders": sliders, "shown": shown}


def _settings(
    stops: Sequence[Sequence[int]], starts: Sequence[int], together: bool
) -> Iterator[tuple[int, ...]]:
    if together:
        yield from itertools.product(*stops)
        return
    yield tuple(starts)
    for number, each in enumerate(stops):
        for place in each:
            if place != starts[number]:
                yield (*starts[:number], place, *starts[number + 1 :])


def _play_pixels(buttons: Sequence[Any], frames: _Frames, parts: Sequence[Any]) -> dict[str, Any]:
    start = _pressed(buttons)
    shown = []
    for number, button in enumerate(buttons):
        button.click()
        shown.append([[number], *frames.take()])
    buttons[start].click()
    columns = next(
        part.layout.grid_template_columns for part in parts if isinstance(part, ipywidgets.GridBox)
    )
    return {
        "kind": "pixels",
        "columns": int("".join(filter(str.isdigit, columns.partition(",")[0]))),
        "names": [button.tooltip for button in buttons],
        "start": start,
        "shown": shown,
    }


def _pressed(buttons: Sequence[Any]) -> int:
    """Returns the button that has a colour of its own."""
    coloured: Callable[[Any], bool] = lambda button: button.style.button_color is not None  # noqa: E731
    return next((number for number, button in enumerate(buttons) if coloured(button)), 0)


def _inside(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _inside(child)
