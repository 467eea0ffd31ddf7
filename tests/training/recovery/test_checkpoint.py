"""A run that is cut off anywhere and started again ends bit for bit like one that was not."""

import os
import random
import signal
import time
from datetime import timedelta

import pytest
import torch
from support import children
from support import training_runs as runs

from vaeedu import training
from vaeedu.training.devices import precision
from vaeedu.training.recovery import checkpoint

STEPS = 3 * 7  # of runs.run()


class Killed(BaseException):
    pass


def cut_off(at, path, **options):
    """Starts the run, which dies within the `at`-th loss; options as of `runs.run`."""
    model, calls = runs.TinyVAE(), []

    def loss(x, *, generator):
        calls.append(x)
        if len(calls) > at:
            raise Killed
        return model.loss(x, generator=generator)

    with pytest.raises(Killed):
        runs.run(model, loss=loss, checkpoint=path, **options)


@pytest.mark.parametrize("at", range(STEPS))
def test_cut_off_at_any_step_and_resumed(at, tmp_path):
    path = tmp_path / "run.pt"
    every = (None, 1, 2, 5)[at % 4]
    cut_off(at, path, checkpoint_every=every, patience=2)
    seed = 99 if path.exists() else 2  # the stored state counts, not the generator that comes with the call
    model, history = runs.run(checkpoint=path, checkpoint_every=every, patience=2, seed=seed)
    reference, expected = runs.run(patience=2)
    assert runs.same(runs.weights(model), runs.weights(reference))
    assert runs.numbers(history) == runs.numbers(expected)


def test_cut_off_again_and_again(tmp_path):
    path = tmp_path / "run.pt"
    for _ in range(STEPS - 1):
        cut_off(1, path, checkpoint_every=1)
    model, history = runs.run(checkpoint=path)
    reference, expected = runs.run()
    assert runs.same(runs.weights(model), runs.weights(reference))
    assert runs.numbers(history) == runs.numbers(expected)


def test_the_generator_passed_in_gets_the_stored_state(tmp_path):
    path = tmp_path / "run.pt"
    one, other = (torch.Generator().manual_seed(seed) for seed in (0, 1))

    def go(generator):
        model = runs.TinyVAE()
        sgd = torch.optim.SGD(model.parameters(), lr=0.1)
        options = {"epochs": 2, "checkpoint": path, "progress": False, "generator": generator}
        training.fit(model, runs.images(), model.squared_error, sgd, **options)
        return runs.weights(model)

    assert runs.same(go(one), go(other))
    assert torch.equal(one.get_state(), other.get_state())


def test_a_finished_run_is_not_run_again_and_a_longer_one_goes_on(tmp_path):
    path = tmp_path / "run.pt"
    runs.run(epochs=2, checkpoint=path)

    def never(x, *, generator):
        raise AssertionError

    model, history = runs.run(epochs=2, checkpoint=path, loss=never)
    reference, expected = runs.run(epochs=2)
    assert runs.same(runs.weights(model), runs.weights(reference))
    assert runs.numbers(history) == runs.numbers(expected)
    model, _ = runs.run(epochs=4, checkpoint=path)
    assert runs.same(runs.weights(model), runs.weights(runs.run(epochs=4)[0]))


def test_the_best_weights_survive(tmp_path):
    path = tmp_path / "run.pt"
    rising = iter(range(100))
    options = {"epochs": 6, "patience": 2, "checkpoint": path}
    first, history = runs.run(validate=lambda: float(next(rising)), **options)
    assert (history.best_epoch, history.stopped_early, len(history.loss)) == (0, True, 3)
    again, resumed = runs.run(validate=lambda: float(next(rising)), **options)
    assert runs.same(runs.weights(again), runs.weights(first))
    assert resumed.stopped_early
    assert len(resumed.loss) == 3
    _, longer = runs.run(validate=lambda: float(next(rising)), **(options | {"patience": 4}))
    assert len(longer.loss) == 5


def test_the_bar_goes_on_where_it_was(tmp_path, capsys):
    path = tmp_path / "run.pt"
    cut_off(10, path, checkpoint_every=1)
    capsys.readouterr()
    runs.run(checkpoint=path, progress=True)
    # one epoch of 53, and 3 batches of 8
    assert "77.0/159" in capsys.readouterr().err


def test_a_checkpoint_is_plain_tensors_and_containers(tmp_path):
    path = tmp_path / "run.pt"
    model, history = runs.run(checkpoint=path)
    stored = torch.load(path, weights_only=True)
    assert runs.same(stored["state"]["model"], runs.weights(model))
    assert stored["state"]["history"] == history.state_dict()
    assert stored["state"]["epoch"] == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.pt"]


def damaged(content):
    yield "empty", b""
    yield "short", content[:50]
    yield "half", content[: len(content) // 2]
    yield "without its end", content[:-1]
    yield "longer", content + b"\0"
    yield "text", b"not a checkpoint"
    for place in range(7, len(content), len(content) // 25):
        changed = bytearray(content)
        changed[place] ^= 0x10
        yield f"byte {place}", bytes(changed)


def test_a_damaged_checkpoint_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "run.pt"
    runs.run(epochs=1, checkpoint=path)
    for what, content in damaged(path.read_bytes()):
        path.write_bytes(content)
        model = runs.TinyVAE()
        before = runs.weights(model)
        with pytest.raises(
            ValueError, match=r"run\.pt must be a file that fit wrote, but is damaged .*: delete it"
        ):
            runs.run(model, checkpoint=path)
        assert path.read_bytes() == content, what
        assert runs.same(runs.weights(model), before)


def test_what_torch_saved_otherwise_is_no_checkpoint(tmp_path):
    path = tmp_path / "run.pt"
    torch.save(runs.TinyVAE().state_dict(), path)
    with pytest.raises(
        ValueError, match=r"is damaged or something else: delete it to start anew, or name another path"
    ):
        runs.run(checkpoint=path)


class Wider(runs.TinyVAE):
    def __init__(self):
        super().__init__()
        self.more = torch.nn.Linear(2, 2, dtype=torch.float64)


OTHERS = {
    "batch size": ({"batch_size": 9}, r"batch_size was 8, and now is 9"),
    "rate": ({"lr": 0.04}, r"optimizer's lr was 0\.05, and now is 0\.04"),
    "data": (
        {"data": runs.images() * 0.5},
        r"data was 'float64\[53, 6\]#\w+', and now is 'float64\[53, 6\]#\w+'",
    ),
    "model": ({"model": Wider()}, r"the model had other weights \(more\.bias, more\.weight\)"),
    "no schedule": ({"scheduler": None}, r"scheduler was 'StepLR', and now is 'NoneType'"),
    "precision": ({"precision": "bfloat16"}, r"precision was 'float32', and now is 'bfloat16'"),
    "clipping": ({"max_grad_norm": 2.0}, r"max_grad_norm was 1\.0, and now is 2\.0"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_runs_checkpoint_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)  # also where this CPU has none
    path = tmp_path / "run.pt"
    runs.run(epochs=1, checkpoint=path)
    before = path.read_bytes()
    options, message = OTHERS[name]
    with pytest.raises(
        ValueError, match=rf"belongs to another run: {message}.*Use the same settings to go on, or an"
    ):
        runs.run(checkpoint=path, **options)
    assert path.read_bytes() == before


def test_where_bfloat16_is_only_emulated_the_checkpoint_is_float32s(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: False)
    path = tmp_path / "run.pt"
    with pytest.warns(UserWarning, match="training in float32"):
        runs.run(epochs=1, checkpoint=path, precision="bfloat16")
    model, history = runs.run(checkpoint=path, precision="float32")
    reference, expected = runs.run()
    assert runs.same(runs.weights(model), runs.weights(reference))
    assert runs.numbers(history) == runs.numbers(expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"checkpoint_every": 0}, r"checkpoint_every must be a whole number of at least 1, but is 0"),
        (
            {"checkpoint_every": timedelta(0)},
            r"checkpoint_every, in seconds, must be a finite number greater than 0",
        ),
    ],
)
def test_mistakes_in_how_often(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        runs.run(checkpoint=tmp_path / "run.pt", **options)


def test_the_folder_must_exist(tmp_path):
    with pytest.raises(
        ValueError, match=r"^checkpoint must lie in an existing folder, but .*nowhere is none: make it$"
    ):
        runs.run(checkpoint=tmp_path / "nowhere" / "run.pt")


def test_a_write_that_is_cut_off_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    runs.run(epochs=1, checkpoint=path)
    before = path.read_bytes()

    def fsync(number):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(Killed):
            runs.run(epochs=2, checkpoint=path)
    assert path.read_bytes() == before
    model, _ = runs.run(checkpoint=path)
    assert runs.same(runs.weights(model), runs.weights(runs.run()[0]))


def times_written(monkeypatch, tmp_path, **options):
    saves = []
    monkeypatch.setattr(checkpoint.Checkpoint, "save", _noting(saves, checkpoint.Checkpoint.save))
    runs.run(checkpoint=tmp_path / "run.pt", **options)
    return saves


def _noting(saves, save):
    def noted(self, state, best):
        saves.append((state["epoch"], state["step"]))
        save(self, state, best)

    return noted


def test_how_often_it_is_written(monkeypatch, tmp_path):
    assert times_written(monkeypatch, tmp_path) == [(1, 0), (2, 0), (3, 0), (3, 0)]


def test_written_every_so_many_steps_across_epochs(monkeypatch, tmp_path):
    saves = times_written(monkeypatch, tmp_path, checkpoint_every=5)
    assert saves == [(0, 5), (1, 3), (2, 1), (2, 6), (3, 0)]


def test_written_every_so_much_time(monkeypatch, tmp_path):
    ticks = iter(range(1000))
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: next(ticks))
    saves = times_written(monkeypatch, tmp_path, checkpoint_every=timedelta(seconds=4))
    assert 3 <= len(saves) <= 6


def test_the_seconds_add_up_over_the_parts(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    cut_off(4, path, checkpoint_every=1)
    stored = torch.load(path, weights_only=True)["state"]
    assert stored["step"] == 4
    assert stored["seconds"] > 0
    _, history = runs.run(checkpoint=path)
    assert history.seconds[0] > stored["seconds"]


def killed_after(num_steps, pause, *arguments):
    process, steps = children.start(runs.to_be_killed, *arguments)
    for _ in range(num_steps):
        steps.recv_bytes()
    time.sleep(pause)
    process.kill()
    return children.end(process, steps)


def test_killed_at_random_and_restarted(tmp_path):
    """SIGKILL, also while a checkpoint is being written; the run ends as one in this process did."""
    path, result = tmp_path / "run.pt", tmp_path / "result.pt"
    dice = random.Random(0)
    for _ in range(2):
        status = killed_after(dice.randrange(1, 7), dice.random() * 0.01, result, path)
        assert status == -signal.SIGKILL
    assert not result.exists()
    assert children.end(*children.start(runs.to_be_killed, result, path)) == 0
    stored = torch.load(result, weights_only=True)
    model, history = runs.run()
    assert runs.same(stored["weights"], runs.weights(model))
    assert {k: v for k, v in stored["history"].items() if k != "seconds"} == runs.numbers(history)
