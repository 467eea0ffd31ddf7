"""Coupling layers: one part of the event says how the other part is moved, and stays itself."""

import abc

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaeedu import require
from vaeedu.flows.bijection import Bijection
from vaeedu.flows.splines import rational_quadratic


class Coupling(Bijection):
    r"""$z_a = x_a$, $z_b = g(x_b;\, \text{network}(x_a))$, with g monotone in each entry of $x_b$.

    The Jacobian is triangular, so that its determinant is the product of g's slopes; and $x_a = z_a$ gives the inverse
    the same network output: the network itself is never undone, and may be anything.

    Args:
        network: Maps $x_a$, `(B, A)`, to `num_parameters` numbers for each of the M entries of $x_b$: `(B, M, P)` or
            `(B, M · P)`.
        mask: Booleans with the event's shape: True where x stays as it is.

    Raises:
        ValueError: The mask holds something else than booleans, or all are the same; or, when called, x or the
            network's output has another shape.
    """

    num_parameters: int
    mask: Tensor
    _kept: Tensor
    _moved: Tensor

    def __init__(self, network: nn.Module, mask: object) -> None:
        super().__init__()
        mask = torch.as_tensor(mask)
        if mask.dtype != torch.bool or not mask.any() or mask.all():
            raise ValueError(
                "mask must hold booleans of the event's shape, some True (kept) and some False (moved), "
                f"but holds {mask.unique().tolist()} of {mask.dtype}: use mask > 0.5, or another mask"
            )
        self.network = network
        for name, value in (
            ("mask", mask),
            ("_kept", mask.flatten().nonzero()[:, 0]),
            ("_moved", (~mask).flatten().nonzero()[:, 0]),
        ):
            self.register_buffer(name, value, persistent=name == "mask")

    @abc.abstractmethod
    def move(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Returns g(x), and the logarithm of g's slope, for entries `(B, M)` and parameters `(B, M, P)`."""

    @abc.abstractmethod
    def move_back(self, z: Tensor, parameters: Tensor) -> Tensor:
        """Returns the x for which g(x) is z."""

    def forward(
        self, x: Float[Tensor, "B ..."], *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "B ..."], Float[Tensor, " B"]]:
        """Moves $x_b$: see `Bijection.forward`."""
        flat = self._flat("x", x)
        moved, log_slopes = self.move(flat[:, self._moved], self._answer(flat))
        return flat.index_copy(1, self._moved, moved).reshape(x.shape), log_slopes.sum(dim=1)

    def inverse(self, z: Float[Tensor, "B ..."]) -> Float[Tensor, "B ..."]:
        """Moves $z_b$ back, with the parameters that $z_a = x_a$ gives."""
        flat = self._flat("z", z)
        moved = self.move_back(flat[:, self._moved], self._answer(flat))
        return flat.index_copy(1, self._moved, moved).reshape(z.shape)

    def _flat(self, name: str, x: Tensor) -> Float[Tensor, "B D"]:
        return require.events(name, x, tuple(self.mask.shape)).reshape(len(x), -1)

    def _answer(self, flat: Tensor) -> Float[Tensor, "B M P"]:
        B, M, P = len(flat), len(self._moved), self.num_parameters
        parameters: Tensor = self.network(flat[:, self._kept])
        if parameters.numel() != B * M * P or len(parameters) != B:
            raise ValueError(
                f"network must return {P} numbers for each of the {M} entries that are moved, ({B}, {M * P}), "
                f"but returned {tuple(parameters.shape)}: make its last layer {M * P} wide"
            )
        return parameters.reshape(B, M, P)


class AdditiveCoupling(Coupling):
    r"""NICE's layer, $z_b = x_b + t(x_a)$: it shears, and keeps every volume, $\log |\det| = 0$.

    Args:
        network: See `Coupling`; one number for each entry that is moved.
        mask: See `Coupling`.

    Reference:
        Dinh, Krueger and Bengio (2015), NICE: Non-linear independent components estimation, section 3.2.

    >>> layer = AdditiveCoupling(nn.Linear(2, 3), [True, False, True, False, False])
    >>> layer(torch.zeros(4, 5))[1]
    tensor([0., 0., 0., 0.])
    """

    num_parameters = 1

    def move(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Adds t."""
        return x + parameters[..., 0], torch.zeros_like(x)

    def move_back(self, z: Tensor, parameters: Tensor) -> Tensor:
        """Takes t away."""
        return z - parameters[..., 0]


class AffineCoupling(Coupling):
    r"""RealNVP's layer, $z_b = x_b \cdot e^{s(x_a)} + t(x_a)$, $\log |\det| = \sum s(x_a)$.

    The network's first number s' for an entry gives $s = c \tanh(s' / c)$, so that no step stretches by more than
    $e^c$; its second number is t.

    Args:
        network: See `Coupling`; two numbers for each entry that is moved.
        mask: See `Coupling`.
        max_log_scale: c.

    Raises:
        ValueError: As `Coupling`, or `max_log_scale` is not positive.

    Reference:
        Dinh, Sohl-Dickstein and Bengio (2017), Density estimation using Real NVP, section 3.

    >>> layer = AffineCoupling(nn.Linear(1, 2), [True, False])
    >>> z, log_det = layer(torch.ones(3, 2))
    >>> torch.allclose(layer.inverse(z), torch.ones(3, 2)), log_det.shape
    (True, torch.Size([3]))
    """

    num_parameters = 2

    def __init__(self, network: nn.Module, mask: object, *, max_log_scale: float = 2.0) -> None:
        super().__init__(network, mask)
        self.max_log_scale = require.positive_float("max_log_scale", max_log_scale)

    def move(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Stretches by e^s, then adds t."""
        s, t = self._scale_and_shift(parameters)
        return x * s.exp() + t, s

    def move_back(self, z: Tensor, parameters: Tensor) -> Tensor:
        """Takes t away, then shrinks."""
        s, t = self._scale_and_shift(parameters)
        return (z - t) * (-s).exp()

    def _scale_and_shift(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        return self.max_log_scale * (parameters[..., 0] / self.max_log_scale).tanh(), parameters[..., 1]


class SplineCoupling(Coupling):
    r"""A coupling in which each entry of $x_b$ goes through a `rational_quadratic` spline: a curve with many bends.

    Where an affine map can only shift and stretch a density, a spline splits one hill into several.

    Args:
        network: See `Coupling`; 3K − 1 numbers for each entry that is moved.
        mask: See `Coupling`.
        num_bins: K.
        bound: B; what leaves [−B, B] stays as it is.

    Raises:
        ValueError: As `Coupling`, or a number is not positive.

    Reference:
        Durkan, Bekasov, Murray and Papamakarios (2019), Neural spline flows, section 3.

    >>> layer = SplineCoupling(nn.Linear(1, 3 * 4 - 1), [True, False], num_bins=4)
    >>> z, log_det = layer(torch.ones(3, 2))
    >>> torch.allclose(layer.inverse(z), torch.ones(3, 2), atol=1e-5)
    True
    """

    def __init__(self, network: nn.Module, mask: object, *, num_bins: int = 8, bound: float = 8.0) -> None:
        super().__init__(network, mask)
        self.num_bins = require.positive_int("num_bins", num_bins)
        self.bound = require.positive_float("bound", bound)
        self.num_parameters = 3 * num_bins - 1

    def move(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Goes up the spline."""
        return rational_quadratic(x, parameters, bound=self.bound)

    def move_back(self, z: Tensor, parameters: Tensor) -> Tensor:
        """Goes down the spline."""
        return rational_quadratic(z, parameters, bound=self.bound, inverse=True)[0]
