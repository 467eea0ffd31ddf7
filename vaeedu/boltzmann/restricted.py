"""The restricted Boltzmann machine: energies, exact sums over its states, Gibbs sampling, contrastive divergence."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Bernoulli, Independent
from torch.nn import functional

from vaeedu import require, sampling

# 2^16 states are gone through in a fraction of a second; each unit more doubles that.
_MOST_UNITS = 16
_STATES_AT_ONCE = 4096


class RestrictedBoltzmannMachine(nn.Module):
    r"""A restricted Boltzmann machine: binary x and h, each independent given the other.

    $$p(x, h) = \frac{e^{-E(x, h)}}{Z}, \qquad E(x, h) = -b^\top x - c^\top h - x^\top W h, \qquad
      Z = \sum_x \sum_h e^{-E(x, h)}.$$

    Summing over h is easy, and gives the free energy, $p(x) = e^{-F(x)} / Z$. Summing over x as well is not: $2^D$
    or $2^K$ terms. So the likelihood is known up to the constant Z, unless one layer is small.

    Parameters: `weight` `(D, K)`, `visible_bias` `(D,)`, `hidden_bias` `(K,)`. The weights start small, biases at 0.

    Args:
        num_visible: D.
        num_hidden: K.

    Raises:
        ValueError: A number is not a positive whole number.

    Reference:
        Smolensky (1986), Information processing in dynamical systems: foundations of harmony theory. Hinton (2002),
        Training products of experts by minimizing contrastive divergence.

    >>> machine = RestrictedBoltzmannMachine(3, 2)
    >>> everything = torch.tensor([[a, b, c] for a in (0.0, 1) for b in (0.0, 1) for c in (0.0, 1)])
    >>> round(machine.log_prob(everything).exp().sum().item(), 4)
    1.0
    """

    def __init__(self, num_visible: int, num_hidden: int) -> None:
        super().__init__()
        D, K = (
            require.positive_int("num_visible", num_visible),
            require.positive_int("num_hidden", num_hidden),
        )
        self.weight = nn.Parameter(0.01 * torch.randn(D, K))
        self.visible_bias, self.hidden_bias = nn.Parameter(torch.zeros(D)), nn.Parameter(torch.zeros(K))

    def energy(self, x: object, h: object) -> Float[Tensor, " B"]:
        """Computes E(x, h) in nats, `(B,)`, for pairs of rows of `x` `(B, D)` and `h` `(B, K)`.

        Raises:
            ValueError: `x` or `h` is no such matrix of zeros and ones, or they differ in number.
        """
        x, h = self._visible(x), require.binary_matrix("h", h, num_columns=len(self.hidden_bias))
        if len(h) != len(x):
            raise ValueError(f"h must have a row for each of the {len(x)} rows of x, but has {len(h)}")
        return -x @ self.visible_bias - h @ self.hidden_bias - ((x @ self.weight) * h).sum(dim=1)

    def free_energy(self, x: object) -> Float[Tensor, " B"]:
        r"""Computes minus the unnormalised log-density in nats, `(B,)`, for rows of `x` `(B, D)`.

        $$F(x) = -\log \sum_h e^{-E(x, h)} = -b^\top x - \sum_k \log\big(1 + e^{c_k + x^\top w_k}\big).$$

        Raises:
            ValueError: `x` is no such matrix of zeros and ones.
        """
        x = self._visible(x)
        return -x @ self.visible_bias - functional.softplus(self.hidden_bias + x @ self.weight).sum(dim=1)

    def posterior(self, x: object) -> Independent:
        """Returns p(h|x), K independent Bernoulli units, for rows of `x` `(B, D)`.

        Raises:
            ValueError: As `free_energy`.
        """
        return Independent(Bernoulli(logits=self.hidden_bias + self._visible(x) @ self.weight), 1)

    def likelihood(self, h: object) -> Independent:
        """Returns p(x|h), D independent Bernoulli units, for rows of `h` `(B, K)`.

        Raises:
            ValueError: `h` is no such matrix of zeros and ones.
        """
        h = require.binary_matrix("h", h, num_columns=len(self.hidden_bias))
        return Independent(Bernoulli(logits=self.visible_bias + h @ self.weight.T), 1)

    def log_partition(self) -> Float[Tensor, ""]:
        r"""Computes log Z in nats by going through all states of the smaller layer.

        $$\log Z = \log \sum_h \exp\Big(c^\top h + \sum_d \log\big(1 + e^{b_d + w_d^\top h}\big)\Big).$$

        Raises:
            ValueError: Both layers have more than 16 units.
        """
        weight: Tensor = self.weight
        own, other = self.hidden_bias, self.visible_bias
        if weight.shape[0] < weight.shape[1]:
            weight, own, other = weight.T, other, own
        if len(own) > _MOST_UNITS:
            raise ValueError(
                f"one layer must have at most {_MOST_UNITS} units for an exact log Z, but they have {len(other)} and "
                f"{len(own)}: log Z is a sum over 2^{len(own)} states then; compare free energies, or estimate it"
            )
        bits = torch.arange(len(own), device=own.device)
        parts = [
            states @ own + functional.softplus(other + states @ weight.T).sum(dim=1)
            for chunk in torch.arange(2 ** len(own), device=own.device).split(_STATES_AT_ONCE)
            for states in [(chunk[:, None] >> bits & 1).to(own)]
        ]
        return torch.cat(parts).logsumexp(dim=0)

    def log_prob(self, x: object) -> Float[Tensor, " B"]:
        """Computes log p(x) = −F(x) − log Z exactly, in nats, `(B,)`, for rows of `x` `(B, D)`.

        Raises:
            ValueError: As `free_energy` and `log_partition`.
        """
        return -self.free_energy(x) - self.log_partition()

    @torch.no_grad()
    def gibbs(
        self, x: object, num_steps: int = 1, *, generator: torch.Generator | None = None
    ) -> Float[Tensor, "B D"]:
        """Takes steps of block Gibbs sampling, h ~ p(h|x) and then x ~ p(x|h), which leave p(x) unchanged.

        Args:
            x: Where the chains begin, `(B, D)`.
            num_steps: How many steps.
            generator: The source of randomness; None is torch's global one.

        Returns:
            Where they end, `(B, D)`.

        Raises:
            ValueError: As `free_energy`, or `num_steps` is not a positive whole number.
        """
        x = self._visible(x)
        for _ in range(require.positive_int("num_steps", num_steps)):
            h = sampling.bernoulli((self.hidden_bias + x @ self.weight).sigmoid(), generator=generator)
            x = sampling.bernoulli((self.visible_bias + h @ self.weight.T).sigmoid(), generator=generator)
        return x

    def sample(
        self, n: int, *, num_steps: int = 1000, generator: torch.Generator | None = None
    ) -> Float[Tensor, "n D"]:
        """Draws n examples, each the end of a Gibbs chain of its own that began with fair coins.

        They are draws from p(x) as far as the chains have mixed in `num_steps` steps: with large weights they may not.

        Raises:
            ValueError: `n` or `num_steps` is not a positive whole number.
        """
        fair = self.visible_bias.new_full((require.positive_int("n", n), len(self.visible_bias)), 0.5)
        return self.gibbs(sampling.bernoulli(fair, generator=generator), num_steps, generator=generator)

    def contrastive_divergence(
        self, x: object, *, num_steps: int = 1, generator: torch.Generator | None = None
    ) -> Float[Tensor, " B"]:
        r"""Computes the loss of contrastive divergence, $F(x) - F(\tilde x)$, `(B,)`, in nats.

        $\tilde x$ is where Gibbs chains of `num_steps` steps from x end. With draws from p(x) in its place the gradient
        would be that of −log p(x):

        $$-\nabla \log p(x) = \nabla F(x) - \mathbb E_{\tilde x \sim p}[\nabla F(\tilde x)].$$

        The value of the loss says little, may be negative, and is not what training lowers.

        Raises:
            ValueError: As `gibbs`.

        Reference:
            Hinton (2002), Training products of experts by minimizing contrastive divergence, section 3.
        """
        x = self._visible(x)
        return self.free_energy(x) - self.free_energy(self.gibbs(x, num_steps, generator=generator))

    def _visible(self, x: object) -> Tensor:
        return require.binary_matrix("x", x, num_columns=len(self.visible_bias))
