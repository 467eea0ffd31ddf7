"""What every layer of a flow is: a map that can be undone, and that knows by how much it stretches volume."""

import abc
from collections.abc import Iterable
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Bijection(nn.Module, abc.ABC):
    r"""An invertible map $z = f(x)$ of events, with $\log |\det \partial f / \partial x|$ at each example.

    `forward` goes from data to noise, which is the direction of the likelihood, and `inverse` from noise to data.
    """

    @abc.abstractmethod
    def forward(
        self, x: Float[Tensor, "B ..."], *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "B ..."], Float[Tensor, " B"]]:
        """Maps data towards noise.

        Args:
            x: Events, `(B, ...)`.
            generator: The source of randomness of those few layers that estimate their determinant; None is torch's
                global one. The others draw nothing.

        Returns:
            z, `(B, ...)`, and the logarithm of the determinant's absolute value, in nats, `(B,)`.
        """

    @abc.abstractmethod
    def inverse(self, z: Float[Tensor, "B ..."]) -> Float[Tensor, "B ..."]:
        """Maps noise towards data: `inverse(forward(x)[0])` is x, up to rounding."""

    def start(self, x: Float[Tensor, "B ..."]) -> None:
        """Sets weights from a first batch, where the layer wants one (`ActNorm`); the others leave it."""


class Chain(Bijection):
    r"""Bijections one after another: $f = f_L \circ \dots \circ f_1$, whose log-determinants add up.

    Args:
        layers: $f_1, \dots, f_L$, in the order in which data meet them.

    Raises:
        ValueError: There is none, or one is no `Bijection`.
    """

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        super().__init__()
        layers = list(layers)
        wrong = [type(layer).__name__ for layer in layers if not isinstance(layer, Bijection)]
        if wrong or not layers:
            raise ValueError(
                f"layers must be bijections, at least one, but hold {', '.join(wrong) or 'none'}: "
                "give a network to a coupling, as AffineCoupling(network, mask)"
            )
        self.layers = nn.ModuleList(layers)

    def forward(
        self, x: Float[Tensor, "B ..."], *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "B ..."], Float[Tensor, " B"]]:
        """Applies the layers from the first to the last: see `Bijection.forward`."""
        total = x.new_zeros(len(x))
        for layer in self.layers:
            x, log_det = layer(x, generator=generator)
            total = total + log_det
        return x, total

    def inverse(self, z: Float[Tensor, "B ..."]) -> Float[Tensor, "B ..."]:
        """Undoes the layers from the last to the first."""
        for layer in reversed(self.layers):
            z = cast(Bijection, layer).inverse(z)
        return z

    @torch.no_grad()
    def start(self, x: Float[Tensor, "B ..."]) -> None:
        """Starts each layer on what the layers before it, already started, make of the batch."""
        for layer in self.layers:
            cast(Bijection, layer).start(x)
            x, _ = layer(x)
