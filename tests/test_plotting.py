import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from vaeedu import plotting


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


def test_show_gives_alternative_text_and_closes_the_figure(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    figure, _ = plt.subplots()
    plotting.show(figure, alt='a "curve" that rises')
    (bundle,) = shown
    assert 'alt="a &quot;curve&quot; that rises"' in bundle["text/html"]
    assert bundle["text/plain"] == 'a "curve" that rises'
    assert bundle["image/png"] in bundle["text/html"]
    assert not plt.fignum_exists(figure.number)


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
