"""Draws whose randomness is an argument.

`torch.distributions` draws from the global generator. Every draw in this course takes a `generator` instead, so that a
run can be repeated and no import or library call disturbs another's randomness.

- `normal`, `uniform`, `integers`, `gumbel`, `categorical`, `bernoulli` and `gamma` draw what their names say;
  `reparameterize` is loc + scale · ε; `draw` takes one of torch's distributions; `seeded` makes a generator.
"""

from vaeedu.sampling.draws import (
    bernoulli,
    categorical,
    draw,
    gamma,
    gumbel,
    integers,
    normal,
    reparameterize,
    seeded,
    uniform,
)

__all__ = [
    "bernoulli",
    "categorical",
    "draw",
    "gamma",
    "gumbel",
    "integers",
    "normal",
    "reparameterize",
    "seeded",
    "uniform",
]
