"""Exercises whose result must reach something: what is measured, and what is said of it."""

import dataclasses
import importlib
import math

import numpy as np
import pytest
import torch
from support.mini_course import ROOT
from support.mutation import mutant
from torch.distributions import Bernoulli, Independent, Normal
from torch.nn.utils import parameters_to_vector

from vaeedu import bounds, sampling
from vaeedu.bounds import inputs
from vaeedu.feedback import examine
from vaeedu.feedback.judge import judge
from vaeedu.feedback.key import Goal, Output, Symptom, read_key, write_keys
from vaeedu.feedback.measures import bernoulli_vae
from vaeedu.feedback.run import Answer, run_all
from vaeedu_grader.authoring.course import exercises
from vaeedu_grader.authoring.exercise import Exercise, Wrong, answer_key

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
    x = (torch.rand(400, D, dtype=torch.float64) < torch.tensor([0.1, 0.9, 0.2, 0.8, 0.7])).double()
    return parameters_to_vector(both).detach().numpy(), encoder, decoder, x


def as_given(value):
    """An input as an answer gets it."""
    return torch.from_numpy(value) if isinstance(value, np.ndarray) else value


def measured(parameters, x, num_latents=K, measure=bernoulli_vae):
    return measure({"x": np.asarray(x), "num_latents": num_latents, "num_hidden": H}, [parameters])


def terms_law(measure, seed=0):
    """The terms are those of the library's bound."""
    parameters, encoder, decoder, x = drawn(seed)

    def q(x):
        mu, log_sigma = encoder(x).chunk(2, dim=-1)
        return Independent(Normal(mu, log_sigma.exp()), 1)

    def p(z):
        return Independent(Bernoulli(logits=decoder(z)), 1)

    prior = Independent(Normal(torch.zeros(K).double(), torch.ones(K).double()), 1)
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        terms = bounds.elbo_terms(x, q, p, prior, num_samples=500, generator=g)
        each = inputs.log_likelihood(p, sampling.draw(q(x), (500,), generator=g), x)
        mean_square = float(q(x).mean.square().mean(dim=0).max())
    found = measured(parameters, x, measure=measure)
    assert found["kl"] == pytest.approx(float(terms.kl.mean()), rel=1e-12)
    # Both are means over independent draws, of which the measure takes twenty an image.
    error = float(each.std(dim=0).mean()) / math.sqrt(20 * len(x))
    assert found["reconstruction"] == pytest.approx(float(terms.reconstruction.mean()), abs=5 * error)
    assert found["bound"] == pytest.approx(found["reconstruction"] - found["kl"], abs=1e-12)
    assert found["mean_square"] == pytest.approx(mean_square, rel=1e-12)


def halving_law(measure):
    """Parameters whose log σ is halved by hand have the bound that was foretold."""
    parameters, _, _, x = drawn()
    halved = parameters.copy()
    start = D * H + H
    weight = halved[start : start + H * 2 * K].reshape(2 * K, H)  # a view
    weight[K:] /= 2
    halved[start + H * 2 * K :][K : 2 * K] /= 2
    gain = measured(halved, x, measure=measure)["bound"] - measured(parameters, x, measure=measure)["bound"]
    assert measured(parameters, x, measure=measure)["gain_if_log_variance"] == pytest.approx(gain, abs=1e-12)
    assert abs(gain) > 1e-3


def both_laws(measure):
    terms_law(measure)
    halving_law(measure)


@pytest.mark.parametrize("seed", range(3))
def test_the_measured_terms_are_those_of_the_library(seed):
    terms_law(bernoulli_vae, seed)


def test_halving_log_sigma_gains_what_is_said():
    halving_law(bernoulli_vae)


@pytest.mark.parametrize("seed", range(3))
def test_the_weights_are_those_for_which_the_gradient_by_a_common_factor_is_zero(seed):
    parameters, encoder, decoder, x = drawn(seed)
    eps = torch.from_numpy(np.random.default_rng(0).standard_normal((20, len(x), K)))
    mu, log_sigma = encoder(x).detach().chunk(2, dim=1)
    shift, factor = torch.zeros((), requires_grad=True), torch.ones((), requires_grad=True)
    logits = decoder(factor * mu + (log_sigma + shift).exp() * eps)
    reconstruction = Independent(Bernoulli(logits=logits), 1).log_prob(x).mean()
    kl = (0.5 * ((factor * mu) ** 2 + (2 * (log_sigma + shift)).exp() - 1) - log_sigma - shift).sum(dim=1)
    gains = torch.autograd.grad(reconstruction, (shift, factor))
    costs = torch.autograd.grad(kl.mean(), (shift, factor))
    found = measured(parameters, x)
    wanted = [float(gain / cost) for gain, cost in zip(gains, costs, strict=True)]
    assert [found["kl_weight"], found["mean_weight"]] == pytest.approx(wanted, rel=1e-5)


def test_parameters_in_another_order_are_recognised():
    parameters, _, _, x = drawn()
    start = D * H + H + H * 2 * K + 2 * K
    turned = np.concatenate([parameters[start:], parameters[:start]])
    bound = measured(parameters, x)["bound"]
    assert measured(turned, x)["bound_if_decoder_first"] == pytest.approx(bound, abs=1e-12)
    assert measured(turned, x)["bound"] != pytest.approx(bound, abs=1e-3)


MUTANTS = {
    "a half dropped": ("(0.5 * (mu**2", "(1.0 * (mu**2"),
    "σ for σ²": ("np.exp(2 * log_sigma)", "np.exp(log_sigma)"),
    "log σ for σ": ("mu + np.exp(log_sigma) * eps", "mu + log_sigma * eps"),
    "KL averaged over latents": ("- log_sigma).sum(axis=-1)", "- log_sigma).mean(axis=-1)"),
    "mean over pixels": ("logits)).sum(axis=-1)", "logits)).mean(axis=-1)"),
    "black and white exchanged": ("x * logits", "(1 - x) * logits"),
    "halves exchanged": ("mu, log_sigma = h[:, :K], h[:, K:]", "log_sigma, mu = h[:, :K], h[:, K:]"),
    "the KL added": ("bound = reconstruction - kl", "bound = reconstruction + kl"),
    "another reading": ("log_sigma / 2, layers", "log_sigma * 2, layers"),
    "encoder and decoder exchanged": ("*layers[2:])", "*layers[:2][::-1])"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_measure_breaks_a_law(name):
    with mutant("feedback", "measures", *MUTANTS[name]):
        measure = importlib.import_module("vaeedu.feedback.measures").bernoulli_vae
        with pytest.raises((AssertionError, ValueError)):
            both_laws(measure)


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


def test_a_goal_may_be_reached_in_a_way_that_does_not_count():
    key = answer_key(GOAL, "visible")
    key = dataclasses.replace(key, goal=dataclasses.replace(key.goal, required={"kl": (0.5, 1.0)}))
    answers = [Answer(outputs=(zeros(2),)), Answer(outputs=(zeros(1),))]
    told = judge(answers, key).message
    assert told.endswith(
        "reached, but not in the way that is asked for: `kl` is 0.00, and must lie between 0.5 and 1."
    )
    passing = dataclasses.replace(key, goal=dataclasses.replace(key.goal, required={"kl": (0.0, 1.0)}))
    assert judge(answers, passing).passed


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

    monkeypatch.setattr(examine, "run_all", spy)
    write_keys(tmp_path / "checks.json", {"train": answer_key(GOAL, "visible")})
    examine.check("train", reference, checks_file=tmp_path / "checks.json")
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


def test_what_is_asked_may_depend_on_the_inputs_drawn():
    cases = {"visible": ({"K": 2, "at_least": lambda inputs: -inputs["x"].sum()}, {"K": 1, "at_least": -4.0})}
    key = answer_key(dataclasses.replace(GOAL, cases=cases), "visible")
    assert key.goal.at_least == (-key.inputs[0]["x"].sum(), -4.0)


def ones(inputs, outputs):
    """A measure beside its exercise."""
    return {"ones": float((outputs[0] == 1).sum())}


def test_a_measure_beside_its_exercise_decides_and_stays_out_of_the_file(tmp_path, capsys):
    goal = Goal(measure=ones, quantity="ones", unit="ones")
    wrong = (Wrong(zeros, "Not one of them is one.", symptoms={"ones": (None, 0.0)}),)
    cases = {"visible": ({"K": 1, "at_least": 3.0},), "hidden": ({"K": 2, "at_least": 4.0},)}
    exercise = dataclasses.replace(GOAL, goal=goal, cases=cases, wrong=wrong)
    for part, wanted in (("visible", 3), ("hidden", 4)):
        key = answer_key(exercise, part)
        assert judge([Answer(outputs=(np.ones(wanted),))], key).passed
        told = judge([Answer(outputs=(np.ones(wanted - 1),))], key).message
        assert told.endswith(f"The ones is {wanted - 1:.2f} ones, but must be at least {wanted:.2f}.")
        assert judge([Answer(outputs=(np.zeros(9),))], key).message.endswith("Not one of them is one.")
    path = tmp_path / "checks.json"
    write_keys(path, {"train": answer_key(exercise, "visible")})
    assert read_key(path, "train").goal.measuring is None
    examine.check("train", lambda **_: torch.zeros(3), checks_file=path)
    assert "how good that is, is measured when it is graded" in capsys.readouterr().out
    with pytest.raises(examine.CheckFailed, match="must return parameters, but returned 2 values"):
        examine.check("train", lambda **_: (torch.zeros(3), torch.zeros(3)), checks_file=path)


def test_unknown_measures_are_refused():
    with pytest.raises(ValueError, match="measure must be one of bernoulli_vae, but is 'beauty'"):
        Goal(measure="beauty", quantity="bound", unit="nats")


@pytest.mark.slow
@pytest.mark.parametrize("case", [0, 1])
def test_weights_trained_at_home_reach_nothing_where_work_is_graded(case):
    # Each draw has its own order of pixels; as many images of the same set alone would be as good as any others.
    train = exercises(ROOT, "07_variational_autoencoders")["train_vae"]
    settings = train.cases["hidden"][case]
    home, graded = (train.make_inputs(settings, np.random.default_rng(seed)) for seed in (1, 2))
    weights = (
        train.reference(**{name: as_given(value) for name, value in home.items()}).detach().double().numpy()
    )
    at_home, brought = (bernoulli_vae(inputs, [weights])["bound"] for inputs in (home, graded))
    assert at_home > settings["at_least"](home)
    assert brought < settings["at_least"](graded) - 10
