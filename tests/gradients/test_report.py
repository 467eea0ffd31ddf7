"""The table of estimators: its numbers against NumPy, its text, and what it refuses."""

import math

import numpy as np
import pytest
import torch

from vaeedu.gradients import variance_report


def gradients(generator):
    loc = torch.randn(50, 3, generator=generator, dtype=torch.float64) + 2
    scale = 10 * torch.randn(50, generator=generator, dtype=torch.float64)
    return loc, scale


def test_numbers_are_those_of_numpy(generator):
    loc, scale = gradients(generator)
    report = variance_report({"mine": (loc, scale)}, ["loc", "scale"])
    for name, values in (("loc", loc.numpy()), ("scale", scale.numpy())):
        row = report["mine", name]
        assert (row.estimator, row.parameter, row.num_samples) == ("mine", name, 50)
        np.testing.assert_allclose(row.mean, values.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(row.variance, values.var(axis=0, ddof=1), rtol=1e-12)
        np.testing.assert_allclose(row.standard_error, values.std(axis=0, ddof=1) / math.sqrt(50), rtol=1e-12)


def test_it_prints_a_line_for_each_estimator_and_parameter(generator):
    loc, scale = gradients(generator)
    exact = (torch.tensor([[2.0, 2.0, 2.0]]), torch.tensor([0.0]))
    report = variance_report({"mine": (loc, scale), "exact": exact}, ["loc", "scale"])
    lines = str(report).splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        [e, p] for e in ("mine", "exact") for p in ("loc", "scale")
    ]
    assert len({len(line) for line in lines}) == 1
    number = float(lines[1].split()[-1])
    assert number == pytest.approx(loc.var(dim=0).mean().item(), abs=6e-4)
    assert lines[3].split()[2:] == ["1", "2.000", "–", "–"]  # one sample says nothing of its spread
    assert report._repr_markdown_().count("\n") == len(lines)


def test_a_missing_row_is_named(generator):
    report = variance_report({"mine": gradients(generator)}, ["loc", "scale"])
    with pytest.raises(ValueError, match=r"has rows \('mine', 'loc'\), .*, but not \('yours', 'loc'\)"):
        report["yours", "loc"]


@pytest.mark.parametrize(
    ("estimates", "message"),
    [
        ({}, "estimates must map at least one estimator's name to its gradients, but is empty"),
        ({"mine": (torch.ones(3),)}, r"estimates\['mine'\] must hold one tensor for each of the 2 names, but holds 1"),
        ({"mine": (torch.ones(3), torch.tensor(1.0))}, r"that of scale has shape \(\): leave the mean to this report"),
        ({"mine": (torch.ones(0, 2), torch.ones(3))}, r"that of loc has shape \(0, 2\)"),
    ],
)  # fmt: skip
def test_bad_input_says_how_to_mend_it(estimates, message):
    with pytest.raises(ValueError, match=message):
        variance_report(estimates, ["loc", "scale"])
