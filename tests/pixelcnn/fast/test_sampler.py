"""The cached sampler does what the naive one does, on the CPU and recorded on a GPU."""

import pytest
import torch

from vaeedu.pixelcnn import (
    BLACK_AND_WHITE,
    GatedPixelCNN,
    LogisticMixture,
    PixelCNN,
    Softmax,
    incremental_logits,
)
from vaeedu.pixelcnn.sampling import SamplingModel

CASES = {
    "plain": lambda: PixelCNN((1, 6, 5), num_channels=6, num_layers=4),
    "plain, one layer": lambda: PixelCNN((1, 6, 5), num_channels=6, num_layers=1),
    "plain, colours and labels": lambda: PixelCNN(
        (3, 5, 4), output=Softmax(5), num_channels=7, num_layers=4, num_classes=3
    ),
    "plain, mixture": lambda: PixelCNN(
        (3, 4, 5), output=LogisticMixture(16, num_components=3), num_channels=6, num_layers=3
    ),
    "gated": lambda: GatedPixelCNN((1, 6, 5), num_channels=6, num_layers=4),
    "gated, one layer": lambda: GatedPixelCNN((1, 6, 5), num_channels=6, num_layers=1),
    "gated, colours and labels": lambda: GatedPixelCNN(
        (3, 5, 4), output=Softmax(5), num_channels=7, num_layers=4, num_classes=3
    ),
    "gated, short cuts": lambda: GatedPixelCNN(
        (3, 5, 4), output=Softmax(3), num_channels=6, num_layers=7, num_classes=3, shortcuts=True
    ),
    "gated, mixture and short cuts": lambda: GatedPixelCNN(
        (3, 4, 5),
        output=LogisticMixture(256, num_components=3),
        num_channels=6,
        num_layers=5,
        shortcuts=True,
    ),
    "gated, two channels in a mixture": lambda: GatedPixelCNN(
        (2, 3, 4), output=LogisticMixture(9), num_channels=6, num_layers=2
    ),
}


def make(case, dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    model = CASES[case]().to(dtype)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_() if "label" in name else weight.mul_(2.0)  # what a label adds starts at zero
    return model, None if model.num_classes is None else torch.arange(7) % model.num_classes


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("case", CASES)
class TestCachedIsNaive:
    def test_same_images(self, case):
        model, y = make(case)
        naive = model.sample(7, y, method="naive", generator=seeded())
        cached = model.sample(7, y, method="cached", generator=seeded())
        assert torch.equal(naive, cached)
        assert len(naive.unique()) == min(model.num_levels, len(naive.unique()))
        assert len(naive.unique(dim=0)) == 7

    def test_same_completions(self, case):
        model, y = make(case)
        x = model.sample(7, y, generator=seeded(1))
        mask = torch.rand(x.shape, generator=seeded(2)) < 0.5
        naive = model.complete(x, mask, y, method="naive", generator=seeded())
        cached = model.complete(x, mask, y, method="cached", generator=seeded())
        assert torch.equal(naive, cached)
        assert torch.equal(cached[mask], x[mask])
        assert not torch.equal(cached, x)

    @pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
    def test_same_logits(self, case, dtype, tolerance):
        model, y = make(case, dtype)
        x = torch.randint(model.num_levels, (7, *model.image_shape), generator=seeded())
        with torch.no_grad():
            expected = model.logits(model.scale(x), y)
        torch.testing.assert_close(incremental_logits(model, x, y), expected, rtol=tolerance, atol=tolerance)


class EachRowFromTheLast(SamplingModel):
    """A model with a network of its own: the first row is fair, and every other repeats the one above."""

    def __init__(self):
        super().__init__((1, 3, 4), BLACK_AND_WHITE, 1, None)
        self.strength = torch.nn.Parameter(torch.tensor(100.0))

    def network(self, x, y):
        return self.strength * torch.nn.functional.pad(x, (0, 0, 1, -1))


def test_a_network_of_ones_own_is_drawn_from_naively():
    model = EachRowFromTheLast()
    drawn = model.sample(50, method="naive", generator=seeded())
    assert torch.equal(drawn, drawn[:, :, :1].expand_as(drawn))
    assert len(drawn.unique(dim=0)) > 8
    with pytest.raises(
        ValueError, match='method must be "naive" for EachRowFromTheLast: there are fast programs'
    ):
        model.sample(1, generator=seeded())


@pytest.mark.gpu
class TestOnAGpu:
    @pytest.mark.parametrize("case", CASES)
    def test_captured_is_naive(self, case):
        model, y = make(case)
        model.cuda()
        naive = model.sample(7, y, method="naive", generator=seeded())
        cached = model.sample(7, y, method="cached", generator=seeded())
        assert torch.equal(naive, cached)
        assert cached.device.type == "cuda"
        mask = torch.rand(cached.shape, generator=seeded(2)) < 0.5
        for method in ("naive", "cached"):
            completed = model.complete(cached, mask, y, method=method, generator=seeded(3))
            assert torch.equal(completed[mask], cached[mask])

    @pytest.mark.parametrize("case", CASES)
    def test_agrees_with_the_cpu(self, case):
        model, y = make(case)
        x = torch.randint(model.num_levels, (7, *model.image_shape), generator=seeded())
        on_cpu = model.log_prob(x, y).detach()
        torch.testing.assert_close(model.cuda().log_prob(x, y).detach().cpu(), on_cpu, rtol=1e-10, atol=1e-10)

    def test_bfloat16_is_near(self):
        model = GatedPixelCNN((1, 28, 28)).cuda()
        x = model.sample(16, generator=seeded())
        exact = model.log_prob(x)
        with torch.autocast("cuda", torch.bfloat16):
            rough = model.log_prob(x)
        assert ((rough - exact).abs() <= 0.01 * exact.abs()).all()
