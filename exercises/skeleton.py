"""TITLE.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks. A small exercise that works is here for a start: replace it.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong

# 1 ------------------------------------------------------------------------------------------------- log-sum-exp


def log_sum_inputs(case, rng):
    """Log-weights, whose spread the case says: called with other seeds when work is graded."""
    return {"a": case["spread"] * rng.standard_normal((case["N"], case["K"]))}


def log_sum(a):
    top = a.max(dim=1, keepdim=True).values
    return top[:, 0] + (a - top).exp().sum(dim=1).log()


def log_sum_torch(a):
    return torch.logsumexp(a, dim=1)


def log_sum_numpy(a):
    return np.logaddexp.reduce(a.numpy(), axis=1)


def log_sum_loops(a):
    tops = [max(row) for row in a.tolist()]
    return [t + math.log(sum(math.exp(v - t) for v in row)) for t, row in zip(tops, a.tolist(), strict=True)]


def log_sum_mean(a):
    return torch.logsumexp(a, dim=1) - math.log(a.shape[1])


def log_sum_of_columns(a):
    return torch.logsumexp(a, dim=0)


def log_sum_naive(a):
    return a.exp().sum(dim=1).log()


def log_sum_one_top(a):
    return a.max() + (a - a.max()).exp().sum(dim=1).log()


LOG_SUM = Exercise(
    name="log_sum",
    outputs=(Output("log_sum", ("N",)),),
    points={"visible": 1, "hidden": 2},
    make_inputs=log_sum_inputs,
    # Visible and hidden cases differ in shape, and a size of 1 is among them. The hidden ones ask for more.
    cases={
        "visible": ({"N": 4, "K": 3, "spread": 2.0}, {"N": 1, "K": 5, "spread": 2.0}),
        "hidden": ({"N": 6, "K": 2, "spread": 1500.0}, {"N": 1, "K": 4, "spread": 1500.0}),
    },
    reference=log_sum,
    # The mistakes that students make. A message names the idea that is wrong; it does not give the solution away.
    wrong=(
        Wrong(
            log_sum_mean,
            "You took the logarithm of a mean: a log K is missing. The exercise asks for log Σ exp(a), with a sum "
            "over the K entries of a row.",
        ),
        Wrong(
            log_sum_of_columns,
            "You summed over the rows. Examples are rows, so there is one result for each row: sum over its entries.",
        ),
        Wrong(
            log_sum_naive,
            "exp of a large number is infinite, and of a small one 0. Take the largest entry of each row out of the "
            "sum before exp, and add it again after the logarithm.",
            loses=("hidden",),
        ),
        Wrong(
            log_sum_one_top,
            "You took the same number out of every row. Where a row is far below the largest of all entries, every "
            "exp is 0: each row needs its own largest entry.",
            loses=("hidden",),
        ),
    ),
    alternatives=(log_sum_torch, log_sum_numpy, log_sum_loops),
    # So that a log K shows beside entries in the thousands; float32 passes.
    tolerance=1e-6,
)

# The library's modules that are absent while this is graded, because they hold what students are asked to write.
SEALED = ()

EXERCISES = (LOG_SUM,)
