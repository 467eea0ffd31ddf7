"""Muon: its step is the formula's, and a run by it goes on where it was cut short."""

import pytest
import torch
from torch import nn

from vaeedu import training
from vaeedu.training import devices, optimizers

ETA, MU = 0.01, 0.95


def layer(m, n):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Linear(n, m)


def steps(model, gradients, lr=ETA):
    """Makes a step for each gradient of the weights, with ones for the biases; returns the weights after each."""
    optimizer, weights = training.muon(model, lr), [model.weight.detach().clone()]
    for gradient in gradients:
        optimizer.zero_grad()
        model.weight.grad, model.bias.grad = gradient.clone(), torch.ones_like(model.bias)
        optimizer.step()
        weights.append(model.weight.detach().clone())
    return weights


@pytest.fixture(params=[True, False], ids=["bfloat16", "float32"])
def precision(request, monkeypatch):
    """Both ways: torch multiplies in bfloat16 on every processor, if slowly."""
    monkeypatch.setattr(optimizers, "_fast_in_bfloat16", lambda device: request.param)


def test_bfloat16_is_used_where_the_machine_has_it():
    device = torch.device("cpu")
    there = devices.has_bfloat16(device)
    optimizers._fast_in_bfloat16.cache_clear()
    with torch.no_grad():  # as in an optimiser's step
        assert optimizers._fast_in_bfloat16(device) == there


@pytest.mark.usefixtures("precision")
@pytest.mark.parametrize(("m", "n"), [(4, 9), (9, 4), (6, 6)])
def test_each_step_goes_the_same_way_in_all_of_the_gradients_directions(m, n):
    gradients = torch.randn(3, m, n, generator=torch.Generator().manual_seed(1))
    weights, momentum = steps(layer(m, n), gradients), torch.zeros(m, n)
    for gradient, before, after in zip(gradients, weights[:-1], weights[1:], strict=True):
        momentum = MU * momentum + gradient
        U, _, Vt = torch.linalg.svd(gradient + MU * momentum, full_matrices=False)
        moved = U.T @ (before - after) @ Vt.T / (0.2 * ETA * max(m, n) ** 0.5)
        # Newton and Schulz's iterations make all singular values about 1, and leave the directions.
        assert ((moved.diag() > 0.6) & (moved.diag() < 1.3)).all(), moved.diag()
        assert (moved - moved.diag().diag()).abs().max() < 0.05


@pytest.mark.parametrize(("m", "n"), [(5, 12), (12, 5)])
def test_a_step_is_that_of_torch(m, n, monkeypatch):
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon")  # before 2.9
    monkeypatch.setattr(optimizers, "_fast_in_bfloat16", lambda device: True)
    gradients = torch.randn(3, m, n, generator=torch.Generator().manual_seed(7))
    ours, theirs = steps(layer(m, n), gradients), layer(m, n)
    optimizer = torch.optim.Muon([theirs.weight], lr=ETA, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    for gradient, expected in zip(gradients, ours[1:], strict=True):
        theirs.weight.grad = gradient.clone()
        optimizer.step()
        # Both round to bfloat16 on the way, in another order.
        torch.testing.assert_close(
            theirs.weight.detach(), expected, rtol=0, atol=0.02 * ETA * max(m, n) ** 0.5
        )


def test_double_precision_stays():
    G = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(8))
    U, S, Vt = torch.linalg.svd(G, full_matrices=False)
    s = S / S.square().sum().sqrt()
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    torch.testing.assert_close(optimizers.orthogonalised(G), U @ s.diag() @ Vt, rtol=0, atol=1e-12)


def test_nothing_moves_without_a_gradient():
    assert torch.equal(optimizers.orthogonalised(torch.zeros(3, 2)), torch.zeros(3, 2))


def test_the_update_has_the_size_of_adams():
    model = layer(40, 60)
    before, after = steps(model, torch.randn(1, 40, 60, generator=torch.Generator().manual_seed(2)))
    # Adam's first step moves every entry by η; later ones by less, 0.2 η or so.
    root_mean_square = (after - before).square().mean().sqrt()
    assert 0.1 * ETA < root_mean_square < 0.3 * ETA


def test_biases_are_adams():
    ours, theirs = layer(4, 9), layer(4, 9)
    steps(ours, torch.randn(3, 4, 9, generator=torch.Generator().manual_seed(3)))
    adam = torch.optim.Adam([theirs.bias], lr=ETA)
    for _ in range(3):
        theirs.bias.grad = torch.ones_like(theirs.bias)
        adam.step()
    torch.testing.assert_close(ours.bias, theirs.bias, rtol=0, atol=1e-7)


def test_what_asks_for_no_gradient_stays():
    model = nn.Sequential(layer(4, 4), layer(4, 4))
    model[0].requires_grad_(False)
    optimizer = training.muon(model, ETA)
    assert [p for group in optimizer.param_groups for p in group["params"]] == [
        model[1].weight,
        model[1].bias,
    ]


def test_a_convolutions_weights_are_a_matrix_with_a_row_for_each_output():
    gradient = torch.randn(4, 9, generator=torch.Generator().manual_seed(6))
    dense, convolution = layer(4, 9), nn.Conv2d(1, 4, 3)
    before = convolution.weight.detach().clone()
    first, last = steps(dense, [gradient])
    convolution.weight.grad = gradient.view(4, 1, 3, 3)
    training.muon(convolution, ETA).step()
    torch.testing.assert_close((convolution.weight - before).flatten(1), last - first)


@pytest.mark.parametrize(
    ("model", "message"), [(nn.BatchNorm1d(3), r"has \(3,\), \(3,\): use Adam"), (nn.ReLU(), "has none")]
)
def test_a_model_without_weights_is_for_adam(model, message):
    with pytest.raises(ValueError, match=f"model must have weights of two or more axes, but {message}"):
        training.muon(model, ETA)


@pytest.mark.parametrize("lr", [0.0, -1.0, float("nan")])
def test_the_rate_is_positive(lr):
    with pytest.raises(ValueError, match="lr must be"):
        training.muon(layer(2, 2), lr)


def test_a_run_goes_on_bit_for_bit(tmp_path):
    x = torch.randn(53, 9, generator=torch.Generator().manual_seed(4))

    def run(epochs, checkpoint):
        model = nn.Sequential(layer(5, 9), nn.Tanh(), layer(9, 5))
        optimizer = training.muon(model, ETA)
        history = training.fit(
            model,
            x,
            lambda x, generator: (
                (model(x + 0.1 * torch.randn(x.shape, generator=generator)) - x).square().mean()
            ),
            optimizer,
            epochs=epochs,
            batch_size=8,
            generator=torch.Generator().manual_seed(5),
            # The schedule's length is that of the whole run, so that the first half is the same.
            scheduler=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 6),
            checkpoint=tmp_path / checkpoint,
            progress=False,
        )
        return history, model

    whole, model = run(6, "whole.pt")
    run(3, "parts.pt")
    parts, resumed = run(6, "parts.pt")
    assert whole.loss == parts.loss
    assert whole.loss[-1] < 0.9 * whole.loss[0]
    assert whole.learning_rate == parts.learning_rate
    assert whole.learning_rate[-1] < 0.1 * whole.learning_rate[0]
    for one, other in zip(model.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_another_optimisers_checkpoint_is_not_taken(tmp_path):
    x, file = torch.ones(8, 2), tmp_path / "run.pt"

    def run(make):
        model = layer(2, 2)
        training.fit(
            model,
            x,
            lambda x, generator: model(x).square().mean(),
            make(model),
            epochs=1,
            checkpoint=file,
            progress=False,
        )

    run(lambda model: torch.optim.Adam(model.parameters(), lr=ETA))
    with pytest.raises(ValueError, match="optimizer"):
        run(lambda model: training.muon(model, ETA))
