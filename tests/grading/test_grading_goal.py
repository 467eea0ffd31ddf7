"""Exercises whose result must reach something: what is measured, and what is said of it."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal
from torch.nn.utils import parameters_to_vector

from vaeedu import bounds
from vaeedu.grading import student
from vaeedu.grading.exercise import Exercise, Wrong, answer_key
from vaeedu.grading.judge import judge
from vaeedu.grading.key import Goal, Output, Symptom, read_key, write_keys
from vaeedu.grading.measures import bernoulli_vae
from vaeedu.grading.run import Answer, run_all

D, H, K = 5, 4, 2
LENGTH = D * H + H + H * 2 * K + 2 * K + K * H + H + H * D + D


def drawn(seed=0, scale=0.5):
    """Parameters of a small VAE, the two networks that hold them, and binary images."""
    torch.manual_seed(seed)
    encoder = torch.nn.Sequential(torch.nn.Linear(D, H), torch.nn.Tanh(), torch.nn.Linear(H, 2 * K)).double()
    decoder = torch.nn.Sequential(torch.nn.Linear(K, H), torch.nn.Tanh(), torch.nn.Linear(H, D)).double()
    both = [*encoder.parameters(), *decoder.parameters()]
    for parameter in both:
        torch.nn.init.normal_(parameter, std=scale)
    x = (torch.rand(400, D, dtype=torch.float64) < 0.4).double()
    return parameters_to_vector(both).detach().numpy(), encoder, decoder, x


def measured(parameters, x, num_latents=K):
    return bernoulli_vae({"x": np.asarray(x), "num_latents": num_latents, "num_hidden": H}, [parameters])


@pytest.mark.parametrize("seed", range(3))
def test_the_measured_terms_are_those_of_the_library(seed):
    parameters, encoder, decoder, x = drawn(seed)

    def q(x):
        mu, log_sigma = encoder(x).chunk(2, dim=-1)
        return Independent(Normal(mu, log_sigma.exp()), 1)

    def p(z):
        return Independent(Bernoulli(logits=decoder(z)), 1)

    prior = Independent(Normal(torch.zeros(K).double(), torch.ones(K).double()), 1)
    with torch.no_grad():
        terms = bounds.elbo_terms(
            x, q, p, prior, num_samples=500, generator=torch.Generator().manual_seed(seed)
        )
    found = measured(parameters, x)
    assert found["kl"] == pytest.approx(float(terms.kl.mean()), rel=1e-12)
    # Each image's twenty draws are independent; one draw's reconstruction term scatters by less than 3 nats.
    error = 3 / math.sqrt(20 * len(x))
    assert found["reconstruction"] == pytest.approx(float(terms.reconstruction.mean()), abs=5 * error)
    assert found["bound"] == pytest.approx(found["reconstruction"] - found["kl"], abs=1e-12)
    with torch.no_grad():
        assert found["mean_square"] == pytest.approx(float(q(x).mean.square().mean(dim=0).max()), rel=1e-12)


def test_halving_log_sigma_gains_what_is_said():
    parameters, _, _, x = drawn()
    halved = parameters.copy()
    start = D * H + H
    weight = halved[start : start + H * 2 * K].reshape(2 * K, H)  # a view
    weight[K:] /= 2
    halved[start + H * 2 * K :][K : 2 * K] /= 2
    gain = measured(halved, x)["bound"] - measured(parameters, x)["bound"]
    assert measured(parameters, x)["gain_if_log_variance"] == pytest.approx(gain, abs=1e-12)
    assert abs(gain) > 1e-3


def test_parameters_of_another_length_are_refused():
    parameters, *_, x = drawn()
    with pytest.raises(
        ValueError, match=rf"= {LENGTH} numbers, but has shape \({LENGTH - 1},\): weights and"
    ):
        measured(parameters[:-1], x)
    with pytest.raises(
        ValueError, match=r"must be one vector of 4·5 \+ 4 \+ 4·4 \+ 4 \+ 4·2 \+ 4 \+ 5·4 \+ 5"
    ):
        measured(parameters[None], x)


def reference(x, num_latents, num_hidden):
    return torch.zeros(
        x.shape[1] * H
        + H
        + H * 2 * num_latents
        + 2 * num_latents
        + num_latents * H
        + H
        + H * x.shape[1]
        + x.shape[1]
    )


GOAL = Exercise(
    name="train",
    signature="def train(x, num_latents, num_hidden):",
    outputs=(Output("parameters", ("P",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=lambda case, rng: {
        "x": (rng.uniform(size=(6, D)) < 0.5) * 1.0,
        "num_latents": case["K"],
        "num_hidden": H,
    },
    cases={
        "visible": ({"K": 2, "at_least": -4.0}, {"K": 1, "at_least": -4.0}),
        "hidden": ({"K": 1, "at_least": -3.5},),
    },
    reference=reference,
    wrong=(
        Wrong(reference, "You are far from the prior.", symptoms={"mean_square": (5.0, None)}),
        Wrong(reference, "Only where graded.", loses=("hidden",), symptoms={"bound": (None, 0.0)}),
    ),
    alternatives=(),
    goal=Goal(measure="bernoulli_vae", quantity="bound", unit="nats", shown=("kl",)),
    seconds=7.5,
)


def zeros(num_latents):
    return np.zeros(D * H + H + H * 2 * num_latents + 2 * num_latents + num_latents * H + H + H * D + D)


def message(*outputs, part="visible", changed=()):
    verdict = judge([Answer(outputs=(o,), changed=changed) for o in outputs], answer_key(GOAL, part))
    assert verdict.passed == (not verdict.message)
    return verdict.message


def test_what_reaches_the_goal_passes_and_what_falls_short_hears_the_numbers():
    fair = -D * math.log(2)  # a decoder whose logits are all 0
    assert -4.0 < fair < -3.4
    assert message(zeros(2), zeros(1)) == ""
    away = zeros(2)
    away[D * H + H + H * 2 * K] = 2.0  # the first mean's bias: KL = 2 nats
    told = message(away, zeros(1))
    assert told.startswith(f"✗ train(x of shape (6, {D}), num_latents=2, num_hidden={H})\n")
    assert told.endswith(f"The bound is {fair - 2:.2f} nats, but must be at least -4.00 (kl 2.00).")


def test_a_symptom_is_named_where_it_shows_and_only_in_the_parts_that_it_loses():
    far = zeros(2)
    far[D * H + H + H * 2 * K] = 3.0
    assert message(far, zeros(1)).endswith("\nYou are far from the prior.")
    far = zeros(1)
    far[D * H + H + H * 2] = 2.0
    assert "Only where graded" not in message(zeros(2), far)
    assert message(far, part="hidden").endswith("\nOnly where graded.")


def test_what_cannot_be_measured_is_said():
    assert "no finite number: the training has run away" in message(zeros(2) + np.nan, zeros(1))
    assert "must be one vector of" in message(zeros(1), zeros(1))
    assert "changes its argument `x` in place" in message(zeros(2), zeros(1), changed=("x",))
    assert (
        "must return parameters, but returned 2 values"
        in judge([Answer(outputs=(zeros(2), zeros(2)))], answer_key(GOAL, "visible")).message
    )


def test_symptoms_have_ends_or_none():
    symptom = Symptom("m", {"a": (1.0, 2.0), "b": (None, 0.0)})
    assert symptom.fits({"a": 1.0, "b": 0.0})
    assert not symptom.fits({"a": 2.1, "b": -1.0})
    assert not symptom.fits({"a": 0.9, "b": -1.0})
    assert not symptom.fits({"a": 1.5, "b": 0.1})
    assert not symptom.fits({"a": math.nan, "b": -1.0})


def test_the_key_survives_its_file_and_holds_no_code(tmp_path):
    key = answer_key(GOAL, "visible")
    write_keys(tmp_path / "a.json", {"train": key})
    back = read_key(tmp_path / "a.json", "train")
    assert (back.goal, back.seconds) == (key.goal, 7.5)
    write_keys(tmp_path / "b.json", {"train": back})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert judge(run_all(reference, back.inputs), back).passed


def test_check_waits_as_long_as_the_exercise_says(tmp_path, monkeypatch):
    seen = []

    def spy(*args, time_limit, **options):
        seen.append(time_limit)
        return run_all(*args, time_limit=time_limit, **options)

    monkeypatch.setattr(student, "run_all", spy)
    write_keys(tmp_path / "checks.json", {"train": answer_key(GOAL, "visible")})
    student.check("train", reference, checks_file=tmp_path / "checks.json")
    assert seen == [7.5]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (
            {"cases": {"visible": ({"K": 2},)}},
            r"every case of train must say what to reach with at_least, but \{'K': 2\}",
        ),
        ({"wrong": (Wrong(zeros, "m"),)}, "train's zeros must have symptoms, since the exercise has a goal"),
    ],
)
def test_a_goal_that_is_not_described_is_refused(change, error):
    with pytest.raises(ValueError, match=error):
        answer_key(dataclasses.replace(GOAL, **change), "visible")


def test_unknown_measures_are_refused():
    with pytest.raises(ValueError, match="measure must be one of bernoulli_vae, but is 'beauty'"):
        Goal(measure="beauty", quantity="bound", unit="nats")
