"""Ctrl-C waits for the end of the step, and leaves a model, a history and a checkpoint that can be used."""

import os
import signal
import threading

import pytest
import torch
from support import training_runs as runs

from vaeedu.training.recovery import Interrupt, deferred

WARNING = r"^fit was interrupted in epoch {}, before step {}$"


def press():
    os.kill(os.getpid(), signal.SIGINT)


def pressing(model, at, times=1):
    """A loss that presses Ctrl-C in its `at`-th call, counted from 1."""
    calls = []

    def loss(x, *, generator):
        calls.append(x)
        if len(calls) == at:
            for _ in range(times):
                press()
        return model.loss(x, generator=generator)

    return loss


@pytest.mark.parametrize(("at", "epoch", "step"), [(1, 0, 1), (6, 0, 6), (7, 1, 0), (8, 1, 1), (20, 2, 6)])
def test_it_stops_after_the_step_and_can_be_resumed(at, epoch, step, tmp_path):
    path = tmp_path / "run.pt"
    model = runs.TinyVAE()
    with pytest.warns(UserWarning, match=WARNING.format(epoch, step)):
        _, history = runs.run(model, loss=pressing(model, at), checkpoint=path)
    assert history.interrupted
    assert len(history.loss) == epoch
    stored = torch.load(path, weights_only=True)["state"]
    assert runs.same(stored["model"], runs.weights(model))
    assert (stored["epoch"], stored["step"]) == (epoch, step)
    resumed, history = runs.run(checkpoint=path)
    reference, expected = runs.run()
    assert runs.same(runs.weights(resumed), runs.weights(reference))
    assert runs.numbers(history) == runs.numbers(expected)
    assert not history.interrupted


def test_in_the_last_step_there_is_nothing_to_interrupt():
    model = runs.TinyVAE()
    _, history = runs.run(model, loss=pressing(model, 21))
    assert not history.interrupted
    assert len(history.loss) == 3


class PressingAdam(torch.optim.Adam):
    """Presses Ctrl-C between the updates of two weights."""

    press_at = 5
    times = 1

    def step(self, closure=None):
        self.calls = getattr(self, "calls", 0) + 1
        weights = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        before = [p.detach().clone() for p in weights]
        super().step(closure)
        after = [p.detach().clone() for p in weights]
        for p, old in zip(weights, before, strict=True):
            p.data.copy_(old)
        for i, (p, new) in enumerate(zip(weights, after, strict=True)):
            if i == 2 and self.calls == self.press_at:
                for _ in range(self.times):
                    press()
            p.data.copy_(new)


def train(adam, model, **options):
    from vaeedu.training import fit

    optimizer = adam(model.parameters(), lr=0.05)
    generator = torch.Generator().manual_seed(2)
    settings = {
        "epochs": 3,
        "batch_size": 8,
        "transform": runs.binarize,
        "progress": False,
        "generator": generator,
    }
    return fit(model, runs.images(), model.loss, optimizer, **(settings | options))


def weights_after(num_steps):
    """The weights of the same run after so many steps."""
    model, optimizer = runs.TinyVAE(), None
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    generator = torch.Generator().manual_seed(2)
    x = runs.images()
    batches = torch.randperm(len(x), generator=generator).split(8)
    for index in batches[:num_steps]:
        optimizer.zero_grad()
        model.loss(runs.binarize(x[index], generator=generator), generator=generator).backward()
        optimizer.step()
    return runs.weights(model)


def test_no_weight_is_left_behind_when_it_comes_within_an_update():
    model = runs.TinyVAE()
    with pytest.warns(UserWarning, match=WARNING.format(0, 5)):
        history = train(PressingAdam, model)
    assert history.interrupted
    assert runs.same(runs.weights(model), weights_after(5))


def test_the_second_one_does_not_wait_and_goes_back_to_the_last_good_weights(monkeypatch):
    monkeypatch.setattr(PressingAdam, "times", 2)
    monkeypatch.setattr("vaeedu.training.loop._LOOK_EVERY", 3)
    model = runs.TinyVAE()
    with pytest.warns(UserWarning, match=WARNING.format(0, 3)):
        history = train(PressingAdam, model)
    assert history.interrupted
    assert runs.same(runs.weights(model), weights_after(3))


def test_with_patience_the_best_weights_are_back():
    model, after = runs.TinyVAE(), []

    def validate():
        after.append(runs.weights(model))
        return float(len(after))

    with pytest.warns(UserWarning, match=WARNING.format(2, 1)):
        runs.run(model, loss=pressing(model, 15), validate=validate, patience=5)
    assert runs.same(runs.weights(model), after[0])


def test_ctrl_c_is_as_before_afterwards_also_after_an_error():
    before = signal.getsignal(signal.SIGINT)
    runs.run(epochs=1)
    assert signal.getsignal(signal.SIGINT) is before

    def loss(x, *, generator):
        raise KeyError

    with pytest.raises(KeyError):
        runs.run(loss=loss)
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        press()


def test_where_ctrl_c_is_ignored_it_stays_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        model = runs.TinyVAE()
        _, history = runs.run(model, loss=pressing(model, 3))
        assert not history.interrupted
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_it_trains_without():
    results = []
    thread = threading.Thread(target=lambda: results.append(runs.run(epochs=1)[1]))
    thread.start()
    thread.join()
    assert len(results[0].loss) == 1


def test_the_second_press_raises():
    noted = Interrupt()
    with deferred(noted):
        press()
        assert noted.pressed
        with pytest.raises(KeyboardInterrupt):
            press()
