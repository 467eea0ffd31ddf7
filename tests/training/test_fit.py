"""fit does what a loop written out by hand does, to the last bit, and says what is wrong with its arguments."""

import numpy as np
import pytest
import torch
from support import training_runs as runs
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from vaeedu import training
from vaeedu.training import batches, devices, fit


def test_fit_is_the_loop_by_hand_bit_for_bit():
    reference = runs.TinyVAE()
    means, norms, rates = runs.by_hand(reference)
    model, history = runs.run()
    assert runs.same(runs.weights(model), runs.weights(reference))
    assert history.loss == pytest.approx(means, rel=1e-12)
    assert history.gradient_norm == pytest.approx(norms, rel=1e-12)
    assert history.learning_rate == rates == [0.05, 0.05, 0.025]
    assert max(norms) > 1.0  # the clipping did something
    assert len(history.seconds) == len(history.validation) == 3


@pytest.mark.parametrize("fused", [False, True])
def test_without_options_it_is_plain_descent(fused):
    def make():
        model = runs.TinyVAE()
        return model, torch.optim.Adam(model.parameters(), fused=fused)

    model, optimizer = make()
    x = runs.images()
    history = fit(
        model,
        x,
        model.squared_error,
        optimizer,
        epochs=2,
        batch_size=20,
        generator=torch.Generator().manual_seed(0),
        progress=False,
    )
    reference, optimizer = make()
    generator = torch.Generator().manual_seed(0)
    for _ in range(2):
        for index in torch.randperm(len(x), generator=generator).split(20):
            optimizer.zero_grad()
            reference.squared_error(x[index], generator=generator).backward()
            optimizer.step()
    assert runs.same(runs.weights(model), runs.weights(reference))
    assert (history.gradient_norm, history.validation, history.best_epoch) == ([], [], None)


def test_every_example_is_seen_once_an_epoch_in_a_new_order():
    seen = []

    def loss(index, pixels, *, generator):
        assert pixels.dtype == torch.uint8
        assert torch.equal(pixels[:, 0], index.to(torch.uint8))
        seen.append(index.tolist())
        return model.weight.sum() * 0

    model = nn.Linear(1, 1)
    index = torch.arange(10)
    pixels = index.to(torch.uint8)[:, None].expand(10, 4).contiguous()
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    fit(model, (index, pixels), loss, sgd, epochs=2, batch_size=4, progress=False)
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    first, second = sum(seen[:3], []), sum(seen[3:], [])  # noqa: RUF017
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_a_transform_may_return_a_tuple():
    model = nn.Linear(1, 1)

    def transform(x, y, *, generator):
        return x.float() / 255, y, 1 - y

    def loss(x, y, z, *, generator):
        assert x.dtype == torch.float32
        assert bool((y + z == 1).all())
        return model(x).mean()

    rows = torch.arange(6, dtype=torch.uint8)[:, None], torch.ones(6)
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    fit(model, rows, loss, sgd, epochs=1, transform=transform, progress=False)


def test_the_generator_decides_everything_and_the_global_one_is_left_alone():
    before = torch.random.get_rng_state()
    one, other, third = (runs.weights(runs.run(seed=seed)[0]) for seed in (0, 0, 1))
    assert runs.same(one, other)
    assert not runs.same(one, third)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_without_a_generator_the_global_seed_decides():
    def once(seed):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = runs.TinyVAE()
            sgd = torch.optim.SGD(model.parameters(), lr=0.1)
            fit(model, runs.images(), model.squared_error, sgd, epochs=1, progress=False)
            return runs.weights(model)

    assert runs.same(once(3), once(3))
    assert not runs.same(once(3), once(4))


def test_validation_is_in_evaluation_mode_without_gradients_after_each_epoch():
    model, seen = runs.TinyVAE(), []

    def validate():
        seen.append((model.training, torch.is_grad_enabled()))
        return 1.0

    def loss(x, *, generator):
        assert model.training
        assert torch.is_grad_enabled()
        return model.loss(x, generator=generator)

    model.eval()
    _, history = runs.run(model, validate=validate, loss=loss)
    assert seen == [(False, False)] * 3
    assert not model.training  # as it was
    assert (history.validation, history.best_epoch) == ([1.0] * 3, 0)


@pytest.mark.parametrize(
    ("values", "patience", "num_epochs", "best"),
    [
        ([3, 2, 4, 4, 1, 1], 2, 4, 1),
        ([3, 2, 4, 1, 4, 4], 2, 6, 3),
        ([1, 1, 1, 1, 1, 1], 3, 4, 0),
        ([6, 5, 4, 3, 2, 1], 1, 6, 5),
        ([float("nan"), 5, float("nan"), float("nan"), 2, 1], 2, 4, 1),
        ([float("nan")] * 6, 2, 2, None),
    ],
)
def test_patience_stops_and_the_best_weights_are_back(values, patience, num_epochs, best):
    model, after = runs.TinyVAE(), []

    def validate():
        after.append(runs.weights(model))
        return values[len(after) - 1]

    _, history = runs.run(model, epochs=6, validate=validate, patience=patience)
    assert (len(history.loss), history.best_epoch) == (num_epochs, best)
    assert history.stopped_early == (num_epochs < 6)
    assert runs.same(runs.weights(model), after[-1 if best is None else best])


def test_without_patience_the_last_weights_stay():
    model, after = runs.TinyVAE(), []

    def validate():
        after.append(runs.weights(model))
        return float(len(after))

    _, history = runs.run(model, validate=validate)
    assert history.best_epoch == 0
    assert runs.same(runs.weights(model), after[-1])


def test_a_plateau_scheduler_sees_the_validation():
    model = runs.TinyVAE()
    sgd = torch.optim.SGD(model.parameters(), lr=0.01)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(sgd, patience=0, factor=0.1)
    options = {"epochs": 3, "scheduler": plateau, "progress": False}
    history = fit(model, runs.images(), model.squared_error, sgd, validate=lambda: 1.0, **options)
    assert history.learning_rate == pytest.approx([0.01, 0.01, 0.001])


def test_the_bar_shows_epoch_loss_and_rate(capsys):
    _, history = runs.run(progress=True)
    shown = capsys.readouterr().err
    assert "epoch 3/3" in shown
    assert "images/s" in shown
    assert "159/159" in shown  # 3 epochs of 53
    assert f"loss {history.loss[-1]:.2g}"[:7] in shown
    runs.run(progress=False)
    assert capsys.readouterr().err == ""


def test_bfloat16_computes_the_loss_in_bfloat16_and_keeps_the_weights(monkeypatch):
    monkeypatch.setattr(devices.precision, "_cpu_multiplies_bfloat16", lambda: True)  # emulated, if need be
    seen = []
    model = runs.TinyVAE(torch.float32)

    def loss(x, *, generator):
        seen.append(model.encoder(x).dtype)
        return model.loss(x, generator=generator)

    _, history = runs.run(model, data=runs.images(torch.float32), loss=loss, precision="bfloat16")
    assert set(seen) == {torch.bfloat16}
    assert model.encoder.weight.dtype == torch.float32
    _, exact = runs.run(runs.TinyVAE(torch.float32), data=runs.images(torch.float32))
    assert history.loss == pytest.approx(exact.loss, rel=0.05)


def test_where_bfloat16_is_only_emulated_it_says_so_in_a_line_and_goes_on(monkeypatch):
    monkeypatch.setattr(devices.precision, "_cpu_multiplies_bfloat16", lambda: False)
    with pytest.warns(UserWarning, match=r"^cpu has no bfloat16 arithmetic of its own: training in float32$"):
        model, _ = runs.run(precision="bfloat16")
    assert runs.same(runs.weights(model), runs.weights(runs.run()[0]))


def test_a_compiled_loss_that_fails_midway_is_repeated_with_the_same_noise(monkeypatch):
    def compiled(loss):
        def fails(*batch, generator):
            torch.rand(5, generator=generator)
            loss(*batch, generator=generator).backward()
            raise RuntimeError("no compiler\nat all")

        return fails

    monkeypatch.setattr(torch, "compile", compiled)
    with pytest.warns(
        UserWarning, match=r"^torch.compile failed \(RuntimeError: no compiler\): going on without it$"
    ):
        model, _ = runs.run(compile=True)
    assert runs.same(runs.weights(model), runs.weights(runs.run()[0]))


def test_where_there_is_no_torch_compile_it_goes_on(monkeypatch):
    def compiled(loss):
        raise RuntimeError("not supported here")

    monkeypatch.setattr(torch, "compile", compiled)
    with pytest.warns(UserWarning, match=r"^torch.compile is not available \(not supported here\)"):
        model, _ = runs.run(compile=True)
    assert runs.same(runs.weights(model), runs.weights(runs.run()[0]))


def test_a_mistake_in_the_loss_is_not_blamed_on_the_compiler(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda loss: loss)

    def loss(x, *, generator):
        raise KeyError("my own mistake")

    with pytest.raises(KeyError, match="my own mistake"):
        runs.run(loss=loss, compile=True)


def test_the_device_is_the_models_or_the_default():
    assert devices.resolve("auto", nn.Linear(1, 1)) == training.default_device()
    assert devices.resolve("auto", nn.Linear(1, 1, device="meta")).type == "meta"
    assert devices.resolve("cpu", nn.Linear(1, 1)) == torch.device("cpu")
    assert devices.resolve(torch.device("cpu"), nn.Linear(1, 1)) == torch.device("cpu")


@pytest.mark.parametrize("device", ["cuda:99", "nonsense", 3.5, None])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(
        ValueError, match=r"^device must name a device of this machine, but is .*: use device='auto'"
    ):
        devices.resolve(device, nn.Linear(1, 1))


@pytest.mark.gpu
def test_a_gpu_is_found_and_gives_what_the_cpu_gives():
    def descend(device):
        model = runs.TinyVAE()
        sgd = torch.optim.SGD(model.parameters(), lr=0.1)
        x = runs.images()

        def loss(x, *, generator):
            assert x.device.type == generator.device.type == model.encoder.weight.device.type
            return (model.decoder(model.encoder(x)[:, : runs.K]) - x).square().mean()

        generator = torch.Generator().manual_seed(0)
        fit(
            model, x, loss, sgd, epochs=20, batch_size=100, generator=generator, device=device, progress=False
        )
        return model.cpu().encoder.weight

    torch.testing.assert_close(descend("auto"), descend("cpu"))


def test_a_generator_from_elsewhere_seeds_one_on_the_device():
    generator = torch.Generator().manual_seed(0)
    same = devices.own_generator(generator, torch.device("cpu"))
    assert same is generator


MISTAKES = {
    "epochs": ({"epochs": 0}, r"epochs must be a whole number of at least 1, but is 0"),
    "batch_size": ({"batch_size": -1}, r"batch_size must be a whole number of at least 1, but is -1"),
    "patience": ({"patience": 0}, r"patience must be a whole number of at least 1, but is 0"),
    "patience alone": (
        {"patience": 3, "validate": None},
        r"patience must be None without validate, but is 3: pass validate as well",
    ),
    "norm": ({"max_grad_norm": 0.0}, r"max_grad_norm must be a finite number greater than 0, but is 0\.0"),
    "every alone": (
        {"checkpoint_every": 5},
        r"checkpoint_every must be None without checkpoint, but is 5: name the file as well",
    ),
    "precision": ({"precision": "fp8"}, r"precision must be one of 'float32', 'bfloat16', but is 'fp8'"),
    "empty": ({"data": torch.ones(0, 6)}, r"data must hold at least one example, .* shapes \[\(0, 6\)\]"),
    "no rows": ({"data": torch.tensor(1.0)}, r"data must hold at least one example, .* shapes \[\(\)\]"),
    "lengths": (
        {"data": (torch.ones(3, 6), torch.ones(2))},
        r"data must hold tensors of one length, but they have shapes \[\(3, 6\), \(2,\)\]: pair the rows",
    ),
    "loss of rows": (
        {"loss": lambda x, generator: x.sum(1)},
        r"loss must return the batch mean, a scalar tensor, but it has shape \(8,\): end it with \.mean\(\)",
    ),
    "loss of floats": ({"loss": lambda x, generator: 0.5}, r"a scalar tensor, but it has type float"),
    "dead loss": (
        {"loss": lambda x, generator: x.sum()},
        r"loss must depend on the model's parameters, but carries no gradient: compute it from the model",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistaken_argument_is_named(name):
    options, message = MISTAKES[name]
    with pytest.raises(ValueError, match=message):
        runs.run(**options)


@pytest.mark.parametrize(
    ("data", "kind"), [([[1.0, 2.0]], "list"), ((torch.ones(3, 6), None), "NoneType"), (3, "int")]
)
def test_data_must_be_tensors(data, kind):
    message = rf"^data must be a tensor or a tuple of tensors, but holds a {kind}: use torch.as_tensor, and leave out"
    with pytest.raises(ValueError, match=message):
        batches.as_tensors(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.zeros((3, 2)), r"holds a ndarray: use torch.as_tensor\(data\).float\(\)"),
        (
            DataLoader([1, 2]),
            r"holds a DataLoader: pass the whole data set as tensors; fit cuts them into batches",
        ),
        (TensorDataset(torch.zeros(3)), "holds a TensorDataset: pass dataset.tensors"),
    ],
)
def test_what_others_call_data_is_met_with_what_to_do(data, words):
    with pytest.raises(ValueError, match=words):
        batches.as_tensors(data)


def test_an_optimizer_of_something_else_is_refused():
    model, other = nn.Linear(1, 1), nn.Linear(1, 1)
    sgd = torch.optim.SGD([*model.parameters(), *other.parameters()], lr=0.1)
    with pytest.raises(
        ValueError,
        match=r"^optimizer must update parameters of model, but 2 of its 4 are not: .*ModuleList",
    ):
        fit(model, torch.ones(3, 1), lambda x, generator: model(x).mean(), sgd, epochs=1, progress=False)


def test_a_model_that_is_broken_from_the_start_is_refused():
    model = runs.TinyVAE()
    model.decoder.weight.data[0, 0] = torch.nan
    with pytest.raises(
        ValueError, match=r"^model must hold finite weights, but decoder.weight has NaN .*: build it anew"
    ):
        runs.run(model)


def test_the_fingerprint_tells_data_apart():
    x = runs.images()
    changed = x.clone()
    changed[0, 0] += 1
    prints = {batches.fingerprint((t,)) for t in (x, changed, x[:-1], x.float(), x[:, None])}
    assert len(prints) == 5
    assert batches.fingerprint((x.clone(),)) in prints
