"""Assignment 15's right answers and `vaeedu.diffusion` are written apart, and must say the same."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vaeedu import diffusion
from vaeedu_grader.authoring.course import exercises
from vaeedu_grader.authoring.exercise import PARTS

EXERCISES = exercises(Path(__file__).resolve().parents[2], "15_diffusion")
each_part = pytest.mark.parametrize("part", PARTS)


def cases(name, part):
    """The inputs of each case as tensors, and what the exercise says is right."""
    exercise = EXERCISES[name]
    for number, case in enumerate(exercise.cases[part]):
        inputs = exercise.make_inputs(case, np.random.default_rng(number))
        inputs = {k: torch.as_tensor(v) if isinstance(v, np.ndarray) else v for k, v in inputs.items()}
        yield inputs, exercise.reference(**inputs)


def schedule_of(alpha_bar):
    return diffusion.Schedule(torch.logit(alpha_bar[1:]))


def assert_close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-8, atol=1e-9 * float(expected.abs().max()))


@each_part
def test_scales(part):
    for inputs, (signal, noise, log_snr) in cases("noise_scales", part):
        schedule = diffusion.Schedule(log_snr)
        steps = torch.arange(len(inputs["beta"]) + 1)
        assert_close(schedule.signal_variance(steps).sqrt(), signal)
        assert_close(schedule.noise_variance(steps).sqrt(), noise)
        # With s = t − 1 the ratio of two signal variances is 1 − β.
        ratio = torch.nn.functional.logsigmoid(schedule.log_snr).diff()
        assert_close(-torch.expm1(ratio), inputs["beta"])


@each_part
def test_a_noised_batch_and_the_way_back(part):
    for inputs, (x_t, _) in cases("noised_batch", part):
        log_snr = schedule_of(inputs["alpha_bar"]).log_snr[inputs["t"]]
        assert_close(diffusion.data_from_noise(inputs["epsilon"], x_t, log_snr), inputs["x0"])
    for inputs, (mean, variance) in cases("reverse_posterior", part):
        of_data, of_noised, v = schedule_of(inputs["alpha_bar"]).posterior(inputs["t"])
        assert_close(of_data[:, None] * inputs["x0"] + of_noised[:, None] * inputs["x_t"], mean)
        assert_close(v, variance)


@each_part
def test_the_terms_of_the_bound(part):
    for inputs, _ in cases("diffusion_elbo", part):
        schedule = schedule_of(inputs["alpha_bar"])
        guesses = dict(zip(schedule.log_snr[1:].tolist(), inputs["guesses"].unbind(dim=1), strict=True))
        model = diffusion.Diffusion(
            lambda x, log_snr, known=guesses: known[float(log_snr[0])],
            schedule,
            event_shape=inputs["x0"].shape[1:],
        )
        # What a decoder says that knows x_1 alone; the exercise's variance is free.
        given = inputs | {"decoder_variance": float((-schedule.log_snr[1]).exp())}
        reconstruction, kls, prior, elbo = EXERCISES["diffusion_elbo"].reference(**given)
        terms = model.elbo_terms(inputs["x0"])
        assert_close(-terms.reconstruction, reconstruction)
        assert_close(terms.steps, kls.sum(dim=1))
        assert_close(terms.prior, prior)
        assert_close(model.elbo(inputs["x0"]), elbo)


@each_part
def test_readings_and_steps(part):
    for inputs, (x0, v, _) in cases("from_epsilon", part):
        log_snr = torch.logit(inputs["share"])
        assert_close(diffusion.data_from_noise(inputs["epsilon"], inputs["x_t"], log_snr), x0)
        assert_close(diffusion.velocity_from_data(x0, inputs["x_t"], log_snr), v)
    for inputs, _ in cases("ddim_step", part):
        schedule, t = schedule_of(inputs["alpha_bar"]), inputs["t"]
        guess = diffusion.data_from_noise(
            inputs["epsilon"], inputs["x_t"], schedule.log_snr[t].expand(len(inputs["x_t"]))
        )
        model = diffusion.Diffusion(
            lambda x, log_snr, known=guess: known, schedule, event_shape=guess.shape[1:]
        )
        # The mean is what is left without fresh noise, z = 0; DDIM has none.
        mean, _ = EXERCISES["ddim_step"].reference(**inputs | {"eta": 0.0})
        assert_close(model.step(inputs["x_t"], t, inputs["s"], eta=0.0), mean)
        draw = torch.randn(guess.shape, generator=torch.Generator().manual_seed(0), dtype=guess.dtype)
        _, x_s = EXERCISES["ddim_step"].reference(**inputs | {"z": draw})
        again = torch.Generator().manual_seed(0)
        ours = model.step(inputs["x_t"], t, inputs["s"], eta=inputs["eta"], generator=again)
        assert_close(ours, x_s)


@each_part
def test_levels_and_flows(part):
    for inputs, _ in cases("bayes_denoiser", part):
        L = inputs["logits"].shape[2]
        # The library's levels lie evenly in [-1, 1], and its scales belong together.
        levels = torch.linspace(-1, 1, L, dtype=torch.float64)
        noise = (0.4 * inputs["noise"] / inputs["noise"].max()).clamp(min=0.01)
        inputs |= {"levels": levels, "noise": noise, "signal": (1 - noise**2).sqrt()}
        log_posterior, mean = EXERCISES["bayes_denoiser"].reference(**inputs)
        log_snr = torch.log(inputs["signal"] ** 2 / noise**2)
        denoiser = diffusion.BayesDenoiser(lambda x, level, known=inputs["logits"]: known, L)
        belief = denoiser.belief(inputs["x_t"], log_snr)
        assert_close(belief.log_probs, log_posterior)
        assert_close(denoiser(inputs["x_t"], log_snr), mean)
    for inputs, (point, target, sample) in cases("flow_matching", part):
        ours = diffusion.straight_path(inputs["noise"], inputs["data"], inputs["t"])
        assert_close(ours[0], point)
        assert_close(ours[1], target)
        exact = diffusion.GaussianVelocity(inputs["mean"], torch.diag(inputs["sd"] ** 2))
        assert_close(diffusion.integrate(exact, inputs["noise"], num_steps=inputs["num_steps"]), sample)
