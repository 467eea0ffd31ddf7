"""A flow in continuous time: data drift along a field, and the density follows the field's divergence."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaeedu import require, sampling
from vaeedu.flows.bijection import Bijection

TRACES = ("exact", "hutchinson")


class ContinuousFlow(Bijection):
    r"""Moves each point along a learned field for one unit of time.

    $$\frac{dx}{dt} = v(x, t), \quad z = x(1), \quad
      \log \Big|\det \frac{\partial z}{\partial x}\Big| = \int_0^1 \text{tr} \frac{\partial v}{\partial x} dt.$$

    Any smooth v will do: paths cannot cross, so that the map can be undone by going backwards in time. The integral is
    computed by Runge and Kutta's method of fourth order in equal steps, through which gradients flow; what is returned
    is the flow of the equation up to that method's error, which falls with the fourth power of the step.

    Args:
        field: v: maps a time, a scalar tensor, and points `(B, D)` to velocities `(B, D)`, differentiable in both
            parameters and points. `TimedNetwork` is one.
        num_steps: How many steps are taken.
        trace: `"exact"` takes D derivatives at each evaluation. `"hutchinson"` takes one: it estimates the trace by
            εᵀ (∂v/∂x) ε with random signs ε, the same at all times; its mean is the trace, and log-densities become
            unbiased estimates.

    Raises:
        ValueError: `num_steps` is no positive whole number, or `trace` unknown; or, when called, x has no rows of
            numbers, or the velocities have another shape.

    Reference:
        Chen, Rubanova, Bettencourt and Duvenaud (2018), Neural ordinary differential equations, theorem 1; Grathwohl,
        Chen, Bettencourt, Sutskever and Duvenaud (2019), FFJORD, section 3.1; Hutchinson (1989), A stochastic estimator
        of the trace of the influence matrix for Laplacian smoothing splines.

    >>> A = torch.tensor([[0.3, 1.0], [-0.5, 0.1]])
    >>> flow = ContinuousFlow(lambda t, x: x @ A.T)
    >>> z, log_det = flow(torch.ones(1, 2))  # the flow of a linear field is z = e^A x, and log det e^A = tr A
    >>> torch.allclose(z[0], torch.linalg.matrix_exp(A) @ torch.ones(2), atol=1e-5), round(log_det.item(), 4)
    (True, 0.4)
    """

    def __init__(
        self, field: Callable[[Tensor, Tensor], Tensor], *, num_steps: int = 8, trace: str = "exact"
    ) -> None:
        super().__init__()
        self.field = field
        self.num_steps = require.positive_int("num_steps", num_steps)
        self.trace = require.choice("trace", trace, TRACES)

    def forward(
        self, x: Float[Tensor, "B ..."], *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "B D"], Float[Tensor, " B"]]:
        """Goes from time 0 to 1: see `Bijection.forward`. The generator is for the signs ε."""
        self._check(x)
        signs = None
        if self.trace == "hutchinson":
            coins = sampling.bernoulli(torch.full_like(x, 0.5).detach(), generator=generator)
            signs = 2 * coins - 1
        z, log_det = x, x.new_zeros(len(x))
        h = 1 / self.num_steps
        for step in range(self.num_steps):
            z, log_det = _runge_kutta(self._rate, step * h, (z, log_det), h, signs)
        return z, log_det

    def inverse(self, z: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """Goes back from time 1 to 0, up to the solver's error."""
        return self.path(z, num_points=2, backwards=True)[-1]

    def path(
        self, x: Float[Tensor, "B ..."], *, num_points: int = 9, backwards: bool = False
    ) -> Float[Tensor, "T B D"]:
        """Returns where the points are on their way, `(T, B, D)`, the start first.

        Args:
            x: Points at time 0, or at time 1 where they go backwards, `(B, D)`.
            num_points: T, at least 2, the number of times that are returned, evenly spaced as near as steps allow.
            backwards: Whether to go from time 1 to 0.

        Raises:
            ValueError: As the class, or T is no whole number of at least 2.
        """
        self._check(x)
        T = require.positive_int("num_points - 1", num_points - 1) + 1
        steps, h = self.num_steps, (-1 if backwards else 1) / self.num_steps
        points = [x]
        for step in range(steps):
            t = (1 if backwards else 0) + step * h
            points.append(_runge_kutta(self._velocity, t, (points[-1],), h, None)[0])
        return torch.stack([points[round(i * steps / (T - 1))] for i in range(T)])

    def _velocity(self, t: Tensor, state: tuple[Tensor, ...], signs: Tensor | None) -> tuple[Tensor, ...]:
        x = state[0]
        rate = self.field(t, x)
        if rate.shape != x.shape:
            raise ValueError(
                f"field must return a velocity for each point, {tuple(x.shape)}, but returned {tuple(rate.shape)}: "
                f"make its last layer {x.shape[1]} wide"
            )
        return (rate,)

    def _rate(self, t: Tensor, state: tuple[Tensor, ...], signs: Tensor | None) -> tuple[Tensor, ...]:
        """The velocity, and its divergence: the rate at which log |det| grows."""
        is_training = torch.is_grad_enabled()
        with torch.enable_grad():
            x = state[0] if is_training and state[0].requires_grad else state[0].detach().requires_grad_()
            (rate,) = self._velocity(t, (x,), None)
            D = x.shape[1]
            probes = torch.eye(D).to(x)[:, None].expand(D, *x.shape) if signs is None else signs[None]
            # εᵀ ∂v/∂x for each probe ε: signs, or one unit vector after another
            products = [
                torch.autograd.grad(
                    rate, x, probe, retain_graph=True, create_graph=is_training, materialize_grads=True
                )[0]
                for probe in probes
            ]
            trace = torch.stack([(v * p).sum(dim=1) for v, p in zip(products, probes, strict=True)]).sum(
                dim=0
            )
        return (rate, trace) if is_training else (rate.detach(), trace.detach())

    def _check(self, x: Tensor) -> None:
        if x.ndim != 2:
            raise ValueError(
                f"x must have shape (B, D), one row per point, but has shape {tuple(x.shape)}: use x.flatten(1)"
            )


class TimedNetwork(nn.Module):
    """A field for `ContinuousFlow`: a perceptron with two hidden layers and tanh that is told the time.

    Args:
        num_features: D.
        num_hidden: The width of both hidden layers.

    Raises:
        ValueError: A size is no positive whole number.

    >>> TimedNetwork(2)(torch.tensor(0.5), torch.zeros(3, 2)).shape
    torch.Size([3, 2])
    """

    def __init__(self, num_features: int, num_hidden: int = 32) -> None:
        super().__init__()
        D, H = (
            require.positive_int("num_features", num_features),
            require.positive_int("num_hidden", num_hidden),
        )
        self.network = nn.Sequential(
            nn.Linear(D + 1, H), nn.Tanh(), nn.Linear(H, H), nn.Tanh(), nn.Linear(H, D)
        )

    def forward(self, t: Tensor, x: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """Returns the velocity of each point at time t."""
        velocity: Tensor = self.network(torch.cat([x, t.expand(len(x), 1)], dim=1))
        return velocity


def _runge_kutta(
    rate: Callable[[Tensor, tuple[Tensor, ...], Tensor | None], tuple[Tensor, ...]],
    t: float,
    state: tuple[Tensor, ...],
    h: float,
    signs: Tensor | None,
) -> tuple[Tensor, ...]:
    """Makes one step of the classical method of fourth order."""
    times = [torch.tensor(t + share * h).to(state[0]) for share in (0, 0.5, 1)]
    k1 = rate(times[0], state, signs)
    k2 = rate(times[1], _moved(state, k1, h / 2), signs)
    k3 = rate(times[1], _moved(state, k2, h / 2), signs)
    k4 = rate(times[2], _moved(state, k3, h), signs)
    mean = tuple((a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(k1, k2, k3, k4, strict=True))
    return _moved(state, mean, h)


def _moved(state: tuple[Tensor, ...], rate: tuple[Tensor, ...], h: float) -> tuple[Tensor, ...]:
    return tuple(value + h * change for value, change in zip(state, rate, strict=True))
