"""The mistakes a training loop invites, each made on purpose: every one must break a law."""

import contextlib
import os
import signal
import tempfile
import threading
from pathlib import Path

import pytest
import torch
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
    state = training.state.State(model, optimizer, None, [generator], records, order=generator.get_state())

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


class Together:
    """What `torch.distributed` does for processes, done for threads."""

    def __init__(self, size):
        self.size, self.barrier, self.boxes = size, threading.Barrier(size, timeout=20), [None] * size
        self.local = threading.local()

    def _exchange(self, value):
        self.boxes[self.local.rank] = value
        self.barrier.wait()
        values = list(self.boxes)
        self.barrier.wait()
        return values

    def all_reduce(self, tensor):
        tensor.copy_(sum(self._exchange(tensor.clone())))

    def broadcast(self, tensor, src):
        tensor.copy_(self._exchange(tensor.clone())[src])


def team_law(training):
    """Two or three that share batches are like one, also where some of them have no row."""
    for size, batch_size in ((2, 8), (3, 13)):
        results = in_threads(training, size, batch_size)
        assert [result for result in results if isinstance(result, BaseException)] == []
        reference, expected = runs.run(batch_size=batch_size, epochs=2)
        for model, history in results:
            for name, weight in runs.weights(reference).items():
                torch.testing.assert_close(model.state_dict()[name], weight, rtol=0, atol=1e-9)
            assert history.loss == pytest.approx(expected.loss, abs=1e-9)


def in_threads(training, size, batch_size):
    """What each of the runs returned that share batches, or the error that it ended with."""
    together, results, team = Together(size), [None] * size, training.distributed.Team
    models = [runs.TinyVAE() for _ in range(size)]  # here: threads would share torch's one global generator
    for model in models[1:]:
        torch.nn.init.zeros_(model.encoder.weight)  # all start from the first one's weights

    def work(rank):
        together.local.rank = rank
        try:
            results[rank] = runs.run(
                models[rank], fit=training.fit, batch_size=batch_size, seed=2 + rank, epochs=2
            )
        except BaseException as error:
            results[rank] = error
            together.barrier.abort()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.distributed, "dist", together)
        patch.setattr(training.distributed, "join", lambda at: team(together.local.rank, size, at))
        threads = [threading.Thread(target=work, args=(rank,)) for rank in range(size)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return results


MUTANTS = [
    (loop_law, "step", "self._optimizer.zero_grad(set_to_none=True)", "pass"),
    (loop_law, "step", "clip_grad_norm_(self._parameters, self._max_norm)", "clip_grad_norm_(self._parameters, 9e9)"),
    (loop_law, "step", "record[1] = nn", "record[0] = nn"),
    (loop_law, "step", "        self._optimizer.step()", "        self._optimizer.step(); self._optimizer.step()"),
    (loop_law, "loop", "sizes.clamp(max=self._batch_size).to", "torch.ones_like(sizes).to"),
    (loop_law, "loop", "history.loss.append(loss / self._num_examples)", "history.loss.append(loss)"),
    (loop_law, "loop", "            scheduler.step()", "            pass"),
    (loop_law, "loop", "            own.set_state(now)", "            pass\n        own.set_state(now)"),
    (loop_law, "batches", "tensor.index_select(0, index)", "tensor[: len(index)]"),
    (patience_law, "loop", "value < lowest", "value <= lowest"),
    (patience_law, "loop", "value < lowest", "value > lowest"),
    (patience_law, "loop", "- 1 - best >= self._patience", "- 1 - best > self._patience"),
    (patience_law, "loop", "self.state.model.eval()", "pass"),
    (patience_law, "loop", "self.best = copy_tree(dict(self.state.model.state_dict()), into=self.best)",
     "self.best = dict(self.state.model.state_dict())"),
    (patience_law, "fit", "model.load_state_dict(loop.best)", "pass"),
    (resume_law, "state", 'self.optimizer.load_state_dict(tree["optimizer"])', "pass"),
    (resume_law, "state", 'self.scheduler.load_state_dict(tree["scheduler"])', "pass"),
    (resume_law, "state", "generator.set_state(state)", "pass"),
    (resume_law, "state", 'self.records.copy_(tree["records"])', "pass"),
    (resume_law, "state", 'self.history.load_state_dict(tree["history"])', "pass"),
    (resume_law, "state", '"order": self.order,', '"order": self.generators[0].get_state(),'),
    (resume_law, "loop", "            own.set_state(now)", "            pass"),
    (resume_law, "loop", "        own.set_state(state.order)\n", ""),
    (resume_law, "loop", "if state.step == 0:", "if True:"),
    (resume_law, "loop", "state.epoch, state.step, state.seconds = state.epoch + 1, 0, 0.0",
     "state.epoch, state.step, state.seconds = state.epoch + 1, 1, 0.0"),
    (resume_law, "checkpoint", "sound = trailer ==", "sound = True or trailer =="),
    (another_run_law, "checkpoint", "        if differing:", "        if False:"),
    (another_run_law, "fit", '        "batch_size": batch_size,', ""),
    (another_run_law, "fit", "        **settings,", ""),
    (another_run_law, "batches", "zlib.crc32(content", "checksum or zlib.crc32(content[:0]"),
    (another_run_law, "fit", '        "scheduler": type(scheduler).__name__,', ""),
    (guard_law, "guard", "return bool(torch.isfinite(torch.stack(sums)).all())", "return True"),
    (guard_law, "guard", "                state.restore(before)", "                pass"),
    (guard_law, "guard", "        self.go_back()\n        while", "        while"),
    (guard_law, "state", "return into.copy_(tree) if fits else tree.clone()", "return tree"),
    (restore_law, "state", "return into.copy_(tree) if fits else tree.clone()", "return tree"),
    (restore_law, "state", "tree = copy_tree(tree)  #", "#"),
    (guard_law, "loop", "if not self.guard.accept():\n", "if False:\n"),
    (flaky_law, "guard", "return start + int(bad", "return int(bad"),
    (flaky_law, "guard", "            if now != recorded:\n", "            if True:\n"),
    (interrupt_law, "interrupt", "        if interrupt.pressed:\n            ra", "        if True:\n            ra",
     UserWarning),  # the one that it was interrupted, from where it was not
    (interrupt_law, "loop", "            return interrupt.pressed", "            return False"),
    (team_law, "distributed", "dist.broadcast(tensor, src=0)", "pass"),
    (team_law, "distributed", ".mul_(weight)", ".mul_(1.0)"),
    (team_law, "distributed", "torch.stack([loss * weight,", "torch.stack([loss,"),
    (team_law, "distributed", "min(self.rank, more)", "0"),
    (team_law, "distributed", "return Part(0, 1, num_rows, 0.0)", "return Part(0, 1, num_rows, 1.0)"),
    (team_law, "distributed", "(stop - start) / num_rows)", "1 / self.size)"),
    (team_law, "distributed", "if self.size > 1 else nullcontext()", "if self.size > 9 else nullcontext()"),
    (team_law, "distributed", "for generator in generators if self.size > 1 else ():", "for generator in ():"),
    (team_law, "step", "index[part.start : part.stop]", "index[: part.stop - part.start]"),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("training", MUTANTS)
