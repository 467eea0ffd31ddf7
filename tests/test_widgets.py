import io

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

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


def test_a_picture_is_called_by_its_titles_and_its_caption():
    figure = Figure(figsize=(2, 1))
    figure.suptitle("Two  plots")
    left, right = figure.subplots(1, 2)
    left.set_title("Left")
    right.set_title("Left")  # said once

    def draw(value):
        left.set_title("Left" if value < 5 else "Left, and higher")
        return f"<b>{value:.0f}</b> &lt; 9" if value else ""

    control, _, caption = widgets.slider(figure, draw, (0.0, 5.0), description="height").children
    assert (caption.value, caption.alt) == ("", "Two plots. Left")
    control.value = 5.0
    assert caption.value == "<b>5</b> &lt; 9"
    assert caption.alt == "Two plots. Left, and higher. Left. 5 < 9"
    bare = widgets.slider(Figure(), lambda value: "", (0.0, 5.0), description="height").children[2]
    assert bare.alt == "a figure"


@pytest.mark.parametrize("layout", [None, "none"])
def test_the_figure_is_laid_out_once(layout):
    with mpl.rc_context({"figure.constrained_layout.use": True}):
        figure = Figure(figsize=(2, 1), layout=layout)
        axes = figure.add_subplot()
        as_made = axes.get_position().bounds

        def draw(height):
            axes.set_ylim(0, height)  # whose tick labels grow
            return ""

        control = widgets.slider(figure, draw, (1.0, 1e6), description="height").children[0]
        laid_out = axes.get_position().bounds
        assert (laid_out == as_made) == (layout == "none")
        for index in (1, 0):
            control.index = index
            assert axes.get_position().bounds == laid_out


class Counted(Line2D):
    draws = 0

    def draw(self, renderer):
        self.draws += 1
        super().draw(renderer)


def moving_line(**options):
    """A slider that moves one of two lines, the picture of it, and the line that stays."""
    figure = Figure(figsize=(2, 1), layout="none")
    axes = figure.add_subplot()
    axes.set(xlim=(0, 1), ylim=(-1, 11), autoscale_on=False)
    (moved,) = axes.plot([0, 1], [0, 0], zorder=3, **options)
    axes.add_line(still := Counted([0, 1], [0, 10]))

    def draw(height):
        moved.set_ydata([height, height])
        return ""

    control, picture, _ = widgets.slider(figure, draw, (0.0, 5.0, 10.0), description="height").children
    return control, picture, still


def test_where_artists_are_animated_the_picture_is_the_same_and_all_others_are_drawn_once():
    (control, picture, still), (whole, expected, redrawn) = moving_line(animated=True), moving_line()
    drawn = still.draws, redrawn.draws
    for index in (1, 2, 0):
        control.index = whole.index = index
        assert pixels_of(picture) == pytest.approx(pixels_of(expected), abs=1e-6)
    assert (still.draws, redrawn.draws) == (drawn[0], drawn[1] + 3)


def pixels_of(picture):
    return mpl.image.imread(io.BytesIO(picture.value))


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


@pytest.fixture
def point():
    """A figure with a point in it, and what moves the point."""
    figure = Figure(figsize=(2, 1))
    axes = figure.add_subplot()
    (mark,) = axes.plot([0], [0], "o")
    axes.set(xlim=(-3, 3), ylim=(-3, 3))

    def draw(x, y):
        mark.set_data([x], [y])
        return f"at {x}, {y}"

    return figure, draw, mark


@pytest.fixture
def make_pad(point):
    figure, draw, mark = point
    drawn = []

    def remember(x, y):
        drawn.append((x, y))
        return draw(x, y)

    def make(values=(-1.0, 0.0, 2.0), axes=figure.axes[0], **options):
        return widgets.pad(figure, remember, values, axes=axes, descriptions=("x", "y"), **options)

    return make, mark, drawn


def test_a_pads_sliders_move_a_point_across_and_up(make_pad):
    make, mark, drawn = make_pad
    up, right = make(start=(1, 0)).children
    picture, across, caption = right.children
    assert (across.orientation, up.orientation) == ("horizontal", "vertical")
    assert (across.description, up.description) == ("x", "y")
    assert caption.value == "at 0.0, -1.0"
    seen = {bytes(picture.value)}
    across.value = 2.0
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (2.0, -1.0)
    seen.add(bytes(picture.value))
    up.value = 2.0
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (2.0, 2.0)
    assert caption.value == "at 2.0, 2.0"
    seen.add(bytes(picture.value))
    assert len(seen) == 3
    assert picture.index == (2, 2)
    assert drawn == [(0.0, -1.0), (2.0, -1.0), (2.0, 2.0)]


def test_the_pointer_moves_a_pads_point_and_both_sliders_and_draws_once(make_pad):
    make, _, drawn = make_pad
    up, right = make(start=(0, 0)).children
    picture, across, caption = right.children
    before = bytes(picture.value)
    picture.index = (2, 1)  # what the picture's script does
    assert (across.value, up.value) == (2.0, 0.0)
    assert caption.value == "at 2.0, 0.0"
    assert bytes(picture.value) != before
    assert drawn == [(-1.0, -1.0), (2.0, 0.0)]


def test_a_pads_map_lies_where_its_axes_are_drawn(point):
    figure, draw, _ = point
    for axes in (figure.axes[0], figure.add_axes((0.5, 0.1, 0.25, 0.6))):
        made = widgets.pad(figure, draw, (0.0, 1.0), axes=axes, descriptions=("x", "y"))
        left, top, width, height = made.children[1].children[0].area
        box = axes.get_position()
        assert (left, 1 - top - height) == pytest.approx((box.x0, box.y0))
        assert (width, height) == pytest.approx((box.width, box.height))


def test_what_a_pad_refuses(make_pad):
    make, _, _ = make_pad
    for values in ((1.0, 0.0), (0.0, 0.0)):
        with pytest.raises(ValueError, match=r"values must ascend, but are \[.*\]: sort them"):
            make(values)
    with pytest.raises(ValueError, match="start must be an index into the 2 values, but is 2"):
        make((0.0, 1.0), start=(0, 2))
    with pytest.raises(ValueError, match=r"axes must be one of the figure's, .*: pass figure\.axes\[0\]"):
        make(axes=Figure().add_subplot())


def test_several_sliders_move_one_picture(point):
    figure, draw, _ = point
    left, right = widgets.sliders(figure, draw, (0.0, 1.0), descriptions=["x", "y"], start=1).children
    picture, caption = right.children
    assert [control.description for control in left.children] == ["x", "y"]
    assert caption.value == "at 1.0, 1.0"
    first = bytes(picture.value)
    left.children[1].value = 0.0
    assert caption.value == "at 1.0, 0.0"
    assert bytes(picture.value) != first
    with pytest.raises(ValueError, match="descriptions must hold a label for each slider, but is empty"):
        widgets.sliders(figure, draw, (0.0, 1.0), descriptions=[])


@pytest.fixture
def make_pixels():
    figure = Figure(figsize=(2, 1))
    (dot,) = figure.add_subplot(xlim=(0, 3), ylim=(0, 2)).plot([0], [0], "o")
    seen = []

    def draw(pixel):
        row, column = pixel
        dot.set_data([column], [row])
        seen.append(pixel)
        return f"row {row}, column {column}"

    return lambda shape=(2, 3), **options: (widgets.pixels(figure, draw, shape, **options), seen)


def test_clicking_a_pixel_marks_it_and_changes_the_picture(make_pixels):
    made, seen = make_pixels(start=(1, 0))
    grid, right = made.children
    picture, caption = right.children
    assert [button.tooltip for button in grid.children][:4] == [
        "row 0, column 0",
        "row 0, column 1",
        "row 0, column 2",
        "row 1, column 0",
    ]
    first = bytes(picture.value)
    assert caption.value == "row 1, column 0"
    grid.children[5].click()
    assert (caption.value, seen) == ("row 1, column 2", [(1, 0), (1, 2)])
    assert bytes(picture.value) != first
    assert [i for i, button in enumerate(grid.children) if button.style.button_color] == [5]
    grid.children[5].click()
    assert len(seen) == 2, "nothing changes, so nothing is drawn"


def test_a_grid_of_pixels_has_some_and_begins_within(make_pixels):
    with pytest.raises(ValueError, match="shape must be a whole number of at least 1, but is 0"):
        make_pixels((0, 3))
    with pytest.raises(ValueError, match=r"a row below 2 and a column below 3, but is \(1, 3\)"):
        make_pixels(start=(1, 3))


def test_the_sketchpad_asks_whenever_the_lines_change():
    asked = []

    def complete(lines):
        asked.append(lines)
        return [[[0.0, 0.0], [1.0, 1.0]]], f"{len(lines)} lines"

    examples = [[[(0.1, 0.2), (0.3, 0.4)]], [[(0.0, 0.0), (1.0, 0.0)], [(0.0, 1.0), (1.0, 1.0)]]]
    pad = widgets.sketchpad(complete, examples)
    sheet, buttons, caption = pad.children
    following, again, clear = buttons.children
    assert sheet.lines == [[[0.1, 0.2], [0.3, 0.4]]]
    assert caption.value == "1 lines"
    following.click()
    assert caption.value == "2 lines"
    assert sheet.added == [[[0.0, 0.0], [1.0, 1.0]]]
    again.click()
    assert len(asked) == 3
    sheet.lines = [*sheet.lines, [[0.5, 0.5], [0.6, 0.6]]]  # what the pen does
    assert caption.value == "3 lines"
    clear.click()
    assert (sheet.lines, sheet.added, caption.value) == ([], [], "Draw, or take an example.")
    assert len(asked) == 4


def test_a_sketchpad_needs_an_example():
    with pytest.raises(
        ValueError, match="examples must hold at least one beginning of a drawing, but is empty"
    ):
        widgets.sketchpad(lambda lines: ([], ""), [])
