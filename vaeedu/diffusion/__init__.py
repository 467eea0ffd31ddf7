"""Diffusion: a deep latent variable model whose encoder, adding noise, is fixed; and flow matching.

- `Schedule` says how much noise each step has; `Diffusion` has the bound, `elbo`, and `sample`.
- Denoisers say what x_0 is expected to be: `NoisePrediction` and `VelocityPrediction` ask a network for ε or v,
  `BayesDenoiser` for the levels that the context makes probable; `linear_gaussian_denoiser` is exact.
- `LevelBelief` and `nearest_level` are distributions over levels; `levels_to_values` maps levels into [−1, 1].
- `ResidualMLP`, `UNet` and `FromMarginals` are networks that know the level of noise.
- `FlowMatching` learns the velocity along straight paths; `integrate` walks, `GaussianVelocity` is exact.
"""

from vaeedu.diffusion.denoisers import (
    BayesDenoiser,
    LinearGaussianDenoiser,
    NoisePrediction,
    VelocityPrediction,
    data_from_noise,
    data_from_velocity,
    linear_gaussian_denoiser,
    noise_from_data,
    velocity_from_data,
)
from vaeedu.diffusion.levels import LevelBelief, levels_to_values, nearest_level, values_to_levels
from vaeedu.diffusion.matching import FlowMatching, GaussianVelocity, integrate, straight_path
from vaeedu.diffusion.model import Diffusion, DiffusionTerms
from vaeedu.diffusion.networks import FromMarginals, ResidualMLP, UNet
from vaeedu.diffusion.schedule import Schedule

__all__ = [
    "BayesDenoiser",
    "Diffusion",
    "DiffusionTerms",
    "FlowMatching",
    "FromMarginals",
    "GaussianVelocity",
    "LevelBelief",
    "LinearGaussianDenoiser",
    "NoisePrediction",
    "ResidualMLP",
    "Schedule",
    "UNet",
    "VelocityPrediction",
    "data_from_noise",
    "data_from_velocity",
    "integrate",
    "levels_to_values",
    "linear_gaussian_denoiser",
    "nearest_level",
    "noise_from_data",
    "straight_path",
    "values_to_levels",
    "velocity_from_data",
]
