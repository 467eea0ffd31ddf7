"""The classic mistakes around sequences, each made on purpose: every one must break a law."""

import itertools

import pytest
import torch
from support.mutation import law_tests
from torch.distributions import MultivariateNormal

from vaeedu import sampling
from vaeedu.sampling import seeded


def close(a, b, within=1e-10):
    torch.testing.assert_close(a, b, rtol=0, atol=within)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def mixture_of(sq, M=3, seed=0):
    return sq.MixtureNormal2d(
        drawn(M, seed=seed), drawn(M, 2, seed=seed + 1), (0.6 * drawn(M, 2, seed=seed + 2)).exp(),
        0.9 * drawn(M, seed=seed + 3).tanh(),
    )  # fmt: skip


def covariance(mixture):
    s1, s2 = mixture.scale.unbind(dim=-1)
    across = mixture.correlation * s1 * s2
    return torch.stack([torch.stack([s1**2, across], -1), torch.stack([across, s2**2], -1)], -2)


def density_law(sq):
    """A component is torch's MultivariateNormal, and the mixture their weighted sum."""
    mixture, x = mixture_of(sq), 2 * drawn(40, 2, seed=9)
    torchs = MultivariateNormal(mixture.loc, covariance(mixture)).log_prob(x[:, None])
    close(mixture.log_prob(x), (torchs + mixture.logits.log_softmax(-1)).logsumexp(-1))
    far = mixture.log_prob(torch.full((2,), 1e4, dtype=torch.float64))
    assert bool(torch.isfinite(far))


def integral_law(sq):
    mixture = mixture_of(sq, seed=4)
    side = torch.linspace(-14, 14, 701, dtype=torch.float64)
    grid = torch.cartesian_prod(side, side)
    mass = mixture.log_prob(grid).exp().sum() * (side[1] - side[0]) ** 2
    close(mass, torch.ones((), dtype=torch.float64), 1e-6)


def temperature_law(sq):
    """Draws at T have the moments of the colder mixture: weights π^{1/T}, covariances times T."""
    one = sq.MixtureNormal2d(*(t[:1] for t in mixture_of(sq, seed=7)))
    for T in (0.25, 1.0):
        many = sq.MixtureNormal2d(*(t.expand(20000, *t.shape) for t in one))
        x = many.sample(temperature=T, generator=seeded(1))
        wanted = T * covariance(one)[0]
        found = torch.cov(x.T)
        error = ((wanted.diag()[:, None] * wanted.diag() + wanted**2) / 20000).sqrt()
        assert bool(((found - wanted).abs() <= 5 * error).all())
        assert bool(((x.mean(0) - one.loc[0]).abs() <= 5 * (wanted.diag() / 20000).sqrt()).all())
    apart = sq.MixtureNormal2d(
        torch.tensor([0.0, 1.0]), torch.tensor([[-9.0, 0], [9, 0]]), torch.ones(2, 2), torch.zeros(2)
    )
    many = sq.MixtureNormal2d(*(t.expand(20000, *t.shape) for t in apart))
    right = (many.sample(temperature=0.5, generator=seeded(2))[:, 0] > 0).double().mean()
    assert abs(float(right) - float(torch.tensor(2.0).sigmoid())) < 5 * (0.11 / 20000) ** 0.5


def mean_law(sq):
    mixture = mixture_of(sq)
    many = sq.MixtureNormal2d(*(t.expand(40000, *t.shape) for t in mixture))
    x = many.sample(generator=seeded(3))
    assert bool(((x.mean(0) - mixture.mean()).abs() <= 5 * x.std(0) / 200).all())


SQUARE = torch.tensor([[1.0, 0, 0], [0, 1, 1], [-1, 0, 0], [0, -1, 1]], dtype=torch.float64)


def sketch_model(sq, K=3):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = sq.SketchVAE(K, num_hidden=8, num_encoder_hidden=5, num_components=2).double()
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(2)
    return model


def round_trip_law(sq):
    lines = [[[0.0, 0], [2, 1], [2, 3]], [[5.0, 5], [6, 5]], [[1.0, 1], [0, 1], [0, 0]]]
    sketch = sq.from_lines(lines)
    for line, back in zip(lines, sq.to_lines(sketch), strict=True):
        close(torch.as_tensor(back), torch.tensor(line, dtype=torch.float64))
    x = sq.to_stroke5([sketch, sketch[:2]], num_steps=11)
    for s, back in zip([sketch, sketch[:2]], sq.from_stroke5(x), strict=True):
        close(back, s)
    assert sq.num_points(x).tolist() == [len(sketch), 2]
    assert sketch[:, 2].tolist() == [0, 1, 0, 1, 0, 0, 1]
    assert [line.tolist() for line in sq.to_lines(sketch[:0])] == [[[0, 0]]]
    assert x[0, :7, 3].tolist() == sketch[:, 2].tolist()


def padding_law(sq):
    """Padding has no likelihood and no influence; a sketch's end has."""
    model = sketch_model(sq)
    z = drawn(2, 3, seed=5)
    short, long = SQUARE[:2], SQUARE
    together = model.log_likelihood(sq.to_stroke5([short, long]), z)
    for i, s in enumerate((short, long)):
        close(model.log_likelihood(sq.to_stroke5([s]), z[i : i + 1])[0], together[i])
    close(model.log_likelihood(sq.to_stroke5([short, long], num_steps=30), z), together)
    q, alone = (
        model.posterior(sq.to_stroke5([short, long])),
        model.posterior(sq.to_stroke5([short], num_steps=9)),
    )
    close(alone.mean[0], q.mean[0])


def by_hand_law(sq):
    """log p(x|z), one step after the other through the LSTM, without a batch or padding."""
    model = sketch_model(sq)
    z = drawn(1, 3, seed=5)
    x = sq.to_stroke5([SQUARE])[0]
    h, c = model.decoder.start(z).tanh()[None].chunk(2, dim=-1)
    state, before, total = (h.contiguous(), c.contiguous()), torch.tensor([0.0, 0, 1, 0, 0]).double(), 0
    for t, row in enumerate(x):
        out, state = model.decoder.lstm(torch.cat([before, z[0]])[None, None], state)
        step, pen = model._split(model.decoder.out(out)[0, 0])
        if t < len(SQUARE):
            total = total + step.log_prob(row[:2])
        total = total + (pen.log_softmax(-1) * row[2:]).sum()
        before = row
    close(model.log_likelihood(x[None], z)[0], total)


def causal_law(sq):
    """What is said of a step has no gradient from the step itself, or a later one."""
    model = sketch_model(sq)
    x = sq.to_stroke5([SQUARE]).clone()
    z, before = (
        drawn(1, 3),
        torch.cat([x.new_tensor([[[0.0, 0, 1, 0, 0]]]), x[:, :-1]], dim=1).requires_grad_(),
    )
    out, _ = model.decoder(z, before, model.decoder.initial(z))
    for t in range(x.shape[1]):
        (g,) = torch.autograd.grad(out[0, t].sum(), before, retain_graph=True)
        assert float(g[0, t + 1 :].abs().sum()) == 0
        assert float(g[0, t].abs().sum()) > 0


def bound_law(sq):
    model, x = sketch_model(sq), sq.to_stroke5([SQUARE, SQUARE[:3]])
    q = model.posterior(x)
    z = sampling.draw(q, generator=seeded(1))
    kl = (0.5 * (q.mean**2 + q.stddev**2 - 1) - q.stddev.log()).sum(dim=1)
    close(model.kl(x), kl)
    plain = model.log_likelihood(x, z)
    close(model.elbo(x, generator=seeded(1)), plain - kl)
    close(model.elbo(x, beta=0.3, generator=seeded(1)), plain - 0.3 * kl)
    free = float(kl.detach().mean())
    close(model.elbo(x, free_nats=free, generator=seeded(1)), plain - kl.clamp(min=free))
    bare = sketch_model(sq, 0)
    close(bare.elbo(x), bare.log_likelihood(x, x.new_zeros(2, 0)))


@torch.no_grad()
def sample_law(sq):
    """A sample is what the model's own densities say: the first step's mean and pen over many draws."""
    model = sketch_model(sq)
    z = drawn(1, 3, seed=6).expand(4000, 3)
    out, _ = model.decoder(z[:1], torch.tensor([[[0.0, 0, 1, 0, 0]]]).double(), model.decoder.initial(z[:1]))
    step, pen = model._split(out[0, 0])
    p = pen.softmax(-1)
    drawings = model.decode(z, num_steps=1, generator=seeded(2))
    first = torch.stack([d[0] for d in drawings if len(d)])
    ended = 1 - len(first) / 4000
    assert abs(ended - float(p[2])) <= 5 * float((p[2] * (1 - p[2]) / 4000) ** 0.5)
    lifted = float(first[:, 2].mean())
    share = float(p[1] / (p[0] + p[1]))
    assert abs(lifted - share) <= 5 * (share * (1 - share) / len(first)) ** 0.5
    error = first[:, :2].std(0) / len(first) ** 0.5
    assert bool(((first[:, :2].mean(0) - step.mean()).abs() <= 5 * error).all())


def completion_law(sq):
    """Completions begin with what is there, and go on as the model would after it."""
    model = sketch_model(sq)
    for whole in model.complete(SQUARE[:2], 5, num_steps=12, generator=seeded(3)):
        close(whole[:2], SQUARE[:2])
        assert len(whole) <= 12
    z = drawn(1, 3, seed=5)
    whole = model.decode(z, num_steps=8, temperature=1e-6, start=SQUARE[:2], generator=seeded(0))[0]
    x = sq.to_stroke5([whole[:2]])
    before = torch.cat([x.new_tensor([[[0.0, 0, 1, 0, 0]]]), x[:, :2]], dim=1)
    step, pen = model._split(model.decoder(z, before, model.decoder.initial(z))[0][0, -1])
    if int(pen.argmax()) == 2:
        assert len(whole) == 2
    else:
        close(whole[2, :2], step.loc[int(step.logits.argmax())], 1e-2)
        assert int(whole[2, 2]) == int(pen.argmax())


def interpolation_law(sq):
    model = sketch_model(sq)
    codes = model.posterior(sq.to_stroke5([SQUARE, SQUARE[:3]])).mean
    path = model.interpolate(SQUARE, SQUARE[:3], 3, temperature=1e-6, max_points=6, generator=seeded(0))
    for i, end in ((0, 0), (2, 1)):
        close(
            path[i],
            model.decode(codes[end : end + 1], temperature=1e-6, num_steps=6, generator=seeded(0))[0],
            1e-6,
        )
    a, b = torch.tensor([3.0, 0, 0]), torch.tensor([0.0, 3, 0])
    close(sq.spherical(a, b, 5).norm(dim=1), torch.full((5,), 3.0), 1e-5)
    close(sq.spherical(a, a, 3), a.expand(3, 3), 1e-5)


def string_model(sq, K=2, L=3):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = sq.StringVAE(L, K, num_hidden=6, num_encoder_hidden=4, num_embedding=3).double()
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(2)
    return model


def sums_to_one_law(sq):
    """Strings of at most three tokens, and the probability that a string is longer, make 1."""
    model, z = string_model(sq), drawn(1, 2, seed=3)
    short = [
        (*tokens, *[0] * (4 - length))
        for length in range(4)
        for tokens in itertools.product((1, 2), repeat=length)
    ]
    p = model.log_likelihood(torch.tensor(short), z.expand(len(short), 2)).exp().sum()
    # Of longer strings, the first four tokens: the likelihood with an end, less what the end itself costs.
    long = torch.tensor([(*tokens, 0) for tokens in itertools.product((1, 2), repeat=4)])
    before = torch.cat([torch.full((len(long), 1), 3), long[:, :-1]], dim=1)
    many = z.expand(len(long), 2)
    logits, _ = model.decoder(many, model.embedding(before), model.decoder.initial(many))
    ends = logits[:, 4].log_softmax(-1)[:, 0]
    rest = (model.log_likelihood(long, many) - ends).exp().sum()
    close(p + rest, torch.ones((), dtype=torch.float64))


def string_padding_law(sq):
    model, z = string_model(sq), drawn(2, 2)
    x = torch.tensor([[1, 2, 2, 0, 0], [2, 0, 0, 0, 0]])
    both = model.log_likelihood(x, z)
    close(model.log_likelihood(torch.cat([x, 0 * x], 1), z), both)
    close(model.log_likelihood(x[1:, :2], z[1:])[0], both[1])
    close(model.posterior(x).mean[1], model.posterior(x[1:, :2]).mean[0])
    q = model.posterior(x)
    z = sampling.draw(q, generator=seeded(4))
    kl = (0.5 * (q.mean**2 + q.stddev**2 - 1) - q.stddev.log()).sum(dim=1)
    close(model.elbo(x, beta=2.0, generator=seeded(4)), model.log_likelihood(x, z) - 2 * kl)
    close(model.kl(x), kl)


@torch.no_grad()
def string_sample_law(sq):
    model = string_model(sq)
    z = drawn(1, 2, seed=8)
    rows = model.decode(z.expand(6000, 2), num_steps=6, generator=seeded(5))
    for probe in ([1, 0], [2, 1, 0], [0]):
        x = torch.tensor([probe])
        p = float(model.log_likelihood(x, z).exp())
        padded = torch.nn.functional.pad(x, (0, rows.shape[1] - x.shape[1]))
        found = float((rows == padded).all(dim=1).double().mean())
        assert abs(found - p) <= 5 * (p * (1 - p) / 6000) ** 0.5 + 1e-12
    greedy = model.decode(z, temperature=0.0, num_steps=1)
    first = model.decoder(z, model.embedding(torch.tensor([[3]])), model.decoder.initial(z))[0]
    assert int(greedy[0, 0]) == int(first[0, 0].argmax())
    cold = model.decode(z.expand(4000, 2), temperature=0.5, num_steps=1, generator=seeded(6))[:, 0]
    p = (2 * first[0, 0]).softmax(-1)
    found = torch.bincount(cold, minlength=3).double() / 4000
    assert bool(((found - p).abs() <= 5 * (p * (1 - p) / 4000).sqrt() + 1e-9).all())


def token_law(sq):
    strings = ["CC(C)Cl", "BrC", "c1cc[nH]c1", "C[C@@H](N)C%12CC%12"]
    tokenizer = sq.Tokenizer(strings)
    assert tokenizer.decode(tokenizer.encode(strings)) == strings
    assert len(sq.split("CC(C)CC1=CC=C(C=C1)C(C)C(=O)O")) == 29
    assert sq.split("ClBrC%12[NH3+]") == ["Cl", "Br", "C", "%12", "[NH3+]"]
    assert bool((tokenizer.encode(strings)[:, -1] == 0).all())


GOOD = [
    "C", "CCO", "c1ccccc1", "CC(=O)[O-]", "C[N+](C)(C)C", "CS(=O)(=O)C", "CN(=O)=O", "c1cc[nH]c1",
    "c1ccoc1", "c1ccsc1", "Cn1cccc1", "C1CC1", "c1ccccc1c1ccccc1", "c1ccc2ccccc2c1", "O=c1cc[nH]cc1",
    "C%11CC%11", "N#N", "[NH4+]", "[Na+].[Cl-]", "F/C=C/F", "C[C@H](O)N", "OP(=O)(O)O", "CI", "[2H]C",
    "c1cc[n+]([O-])cc1", "C1=CC=CC=C1", "O=[N+]([O-])C", "FS(F)(F)(F)(F)F", "[O-]S(=O)(=O)[O-]", "C(C)1CC1",
    "F[P-](F)(F)(F)(F)F",
]  # fmt: skip
BAD = [
    "C(", "C)", "C()", "(C)", "C1CC", "C=", "=C", "C==C", "c1ccccc", "c1cccc1", "cc", "C(C)(C)(C)(C)C",
    "FC(F)(F)(F)F", "C1C1", "C11", "C[", "CC]", "[X]", "C%1", "n1cccc1", "O(C)(C)C", "ClC(Cl)=O=C",
    "[nH]1cccnc1", "C-1CC=1", "N(C)(C)(C)C", "[H]C([H])([H])([H])[H]", "F=C", "Q", "C..", ".C", "[CH5]",
    "c1ccccc1=C",
]  # fmt: skip


def validity_law(sq):
    assert {s: sq.problem(s) for s in GOOD if not sq.is_valid(s)} == {}
    assert [s for s in BAD if sq.is_valid(s)] == []


def counting_law(sq):
    ibuprofen = sq.parse("CC(C)CC1=CC=C(C=C1)C(C)C(=O)O")
    assert round(ibuprofen.weight(), 2) == 206.28
    assert sum(a.hydrogens for a in ibuprofen.atoms) == 18
    assert [sq.parse(s).num_rings() for s in ("CCO", "C1CC1", "c1ccc2ccccc2c1", "C1CC1.C1CC1")] == [
        0,
        1,
        2,
        2,
    ]
    assert [a.hydrogens for a in sq.parse("Cc1cc[nH]c1").atoms] == [3, 0, 1, 1, 1, 1]
    assert [sq.parse(s).atoms[0].hydrogens for s in ("PC", "SC", "SF", "CI")] == [2, 1, 1, 3]


def identity_law(sq):
    same = [("CCO", "OCC"), ("c1ccccc1C", "Cc1ccccc1"), ("C(F)(Cl)Br", "BrC(Cl)F"), ("C1CCCC1O", "OC1CCCC1")]
    other = [("CCO", "COC"), ("CC(C)C", "CCCC"), ("CCN", "CCO"), ("C=CC", "CCC"), ("CCCC", "CCC"),
             ("Cc1ccccc1C", "Cc1cccc(C)c1"), ("CC[O-]", "CCO")]  # fmt: skip
    assert all(sq.parse(a).identity() == sq.parse(b).identity() for a, b in same)
    assert all(sq.parse(a).identity() != sq.parse(b).identity() for a, b in other)
    found = sq.quality(["CCO", "OCC", "CC(", "CCN"], known=sq.identities(["NCC"]))
    assert found == pytest.approx((0.75, 2 / 3, 0.5))
    assert sq.quality(["C("]) == (0, 0, 0)


MUTANTS = [
    (density_law, "mixture", "-distance / 2", "-distance"),
    (density_law, "mixture", "u2 - rho * u1", "u2 + rho * u1"),
    (density_law, "mixture", "math.log(2 * math.pi) - self.scale", "0.5 * math.log(2 * math.pi) - self.scale"),
    (density_law, "mixture", "- left.log() / 2", "- left.log()"),
    (density_law, "mixture", "log_normal).logsumexp(dim=-1)", "log_normal).exp().sum(dim=-1).log()"),
    (density_law, "mixture", "self.logits.log_softmax(dim=-1) + log_normal", "self.logits + log_normal"),
    (integral_law, "mixture", "(u2 - rho * u1).square() / left", "(u2 - rho * u1).square()"),
    (temperature_law, "mixture", "math.sqrt(T) * scale", "T * scale"),
    (temperature_law, "mixture", "rho * e1 +", "-rho * e1 +"),
    (temperature_law, "mixture", "(self.logits / T)", "(self.logits * T)"),
    (mean_law, "mixture", "self.logits.softmax(dim=-1)[..., None] * self.loc", "self.loc / self.loc.shape[-2]"),
    (round_trip_law, "strokes", "steps[:, 2]]) > 0.5", "steps[:, 2]]) > 1.5"),
    (round_trip_law, "strokes", "np.concatenate([[0.0], steps[:, 2]])", "np.concatenate([steps[:, 2], [0.0]])"),
    (round_trip_law, "strokes", "s[:, 1], 1 - p, p, torch", "s[:, 1], p, 1 - p, torch"),
    (round_trip_law, "strokes", "row[:n, 1], row[:n, 3]", "row[:n, 1], row[:n, 2]"),
    (padding_law, "sketch", "t <= n[:, None]", "t <= n.max()"),
    (padding_law, "sketch", "drawn = t < n[:, None]", "drawn = t <= n.max()"),
    (padding_law, "sketch", "num_points(x).clamp(min=1)", "num_points(x) * 0 + x.shape[1]"),
    (padding_law, "recurrent", "back = (n - 1 - ", "back = (T - 1 - "),
    (by_hand_law, "sketch", "t <= n[:, None]", "t < n[:, None]"),
    (by_hand_law, "sketch", "x.new_tensor(_START).expand(len(x), 1, 5), x[:, :-1]", "x[:, :1], x[:, :-1]"),
    (by_hand_law, "sketch", "(of_steps + of_pen).sum(dim=1)", "(of_steps + of_pen).mean(dim=1)"),
    (by_hand_law, "recurrent", "self.start(z).tanh()[None]", "self.start(z)[None]"),
    (causal_law, "recurrent", "h, state = self.lstm(told, state)", "h, state = self.lstm(told.flip(1), state)"),
    (bound_law, "bound", "kl.clamp(min=free)", "kl.clamp(max=free)"),
    (bound_law, "bound", "log_likelihood - b", "log_likelihood + b"),
    (bound_law, "bound", "b * kl", "kl"),
    (sample_law, "sketch", "torch.cat([place, functional", "torch.cat([place.abs(), functional"),
    (sample_law, "sketch", "(pen_logits / T).softmax(dim=-1)", "(0 * pen_logits).softmax(dim=-1)"),
    (completion_law, "sketch", "steps = torch.cat([first, begun], dim=1)", "steps = torch.cat([begun, first], dim=1)"),
    (completion_law, "sketch", "rows, over = [begun.expand", "rows, over = [0 * begun.expand", ValueError),
    (completion_law, "sketch", "to_stroke5([start.to(z)])[:, :-1]", "to_stroke5([start.to(z).flip(0)])[:, :-1]"),
    (interpolation_law, "sketch", "t * omega).sin() * second", "t * omega).sin() * first"),
    (interpolation_law, "sketch", "(((1 - t) * omega).sin() * first + (t * omega).sin() * second) / omega.sin()",
     "(1 - t) * first + t * second"),
    (sums_to_one_law, "strings", "self._lengths(x)\n        x = x[:, ", "self._lengths(x) - 1\n        x = x[:, "),
    (sums_to_one_law, "strings", "logits.log_softmax(dim=-1)", "logits"),
    (string_padding_law, "strings", "device=x.device) <= n[:, None]", "device=x.device) <= n.max()"),
    (string_padding_law, "strings", "self._lengths(x) + 1)", "self._lengths(x) * 0 + x.shape[1])"),
    (string_padding_law, "bound", "b * kl", "kl"),
    (string_sample_law, "strings", "(logits / T).softmax(dim=-1)", "(logits * T).softmax(dim=-1)"),
    (string_sample_law, "strings", "over = over | (token == 0)", "over = over | (token == 1)"),
    (token_law, "smiles", "|Br|Cl|", "|Br|"),
    (token_law, "tokens", "row[:end]", "row[: end - 1]"),
    (validity_law, "valence", "bond.order == 1.5 and not ring",
     "bond.order == 1.5 and ring"),
    (validity_law, "valence", "if not _pair_up(partners)", "if False"),
    (counting_law, "valence", "next(v for v in valences if v >= total) - int(total)", "max(valences) - int(total)"),
    (validity_law, "valence", "electrons = number - atom.charge",
     "electrons = number + atom.charge"),
    (validity_law, "valence", "if total != 5", "if total != 4"),
    (validity_law, "smiles", "if self.rings:", "if False:"),
    (validity_law, "smiles", "if self.branches:", "if False:"),
    (counting_law, "valence", "atom.hydrogens += max(room - spare, 0)", "atom.hydrogens += max(room, 0)"),
    (counting_law, "molecule", 'WEIGHTS[a.symbol] + a.hydrogens * WEIGHTS["H"]', "WEIGHTS[a.symbol]"),
    (counting_law, "molecule", "len(self.bonds) - len(self.atoms) + len(set(self._pieces()))",
     "len(self.bonds) - len(self.atoms) + 1"),
    (identity_law, "molecule", "for j, bond in around[i]))", "for j, bond in around[i][:1]))"),
    (identity_law, "quality", "len(different) / len(valid)", "len(valid) / len(different)"),
    (identity_law, "quality", "len(different - set(known))", "len(different)"),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("sequences", MUTANTS)
