"""A widget is played through its stops, unseen, and ends where it was."""

import base64
import io
import json

import ipywidgets
import numpy as np
import pytest
from matplotlib.figure import Figure
from pages import lectures, played
from PIL import Image

from vaeedu import widgets

STOPS = [0.0, 1.0, 2.0, 3.0]


@pytest.fixture(autouse=True)
def alone():
    ipywidgets.Widget.close_all()
    yield
    ipywidgets.Widget.close_all()


@pytest.fixture
def figure():
    figure = Figure(figsize=(1.5, 1))
    figure.add_subplot(xlim=(-1, 5), ylim=(-1, 5))
    return figure


def drawing(figure):
    (mark,) = figure.axes[0].plot([0], [0], "o")

    def draw(*values):
        values = [float(v) for value in values for v in np.atleast_1d(value)]
        mark.set_data([values[0]], [values[-1]])
        return f"at <b>{values}</b>"

    return draw


def pixels_of(packed):
    return np.asarray(
        Image.open(
            io.BytesIO(base64.b64decode(packed) if isinstance(packed, str) else bytes(packed))
        ).convert("RGB")
    )


def test_a_slider_has_a_frame_for_each_stop_and_each_is_what_the_widget_shows(figure):
    box = widgets.slider(figure, drawing(figure), STOPS, description="height", start=2)
    control, picture, caption = box.children
    before = bytes(picture.value), caption.value, control.index
    film = played.film(box)
    assert (bytes(picture.value), caption.value, control.index) == before
    assert (film["kind"], film["sliders"][0]["start"], film["thinned"]) == ("sliders", 2, False)
    assert [places for places, *_ in film["shown"]] == [[0], [1], [2], [3]]
    for (place,), frame, text in film["shown"]:
        control.index = place
        assert film["sliders"][0]["labels"][place] == control.label
        assert (film["texts"][text], film["alts"][text]) == (caption.value, caption.alt)
        assert (pixels_of(film["pictures"][frame]) == pixels_of(picture.value)).all()  # packed without loss


def test_pictures_that_are_alike_are_kept_once(figure):
    box = widgets.slider(figure, lambda value: "the same", STOPS, description="height")
    film = played.film(box)
    assert (len(film["pictures"]), len(film["texts"]), len(film["shown"])) == (1, 1, 4)


def test_of_a_pad_every_stop_across_goes_with_every_stop_up(figure):
    box = widgets.pad(
        figure, drawing(figure), STOPS, axes=figure.axes[0], descriptions=("a", "b"), start=(1, 2)
    )
    film = played.film(box)
    assert sorted(places for places, *_ in film["shown"]) == [[i, j] for i in range(4) for j in range(4)]
    assert len(film["pictures"]) == 16
    assert len(film["area"]) == 4
    assert [slider["shares"] for slider in film["sliders"]] == [[0.125, 0.375, 0.625, 0.875]] * 2
    assert film["alt"] == "A map of a and b."
    by_name = {slider["description"]: slider["start"] for slider in film["sliders"]}
    assert by_name == {"a": 1, "b": 2}


def test_a_pad_whose_slider_up_comes_first_is_still_addressed_across_then_up(figure):
    box = widgets.pad(figure, drawing(figure), STOPS, axes=figure.axes[0], descriptions=("across", "up"))
    film = played.film(box)
    assert [slider["description"] for slider in film["sliders"]] == ["across", "up"]
    text = {tuple(places): film["texts"][text] for places, _, text in film["shown"]}
    assert text[3, 0] == "at <b>[3.0, 0.0]</b>"


def test_of_many_sliders_one_moves_at_a_time(figure):
    box = widgets.sliders(figure, drawing(figure), STOPS, descriptions=["a", "b", "c"], start=1)
    film = played.film(box)
    assert not film["together"]
    assert len(film["shown"]) == 1 + 3 * 3
    assert all(sum(place != 1 for place in places) <= 1 for places, *_ in film["shown"])


def test_a_play_button_is_remembered(figure):
    box = widgets.slider(figure, drawing(figure), STOPS, description="step", interval=120)
    assert played.film(box)["interval"] == 120


def test_every_pixel_is_clicked(figure):
    box = widgets.pixels(figure, drawing(figure), (2, 3), start=(1, 1))
    film = played.film(box)
    assert (film["kind"], film["columns"], film["start"]) == ("pixels", 3, 4)
    assert film["names"][4] == "row 1, column 1"
    assert [places for places, *_ in film["shown"]] == [[n] for n in range(6)]
    picture = box.children[1].children[0]
    frame = film["shown"][4][1]
    assert (pixels_of(film["pictures"][frame]) == pixels_of(picture.value)).all()  # it is back where it was


@pytest.mark.parametrize(
    ("sizes", "starts", "together"),
    [([25, 25], [12, 12], True), ([41], [8], True), ([25] * 10, [12] * 10, False), ([400], [399], True)],
)
def test_stops_are_thinned_evenly_and_keep_the_first_one(sizes, starts, together):
    kept = played.kept_stops(sizes, starts, together)
    frames = np.prod([len(each) for each in kept]) if together else 1 + sum(map(len, kept))
    assert frames <= played.MOST_FRAMES
    for each, start, size in zip(kept, starts, sizes, strict=True):
        assert start in each
        assert len(set(np.diff(each))) == 1
        assert min(each) < each[1] - each[0]
        assert max(each) >= size - (each[1] - each[0])


def test_what_is_no_film_has_none_and_its_state_is_kept(figure, tmp_path):
    sheet = widgets.sketchpad(lambda lines: ([], ""), [[[[0.1, 0.1], [0.5, 0.5]]]])
    slider = widgets.slider(figure, drawing(figure), STOPS, description="height")
    played.record(str(tmp_path / "widgets.json"))
    recorded = json.loads((tmp_path / "widgets.json").read_text())
    assert recorded["films"].keys() == {slider.model_id}
    assert sheet.model_id in recorded["state"]
    needed = lectures.reachable(recorded["state"], [sheet.model_id])
    assert slider.model_id not in needed
    assert {
        sheet.model_id,
        sheet.children[0].model_id,
        sheet.children[1].children[0].model_id,
    } <= needed.keys()


def test_the_readers_window_hears_nothing_of_it(figure, monkeypatch):
    box = widgets.slider(figure, drawing(figure), STOPS, description="height")
    sent = []
    monkeypatch.setattr(ipywidgets.Widget, "send_state", lambda self, key=None: sent.append(key))
    box.children[0].index = 1
    assert sent  # it would be heard of
    sent.clear()
    played.films()
    assert sent == []
