"""The smallest GAN: data at 0, a generator that is one point θ, a critic that is one slope ψ.

All that makes adversarial training hard is here, in a plane: the players go round each other.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require

PENALTIES = ("none", "r1", "gradient penalty", "clipping", "noise")


def dirac_field(
    theta: object, psi: object, *, penalty: str = "none", weight: float = 1.0
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    r"""Computes where gradient descent of both players moves the Dirac-GAN, at points of its plane.

    The data are at 0, the samples at θ, and the critic's logit is $D(x) = \psi x$. In the minimax game the
    critic makes $\operatorname{softplus}(0) + \operatorname{softplus}(\psi\theta)$ and its penalty small, the generator
    $-\operatorname{softplus}(\psi\theta)$:

    $$\dot\theta = \psi\, \sigma(\psi\theta), \qquad \dot\psi = -\theta\, \sigma(\psi\theta) - \frac{\partial}{\partial
      \psi} P(\psi, \theta), \qquad \sigma(t) = \frac1{1 + e^{-t}} .$$

    | penalty | P |
    |---|---|
    | `"none"`, `"clipping"` | 0; clipping acts on ψ after the step: see `dirac_path` |
    | `"r1"` | $\tfrac{\gamma}{2} \psi^2$ |
    | `"gradient penalty"` | $\gamma (\lvert\psi\rvert - 1)^2$, whose slope at ψ = 0 is taken to be 0 |
    | `"noise"` | none, but both losses are means over $x + \sqrt\gamma\, \varepsilon$, $\varepsilon \sim N(0, 1)$ |

    Args:
        theta: The generator's point, any shape.
        psi: The critic's slope, of a shape that broadcasts.
        penalty: One of `PENALTIES`.
        weight: γ.

    Returns:
        θ̇ and ψ̇, of the common shape.

    Raises:
        ValueError: The penalty is unknown, the weight negative, or the shapes do not broadcast.

    Reference:
        Mescheder, Geiger and Nowozin (2018), Which training methods for GANs do actually converge?, section 2.

    >>> dirac_field(torch.tensor(0.0), torch.tensor(1.0))
    (tensor(0.5000), tensor(-0.))
    """
    require.choice("penalty", penalty, PENALTIES)
    gamma = require.non_negative_float("weight", weight)
    t, s = require.broadcast(theta=theta, psi=psi)
    if penalty == "noise":
        return _noisy_field(t, s, gamma)
    d_theta, d_psi = s * torch.sigmoid(s * t), -t * torch.sigmoid(s * t)
    if penalty == "r1":
        d_psi = d_psi - gamma * s
    if penalty == "gradient penalty":
        d_psi = d_psi - 2 * gamma * (s.abs() - 1) * s.sign()
    return d_theta, d_psi


def dirac_path(
    start: object,
    num_steps: int,
    *,
    step_size: float,
    penalty: str = "none",
    weight: float = 1.0,
    alternating: bool = False,
    critic_steps: int = 1,
) -> Float[Tensor, "steps *batch 2"]:
    r"""Follows gradient descent of both players from a point of the Dirac-GAN's plane.

    At once, $(\theta, \psi) \leftarrow (\theta, \psi) + h\,(\dot\theta, \dot\psi)$; in turn, the generator's step sees
    the critic's result. Without a penalty, a step at once multiplies the radius by
    $\sqrt{1 + h^2 \sigma(\psi\theta)^2}$, near (0, 0) by $\sqrt{1 + h^2/4}$: the path spirals out, however small h is.

    Args:
        start: (θ, ψ), two numbers, or many of them, `(*batch, 2)`.
        num_steps: T.
        step_size: h.
        penalty: One of `PENALTIES`; `"clipping"` keeps ψ within ±γ.
        weight: γ.
        alternating: Whether the generator moves after the critic.
        critic_steps: Steps of the critic for one of the generator.

    Returns:
        The points, `(T + 1, *batch, 2)`, float64, the start first.

    Raises:
        ValueError: A number is not as described, or the penalty is unknown.

    >>> path = dirac_path((1e-6, 0.0), 100, step_size=0.2)
    >>> growth = float(path[-1].norm() / path[0].norm())
    >>> abs(growth / (1 + 0.2**2 / 4) ** 50 - 1) < 1e-6
    True
    """
    require.positive_int("num_steps", num_steps)
    h = require.positive_float("step_size", step_size)
    require.positive_int("critic_steps", critic_steps)
    first = require.real("start", torch.as_tensor(start, dtype=torch.float64))
    if first.ndim == 0 or first.shape[-1] != 2:
        raise ValueError(f"start must hold pairs of numbers, (*batch, 2), but is {start!r}: use (theta, psi)")
    theta, psi = first.unbind(dim=-1)
    points = [first]
    for _ in range(num_steps):
        before = psi
        for _ in range(critic_steps):
            psi = psi + h * dirac_field(theta, psi, penalty=penalty, weight=weight)[1]
            if penalty == "clipping":
                psi = psi.clamp(-weight, weight)
        seen = psi if alternating else before
        theta = theta + h * dirac_field(theta, seen, penalty=penalty, weight=weight)[0]
        points.append(torch.stack([theta, psi], dim=-1))
    return torch.stack(points)


def _noisy_field(t: Tensor, s: Tensor, variance: float) -> tuple[Tensor, Tensor]:
    """The field with noise added to data and samples, its means over the noise by Gauss-Hermite quadrature."""
    node, share = _quadrature(t)
    sigma = variance**0.5
    fake = t[..., None] + sigma * node  # G + noise
    real = sigma * node
    slope = s[..., None]
    d_theta = (share * torch.sigmoid(slope * fake)).sum(-1) * s
    on_data = (share * real * torch.sigmoid(-slope * real)).sum(-1)
    on_samples = (share * fake * torch.sigmoid(slope * fake)).sum(-1)
    return d_theta, on_data - on_samples


def _quadrature(like: Tensor, num_nodes: int = 64) -> tuple[Tensor, Tensor]:
    """Nodes and weights with which Σ wᵢ f(xᵢ) is E f(ε), ε ~ N(0, 1)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(num_nodes)
    return torch.as_tensor(nodes).to(like), torch.as_tensor(weights / weights.sum()).to(like)
