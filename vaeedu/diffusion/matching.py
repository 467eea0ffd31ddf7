"""Flow matching: a straight path from noise to data, and the velocity field that moves all along at once."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaeedu import require, sampling

METHODS = ("euler", "heun")
# Of a point, `(B, *event)`, and time, `(B,)`.
Velocity = Callable[[Tensor, Tensor], Tensor]


class FlowMatching(nn.Module):
    r"""A velocity field u(x, t) that carries N(0, I) at t = 0 to the data at t = 1.

    Each datum is joined to a draw of noise by a straight line, walked at constant speed. At a point where many lines
    cross, the field has their mean velocity; with it, the density at each t is that of all the lines.

    $$x_t = (1 - t)\, z + t\, x, \qquad \frac{dx_t}{dt} = x - z, \qquad u(x_t, t) = \mathbb E[x - z \mid x_t] .$$

    Time runs from noise to data, the other way round than the steps of diffusion. It draws samples; its density would
    need the divergence of u along the way.

    Args:
        velocity: Maps points `(B, *event)` and times in [0, 1], `(B,)`, to velocities `(B, *event)`.
        event_shape: The shape of an example.

    Raises:
        ValueError: `event_shape` is no shape.

    Reference:
        Lipman et al. (2023), Flow matching for generative modeling, eqs. 20–23 with σ_min = 0; Liu, Gong and Liu
        (2023), Flow straight and fast: learning to generate and transfer data with rectified flow, eq. 1.

    >>> model = FlowMatching(lambda x, t: -x, event_shape=(2,))
    >>> model.loss(torch.zeros(4, 2)).shape, model.sample(5, num_steps=3).shape
    (torch.Size([4]), torch.Size([5, 2]))
    """

    def __init__(self, velocity: Velocity, *, event_shape: Sequence[int]) -> None:
        super().__init__()
        self.velocity = velocity
        self.event_shape = require.event_shape("event_shape", tuple(event_shape))

    def loss(
        self, x: Float[Tensor, "B ..."], *, generator: torch.Generator | None = None
    ) -> Float[Tensor, " B"]:
        r"""Computes the squared error of the velocity at a random point of each datum's line.

        $$\lVert (x - z) - u(x_t, t) \rVert^2, \qquad z \sim N(0, I), \quad t \sim U(0, 1) .$$

        A squared error is smallest at the mean: that is why regression on single lines finds the field.

        Args:
            x: Data, `(B, *event)`.
            generator: The source of noise and times, which are spread evenly over the batch.

        Returns:
            `(B,)`, summed over the event; it bounds nothing.

        Raises:
            ValueError: x has another shape.
        """
        x = require.events("x", x, self.event_shape)
        B = len(x)
        z = sampling.normal(x.shape, like=x, generator=generator)
        u = sampling.uniform((1,), like=x, generator=generator)
        t = (u + torch.arange(B, device=x.device).to(x) / B) % 1
        x_t, target = straight_path(z, x, t)
        error: Tensor = self.velocity(x_t, t) - target
        return error.square().flatten(1).sum(dim=1)

    @torch.no_grad()
    def sample(
        self,
        num_samples: int,
        *,
        num_steps: int = 20,
        method: str = "heun",
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "N ..."]:
        """Draws noise and moves it along the field.

        Args:
            num_samples: N.
            num_steps: Steps of equal length from t = 0 to 1.
            method: See `integrate`.
            generator: The source of the noise; None is torch's global one.

        Returns:
            Samples, `(N, *event)`, in evaluation mode.

        Raises:
            ValueError: A number or a name is none of those allowed.
        """
        N = require.positive_int("num_samples", num_samples)
        like = next(self.parameters(), torch.zeros(()))
        z = sampling.normal((N, *self.event_shape), like=like, generator=generator)
        was_training = self.training
        self.eval()
        try:
            return integrate(self.velocity, z, num_steps=num_steps, method=method)
        finally:
            self.train(was_training)


def straight_path(
    z: Float[Tensor, "B ..."], x: Float[Tensor, "B ..."], t: Float[Tensor, " B"]
) -> tuple[Float[Tensor, "B ..."], Float[Tensor, "B ..."]]:
    """Returns the point x_t = (1 − t) z + t x of each line, and its velocity x − z.

    >>> straight_path(torch.zeros(1, 1), torch.ones(1, 1), torch.tensor([0.25]))
    (tensor([[0.2500]]), tensor([[1.]]))
    """
    t = t.reshape(len(x), *[1] * (x.ndim - 1))
    return (1 - t) * z + t * x, x - z


def integrate(
    velocity: Velocity, x: Float[Tensor, "B ..."], *, num_steps: int, method: str = "heun"
) -> Float[Tensor, "B ..."]:
    r"""Solves dx/dt = u(x, t) from t = 0 to 1 with steps of h = 1/`num_steps`.

    $$\text{Euler: } x \leftarrow x + h\, u(x, t); \qquad \text{Heun: } x \leftarrow x + \tfrac h2
      \big(u(x, t) + u(x + h\, u(x, t), t + h)\big) .$$

    Euler's error falls as h, with one evaluation a step; Heun's as h², with two.

    Args:
        velocity: u.
        x: Where to begin, `(B, *event)`.
        num_steps: How many steps.
        method: `"euler"` or `"heun"`.

    Returns:
        Where it ends, `(B, *event)`.

    Raises:
        ValueError: `num_steps` is not positive, or the method is another.

    >>> integrate(lambda x, t: x, torch.ones(1, 1), num_steps=100)  # e
    tensor([[2.7182]])
    """
    h = 1 / require.positive_int("num_steps", num_steps)
    require.choice("method", method, METHODS)
    for i in range(num_steps):
        before = velocity(x, x.new_full((len(x),), i * h))
        ahead = x + h * before
        if method == "heun":
            after = velocity(ahead, x.new_full((len(x),), (i + 1) * h))
            ahead = x + h / 2 * (before + after)
        x = ahead
    return x


class GaussianVelocity:
    r"""The exact field from N(0, I) to a Gaussian N(μ, C).

    $$u(x, t) = \mu + \big(t C - (1 - t) I\big) \big(t^2 C + (1 - t)^2 I\big)^{-1} (x - t \mu) .$$

    It carries z to $\mu + C^{1/2} z$.

    Args:
        mean: μ, `(D,)`.
        covariance: C, `(D, D)`, positive definite.

    >>> GaussianVelocity(torch.ones(1), torch.eye(1))(torch.ones(1, 1), torch.tensor([0.5]))
    tensor([[1.]])
    """

    def __init__(self, mean: Float[Tensor, " D"], covariance: Float[Tensor, "D D"]) -> None:
        self.mean = mean
        self.variances, self.axes = torch.linalg.eigh(covariance)

    def __call__(self, x: Float[Tensor, "B D"], t: Float[Tensor, " B"]) -> Float[Tensor, "B D"]:
        """Returns the velocity at each point and time."""
        t = t[:, None]
        rate = (t * self.variances - (1 - t)) / (t.square() * self.variances + (1 - t).square())
        return self.mean + ((x - t * self.mean) @ self.axes * rate) @ self.axes.T
