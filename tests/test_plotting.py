import base64
import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from vaeedu import plotting
from vaeedu.plotting import showing


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_tile_puts_images_row_by_row_with_gaps_of_nan():
    images = torch.arange(1.0, 4.0)[:, None, None].expand(3, 2, 2)
    canvas = plotting.tile(images, num_columns=2)
    nan = torch.nan
    expected = torch.tensor([[1, 1, nan, 2, 2], [1, 1, nan, 2, 2], [nan] * 5, [3, 3, nan, nan, nan]])
    torch.testing.assert_close(canvas[:4], expected, equal_nan=True)
    assert canvas.shape == (5, 5)


@pytest.mark.parametrize(("num_images", "num_columns"), [(0, 2), (2, 0)])
def test_tile_needs_images_and_columns(num_images, num_columns):
    with pytest.raises(ValueError, match="must be a whole number of at least 1, but is 0"):
        plotting.tile(torch.zeros(num_images, 2, 2), num_columns)


def colour_at(axes, row, column):
    picture = axes.images[0]
    return mpl.colors.to_hex(picture.cmap(picture.norm(picture.get_array()[row, column]))).upper()


def test_ink_is_dark_paper_white_and_missing_pixels_have_their_own_colour(axes):
    image = torch.tensor([[[0.0, 1.0], [torch.nan, 0.5]]])
    plotting.draw_images(axes, image, 1)
    assert [colour_at(axes, 0, 0), colour_at(axes, 0, 1)] == ["#FFFFFF", "#000000"]
    assert colour_at(axes, 1, 0) == plotting.MISSING


def test_what_lies_below_the_range_is_white_and_not_missing(axes):
    image = torch.tensor([[[-1.6, -3.0], [torch.nan, 1.6]]])  # −1.6 in float32 is less than in float64
    plotting.draw_images(axes, image, 1, limits=(-1.6, 1.6))
    assert colour_at(axes, 0, 0) == colour_at(axes, 0, 1) == "#FFFFFF"
    assert colour_at(axes, 1, 0) == plotting.MISSING
    assert colour_at(axes, 1, 1) == "#000000"


def test_signed_images_are_scaled_one_by_one_around_white(axes):
    images = torch.tensor([[[0.0, 5.0]], [[-0.1, 0.0]]])
    plotting.draw_images(axes, images, 2, limits=None)
    values = np.ma.filled(axes.images[0].get_array(), np.nan)[0]
    np.testing.assert_allclose(values, [0.0, 1.0, np.nan, -1.0, 0.0])


def test_row_labels_stand_at_the_rows(axes):
    plotting.draw_images(axes, torch.zeros(4, 3, 3), 2, row_labels=["a", "b"])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert list(axes.get_yticks()) == [1.0, 5.0]


def test_importing_changes_no_setting_and_use_style_does():
    with mpl.rc_context():
        mpl.rcdefaults()
        before = mpl.rcParams["axes.prop_cycle"]
        plotting.use_style()
        assert mpl.rcParams["axes.prop_cycle"] != before
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"] == list(plotting.PALETTE)


@pytest.fixture
def shown(monkeypatch):
    bundles = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def test_show_gives_alternative_text_and_closes_the_figure(shown):
    figure, _ = plt.subplots()
    plotting.show(figure, alt='a "curve" that rises')
    (bundle,) = shown
    assert 'alt="a &quot;curve&quot; that rises"' in bundle["text/html"]
    assert bundle["text/plain"] == 'a "curve" that rises'
    assert bundle["image/png"] in bundle["text/html"]
    assert not plt.fignum_exists(figure.number)


@pytest.mark.parametrize(("label", "is_wider"), [("VAE", False), ("a Boltzmann machine with 12 units", True)])
def test_show_cuts_no_label_off(shown, label, is_wider):
    figure, axes = plt.subplots(figsize=(4, 3), layout="constrained")
    plotting.draw_images(axes, torch.zeros(24, 14, 14), 12, row_labels=[label])
    axes.set_position((0.2, 0.1, 0.7, 0.8))
    plotting.show(figure, alt="Two rows of images.")
    pixels = mpl.image.imread(io.BytesIO(base64.b64decode(shown[0]["image/png"])))
    assert (pixels.shape[1] > 400) is is_wider
    assert (pixels[:, 0, :3] == 1).all()  # no letter touches the edge


def test_show_lays_a_figure_out_once_draws_it_once_and_leaves_it_as_it_was(monkeypatch):
    figure = mpl.figure.Figure(layout="constrained")
    figure.subplots()
    engine, laid_out, drawn = figure.get_layout_engine(), [], []
    draw = type(figure).draw
    monkeypatch.setattr(
        type(figure), "draw", lambda self, renderer: drawn.append(self) or draw(self, renderer)
    )
    execute = type(engine).execute
    monkeypatch.setattr(
        type(engine), "execute", lambda self, figure: laid_out.append(figure) or execute(self, figure)
    )
    plotting.show(figure, alt="Nothing")
    assert laid_out == drawn == [figure]
    assert figure.get_layout_engine() is engine


@pytest.mark.parametrize("layout", ["constrained", "tight"])
def test_show_draws_what_savefig_would(layout):
    def picture(render):
        figure = mpl.figure.Figure(figsize=(5, 3), layout=layout)
        left, right = figure.subplots(1, 2)
        left.semilogy([1, 10, 1000], label="a line")
        left.set(xlabel="x", ylabel="y", title="Left")
        left.legend()
        figure.colorbar(right.imshow(np.arange(6.0).reshape(2, 3)))
        return mpl.image.imread(io.BytesIO(render(figure)))

    def plain(figure):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        return buffer.getvalue()

    np.testing.assert_array_equal(picture(showing._png_of_all), picture(plain))


def test_a_figure_without_alternative_text_is_refused():
    with pytest.raises(ValueError, match="alt must describe the figure, but is empty"):
        plotting.show(mpl.figure.Figure(), alt="  ")


class Shown:
    """What it is."""

    def method(self, text="""not a docstring"""):
        r"""What it does,

        in two paragraphs.
        """
        return text

    def only_documented(self):
        """There is nothing else."""


def test_source_is_shown_without_its_docstrings():
    assert plotting.show_source(Shown.method, len_of).data == (
        '```python\ndef method(self, text="""not a docstring"""):\n    return text\n\n\n'
        "def len_of(x):\n    return len(x)\n```"
    )
    shown = plotting.show_source(Shown).data
    assert "What it" not in shown
    assert '"""There is nothing else."""' in shown  # or the method would have no body
    assert "two paragraphs" in plotting.show_source(Shown, docstrings=True).data


def len_of(x):
    return len(x)


def test_source_of_nothing_is_refused():
    with pytest.raises(ValueError, match="objects must hold at least one function or class, but is empty"):
        plotting.show_source()


# ---- marks, claims, drawings ----


def test_each_class_has_a_mark_of_its_own(axes):
    marks = plotting.CLASS_MARKS
    assert len(set(marks)) == len({shape for _, shape in marks}) == 10
    labels = torch.arange(10).repeat(3)
    plotting.draw_classes(axes, torch.rand(30, 2), labels)
    drawn = [c for c in axes.collections if len(c.get_offsets()) == 3]
    assert [c.get_label() for c in drawn] == [str(label) for label in range(10)]
    assert [mpl.colors.to_hex(c.get_facecolor()[0]).upper() for c in drawn] == [colour for colour, _ in marks]
    assert len(axes.get_legend().get_texts()) == 10


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 10], "labels must lie among 0 to 9, .* reach from 0 to 10"),
        ([-1, 0], "from -1 to 0"),
        ([1], "one for each of 2"),
    ],
)
def test_draw_classes_refuses(axes, labels, words):
    with pytest.raises(ValueError, match=words):
        plotting.draw_classes(axes, torch.zeros(2, 2), torch.tensor(labels))


@pytest.mark.parametrize("seen", [True, np.bool_(True), torch.tensor(True)])
def test_a_claim_that_is_seen_is_said(seen):
    assert plotting.claim(seen, "it falls") == "it falls"


@pytest.mark.parametrize("seen", [False, np.float64("nan") > 0, torch.tensor(False)])
def test_a_claim_that_is_not_seen_is_taken_back_and_warned_of(seen):
    with pytest.warns(plotting.NotSeen, match="this run does not show that “it falls”"):
        assert plotting.claim(seen, "it falls") == "Not seen in this run: it falls"


def test_a_claim_says_something():
    with pytest.raises(ValueError, match="text must say what was found, but is empty"):
        plotting.claim(True, " ")


def test_arrows_lead_from_edge_to_edge_and_plates_hold_their_things(axes):
    model = plotting.Diagram(axes)
    model.variable("z", 0, 2, "z")
    model.variable("x", 0, 0, "x", observed=True)
    model.parameter("theta", 2, 0, "θ")
    model.box("f", 4, 0, "f")
    model.arrow("z", "x", "draw")
    model.plate(["z", "x"], "N")
    axes.figure.canvas.draw()
    circles = [patch for patch in axes.patches if isinstance(patch, mpl.patches.Circle)]
    open_circle, filled, dot = circles
    assert (
        mpl.colors.to_hex(open_circle.get_facecolor())
        == "#ffffff"
        != mpl.colors.to_hex(filled.get_facecolor())
    )
    assert dot.radius < open_circle.radius
    frame = axes.patches[-1]
    assert frame.get_y() < -0.4
    assert frame.get_y() + frame.get_height() > 2.4
    assert frame.get_x() < -0.4 < 0.4 < frame.get_x() + frame.get_width() < 2
    (bottom, top), (left, right) = axes.get_ylim(), axes.get_xlim()
    assert bottom < frame.get_y() < frame.get_y() + frame.get_height() < top
    assert left < frame.get_x() < 4.8 < right
    (arrow,) = [text for text in axes.texts if getattr(text, "arrow_patch", None)]
    path = arrow.arrow_patch.get_path()
    ends = arrow.arrow_patch.get_transform().transform(path.vertices[path.codes != path.CLOSEPOLY])
    ys = axes.transData.inverted().transform(ends)[:, 1]
    assert 0.35 < ys.min() < ys.max() < 1.65  # not under the circles of radius 0.4


def test_an_arrow_to_nothing_is_refused(axes):
    model = plotting.Diagram(axes)
    model.variable("z", 0, 0, "z")
    with pytest.raises(ValueError, match="name must be one of z, but is x"):
        model.arrow("z", "x")


def test_feature_maps_are_as_large_as_the_images(axes):
    plotting.draw_feature_maps(axes, [(1, 28, 28), (16, 14, 14), (7,)], ["down", "flatten"])
    squares = [patch.get_width() for patch in axes.patches[:-1]]
    assert squares == [pytest.approx(3.0), *[pytest.approx(1.5)] * 5]
    assert [text.get_text() for text in axes.texts if text.get_text()] == [
        "1 × 28 × 28", "down", "16 × 14 × 14", "flatten", "7",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("shapes", "steps", "colours", "words"),
    [
        (
            [(1, 8, 8), (4,)],
            ["a", "b"],
            [],
            "steps must be 1 in number, for the layers that there are, but are 2",
        ),
        ([(1, 8, 8), (4,)], [], ["red"], "colours must be 2 in number"),
        ([(1, 8, 8), (4, 4)], [], [], r"a shape must be \(C, H, W\) or \(K,\), but is \(4, 4\)"),
    ],
)
def test_feature_maps_refuse(axes, shapes, steps, colours, words):
    with pytest.raises(ValueError, match=words):
        plotting.draw_feature_maps(axes, shapes, steps, colours=colours)
