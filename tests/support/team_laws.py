"""The laws of runs that several processes share, or that cut their batches into pieces, for tests and mutants."""

import math

import pytest
import torch
from support import training_runs as runs
from support.teams import in_team

from vaeedu import sampling

TEAMS = [
    (2, 8),
    (3, 13),
]  # 53 examples: batches of 8 leave 5, batches of 13 leave 1, for three processes to share


class Killed(BaseException):
    pass


def without_draws(training, size, batch_size=8, *, epochs=2, **options):
    """A run whose loss and transform draw nothing, by a team; ranks 1, 2, … begin with other weights and seeds."""
    models = [runs.TinyVAE() for _ in range(size)]  # here: threads would share torch's one global generator
    for model in models[1:]:
        torch.nn.init.zeros_(model.encoder.weight)

    def work(rank):
        settings = {"loss": models[rank].reconstruction, "transform": None, "seed": 2 + rank} | options
        return runs.run(models[rank], fit=training.fit, batch_size=batch_size, epochs=epochs, **settings)

    return in_team(training, size, work) if size > 1 else [work(0)]


def assert_close(results, reference):
    """Whether runs ended like another one, up to rounding."""
    expected = runs.numbers(reference[1])
    for model, history in results:
        for name, weight in runs.weights(reference[0]).items():
            torch.testing.assert_close(model.state_dict()[name], weight, rtol=0, atol=1e-9)
        for name in ("loss", "validation", "gradient_norm", "learning_rate"):
            assert getattr(history, name) == pytest.approx(expected[name], abs=1e-9)


def agreement_law(training):
    """Where nothing is drawn, teams and pieces of batches give what one process gives with whole batches."""
    for size, batch_size in TEAMS:
        (reference,) = without_draws(training, 1, batch_size)
        assert_close(without_draws(training, size, batch_size), reference)
        assert_close(without_draws(training, 1, batch_size, microbatch_size=3), reference)
    assert_close(without_draws(training, 2, 13, microbatch_size=3), reference)


def noise_law(training, size=2, microbatch_size=None):
    """Where noise is drawn, every row of every batch gets its own, whoever draws it, and other seeds give other noise.

    The mean and variance of the noise that adds up are known, and the variance is another one as soon as two processes,
    pieces, steps or epochs share a draw.
    """
    for num_examples, batch_size, epochs in ((11, 5, 3), (1, 1, 4)):
        sizes = [len(batch) for batch in torch.empty(num_examples).split(batch_size)] * epochs
        mean, variance = len(sizes), sum(2 / rows for rows in sizes)  # of variance 1, in transform and loss
        shape = num_examples, batch_size, epochs
        moved = _added_noise(training, shape, size, microbatch_size, seed=0)
        D = len(moved)
        assert abs(float(moved.mean()) - mean) <= 5 * math.sqrt(variance / D)
        assert abs(float(moved.var()) - variance) <= 5 * variance * math.sqrt(2 / (D - 1))
        assert not torch.equal(moved, _added_noise(training, shape, size, microbatch_size, seed=10))


def _added_noise(training, shape, size, microbatch_size, seed, D=4000):
    """How far plain descent moves on a loss that is linear in its D weights: of each, the noise of all rows adds up."""
    num_examples, batch_size, epochs = shape
    models = [torch.nn.Linear(D, 1, bias=False, dtype=torch.float64) for _ in range(size)]
    for model in models:
        torch.nn.init.zeros_(model.weight)

    def blurred(x, *, generator):
        return x + sampling.normal(x.shape, like=x, generator=generator)

    def work(rank):
        def loss(x, *, generator):
            return models[rank](blurred(x, generator=generator)).mean()

        training.fit(
            models[rank],
            torch.ones(num_examples, D, dtype=torch.float64),
            loss,
            torch.optim.SGD(models[rank].parameters(), lr=1.0),
            epochs=epochs,
            batch_size=batch_size,
            transform=blurred,
            generator=sampling.seeded(seed + rank),
            device="cpu",
            progress=False,
            microbatch_size=microbatch_size,
        )
        return -models[rank].weight.detach()[0]

    first, *others = in_team(training, size, work) if size > 1 else [work(0)]
    for other in others:
        assert torch.equal(other, first)
    return first


def resumed_law(training, path):
    """Two processes that are cut off at any step, and started again, end bit for bit as if they had not been."""

    def go(cut_off=None, **options):
        models = [runs.TinyVAE() for _ in range(2)]

        def work(rank):
            model, calls = models[rank], []

            def loss(x, *, generator):
                calls.append(x)
                if cut_off is not None and len(calls) > cut_off:
                    raise Killed
                return model.loss(x, generator=generator)

            return runs.run(model, fit=training.fit, loss=loss, **{"seed": 2 + rank, "epochs": 2, **options})

        return in_team(training, 2, work)

    reference = go()
    for at in (2, 7, 12):
        path.unlink(missing_ok=True)
        with pytest.raises(Killed):
            go(at, checkpoint=path, checkpoint_every=1)
        for (model, history), (uncut, expected) in zip(go(checkpoint=path, seed=99), reference, strict=True):
            assert runs.same(runs.weights(model), runs.weights(uncut))
            assert runs.numbers(history) == runs.numbers(expected)


def another_number_law(training, path):
    """A run goes on with another number of processes, in the same order of examples: without draws it ends alike."""
    (reference,) = without_draws(training, 1, epochs=4)
    for epochs, size in ((1, 1), (2, 2), (3, 3), (4, 1)):
        results = without_draws(training, size, epochs=epochs, checkpoint=path)
    assert_close(results, reference)
