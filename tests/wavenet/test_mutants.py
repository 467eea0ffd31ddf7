"""The classic mistakes in WaveNets, each made on purpose: every one must break a law."""

import itertools

import torch
from support.mutation import law_tests


def make(wavenet, **settings):
    torch.manual_seed(0)
    settings = {"num_levels": 3, "dilations": (1, 3), "num_channels": 5} | settings
    model = wavenet.WaveNet(**settings).double()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_() if "label" in name else weight.mul_(2.0)
    return model


def normalization_law(wavenet):
    sounds = torch.tensor(list(itertools.product(range(3), repeat=5)))
    total = float(make(wavenet).log_prob(sounds).detach().exp().sum())
    assert abs(total - 1) < 1e-10


def reach_law(wavenet):
    """The last of 20 predictions depends on just the samples before it that the formula says."""
    for kernel_size in (2, 3):
        model = make(wavenet, dilations=(1, 3, 2), kernel_size=kernel_size)
        field = 1 + (kernel_size - 1) * 6
        assert model.receptive_field == wavenet.receptive_field((1, 3, 2), kernel_size) == field
        seen = (model.measured_field(20) > 0).nonzero().flatten().tolist()
        assert seen == list(range(19 - field, 19))


def unit_law(wavenet):
    """A unit is its formulas."""
    torch.manual_seed(1)
    unit = wavenet.GatedUnit(3, 4, dilation=2, num_classes=2).double()
    torch.nn.init.normal_(unit.label.weight)
    h, y = torch.randn(1, 3, 7, dtype=torch.float64), torch.tensor([1])
    padded = torch.nn.functional.pad(h, (2, 0))
    v = unit.label.weight[1]
    a = torch.einsum(
        "oik,ikt->ot", unit.conv.weight, torch.stack([padded[0, :, :7], padded[0, :, 2:]], dim=1)
    )
    a = a + (unit.conv.bias + v)[:, None]
    z = a[:3].tanh() * a[3:].sigmoid()
    out, skip = unit(h, y)
    expected = h[0] + unit.residual.weight[:, :, 0] @ z + unit.residual.bias[:, None]
    torch.testing.assert_close(out[0], expected, rtol=1e-10, atol=1e-10)
    expected = unit.skip.weight[:, :, 0] @ z + unit.skip.bias[:, None]
    torch.testing.assert_close(skip[0], expected, rtol=1e-10, atol=1e-10)


def likelihood_law(wavenet):
    """log p is the sum of the logs of what is predicted; a blind model of 4 levels takes 2 bits a sample."""
    model, x = make(wavenet), torch.randint(3, (4, 9), generator=torch.Generator().manual_seed(0))
    p = model.logits(x).softmax(dim=1).gather(1, x[:, None])[:, 0]
    torch.testing.assert_close(model.log_prob(x), p.log().sum(dim=1), rtol=1e-10, atol=1e-10)
    blind = make(wavenet, num_levels=4)
    torch.nn.init.zeros_(blind.head[-1].weight)
    torch.nn.init.zeros_(blind.head[-1].bias)
    torch.testing.assert_close(blind.bits_per_sample(x), torch.full((4,), 2.0, dtype=torch.float64))


def sampler_law(wavenet):
    for settings in ({}, {"kernel_size": 3, "dilations": (1, 2, 4)}, {"num_classes": 2}):
        model = make(wavenet, **settings)
        y = torch.tensor([1, 0]) if model.num_classes else None
        x = torch.randint(3, (2, 30), generator=torch.Generator().manual_seed(0))
        expected = model.logits(x, y).detach()
        torch.testing.assert_close(wavenet.incremental_logits(model, x, y), expected, rtol=1e-10, atol=1e-10)
        one, other = (
            model.sample(2, 30, y, method=method, generator=torch.Generator().manual_seed(1))
            for method in ("cached", "naive")
        )
        assert torch.equal(one, other)


def frequency_law(wavenet):
    model, n = make(wavenet), 3000
    p = model.log_prob(torch.cartesian_prod(torch.arange(3), torch.arange(3))).exp().detach()
    for method in ("cached", "naive"):
        drawn = model.sample(n, 2, method=method, generator=torch.Generator().manual_seed(0))
        share = (drawn @ torch.tensor([3, 1])).bincount(minlength=9) / n
        assert ((share - p).abs() <= 5 * (p * (1 - p) / n).sqrt()).all()


def continuation_law(wavenet):
    given = torch.tensor([[2, 0, 1, 1]])
    for method in ("cached", "naive"):
        drawn = make(wavenet).sample(
            1, 12, given=given, method=method, generator=torch.Generator().manual_seed(0)
        )
        assert torch.equal(drawn[:, :4], given)


def neighbour_law(wavenet):
    """The lowest level enters as minus one height, the highest as plus one."""
    model = make(wavenet)
    torch.nn.init.zeros_(model.embedding.weight)
    torch.testing.assert_close(model.table()[[0, -1]], torch.stack([-model.height, model.height]))


def counting_law(wavenet):
    sounds = torch.tensor(list(itertools.product(range(3), repeat=4)))
    for order in (0, 1, 2):
        model = wavenet.NGram(3, order, strength=0.5).fit([torch.tensor([0, 1, 2, 1, 1, 0, 1, 2, 2])])
        assert abs(float(model.log_prob(sounds).exp().sum()) - 1) < 1e-12
        if order == 2:  # after 2, 0, which did not occur, as after 0
            torch.testing.assert_close(model.probs_[2][6], model.probs_[1][0])
        bits = model.bits_per_sample(sounds)
        torch.testing.assert_close(bits, -model.log_prob(sounds) / (4 * torch.tensor(2.0).double().log()))
    sure = wavenet.NGram(3, 2, strength=1e-9).fit([torch.tensor([0, 1, 2, 0, 1, 2])])
    assert (
        float(sure.log_prob(torch.tensor([[0, 1, 2]]))) > float(sure.log_prob(torch.tensor([[0, 2, 1]]))) + 5
    )
    torch.testing.assert_close(sure.probs_[2][1].sum(), torch.tensor(1.0, dtype=torch.float64))
    assert float(sure.probs_[2][1, 2]) > 0.99  # after 0, 1 comes 2


MUTANTS = [
    (reach_law, "layers", "((k - 1) * d, 0)", "(0, (k - 1) * d)"),
    (reach_law, "layers", "((k - 1) * d, 0)", "((k - 1) * d // 2, (k - 1) * d - (k - 1) * d // 2)"),
    (normalization_law, "network", "functional.pad(h, (1, -1))", "h"),
    (reach_law, "network", "functional.pad(h, (1, -1))", "functional.pad(h, (2, -2))"),
    (reach_law, "layers", "return 1 + (require.positive_int", "return (require.positive_int"),
    (reach_law, "layers", 'kernel_size) - 1) * steps', 'kernel_size)) * steps'),
    (unit_law, "layers", "return h + self.residual(z), self.skip(z)", "return self.residual(z), self.skip(z)"),
    (unit_law, "layers", "return h + self.residual(z), self.skip(z)", "return h + self.residual(z), self.skip(h)"),
    (unit_law, "layers", "z = gate(a)", "z = gate(a.flip(1))"),
    (unit_law, "layers", "a = a + self.label(y)[:, :, None]", "a = a - self.label(y)[:, :, None]"),
    (likelihood_law, "network", 'reduction="none").sum(dim=1)', 'reduction="none").mean(dim=1)'),
    (likelihood_law, "network", "* math.log(2))", ")"),
    (likelihood_law, "network", "return -log_prob / (self._levels", "return log_prob / (self._levels"),
    (neighbour_law, "network", "torch.linspace(-1, 1,", "torch.linspace(1, -1,"),
    (sampler_law, "fast", "self.blocks[row][block].copy_(h)", "self.blocks[(row + 1) % self.d][block].copy_(h)"),
    (sampler_law, "fast", "t // self.d % self.k", "t % self.k"),
    (sampler_law, "fast", "[self.k - 1 - age for age in order]", "list(order)"),
    (sampler_law, "fast", "double[:F] = 2", "double[F:] = 2"),
    (sampler_law, "fast", "else bias + unit.label(y)", "else bias + 0 * unit.label(y)"),
    (sampler_law, "fast", "self.out.zero_()", "pass"),
    (sampler_law, "fast", "torch.cat([-weight.T", "torch.cat([weight.T"),
    (sampler_law, "fast", "self.stream.copy_(self.table[previous])", "self.stream.copy_(self.table[previous - 1])"),
    (sampler_law, "naive", "max(0, t - field) : t + 1", "max(0, t - field + 1) : t + 1"),
    (frequency_law, "fast", "invert_cumulative(logits.softmax(dim=1), u[:, t])", "logits.argmax(dim=1)"),
    (frequency_law, "naive", "invert_cumulative(probs, u[:, t])", "invert_cumulative(probs, u[:, 0])"),
    (continuation_law, "fast", "if t >= num_known", "if t >= 0"),
    (continuation_law, "naive", "if t >= num_known", "if t >= 0"),
    (counting_law, "ngram", "below.repeat(L, 1)", "below.repeat_interleave(L, dim=0)"),
    (counting_law, "ngram", "else codes[:, :1]", "else codes"),
    (counting_law, "ngram", "torch.arange(length - 1, -1, -1)", "torch.arange(length)"),
    (counting_law, "ngram", "* math.log(2))", ")"),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("wavenet", MUTANTS)
