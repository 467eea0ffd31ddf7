"""Normalising flows: a bijection between data and noise, and a density by the change of variables.

- `Flow` has `log_prob`, exact, `sample`, `forward` (data to noise, with log |det|) and `inverse`; `Dequantized` puts
  one over whole levels, and has `elbo` and `iwae_bound`.
- `AdditiveCoupling` (NICE), `AffineCoupling` (RealNVP) and `SplineCoupling` move one part of an event by the other;
  `rational_quadratic` is the spline.
- `ActNorm`, `InvertibleConv1x1` are what Glow adds; `Squeeze`, `Unsqueeze` and `OnChannels` are for several scales.
- `ContinuousFlow` (FFJORD) follows a field, such as a `TimedNetwork`, with an exact trace or Hutchinson's estimate.
- `additive_flow`, `affine_flow`, `spline_flow` and `image_flow` build whole flows; `coupling_masks`, `ResidualNetwork`
  and `ConvNetwork` are their parts. `Bijection` is what each layer is, `Chain` several of them.
"""

from vaeedu.flows.bijection import Bijection, Chain
from vaeedu.flows.builders import (
    additive_flow,
    affine_flow,
    coupling_masks,
    image_flow,
    spline_flow,
)
from vaeedu.flows.continuous import TRACES, ContinuousFlow, TimedNetwork
from vaeedu.flows.couplings import AdditiveCoupling, AffineCoupling, Coupling, SplineCoupling
from vaeedu.flows.dequantized import Dequantized
from vaeedu.flows.glow import ActNorm, InvertibleConv1x1, OnChannels, Squeeze, Unsqueeze
from vaeedu.flows.model import Flow
from vaeedu.flows.networks import ConvNetwork, ResidualNetwork
from vaeedu.flows.splines import rational_quadratic

__all__ = [
    "TRACES",
    "ActNorm",
    "AdditiveCoupling",
    "AffineCoupling",
    "Bijection",
    "Chain",
    "ContinuousFlow",
    "ConvNetwork",
    "Coupling",
    "Dequantized",
    "Flow",
    "InvertibleConv1x1",
    "OnChannels",
    "ResidualNetwork",
    "SplineCoupling",
    "Squeeze",
    "TimedNetwork",
    "Unsqueeze",
    "additive_flow",
    "affine_flow",
    "coupling_masks",
    "image_flow",
    "rational_quadratic",
    "spline_flow",
]
