import pytest
from matplotlib.figure import Figure

from vaeedu import widgets


@pytest.fixture
def make():
    figure = Figure(figsize=(2, 1))
    axes = figure.add_subplot()
    (line,) = axes.plot([0, 1], [0, 0])
    axes.set_ylim(-1, 11)

    def draw(value):
        line.set_ydata([value, value])
        return f"height {value}"

    return lambda values=(0.0, 5.0, 10.0), **options: widgets.slider(
        figure, draw, values, description="height", **options
    )


def test_moving_the_slider_changes_the_picture_and_its_caption(make):
    control, picture, caption = make(start=1).children
    assert (control.value, caption.value) == (5.0, "height 5.0")
    first = bytes(picture.value)
    assert first.startswith(b"\x89PNG")
    control.value = 10.0
    assert caption.value == "height 10.0"
    assert bytes(picture.value) != first
    control.value = 5.0
    assert bytes(picture.value) == first


def test_stops_are_written_as_asked(make):
    control = make(value_format="{:.1f} m").children[0]
    assert [text for text, _ in control.options] == ["0.0 m", "5.0 m", "10.0 m"]


def test_the_play_button_and_the_slider_move_each_other(make):
    top, picture, caption = make(start=1, interval=50).children
    play, control = top.children
    assert (play.value, play.max, play.interval) == (1, 2, 50)
    first = bytes(picture.value)
    play.value = 2
    assert (control.value, caption.value) == (10.0, "height 10.0")
    assert bytes(picture.value) != first
    control.value = 0.0
    assert play.value == 0


def test_an_interval_must_be_positive(make):
    with pytest.raises(ValueError, match="interval must be a whole number of at least 1, but is 0"):
        make(interval=0)


@pytest.mark.parametrize(
    ("values", "start", "message"),
    [
        ((1.0,), 0, "at least two stops for the slider, but holds 1"),
        ((1.0, 2.0), 2, "start must be an index into the 2 values, but is 2"),
        ((1.0, 2.0), -1, "start must be an index into the 2 values, but is -1"),
    ],
)
def test_bad_stops_are_refused(make, values, start, message):
    with pytest.raises(ValueError, match=message):
        make(values, start=start)
