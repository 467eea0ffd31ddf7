"""Sketches and molecules: repeatable, apart where they are split, and files read without trust."""

import pickle
import zipfile

import numpy as np
import pytest
import torch

from vaeedu import data, sequences
from vaeedu.sampling import seeded


def test_glyphs_are_sketches_split_into_three():
    splits = {name: data.glyphs(name) for name in ("train", "valid", "test")}
    assert len(splits["train"]) > 700
    keys = [{tuple(s.flatten().tolist()) for s in drawings} for drawings in splits.values()]
    assert len(set.union(*keys)) == sum(map(len, splits.values()))  # all differ
    for s in splits["train"]:
        assert s.shape[1] == 3
        assert len(s) < 40
        assert s[-1, 2] == 1
        assert set(s[:, 2].tolist()) <= {0.0, 1.0}
    assert torch.cat(splits["train"])[:, :2].std() == pytest.approx(1, abs=1e-4)
    assert max(map(len, data.glyphs(max_points=10))) < 10


def test_a_one_stands_upright():
    """y points up: an arrow's or letter's lines end where they should, for a glyph one can name."""
    from HersheyFonts import HersheyFonts

    reader = HersheyFonts()
    reader.load_default_font("futural")
    lines = [[(x, -y) for x, y in line] for line in reader.all_glyphs["L"].strokes]
    wanted = sequences.from_lines(lines)
    scale = wanted[:, :2].abs().max()
    every = [s for name in ("train", "valid", "test") for s in data.glyphs(name)]
    alike = [s for s in every if s.shape == wanted.shape
             and torch.allclose(s[:, :2] / s[:, :2].abs().max(), wanted[:, :2] / scale, atol=1e-5)]  # fmt: skip
    assert len(alike) >= 1
    assert float(alike[0][0, 1]) < 0  # an L begins with a stroke down


def test_jitter_keeps_lines_and_is_repeatable():
    drawings = data.glyphs("valid")
    again, twice = (data.jitter(drawings, generator=seeded(0)) for _ in range(2))
    for a, b, s in zip(again, twice, drawings, strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a[:, 2], s[:, 2])
        assert not torch.equal(a, s)
    still = data.jitter(drawings, stretch=0.0, turn=0.0, noise=0.0, generator=seeded(0))
    for a, s in zip(still, drawings, strict=True):
        torch.testing.assert_close(a, s)


def test_the_grammar_writes_molecules():
    strings = data.molecules(600, generator=seeded(0))
    assert strings == data.molecules(600, generator=seeded(0))
    assert [s for s in strings if not sequences.is_valid(s)] == []
    assert len(set(strings)) > 200


def sketch_file(tmp_path, monkeypatch, content):
    folder = tmp_path / "sketch"
    folder.mkdir()
    np.savez_compressed(folder / "some.npz", **content)
    monkeypatch.setenv("VAEEDU_DATA", str(tmp_path))
    return folder / "some.npz"


def test_a_file_of_sketches_is_read(tmp_path, monkeypatch):
    drawing = np.array([[3, 4, 0], [-2000, 0, 1]], dtype=np.int16)
    several = np.empty(2, dtype=object)
    several[:] = [drawing, drawing[:1]]
    sketch_file(tmp_path, monkeypatch, dict.fromkeys(("train", "valid", "test"), several))
    assert data.sketches_at_hand("some")
    first, second = data.sketches("some", "valid")
    scale = np.array([3, 4, -1000, 0, 3, 4.0]).std()
    torch.testing.assert_close(
        first.double(),
        torch.tensor([[3 / scale, -4 / scale, 0], [-1000 / scale, 0, 1]]).double(),
        rtol=1e-5,
        atol=1e-6,
    )
    assert second.shape == (1, 3)


class Program:
    def __reduce__(self):
        return print, ("run",)


def test_a_file_that_would_run_a_program_is_refused(tmp_path, monkeypatch, capsys):
    several = np.empty(1, dtype=object)
    several[0] = Program()
    path = sketch_file(tmp_path, monkeypatch, {"train": several})
    with pytest.raises(ValueError, match=r"asks for builtins\.print: it is not of Sketch-RNN's format"):
        data.sketches("some")
    assert capsys.readouterr().out == ""
    with zipfile.ZipFile(path) as archive:
        assert pickle.STOP in archive.read("train.npy")


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEEDU_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"some\.npz is not there: put it there, or use glyphs"):
        data.sketches("some")
    with pytest.raises(ValueError, match="the file is not there: put it there, or use molecules"):
        data.zinc()
    sketch_file(tmp_path, monkeypatch, {"train": np.zeros(3)})
    with pytest.raises(ValueError, match="must hold arrays of sketches, but holds an array of float64"):
        data.sketches("some")


def test_zinc_is_split_into_three(tmp_path, monkeypatch):
    (tmp_path / "smiles").mkdir()
    rows = "\n".join(f"{'C' * (i + 1)},0" for i in range(40))
    (tmp_path / "smiles" / "zinc_20k.csv").write_text(f"smiles,logP\n{rows}\n", encoding="utf-8")
    monkeypatch.setenv("VAEEDU_DATA", str(tmp_path))
    parts = [data.zinc(name) for name in ("train", "valid", "test")]
    assert list(map(len, parts)) == [36, 2, 2]
    assert len(set().union(*parts)) == 40
