"""Monte Carlo estimators of ∇ E_q[f(z)] with respect to the parameters of q.

All take `(f, make_distribution, params, num_samples, *, generator)` and return a tuple with one tensor a parameter,
of per-sample gradients `(S, *param.shape)`: their mean over S is the estimate, their spread says how good it is.

- `make_distribution(*params)` returns one of torch's distributions.
- `f` takes draws `(N, *batch_shape, *event_shape)` and returns one value for each distribution of the batch,
  `(N, *batch_shape)`, the shape of `log_prob`. N is `num_samples` or another number of draws; they do not influence
  each other. Where `batch_shape` is not empty, value b may depend on z_b alone, and what is differentiated is the sum
  over the batch. A function that mixes the entries of z takes an `Independent` distribution, whose entries are one
  event.

| estimator | asks of f | asks of q | unbiased |
|---|---|---|---|
| `score_function_gradients` | nothing | a differentiable log_prob | yes |
| `pathwise_gradients` | a derivative | z = g(params, ε) | yes |
| `measure_valued_gradients` | nothing; 2 D evaluations | Normal or Bernoulli | yes |
| `enumerated_gradients` | nothing | few outcomes | exact |
| `gumbel_softmax_gradients` | a derivative, between the outcomes too | one-hot or Bernoulli | no |

Reference: Mohamed, Rosca, Figurnov and Mnih (2020), Monte Carlo Gradient Estimation in Machine Learning, JMLR 21.
"""

from vaeedu.gradients.discrete import enumerated_gradients, gumbel_softmax_gradients
from vaeedu.gradients.measure_valued import measure_valued_gradients
from vaeedu.gradients.pathwise import pathwise_gradients
from vaeedu.gradients.report import VarianceReport, variance_report
from vaeedu.gradients.score_function import ControlVariate, score_function_gradients

__all__ = [
    "ControlVariate",
    "VarianceReport",
    "enumerated_gradients",
    "gumbel_softmax_gradients",
    "measure_valued_gradients",
    "pathwise_gradients",
    "score_function_gradients",
    "variance_report",
]
