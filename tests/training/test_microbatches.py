"""A batch in pieces is the same step: gradients add up, and each row has noise of its own."""

import pytest
import torch
from support import team_laws as laws

from vaeedu import training
from vaeedu.pixelcnn import GatedPixelCNN
from vaeedu.training import fit


def run(microbatch_size, *, hint=None, device="cpu", max_grad_norm=1.0):
    """Trains a small model; returns its weights, the history and the pieces' sizes."""
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2).double()
    if hint is not None:
        model.microbatch_size = hint
    sizes = []

    def loss(x, *, generator):
        sizes.append(len(x))
        return (model(x) + 1).square().sum(dim=1).mean()

    x = torch.randn(21, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    history = fit(
        model,
        x,
        loss,
        torch.optim.SGD(model.parameters(), lr=0.05),
        epochs=2,
        batch_size=8,
        generator=torch.Generator().manual_seed(2),
        max_grad_norm=max_grad_norm,
        device=device,
        progress=False,
        microbatch_size=microbatch_size,
    )
    return torch.cat([p.detach().flatten() for p in model.parameters()]).cpu(), history, sizes


@pytest.mark.parametrize("size", [1, 3, 4, 7])
def test_a_batch_in_pieces_is_the_same_step(size):
    weights, history, _ = run(None)
    in_pieces, its_history, sizes = run(size)
    torch.testing.assert_close(in_pieces, weights, rtol=1e-12, atol=1e-12)
    assert its_history.loss == pytest.approx(history.loss, rel=1e-12)
    assert its_history.gradient_norm == pytest.approx(history.gradient_norm, rel=1e-12)
    assert max(sizes) == size
    assert sum(sizes) == 2 * 21


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("num_processes", [1, 2])
def test_each_row_of_each_piece_gets_noise_of_its_own(size, num_processes):
    laws.noise_law(training, num_processes, size)


@pytest.mark.parametrize("size", [8, 100])
def test_a_batch_that_is_small_enough_stays_whole(size):
    weights, _, sizes = run(size)
    assert torch.equal(weights, run(None)[0])
    assert sizes == [8, 8, 5] * 2


def test_on_the_cpu_the_model_may_say_how():
    assert run(None, hint=2)[2][:4] == [2, 2, 2, 2]
    assert run(8, hint=2)[2] == [8, 8, 5] * 2


@pytest.mark.gpu
def test_on_a_gpu_the_model_is_not_asked():
    assert run(None, hint=2, device="cuda")[2] == [8, 8, 5] * 2


@pytest.mark.parametrize("size", [0, -1])
def test_a_mistaken_size_is_refused(size):
    with pytest.raises(ValueError, match="microbatch_size must be a whole number of at least 1, but is"):
        run(size)


@pytest.mark.parametrize(
    ("image_shape", "num_channels", "expected"),
    [((1, 28, 28), 128, 4), ((1, 28, 28), 32, 16), ((1, 8, 8), 32, 256)],
)
def test_pixelcnn_says_how_by_its_size(image_shape, num_channels, expected):
    model = GatedPixelCNN(image_shape, num_channels=num_channels, num_layers=1)
    assert model.microbatch_size == expected
    # The largest tensor, both halves of all gates, stays below 4 MiB, and twice the size would not.
    bytes_each = 4 * 2 * num_channels * image_shape[1] * image_shape[2]
    assert expected * bytes_each <= 2**22 < 2 * expected * bytes_each or expected * bytes_each == 2**22


def test_a_very_large_image_is_a_piece_of_its_own():
    assert GatedPixelCNN((1, 1024, 1024), num_channels=8, num_layers=1).microbatch_size == 1


def test_pixelcnn_trains_in_pieces(monkeypatch):
    """fit asks the model by itself, and the likelihood rises."""
    torch.manual_seed(0)
    model = GatedPixelCNN((1, 5, 5), num_channels=8, num_layers=2)
    x = (torch.rand(40, 1, 5, 5, generator=torch.Generator().manual_seed(0)) < 0.2).float()
    sizes = []

    def loss(x, *, generator):
        sizes.append(len(x))
        return -model.log_prob(x).mean()

    monkeypatch.setattr(GatedPixelCNN, "microbatch_size", 8)
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    history = fit(model, x, loss, adam, epochs=8, batch_size=20, progress=False)
    assert set(sizes) == {8, 4}
    assert history.loss[-1] < history.loss[0] - 1
