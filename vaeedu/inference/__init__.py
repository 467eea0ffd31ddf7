"""Approximate inference: sampling from a posterior, or fitting a simpler density to it.

- `metropolis_hastings` and `gibbs` run many Markov chains at once; `gaussian_conditionals` and
  `NormalGamma.conditionals` feed the latter.
- `split_r_hat`, `effective_sample_size` and `standard_error` say what the chains are worth.
- `coordinate_ascent` fits factorised posteriors to a `GaussianTarget`, a `NormalGammaModel` or a `BayesianMixture`.
- `black_box_vi` needs no more than log p(x, z), by gradients of `elbo_samples`.
- `em` fits a `GaussianMixture` by maximum likelihood; `q_function` and `em_step` are its two halves.
- `NormalGamma` is the conjugate model with everything in closed form, to measure the others against.
"""

from vaeedu.inference.bayesian_mixture import BayesianMixture, MixtureFactors
from vaeedu.inference.black_box import BlackBoxFit, black_box_vi, elbo_samples
from vaeedu.inference.conjugate import NormalGamma
from vaeedu.inference.diagnostics import effective_sample_size, split_r_hat, standard_error
from vaeedu.inference.mcmc import (
    Chains,
    acceptance_probability,
    gaussian_conditionals,
    gibbs,
    metropolis_hastings,
)
from vaeedu.inference.mean_field import (
    GaussianTarget,
    NormalGammaFactors,
    NormalGammaModel,
    coordinate_ascent,
)
from vaeedu.inference.mixtures import (
    GaussianMixture,
    em,
    em_step,
    q_function,
)

__all__ = [
    "BayesianMixture",
    "BlackBoxFit",
    "Chains",
    "GaussianMixture",
    "GaussianTarget",
    "MixtureFactors",
    "NormalGamma",
    "NormalGammaFactors",
    "NormalGammaModel",
    "acceptance_probability",
    "black_box_vi",
    "coordinate_ascent",
    "effective_sample_size",
    "elbo_samples",
    "em",
    "em_step",
    "gaussian_conditionals",
    "gibbs",
    "metropolis_hastings",
    "q_function",
    "split_r_hat",
    "standard_error",
]
