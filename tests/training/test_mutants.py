"""The mistakes a training loop invites, each made on purpose: every one must break a law."""

import contextlib
import os
import signal
import tempfile
from pathlib import Path

import pytest
import torch
from support import team_laws as laws
from support import training_runs as runs
from support.mutation import law_tests


def loop_law(training):
    """The loop is the one written out by hand."""
    reference = runs.TinyVAE()
    means, norms, rates = runs.by_hand(reference)
    model, history = runs.run(fit=training.fit)
    assert runs.same(runs.weights(model), runs.weights(reference))
    assert history.loss == pytest.approx(means, rel=1e-9)
    assert history.gradient_norm == pytest.approx(norms, rel=1e-9)
    assert history.learning_rate == rates


def patience_law(training):
    """It stops two epochs after the lowest value, with the weights of then."""
    model, after, values = runs.TinyVAE(), [], [3.0, 2.0, 2.0, 4.0, 1.0, 1.0]

    def validate():
        assert not model.training
        after.append(runs.weights(model))
        return values[len(after) - 1]

    _, history = runs.run(model, fit=training.fit, epochs=6, validate=validate, patience=2)
    assert (len(history.loss), history.best_epoch, history.stopped_early) == (4, 1, True)
    assert runs.same(runs.weights(model), after[1])


class Killed(BaseException):
    pass


def resume_law(training):
    """Cut off at any step and resumed, it ends as if it had not been; a damaged file is refused."""
    reference, expected = runs.run(fit=training.fit)
    for at in (2, 7, 12, 20):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.pt"
            model, calls = runs.TinyVAE(), []

            def loss(x, *, generator, model=model, calls=calls, at=at):
                calls.append(x)
                if len(calls) > at:
                    raise Killed
                return model.loss(x, generator=generator)

            with pytest.raises(Killed):
                runs.run(model, fit=training.fit, loss=loss, checkpoint=path, checkpoint_every=1)
            content = bytearray(path.read_bytes())
            resumed, history = runs.run(fit=training.fit, checkpoint=path, seed=99)
            assert runs.same(runs.weights(resumed), runs.weights(reference))
            assert runs.numbers(history) == runs.numbers(expected)
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
            with pytest.raises(ValueError, match="is damaged"):
                runs.run(fit=training.fit, checkpoint=path)
            path.write_bytes(path.read_bytes()[:0])


def another_run_law(training):
    """A checkpoint is taken for none but its own run's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.pt"
        # Ten and nine rows a batch are as many steps: nothing but the check stops the second.
        runs.run(fit=training.fit, epochs=1, batch_size=10, checkpoint=path)
        for options in ({"batch_size": 9}, {"lr": 0.1}, {"data": runs.images() / 2}, {"scheduler": None}):
            with pytest.raises(ValueError, match="another run"):
                runs.run(fit=training.fit, checkpoint=path, **({"batch_size": 10} | options))


@contextlib.contextmanager
def looking_every(num_steps, training):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.loop, "_LOOK_EVERY", num_steps)
        yield


def guard_law(training):
    """The step that ruins a weight is named, and the weights are those before it, whatever came after."""
    order = torch.randperm(runs.N, generator=torch.Generator().manual_seed(2))
    for row, look_every in ((int(order[0]), 64), (int(order[20]), 64), (int(order[20]), 2)):
        model, step = runs.TinyVAE(), int((order == row).nonzero()) // 8
        taken = []

        def loss(x, rows, *, generator, model=model, row=row, taken=taken):
            taken.append(runs.weights(model))
            value = model.squared_error(x, generator=generator)
            slope = (model.encoder.weight - model.encoder.weight.detach()).sum().abs().sqrt()
            return value + slope if (rows == row).any() else value

        data = runs.images(), torch.arange(runs.N)
        with looking_every(look_every, training), pytest.raises(training.NonFiniteLossError) as caught:
            runs.run(model, fit=training.fit, loss=loss, data=data, transform=None)
        assert (caught.value.step, row in caught.value.indices) == (step, True)
        assert runs.same(runs.weights(model), taken[step])


def flaky_law(training):
    """A loss that is NaN once only, in the second window, is reported where it was."""
    model, calls = runs.TinyVAE(), []

    def loss(x, *, generator):
        calls.append(x)
        return model.loss(x, generator=generator) * (torch.nan if len(calls) == 4 else 1.0)

    with looking_every(2, training), pytest.raises(training.NonFiniteLossError) as caught:
        runs.run(model, fit=training.fit, loss=loss)
    assert (caught.value.epoch, caught.value.step) == (0, 3)


def interrupt_law(training):
    """Ctrl-C ends the run after the step, with a checkpoint."""
    model, calls = runs.TinyVAE(), []

    def loss(x, *, generator):
        calls.append(x)
        if len(calls) == 9:
            os.kill(os.getpid(), signal.SIGINT)
        return model.loss(x, generator=generator)

    with pytest.warns(UserWarning, match="epoch 1, before step 2"):
        _, history = runs.run(model, fit=training.fit, loss=loss)
    assert history.interrupted
    assert len(calls) == 9
    assert len(history.loss) == 1


def restore_law(training):
    """A state can be put back more than once, whatever happened in between."""
    model = runs.TinyVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(0)
    records = torch.zeros(3, 3, dtype=torch.float64)
    state = training.recovery.State(model, optimizer, None, [generator], records, order=generator.get_state())

    def step():
        optimizer.zero_grad()
        model.squared_error(runs.images(), generator=generator).backward()
        optimizer.step()
        return runs.weights(model)

    step()
    kept = state.capture()
    first = step()
    for _ in range(2):
        state.restore(kept)
        assert runs.same(step(), first)


def team_law(training):
    """Where nothing is drawn, teams and pieces of batches give what one process gives."""
    laws.agreement_law(training)


def noise_law(training):
    """Every row of every batch gets noise of its own, whoever draws it."""
    laws.noise_law(training, 2)
    laws.noise_law(training, 1, microbatch_size=2)


def team_resume_law(training):
    """Processes that are cut off and started again end bit for bit as if they had not been."""
    with tempfile.TemporaryDirectory() as folder:
        laws.resumed_law(training, Path(folder) / "run.pt")


MUTANTS = [
    (loop_law, "step", "task.optimizer.zero_grad(set_to_none=True)", "pass"),
    (loop_law, "step", "clip_grad_norm_(self._parameters, task.max_grad_norm)",
     "clip_grad_norm_(self._parameters, 9e9)"),
    (loop_law, "step", "record[1] = nn", "record[0] = nn"),
    (loop_law, "step", "        task.optimizer.step()", "        task.optimizer.step(); task.optimizer.step()"),
    (loop_law, "task", "clamp(max=self.batch_size)", "clamp(min=self.batch_size, max=self.batch_size)"),
    (loop_law, "task", "@ records / self.num_examples", "@ records"),
    (loop_law, "loop", "            scheduler.step()", "            pass"),
    (loop_law, "recovery.state", "        if self.step > 0:\n", "        if True:\n"),
    (loop_law, "batches", "tensor.index_select(0, index)", "tensor[: len(index)]"),
    (patience_law, "selection", "value < lowest", "value <= lowest"),
    (patience_law, "selection", "value < lowest", "value > lowest"),
    (patience_law, "selection", "- 1 - best >= self._patience", "- 1 - best > self._patience"),
    (patience_law, "selection", "model.eval()", "pass"),
    (patience_law, "selection", "self.best = copy_tree(dict(model.state_dict()), into=self.best)",
     "self.best = dict(model.state_dict())"),
    (patience_law, "selection", "state.model.load_state_dict(self.best)", "pass"),
    (resume_law, "recovery.state", 'self.optimizer.load_state_dict(tree["optimizer"])', "pass"),
    (resume_law, "recovery.state", 'self.scheduler.load_state_dict(tree["scheduler"])', "pass"),
    (resume_law, "recovery.state", "generator.set_state(state)", "pass"),
    (resume_law, "recovery.state", 'self.records.copy_(tree["records"])', "pass"),
    (resume_law, "recovery.state", 'self.history.load_state_dict(tree["history"])', "pass"),
    (resume_law, "recovery.state", '"order": self.order,', '"order": self.generators[0].get_state(),'),
    (resume_law, "recovery.state", "            shared.set_state(now)", "            pass"),
    (resume_law, "recovery.state", "        shared.set_state(self.order)\n", ""),
    (resume_law, "recovery.state", "if self.step == 0:", "if True:"),
    (resume_law, "loop", "batches[state.step :]", "batches[: len(batches) - state.step]"),
    (resume_law, "loop", "state.epoch, state.step, state.seconds = state.epoch + 1, 0, 0.0",
     "state.epoch, state.step, state.seconds = state.epoch + 1, 1, 0.0"),
    (resume_law, "recovery.checkpoint", "sound = trailer ==", "sound = True or trailer =="),
    (another_run_law, "recovery.checkpoint", "        if differing:", "        if False:"),
    (another_run_law, "task", '            "batch_size": self.batch_size,', ""),
    (another_run_law, "task", "            **settings,", ""),
    (another_run_law, "batches", "zlib.crc32(content", "checksum or zlib.crc32(content[:0]"),
    (another_run_law, "task", '            "scheduler": type(self.scheduler).__name__,', ""),
    (guard_law, "recovery.guard", "return bool(torch.isfinite(torch.stack(sums)).all())", "return True"),
    (guard_law, "recovery.guard", "                state.restore(before)", "                pass"),
    (guard_law, "recovery.guard", "        self.go_back()\n        while", "        while"),
    (guard_law, "recovery.state", "return into.copy_(tree) if fits else tree.clone()", "return tree"),
    (restore_law, "recovery.state", "return into.copy_(tree) if fits else tree.clone()", "return tree"),
    (restore_law, "recovery.state", "tree = copy_tree(tree)  #", "#"),
    (guard_law, "recovery.guard", "        if not self._accept():\n", "        if False:\n"),
    (flaky_law, "recovery.guard", "return start + int(bad", "return int(bad"),
    (flaky_law, "recovery.guard", "            if now != recorded:\n", "            if True:\n"),
    (interrupt_law, "recovery.interrupt", "        if interrupt.pressed:\n            ra",
     "        if True:\n            ra", UserWarning),  # the one that it was interrupted, from where it was not
    (interrupt_law, "loop", "            return self.interrupt.pressed", "            return False"),
    (team_law, "devices.team", "dist.broadcast(tensor, src=0)", "pass"),
    (team_law, "devices.team", ".mul_(weight)", ".mul_(1.0)"),
    (team_law, "devices.team", "torch.stack([loss * weight,", "torch.stack([loss,"),
    (team_law, "devices.team", "min(self.rank, more)", "0"),
    (team_law, "devices.team", "return Part(0, 1, 0.0)", "return Part(0, 1, 1.0)"),
    (team_law, "devices.team", "Part(start, stop, (stop - start) / num_rows)",
     "Part(start, stop, 1 / self.size)"),
    (team_law, "devices.team", "dist.broadcast(state, src=0)", "pass"),
    (team_law, "devices.team", "        shared.set_state(state)\n", ""),
    (team_law, "step", "index[part.start : part.stop]", "index[: part.stop - part.start]"),
    (team_law, "objective", "value = value * weight", "pass"),
    (team_law, "objective", "len(piece[0]) / B", "self._microbatch_size / B"),
    (noise_law, "devices.team", "step * self.size + self.rank", "step * self.size"),
    (noise_law, "devices.team", "step * self.size + self.rank", "self.rank"),
    (noise_law, "devices.team", "manual_seed(seed + step", "manual_seed(step"),
    (noise_law, "recovery.state", "self.epoch * len(self.records) + self.step", "self.step"),
    (noise_law, "devices.team", "        if self._own is None:\n", "        if True:\n"),
    (noise_law, "objective", "value = loss(*batch, generator=generator)",
     "value = loss(*batch, generator=torch.Generator().manual_seed(0))"),
    (team_resume_law, "devices.team", ".manual_seed(seed + step * self.size + self.rank)", ""),
    (team_resume_law, "recovery.state", '"order": self.order,', '"order": self.generators[0].get_state(),'),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("training", MUTANTS)
