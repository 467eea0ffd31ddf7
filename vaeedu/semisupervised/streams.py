"""Two streams of examples, with labels and without, for a training loop that knows of one."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaeedu import require, sampling
from vaeedu.semisupervised.model import SemiSupervisedVAE


class LabelledStream:
    """Adds labelled examples to each batch of unlabelled ones: a `transform` for `vaeedu.training.fit`.

    `fit` goes through the images without labels, epoch by epoch. To each batch this adds images with labels, drawn by
    index, with replacement: there are few of them, and each is seen many times an epoch. The loss gets
    `(x, x_labelled, y)`.

    Args:
        x: Images that have labels, `(N, C, H, W)`.
        y: Their labels, `(N,)`, int64.
        batch_size: How many are drawn for each batch; None draws as many as the batch has, as microbatches ask for.
        prepare: `prepare(x, generator=…)` is applied to images of both streams: a binarisation, say.

    Raises:
        ValueError: There is no image, or not one label for each.

    >>> stream = LabelledStream(torch.ones(3, 1, 8, 8), torch.tensor([0, 1, 2]), batch_size=5)
    >>> [part.shape[0] for part in stream(torch.zeros(4, 1, 8, 8), generator=sampling.seeded(0))]
    [4, 5, 5]
    """

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        *,
        batch_size: int | None = None,
        prepare: Callable[..., Tensor] | None = None,
    ) -> None:
        if len(x) == 0 or y.shape != (len(x),) or y.dtype != torch.int64:
            raise ValueError(
                f"y must hold an int64 label for each of at least one image, but x has {len(x)} images, and y has "
                f"shape {tuple(y.shape)} and dtype {y.dtype}"
            )
        self.x, self.y, self.prepare = x, y, prepare
        self.batch_size = None if batch_size is None else require.positive_int("batch_size", batch_size)

    def __call__(self, x: Tensor, *, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the batch, as many labelled images as asked for, and their labels."""
        if self.x.device != x.device:  # data move with `fit`
            self.x, self.y = self.x.to(x.device), self.y.to(x.device)
        B = len(x) if self.batch_size is None else self.batch_size
        index = sampling.integers((B,), len(self.x), generator=generator).to(x.device)
        labelled = self.x[index]
        if self.prepare is not None:
            x, labelled = self.prepare(x, generator=generator), self.prepare(labelled, generator=generator)
        return x, labelled, self.y[index]


def semi_supervised_loss(
    model: SemiSupervisedVAE,
    *,
    labelled_weight: float,
    classifier_weight: float,
    num_samples: int = 1,
) -> Callable[..., Tensor]:
    r"""Makes the loss of M2 for `vaeedu.training.fit`, on batches from `LabelledStream`.

    $$-\frac1B \sum_b \mathcal U(x_b) - w \, \frac1M \sum_m \mathcal L(x_m, y_m)
      - a \, \frac1M \sum_m \log q(y_m \mid x_m).$$

    With $w = N_L / N_U$, the labelled images for each unlabelled one, and $a = \alpha w$ this estimates
    $-\tilde{\mathcal J} / N_U$, where $\tilde{\mathcal J} = \sum_{\text{labelled}} (\mathcal L + \alpha \log q)
    + \sum_{\text{unlabelled}} \mathcal U$. A greater w lets few labels weigh more against many images without. The
    paper's α multiplies a mean over the labelled images, and is 0.1 times the number of images: about a = 0.1.

    Args:
        model: What is trained.
        labelled_weight: w ≥ 0.
        classifier_weight: a ≥ 0. With 0, q(y|x) learns nothing from the labels.
        num_samples: Draws of z for each image and class.

    Returns:
        `loss(x, x_labelled, y, generator=…)`, a scalar, in nats for each unlabelled image.

    Raises:
        ValueError: A weight is negative or not finite, or `num_samples` is no positive whole number.

    Reference:
        Kingma, Rezende, Mohamed and Welling (2014), Semi-supervised learning with deep generative models, eq. 9.
    """
    w = require.non_negative_float("labelled_weight", labelled_weight)
    a = require.non_negative_float("classifier_weight", classifier_weight)
    S = require.positive_int("num_samples", num_samples)

    def loss(x: Tensor, x_labelled: Tensor, y: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        unlabelled = model.unlabelled_bound(x, num_samples=S, generator=generator)
        labelled = model.labelled_bound(x_labelled, y, num_samples=S, generator=generator)
        log_q = model.class_log_probs(x_labelled).gather(1, y[:, None])
        return -unlabelled.mean() - w * labelled.mean() - a * log_q.mean()

    return loss
