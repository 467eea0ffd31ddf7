"""`vaeedu train` and `vaeedu evaluate`, on a few epochs of digits."""

import contextlib
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch

from vaeedu import cli, data
from vaeedu.cli import evaluation, files, runs
from vaeedu.cli.models import KINDS
from vaeedu.cli.recipes import BURDA
from vaeedu.training.recovery import checkpoint
from vaeedu.vae import VAE, mlp_vae

SMALL = ("--hidden", "16", "--latents", "2", "--batch-size", "500", "--device", "cpu", "--no-progress")


def train(folder, *options):
    return cli.main(["train", "vae", "--output", str(folder), *SMALL, *map(str, options)])


def weights(folder):
    return checkpoint.load(folder / files.CHECKPOINT)["model"]


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "trained"
    assert train(folder, "--epochs", 3) == 0
    return folder


def command(*arguments):
    return [sys.executable, "-m", "vaeedu.cli", *map(str, arguments)]


def environment():
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_training_says_how_it_went_and_keeps_its_history(tmp_path, capsys):
    assert train(tmp_path / "new" / "run", "--epochs", 2) == 0
    history = json.loads((tmp_path / "new" / "run" / files.HISTORY).read_text())
    assert (history["unit"], len(history["loss"])) == ("nats per image", 2)
    assert history["loss"][1] < history["loss"][0]
    said = capsys.readouterr().err
    assert f"trained 2 epochs, training loss {history['loss'][1]:.2f} nats an image; evaluate with: " in said


def test_the_same_seed_gives_the_same_weights_and_another_others(trained, tmp_path):
    train(tmp_path / "again", "--epochs", 3)
    train(tmp_path / "other", "--epochs", 3, "--seed", 1)
    assert same(weights(tmp_path / "again"), weights(trained))
    assert not same(weights(tmp_path / "other"), weights(trained))


def test_more_epochs_train_on(trained, tmp_path):
    train(tmp_path, "--epochs", 1)
    train(tmp_path, "--epochs", 2)
    assert not same(weights(tmp_path), weights(trained))
    train(tmp_path, "--epochs", 3)
    assert same(weights(tmp_path), weights(trained))


def test_a_cosine_ends_at_zero_and_knows_its_length(tmp_path, capsys):
    assert train(tmp_path, "--epochs", 3, "--schedule", "cosine") == 0
    history = json.loads((tmp_path / files.HISTORY).read_text())
    rates = [0.5 * (1 + math.cos(math.pi * epoch / 3)) * 1e-3 for epoch in range(3)]
    assert history["learning_rate"] == pytest.approx(rates)
    assert train(tmp_path, "--epochs", 4, "--schedule", "cosine") == 2
    assert "schedule was 'cosine over 3 epochs', and now is 'cosine over 4 epochs'" in capsys.readouterr().err


def test_patience_keeps_the_best_weights_for_the_evaluation(tmp_path, capsys):
    options = ("--epochs", 9, "--held-out", 400, "--patience", 2, "--lr", 0.3)
    assert train(tmp_path, *options) == 0
    said, state = capsys.readouterr().err, checkpoint.load(tmp_path / files.CHECKPOINT)
    history = state["history"]
    losses, best = history["validation"], history["best_epoch"]
    assert losses[best] == min(losses)
    assert len(losses) == best + 3 < 9
    assert f"stopped after {best + 3} of 9 epochs, the last 2 without a better one" in said
    assert f"held-out loss {min(losses):.2f} after the best, epoch {best + 1}" in said
    assert not same(state["best"], state["model"])
    evaluated = mlp_vae((1, 8, 8), num_latents=2, num_hidden=(16,))
    evaluation._load(evaluated, tmp_path)
    assert same(evaluated.state_dict(), state["best"])


def test_held_out_images_train_nothing(tmp_path, monkeypatch):
    grey, _ = data.digits("train")
    for name, kept in (("all", grey), ("part", torch.cat([grey[:-500], torch.ones_like(grey[-500:])]))):
        monkeypatch.setattr(runs, "images", lambda data, split, kept=kept: kept)
        assert train(tmp_path / name, "--epochs", 1, "--held-out", 500) == 0
    assert same(weights(tmp_path / "all"), weights(tmp_path / "part"))


def test_importance_samples_train_on_their_bound(tmp_path, monkeypatch):
    asked = []
    bound = VAE.iwae_bound

    def noted(self, x, *, num_samples, generator=None):
        asked.append(num_samples)
        return bound(self, x, num_samples=num_samples, generator=generator)

    monkeypatch.setattr(VAE, "iwae_bound", noted)
    monkeypatch.setattr(VAE, "elbo", None)
    assert train(tmp_path, "--epochs", 1, "--importance-samples", 3) == 0
    assert set(asked) == {3}


def test_another_optimiser_is_asked_for_and_goes_on(tmp_path, capsys):
    muon = ("--optimizer", "muon")
    for name, epochs in (("whole", (2,)), ("parts", (1, 2))):
        for number in epochs:
            assert train(tmp_path / name, "--epochs", number, *muon) == 0
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))
    assert train(tmp_path / "adam", "--epochs", 2) == 0
    assert not same(weights(tmp_path / "whole"), weights(tmp_path / "adam"))
    assert train(tmp_path / "whole", "--epochs", 3) == 2
    assert "optimizer was 'muon', and now is not set" in capsys.readouterr().err


def test_it_may_begin_at_the_mean_of_the_images_that_train(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(
        "vaeedu.vae.mlp_vae", lambda *sizes, **options: given.append(options) or mlp_vae(*sizes, **options)
    )
    grey, _ = data.digits("train")
    assert train(tmp_path / "grey", "--epochs", 1, "--held-out", 500) == 0
    assert train(tmp_path / "mean", "--epochs", 1, "--held-out", 500, "--begin-at-mean") == 0
    assert given[0]["mean_image"] is None
    torch.testing.assert_close(given[1]["mean_image"], grey[:-500].mean(dim=0))
    assert train(tmp_path / "mean", "--epochs", 2, "--held-out", 500, "--no-begin-at-mean") == 2
    assert cli.main(["evaluate", str(tmp_path / "mean"), "--num-samples", "2", "--device", "cpu"]) == 0
    assert given[-1]["mean_image"] is None


def test_a_convolutional_model_has_no_mean_to_begin_at(tmp_path, capsys):
    assert (
        cli.main(
            ["train", "vae", "--architecture", "conv", "--begin-at-mean", "--output", str(tmp_path / "new")]
        )
        == 2
    )
    assert "--begin-at-mean must be left out with --architecture conv" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_recipe_says_what_the_command_line_does_not(tmp_path):
    given = (
        "--data",
        "digits",
        "--epochs",
        "1",
        "--held-out",
        "9",
        "--precision",
        "float32",
        "--no-progress",
    )
    recipe = ["train", "vae", "--recipe", "burda", *given, "--device", "cpu"]
    assert cli.main([*recipe, "--output", str(tmp_path / "one")]) == 0
    settings = json.loads((tmp_path / "one" / files.SETTINGS).read_text())
    assert (settings["hidden"], settings["latents"]) == ([200, 200], 50)
    assert settings["schedule"] == "cosine over 1 epochs"
    assert (settings["data"], settings["held_out"]) == ("digits", 9)
    assert settings["batch_size"] == BURDA.options["batch_size"]
    # A value that is the standard one, too, is not taken for one that was not given.
    assert cli.main([*recipe, "--output", str(tmp_path / "other"), "--latents", "20"]) == 0
    assert json.loads((tmp_path / "other" / files.SETTINGS).read_text())["latents"] == 20


def options_of(model):
    with pytest.raises(SystemExit), contextlib.redirect_stdout(io.StringIO()) as shown:
        cli.main(["train", model, "--help"])
    return re.findall(r"^ +(--[a-z-]+)", shown.getvalue(), flags=re.MULTILINE)


def test_a_recipes_options_are_some_of_the_command_line():
    for name, kind in KINDS.items():
        for recipe in kind.recipes.values():
            line = [f"--{option.replace('_', '-')}" for option in recipe.options]
            assert set(line) <= set(options_of(name))


@pytest.mark.parametrize("binarize", ["fixed", "threshold"])
def test_other_binarisations_are_made_once(binarize, tmp_path, trained):
    assert train(tmp_path, "--epochs", 1, "--binarize", binarize) == 0
    assert not same(weights(tmp_path), weights(trained))


def test_a_convolutional_model(tmp_path):
    options = (
        "--architecture",
        "conv",
        "--channels",
        "2",
        "--latents",
        "3",
        "--batch-size",
        "500",
        "--no-progress",
    )
    assert cli.main(["train", "vae", "--output", str(tmp_path), *options, "--epochs", "1"]) == 0
    assert cli.main(["evaluate", str(tmp_path), "--num-samples", "2", "--num-images", "5"]) == 0


def test_another_run_is_refused_in_a_line(trained, capsys):
    before = (trained / files.CHECKPOINT).read_bytes()
    assert train(trained, "--epochs", 4, "--lr", 0.1) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert (
        "holds another run (lr was 0.001, and now is 0.1): use its settings to go on with it, or another"
        in said
    )
    assert (trained / files.CHECKPOINT).read_bytes() == before


def test_settings_that_failed_at_once_bind_nobody(tmp_path, capsys):
    assert train(tmp_path, "--epochs", 1, "--lr", "-1") == 2
    assert "Invalid learning rate" in capsys.readouterr().err
    assert train(tmp_path, "--epochs", 1) == 0


def test_a_run_that_is_refused_leaves_no_trace(tmp_path):
    assert train(tmp_path / "new", "--epochs", 0) == 2
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").touch()
    assert train(tmp_path / "own", "--epochs", 0) == 2
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["notes.txt", "own"]


@pytest.mark.parametrize(
    ("name", "content"),
    [(files.SETTINGS, '{"editor.fontSize": 12}'), (files.SETTINGS, "[1]"), (files.SETTINGS, "no JSON"),
     (files.HISTORY, "{}"), (files.RESULTS, "{}")],
)  # fmt: skip
def test_somebodys_own_files_of_the_same_names_are_left_alone(name, content, tmp_path, capsys):
    (tmp_path / name).write_text(content)
    assert train(tmp_path, "--epochs", 1) == 2
    assert f"must be new, empty or a run's folder, but holds {name} without a run" in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, content)]


def test_a_checkpoint_without_settings_is_left_alone(tmp_path, capsys):
    (tmp_path / files.CHECKPOINT).write_bytes(b"precious")
    assert train(tmp_path, "--epochs", 1) == 2
    assert (
        "must be a folder that vaeedu train wrote, but holds no settings.json: name another"
        in capsys.readouterr().err
    )
    assert (tmp_path / files.CHECKPOINT).read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--epochs", 0), "epochs must be a whole number of at least 1, but is 0"),
        (("--channels", 3), "--channels must be left out with --architecture mlp, but is 3: it belongs to"),
        (("--held-out", 1498), "--held-out must be at least 0 and leave some of the 1498 training images"),
        (("--importance-samples", 0), "--importance-samples must be a whole number of at least 1, but is 0"),
        (("--patience", 3), "patience must be None without validate, but is 3"),
        (("--device", "cuda:99"), "device must name a device of this machine, but is 'cuda:99'"),
        (
            ("--save-every", 0),
            "checkpoint_every, in seconds, must be a finite number greater than 0, but is 0.0",
        ),
    ],
)
def test_mistakes_are_told_in_a_line(options, message, tmp_path, capsys):
    assert train(tmp_path, *options) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"vaeedu: error: {message}")
    assert said.count("\n") == 1


def test_hidden_layers_do_not_go_with_convolutions(tmp_path, capsys):
    assert train(tmp_path, "--architecture", "conv") == 2
    assert "--hidden must be left out with --architecture conv, but is [16]" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_is_told_in_a_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(VAE, "elbo", lambda self, x, **options: self.posterior(x).mean.sum(dim=1) * torch.nan)
    assert train(tmp_path, "--epochs", 1) == 2
    said = capsys.readouterr().err
    assert said.startswith("vaeedu: error: The loss is nan in epoch 0, step 0, on the examples [")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [("--help",), ("train", "--help"), ("train", "vae", "--help"), ("evaluate", "-h")]
)
def test_help(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert all(line == line.rstrip() and len(line) <= 120 for line in shown.splitlines())
    if arguments[-2:] == ("vae", "--help"):
        for option in (
            "data",
            "binarize",
            "epochs",
            "batch-size",
            "latents",
            "hidden",
            "architecture",
            "lr",
            "seed",
        ):
            assert f"--{option}" in shown
        assert "torchrun" in shown


def test_the_command_starts_without_torch():
    program = "import sys, vaeedu.cli; print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def evaluate(folder, capsys, *options):
    code = cli.main(["evaluate", str(folder), "--device", "cpu", *map(str, options)])
    shown = capsys.readouterr()
    return code, json.loads(shown.out) if code == 0 else None, shown.err


def test_evaluation_is_what_the_library_says(trained, tmp_path, capsys):
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in (files.SETTINGS, files.CHECKPOINT):
        (folder / name).write_bytes((trained / name).read_bytes())
    code, results, _ = evaluate(folder, capsys, "--num-samples", 200)
    assert code == 0
    assert results == json.loads((folder / files.RESULTS).read_text())
    model = mlp_vae((1, 8, 8), num_latents=2, num_hidden=(16,))
    model.load_state_dict(weights(trained))
    x = data.binarize(data.digits("test")[0], "dynamic", generator=torch.Generator().manual_seed(5))
    generator = torch.Generator().manual_seed(6)
    with torch.no_grad():
        scores = {
            "elbo": model.elbo(x, generator=generator),
            "minus_iwae_bound_200": -model.iwae_bound(x, num_samples=200, generator=generator),
        }
    for name, values in scores.items():
        error = (values.std() / len(values) ** 0.5).item()
        assert results[name]["standard_error"] == pytest.approx(error, rel=0.3)
        # Binarised and sampled by other seeds: both means scatter.
        assert abs(results[name]["mean"] - values.mean().item()) <= 5 * 2**0.5 * error
    assert results["elbo"]["mean"] < -results["minus_iwae_bound_200"]["mean"]
    assert (results["unit"], results["epochs"], results["seed"]) == ("nats per image", 3, 1)
    assert results["images"] == "299 test images of digits"
    assert results["binarization"].startswith("dynamic")
    assert results["settings"]["latents"] == 2
    assert results["training_seconds"] > 0
    assert {"device", "threads", "torch", "python", "vaeedu"} <= set(results["machine"])
    assert results["date"][:2] == "20"


def test_evaluation_repeats_with_its_seed_and_no_result_is_lost(trained, tmp_path, capsys):
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in (files.SETTINGS, files.CHECKPOINT):
        (folder / name).write_bytes((trained / name).read_bytes())
    options = ("--num-samples", 3, "--num-images", 20)
    _, first, _ = evaluate(folder, capsys, *options)
    _, again, said = evaluate(folder, capsys, *options)
    assert f"earlier results are now in {folder / 'results-1.json'}" in said
    _, other, said = evaluate(folder, capsys, *options, "--seed", 2)
    assert first["images"] == "20 test images of digits"
    assert first["elbo"] == again["elbo"]
    assert first["elbo"] != other["elbo"]
    kept = [json.loads((folder / f"results{end}.json").read_text()) for end in ("-1", "-2", "")]
    assert [one["elbo"] for one in kept] == [first["elbo"], again["elbo"], other["elbo"]]


def test_results_that_cannot_be_written_leave_those_of_before(trained, tmp_path, capsys, monkeypatch):
    for name in (files.SETTINGS, files.CHECKPOINT):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    (tmp_path / files.RESULTS).write_text("kept")
    write = files.write_whole

    def full(path, data):
        if path.name == files.RESULTS:
            raise OSError("no space left on device")
        write(path, data)

    monkeypatch.setattr(files, "write_whole", full)
    code, _, said = evaluate(tmp_path, capsys, "--num-samples", 2, "--num-images", 5)
    assert (code, said.splitlines()[-1]) == (2, "vaeedu: error: no space left on device")
    assert (tmp_path / files.RESULTS).read_text() == "kept"


def test_what_cannot_be_evaluated(trained, tmp_path, capsys):
    code, _, said = evaluate(tmp_path, capsys)
    assert code == 2
    assert "must be a folder that vaeedu train wrote, but holds no settings.json" in said
    (tmp_path / files.SETTINGS).write_text("{")
    assert (
        "settings.json is damaged: restore it, or train into another folder" in evaluate(tmp_path, capsys)[2]
    )
    (tmp_path / files.SETTINGS).write_bytes((trained / files.SETTINGS).read_bytes())
    assert "but there is none: train the model first" in evaluate(tmp_path, capsys)[2]
    assert (
        "--num-images must be at most 299 (the test im" in evaluate(trained, capsys, "--num-images", 300)[2]
    )
    assert (
        "--num-samples must be a whole number of at least 1"
        in evaluate(trained, capsys, "--num-samples", 0)[2]
    )
    assert not (trained / files.RESULTS).exists()


def started(folder, epochs):
    process = subprocess.Popen(
        command("train", "vae", "--output", folder, *SMALL, "--epochs", epochs, "--save-every", 0.001),
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (folder / files.CHECKPOINT).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


def test_ctrl_c_and_the_same_command_again(tmp_path):
    process = started(tmp_path, 100_000)
    process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()  # it would train for hours where the signal did not reach it
    assert process.returncode == 130, said
    assert said.startswith("interrupted after ")
    assert "; the same command goes on" in said
    assert said.count("\n") == 1
    state = checkpoint.load(tmp_path / files.CHECKPOINT)
    epochs = state["epoch"] + 1
    assert train(tmp_path, "--epochs", epochs) == 0
    assert train(tmp_path / "whole", "--epochs", epochs) == 0
    assert same(weights(tmp_path), weights(tmp_path / "whole"))


@pytest.mark.slow
def test_killed_and_the_same_command_again(tmp_path):
    process = started(tmp_path, 100_000)
    time.sleep(0.2)
    process.kill()
    process.communicate()
    epochs = checkpoint.load(tmp_path / files.CHECKPOINT)["epoch"] + 1
    assert train(tmp_path, "--epochs", epochs) == 0
    assert train(tmp_path / "whole", "--epochs", epochs) == 0
    assert same(weights(tmp_path), weights(tmp_path / "whole"))


@pytest.mark.slow
def test_under_torchrun(trained, tmp_path):
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    arguments = ["-m", *command("train", "vae", "--output", tmp_path, *SMALL, "--epochs", 3)[2:]]
    done = subprocess.run(
        [*launcher, *arguments], env=environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("trained 3 epochs") == 1
    losses = [json.loads((folder / files.HISTORY).read_text())["loss"] for folder in (trained, tmp_path)]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)  # with other noise
    before = weights(tmp_path)
    assert train(tmp_path, "--epochs", 3) == 0  # finished: one process has nothing left to do
    assert same(weights(tmp_path), before)


# ---- which images ----


@pytest.mark.parametrize(
    ("name", "at_hand", "calls"),
    [
        ("small-mnist", False, [("test", False)]),
        ("small-mnist", True, [("test", False)]),
        ("mnist", True, [("test", True)]),
        ("mnist", False, ["fetch", ("test", True)]),
    ],
)
def test_a_run_has_the_images_that_it_names_whatever_else_is_at_hand(name, at_hand, calls, monkeypatch):
    happened = []

    def mnist(split, full):
        happened.append((split, full))
        return data.Mnist(torch.zeros(1, 1, 28, 28), torch.zeros(1, dtype=torch.int64))

    monkeypatch.setattr(data, "mnist", mnist)
    monkeypatch.setattr(data, "mnist_at_hand", lambda: at_hand)
    monkeypatch.setattr(data, "fetch_mnist", lambda: happened.append("fetch"))
    assert runs.images(name, "test").shape == (1, 1, 28, 28)
    assert happened == calls
