"""Processes that share a batch get, put together, the noise of one process with all of it."""

import pytest
import torch
from support.mutation import mutant

from vaeedu import sampling

B = 11
PARTS = [(0, 4), (4, 8), (8, 11)]
D = torch.distributions


def rows(*shape):
    return torch.rand(B, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(7))


def normal(x):
    return D.Independent(D.Normal(x, x + 0.1), x.ndim - 1)


def multivariate(x):
    return D.MultivariateNormal(x, torch.eye(x.shape[-1]).to(x) * 2)


def mixture(x):
    return D.MixtureSameFamily(D.Categorical(torch.softmax(x, -1)), D.Normal(x, x + 0.5))


# Each maps a part of the rows, a generator and a sample shape to draws; the batch comes after the sample shape.
DRAWS = {
    "reparameterize": lambda x, g, n: sampling.reparameterize(x, x + 1, n, generator=g),
    "categorical": lambda x, g, n: sampling.categorical(x, n, generator=g),
    "Normal": lambda x, g, n: sampling.draw(normal(x), n, generator=g),
    "MultivariateNormal": lambda x, g, n: sampling.draw(multivariate(x), n, generator=g),
    "Uniform": lambda x, g, n: sampling.draw(D.Uniform(x, x + 2), n, generator=g),
    "Bernoulli": lambda x, g, n: sampling.draw(D.Bernoulli(x), n, generator=g),
    "Categorical": lambda x, g, n: sampling.draw(D.Categorical(torch.softmax(x, -1)), n, generator=g),
    "OneHotCategorical": lambda x, g, n: sampling.draw(
        D.OneHotCategorical(torch.softmax(x, -1)), n, generator=g
    ),
    "mixture": lambda x, g, n: sampling.draw(mixture(x), n, generator=g),
}
PLAIN = {
    "bernoulli": lambda x, g: sampling.bernoulli(x, generator=g),
    "normal": lambda x, g: sampling.normal(x.shape, like=x, generator=g),
    "gumbel": lambda x, g: sampling.gumbel(x.shape, like=x, generator=g),
    "uniform": lambda x, g: sampling.uniform(len(x), generator=g),
    "integers": lambda x, g: sampling.integers(len(x), 1000, generator=g),
}


def check(draw, x, dim):
    whole_generator = torch.Generator().manual_seed(0)
    whole = draw(x, whole_generator)
    parts = []
    for start, stop in PARTS:
        generator = torch.Generator().manual_seed(0)
        with sampling.shard(start, stop, B):
            parts.append(draw(x[start:stop], generator))
        assert torch.equal(generator.get_state(), whole_generator.get_state())
    assert torch.equal(torch.cat(parts, dim), whole)
    assert torch.equal(draw(x, torch.Generator().manual_seed(0)), whole)  # and the shard is over


@pytest.mark.parametrize("sample_shape", [(), (5,), (2, 3), (4,)])
@pytest.mark.parametrize("shape", [(3,), (2, 4)])
@pytest.mark.parametrize("name", DRAWS)
def test_the_parts_put_together_are_the_whole(name, shape, sample_shape):
    check(lambda x, g: DRAWS[name](x, g, sample_shape), rows(*shape), len(sample_shape))


@pytest.mark.parametrize("shape", [(), (3,), (1, 8, 8)])
@pytest.mark.parametrize("name", PLAIN)
def test_plain_draws_have_the_batch_first(name, shape):
    check(PLAIN[name], rows(*shape), 0)


MUTANTS = [
    ("bernoulli", "shards", "whole.narrow(dim, part.start, part.stop - part.start).copy_(parameters)", "pass"),
    ("Bernoulli", "draws", "return _bernoulli(probs, generator, batch_dim=len(n))",
     "return _bernoulli(probs, generator, batch_dim=0)"),
    ("reparameterize", "shards", "return whole.narrow(dim, part.start, part.stop - part.start)",
     "return whole.narrow(dim, 0, part.stop - part.start)"),
    ("reparameterize", "shards", "part.total, *shape[dim + 1 :]", "shape[dim], *shape[dim + 1 :]"),
    ("reparameterize", "draws", "generator, batch_dim=len(sample_shape)", "generator, batch_dim=0"),
    ("categorical", "draws", "batch_dim = 0 if", "batch_dim = 1 if"),
    ("Uniform", "draws", "                len(n),", "                0,"),
    ("MultivariateNormal", "draws", "batch_dim = len(n) if", "batch_dim = 0 if"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "module", "right", "wrong"), MUTANTS)
def test_each_mistake_is_noticed(name, module, right, wrong, monkeypatch):
    draw, dim = (PLAIN[name], 0) if name in PLAIN else ((lambda x, g: DRAWS[name](x, g, (5,))), 1)
    with mutant("sampling", module, right, wrong) as mistaken:
        monkeypatch.setitem(globals(), "sampling", mistaken)
        with pytest.raises((AssertionError, RuntimeError)):
            check(draw, rows(3), dim)


def test_gradients_reach_the_parameters():
    loc = torch.zeros(3, 2, requires_grad=True)
    with sampling.shard(2, 5, 9):
        sampling.reparameterize(loc, torch.ones(3, 2), (4,)).sum().backward()
    assert torch.equal(loc.grad, torch.full((3, 2), 4.0))


@pytest.mark.parametrize(
    "draw",
    [
        lambda g: sampling.normal((7, 2), like=torch.zeros(1), generator=g),
        lambda g: sampling.categorical(torch.tensor([0.2, 0.3, 0.5]), (6,), generator=g),
        lambda g: sampling.draw(D.Normal(torch.tensor(0.0), torch.tensor(1.0)), (3,), generator=g),
        lambda g: sampling.draw(D.MultivariateNormal(torch.zeros(3), torch.eye(3)), (4,), generator=g),
    ],
)
def test_what_has_no_such_batch_is_drawn_as_it_is(draw):
    plain = draw(torch.Generator().manual_seed(0))
    with sampling.shard(0, 3, 9):
        assert torch.equal(draw(torch.Generator().manual_seed(0)), plain)


def test_shards_nest_and_end():
    x = torch.zeros(3)
    with sampling.shard(0, 3, 5):
        with pytest.raises(RuntimeError), sampling.shard(2, 5, 5):
            raise RuntimeError
        inner = sampling.normal((3,), like=x, generator=torch.Generator().manual_seed(0))
    assert torch.equal(inner, torch.randn(5, generator=torch.Generator().manual_seed(0))[:3])


@pytest.mark.parametrize("bounds", [(-1, 2, 5), (3, 3, 5), (4, 2, 5), (2, 6, 5), (0, 0, 0)])
def test_bounds_that_are_none_are_refused(bounds):
    with (
        pytest.raises(
            ValueError, match=r"^start, stop, total must satisfy .* but are .*: leave out the parts"
        ),
        sampling.shard(*bounds),
    ):
        pass
