"""A loss or a weight that is not finite stops the run: the step and its batch are named, the last good weights kept."""

import pytest
import torch
from support import training_runs as runs

from vaeedu.training import NonFiniteLossError, loop

BAD = {
    "NaN": lambda x, model: x.mean() * torch.nan,
    "infinite": lambda x, model: x.mean() * torch.inf,
    # sqrt has the value 0 and an infinite slope at 0: a finite loss that ruins the weights
    "gradient": lambda x, model: (model.encoder.weight - model.encoder.weight.detach()).sum().abs().sqrt(),
}


class Enough(Exception):  # noqa: N818
    pass


def train(*, bad=None, bad_row=0, stop_at=None, **options):
    """A run whose loss is bad on one row, or that is cut off from outside at the start of a step."""
    model, steps = runs.TinyVAE(), []

    def loss(x, rows, *, generator):
        if len(steps) == stop_at:
            raise Enough
        steps.append(rows)
        value = model.squared_error(x, generator=generator)
        return value + BAD[bad](x, model) if bad and (rows == bad_row).any() else value

    def transform(x, rows, *, generator):
        return runs.binarize(x, generator=generator), rows

    settings = {"data": (runs.images(), torch.arange(runs.N)), "transform": transform, "max_grad_norm": None}
    return model, lambda: runs.run(model, loss=loss, **(settings | options))


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("look_every", [1, 3, 64])
@pytest.mark.parametrize(("bad_row", "batch_size"), [(0, 8), (17, 8), (52, 8), (5, 1), (30, 53)])
def test_the_step_is_found_and_the_weights_are_those_before(
    bad, look_every, bad_row, batch_size, monkeypatch
):
    monkeypatch.setattr(loop, "_LOOK_EVERY", look_every)
    order = torch.randperm(runs.N, generator=torch.Generator().manual_seed(2))
    step = int((order == bad_row).nonzero()) // batch_size
    indices = order[step * batch_size : (step + 1) * batch_size]
    model, go = train(bad=bad, bad_row=bad_row, batch_size=batch_size)
    with pytest.raises(NonFiniteLossError) as caught:
        go()
    error = caught.value
    assert (error.epoch, error.step, error.history.loss) == (0, step, [])
    assert torch.equal(error.indices, indices)
    cut_off, go = train(stop_at=step, batch_size=batch_size)
    with pytest.raises(Enough):
        go()
    assert runs.same(runs.weights(model), runs.weights(cut_off))


def test_the_errors_that_ruined_weights_lead_to_are_traced_back():
    """torch's distributions refuse NaN: the message would name a parameter of theirs, and no step."""
    model = runs.TinyVAE()

    def loss(x, rows, *, generator):
        value = model.loss(x, generator=generator)  # validates
        return value + BAD["gradient"](x, model) if (rows == 17).any() else value

    data = runs.images(), torch.arange(runs.N)
    order = torch.randperm(runs.N, generator=torch.Generator().manual_seed(2))
    step = int((order == 17).nonzero()) // 8
    assert step < 6  # others follow
    with pytest.raises(NonFiniteLossError, match=rf"^A weight stopped being finite in epoch 0, step {step},"):
        runs.run(model, data=data, loss=loss, transform=lambda x, rows, generator: (x.round(), rows))
    assert all(bool(w.isfinite().all()) for w in runs.weights(model).values())


def test_other_errors_are_left_as_they_are():
    def loss(x, *, generator):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        runs.run(loss=loss)


@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_bad_step_in_a_later_epoch(clip):
    calls = []

    def transform(x, rows, *, generator):
        calls.append(rows)
        nan = (
            torch.nan if len(calls) in (12, 19) else 0.0
        )  # the fifth of the second epoch's seven, and its replay
        return runs.binarize(x, generator=generator) + nan, rows

    model, go = train(transform=transform, max_grad_norm=clip)
    with pytest.raises(
        NonFiniteLossError, match=r"^The loss is nan in epoch 1, step 4, on the examples \["
    ) as caught:
        go()
    assert len(caught.value.history.loss) == len(caught.value.history.validation) == 1
    assert torch.equal(caught.value.indices, calls[11])
    assert all(bool(w.isfinite().all()) for w in runs.weights(model).values())


def test_a_fault_that_does_not_come_again_is_still_reported():
    calls = []

    def transform(x, rows, *, generator):
        calls.append(rows)
        return runs.binarize(x, generator=generator) * (torch.nan if len(calls) == 4 else 1.0), rows

    model, go = train(transform=transform)
    with pytest.raises(NonFiniteLossError, match="The loss is nan in epoch 0, step 3,"):
        go()
    cut_off, go = train(stop_at=3)
    with pytest.raises(Enough):
        go()
    assert runs.same(runs.weights(model), runs.weights(cut_off))


def test_weights_ruined_from_outside_are_repaired_by_the_replay():
    model, ruined = runs.TinyVAE(), []

    def loss(x, *, generator):
        value = model.squared_error(x, generator=generator)
        if len(x) == runs.N % 8 and not ruined:  # the last batch of the first epoch
            ruined.append(True)
            model.decoder.bias.data.fill_(torch.nan)
        return value

    runs.run(model, loss=loss)
    clean = runs.TinyVAE()
    runs.run(clean, loss=clean.squared_error)
    assert ruined
    assert runs.same(runs.weights(model), runs.weights(clean))


def test_the_message_says_what_to_do():
    _, go = train(bad="gradient", bad_row=3, batch_size=9)
    with pytest.raises(NonFiniteLossError) as caught:
        go()
    message = str(caught.value)
    assert message.startswith("A weight stopped being finite in epoch 0, step ")
    assert (
        ", …] (all in the error's .indices). The model holds the weights from before that step. " in message
    )
    assert message.endswith("Look at these examples; or lower the learning rate, or set max_grad_norm")


def test_a_checkpoint_never_holds_what_is_not_finite(tmp_path):
    path = tmp_path / "run.pt"
    model, go = train(bad="gradient", bad_row=41, checkpoint=path, checkpoint_every=1)
    with pytest.raises(NonFiniteLossError) as caught:
        go()
    stored = torch.load(path, weights_only=True)["state"]
    assert stored["step"] == caught.value.step
    assert runs.same(stored["model"], runs.weights(model))
