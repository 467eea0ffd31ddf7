"""Generated faces and shapes: repeatable, in range, and each factor does what its name says; CelebA's folder."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from vaeedu import data
from vaeedu.data import distances
from vaeedu.sampling import seeded


def one(**factors):
    """A face in the middle of all factors but those that are given."""
    row = torch.full((len(data.FACE_FACTORS),), 0.5)
    row[data.FACE_FACTORS.index("glasses")] = 0.0
    for name, value in factors.items():
        row[data.FACE_FACTORS.index(name.replace("_", " "))] = value
    return data.draw_faces(row[None])[0]


def test_shapes_ranges_and_repetition():
    for make, names, channels in (
        (data.faces, data.FACE_FACTORS, 3),
        (data.shapes, data.SHAPE_FACTORS, 1),
    ):
        x, factors = make(40, generator=seeded(0))
        assert (x.shape, x.dtype) == ((40, channels, 32, 32), torch.float32)
        assert (factors.shape, factors.dtype) == ((40, len(names)), torch.float32)
        assert 0 <= float(x.min()) < 0.1
        assert 0.9 < float(x.max()) <= 1
        again, same = make(40, generator=seeded(0))
        assert torch.equal(x, again)
        assert torch.equal(factors, same)
        assert make(2, size=16, generator=seeded(0))[0].shape == (2, channels, 16, 16)


def test_drawing_the_factors_again_gives_the_same_images():
    x, factors = data.faces(600, generator=seeded(1))  # more than are drawn together
    torch.testing.assert_close(data.draw_faces(factors), x, rtol=0, atol=0)
    torch.testing.assert_close(data.draw_faces(factors[550:]), x[550:], rtol=0, atol=1e-6)
    y, of_shapes = data.shapes(50, generator=seeded(1))
    torch.testing.assert_close(data.draw_shapes(of_shapes.double()), y, rtol=0, atol=1e-6)


def test_factors_are_independent_and_as_said():
    _, a = data.faces(4000, size=16, generator=seeded(2))
    glasses = a[:, data.FACE_FACTORS.index("glasses")]
    assert set(glasses.tolist()) == {0.0, 1.0}
    assert abs(float(glasses.mean()) - 0.35) < 5 * math.sqrt(0.35 * 0.65 / 4000)
    off_diagonal = torch.corrcoef(a.T) - torch.eye(11)
    assert float(off_diagonal.abs().max()) < 5 / math.sqrt(4000)
    _, b = data.shapes(3000, size=8, generator=seeded(3))
    assert all(abs(float((b[:, 0] == s).float().mean()) - 1 / 3) < 0.05 for s in range(3))


def test_each_factor_of_a_face_does_what_its_name_says():
    red = one(smile=1.0)[0] - one(smile=1.0)[1]  # the mouth is red
    sad = one(smile=0.0)[0] - one(smile=0.0)[1]
    assert float(red[21:26, 11:21].argmax(0)[0]) < float(red[21:26, 11:21].argmax(0)[5])  # corners up
    assert float(sad[21:26, 11:21].argmax(0)[0]) > float(sad[21:26, 11:21].argmax(0)[5])

    def white(x):
        return (x[:, 10:20] > 0.85).all(dim=0)

    assert int(white(one(eye_opening=1.0)).sum()) > int(white(one(eye_opening=0.1)).sum())
    apart = [white(one(eye_distance=d)).any(dim=0).nonzero()[:, 0] for d in (0.0, 1.0)]
    assert int(apart[1].max() - apart[1].min()) > int(apart[0].max() - apart[0].min())
    background = one()[:, 0, 0]
    wide, narrow = ((one(face_width=w)[:, 16] - background[:, None]).abs().sum(0) > 0.3 for w in (1.0, 0.0))
    assert int(wide.sum()) > int(narrow.sum())
    assert float(one(skin=1.0)[:, 19, 16].mean()) > float(one(skin=0.0)[:, 19, 16].mean()) + 0.2
    assert float(one(hair_colour=1.0)[:, 4, 16].mean()) > float(one(hair_colour=0.0)[:, 4, 16].mean()) + 0.2
    longer = (one(hair_length=1.0) - one(hair_length=0.0)).abs()
    assert float(longer[:, 20:].sum()) > max(20, 3 * float(longer[:, :10].sum()))
    assert float((one(glasses=1.0) - one())[:, 10:20].abs().sum()) > 20
    left, right = one(light=0.0).mean(0), one(light=1.0).mean(0)
    assert float(left[:, :4].mean()) > float(left[:, -4:].mean())
    assert float(right[:, :4].mean()) < float(right[:, -4:].mean())
    assert float(one(background=1.0)[1, 0, 0]) > float(one(background=0.0)[1, 0, 0]) + 0.3
    # To the right: the top of the head moves to the right.
    columns = torch.arange(32.0)
    hair = [one(tilt=t)[2, 2:5] < 0.3 for t in (0.0, 1.0)]
    tops = [float((of * columns).sum() / of.sum()) for of in hair]
    assert tops[0] < 15.5 < tops[1]


def test_each_factor_of_a_shape_does_what_its_name_says():
    def moments(*row):
        x = data.draw_shapes(torch.tensor([row]))[0, 0]
        axis, mass = torch.arange(32.0) - 15.5, x.sum()
        return mass, float(x.sum(0) @ axis / mass), float(x.sum(1) @ axis / mass), x

    for shape in (0.0, 1.0, 2.0):
        mass, right, down, _ = moments(shape, 1.0, 0.5, 1.0, 0.0)
        assert right == pytest.approx(8.8, abs=0.2)  # 0.55 of 16 pixels
        assert down == pytest.approx(-8.8, abs=0.3)
        small = moments(shape, 0.0, 0.5, 0.5, 0.5)[0]
        assert float(mass / small) == pytest.approx(4, rel=0.05)
    *_, turned = moments(1.0, 1.0, 1.0, 0.5, 0.5)
    assert float(turned[16:, 16:].sum()) > float(turned[:16, 16:].sum())  # clockwise, as y is down
    _, _, _, heart = moments(2.0, 1.0, 0.5, 0.5, 0.5)
    torch.testing.assert_close(heart, heart.flip(1))
    assert float(heart[:16].sum(0).max()) > 0
    assert int((heart[12:15] > 0.5).sum()) > int((heart[20:23] > 0.5).sum())  # its point is below


@pytest.mark.parametrize("figure", ["box", "heart", "circle"])
def test_distances_grow_as_fast_as_the_way(figure):
    """An exact signed distance has a gradient of length 1, but on the figure's skeleton."""
    x, y = (t.double().requires_grad_() for t in distances.picture_plane(64))
    d = {
        "box": lambda: distances.box(x, y, 0.4, 0.2),
        "heart": lambda: distances.heart(x, y - 0.4),
        "circle": lambda: distances.ellipse(x, y, 0.5, 0.5),
    }[figure]()
    slopes = torch.stack(torch.autograd.grad(d.sum(), (x, y))).norm(dim=0)
    assert float(((slopes - 1).abs() < 1e-6).float().mean()) > 0.97
    assert bool((d < 0).any()) and bool((d > 0).any())  # noqa: PT018


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.faces(0), "num_faces must be a whole number of at least 1"),
        (lambda: data.faces(2, size=15), "size must be at least 16, for a mouth to be seen, but is 15"),
        (
            lambda: data.draw_faces(torch.full((1, 10), 0.5)),
            "a column for each of the 11 names in FACE_FACTORS, but has 10",
        ),
        (lambda: data.draw_faces(torch.full((1, 11), 1.5)), r"factors must lie in \[0, 1\]"),
        (lambda: data.shapes(0), "num_images must be a whole number of at least 1"),
        (lambda: data.shapes(2, size=7), "size must be at least 8, for shapes to be told apart, but is 7"),
        (
            lambda: data.draw_shapes(torch.full((1, 5), 0.5)),
            "factors must have 0, 1 or 2 in its first column",
        ),
        (lambda: data.draw_shapes(torch.full((1, 5), 2.0)), r"factors\[:, 1:\] must lie in \[0, 1\]"),
        (lambda: data.draw_shapes(torch.zeros(1, 4)), "factors must"),
    ],
)
def test_bad_settings_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.fixture
def folder(tmp_path):
    """A small folder as CelebA's authors publish it: four photographs, two attributes, three parts."""
    (tmp_path / "img_align_celeba").mkdir()
    for i in range(4):
        pixels = np.full((218, 178, 3), (60 * i, 20, 200), dtype=np.uint8)
        pixels[:35] = pixels[193:] = 255  # what is cut off
        Image.fromarray(pixels).save(tmp_path / "img_align_celeba" / f"{i + 1:06}.jpg", quality=95)
    names = [f"{i + 1:06}.jpg" for i in range(4)]
    lines = ["4", "Smiling Eyeglasses ", *(f"{n}  {s} -1" for n, s in zip(names, (1, -1, 1, 1), strict=True))]
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    parts = [f"{n} {p}" for n, p in zip(names, (0, 0, 1, 2), strict=True)]
    (tmp_path / "list_eval_partition.txt").write_text("\n".join(parts) + "\n")
    return tmp_path


def test_celebrities_are_read_where_they_are(folder):
    assert data.celeba_at_hand(folder)
    x, attributes, names = data.celeba(folder)
    assert names == ("Smiling", "Eyeglasses")
    assert attributes.tolist() == [[True, False], [False, False]]
    assert (x.shape, x.dtype) == ((2, 3, 32, 32), torch.float32)
    expected = torch.tensor([60, 20, 200.0])[:, None, None].expand(3, 32, 32) / 255
    torch.testing.assert_close(x[1], expected, rtol=0, atol=0.03)  # JPEG is not exact
    assert len(data.celeba(folder, split="all", size=8).images) == 4
    assert float(data.celeba(folder, split="test").images[0, 0].mean()) == pytest.approx(180 / 255, abs=0.03)
    assert len(data.celeba(folder, split="all", num_images=3).images) == 3
    (folder / "list_eval_partition.txt").unlink()
    assert len(data.celeba(folder, split="all").images) == 4


def test_a_folder_that_is_not_complete_is_refused(folder):
    with pytest.raises(ValueError, match="split must be one of 'train', 'validation', 'test', 'all'"):
        data.celeba(folder, split="valid")
    (folder / "list_eval_partition.txt").write_text("000001.jpg 0\n")
    with pytest.raises(
        ValueError, match=r"split must be one that has faces in .* 'test' has none: try 'all'"
    ):
        data.celeba(folder, split="test")
    (folder / "img_align_celeba" / "000001.jpg").unlink()
    with pytest.raises(
        ValueError, match=r"root must be the folder with CelebA's img_align_celeba/000001\.jpg"
    ):
        data.celeba(folder)
    (folder / "list_attr_celeba.txt").write_text("1\nSmiling Eyeglasses\n000001.jpg 1 0\n")
    with pytest.raises(
        ValueError, match=r"line 3 of list_attr_celeba\.txt must hold a name and 1 or -1 for each of 2"
    ):
        data.celeba(folder)
    (folder / "list_attr_celeba.txt").unlink()
    assert not data.celeba_at_hand(folder)
    with pytest.raises(ValueError, match=r"root must be the folder with CelebA's list_attr_celeba\.txt"):
        data.celeba(folder)
