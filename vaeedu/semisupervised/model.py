"""M2: a VAE in which the class is a latent variable, too, and seen in some examples."""

from typing import cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vaeedu import require, sampling
from vaeedu.semisupervised.conditional import ConditionalVAE


class SemiSupervisedVAE(nn.Module):
    r"""The model M2: classes and styles make images, and the classes of some images are known.

    $$p(x, y, z) = p(y)\, p(z)\, p_\theta(x \mid y, z), \qquad
      q(y, z \mid x) = q_\phi(y \mid x)\, q_\phi(z \mid x, y).$$

    Train it with `semi_supervised_loss`. For a network without dropout or batch normalisation, training and evaluation
    mode are the same.

    Args:
        classifier: Maps images `(B, C, H, W)` to the logits of q(y|x), `(B, num_classes)`.
        conditional: p(x|y,z), p(z) and q(z|x,y).
        class_log_prior: log p(y), `(num_classes,)`; None is uniform.

    Raises:
        ValueError: `class_log_prior` has another shape, or its exponentials do not add up to 1.

    Reference:
        Kingma, Rezende, Mohamed and Welling (2014), Semi-supervised learning with deep generative models, eqs. 2, 4 and
        6 to 9.

    >>> from vaeedu.semisupervised import conv_classifier, mlp_conditional_vae
    >>> model = SemiSupervisedVAE(conv_classifier((1, 8, 8), 10), mlp_conditional_vae((1, 8, 8), 10))
    >>> x = torch.ones(5, 1, 8, 8)
    >>> model.labelled_bound(x, torch.arange(5)).shape, model.unlabelled_bound(x).shape, model.class_bounds(x).shape
    (torch.Size([5]), torch.Size([5]), torch.Size([5, 10]))
    """

    class_log_prior: Tensor

    def __init__(
        self, classifier: nn.Module, conditional: ConditionalVAE, *, class_log_prior: object | None = None
    ) -> None:
        super().__init__()
        self.classifier, self.conditional = classifier, conditional
        C = conditional.num_classes
        log_p = (
            torch.full((C,), 1.0 / C).log() if class_log_prior is None else torch.as_tensor(class_log_prior)
        )
        if log_p.shape != (C,) or abs(float(log_p.exp().sum()) - 1) > 1e-4:
            raise ValueError(
                f"class_log_prior must hold the logarithms of {C} probabilities that add up to 1, but has shape "
                f"{tuple(log_p.shape)} and probabilities that add up to {float(log_p.exp().sum()):.4g}: "
                "use counts.log() - counts.sum().log()"
            )
        self.register_buffer("class_log_prior", log_p.detach().clone())

    def class_log_probs(self, x: Float[Tensor, "B ..."]) -> Float[Tensor, "B C"]:
        """Computes log q(y|x) in nats, for each class."""
        logits = self.classifier(x)
        if logits.shape != (len(x), self.conditional.num_classes):
            raise ValueError(
                f"classifier must return logits of shape {(len(x), self.conditional.num_classes)}, one for each image "
                f"and class, but they have shape {tuple(logits.shape)}"
            )
        return logits.log_softmax(dim=1)

    @torch.no_grad()
    def classify(self, x: Float[Tensor, "B ..."]) -> Int64[Tensor, " B"]:
        """Returns the most probable class under q(y|x) of each image, `(B,)`."""
        return self.class_log_probs(x).argmax(dim=1)

    def labelled_bound(
        self,
        x: object,
        y: object,
        *,
        num_samples: int = 1,
        kl: str = "analytic",
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "*lead B"]:
        r"""Estimates a lower bound on log p(x, y) in nats, for images `(B, ...)` and labels `(*lead, B)`.

        $$\mathcal L(x, y) = \log p(y) + \mathbb E_{q(z \mid x, y)}[\log p(x \mid y, z)]
          - \mathrm{KL}(q(z \mid x, y) \,\|\, p(z)).$$

        Raises:
            ValueError: As `ConditionalVAE.elbo`, whose arguments these are.
        """
        bound = self.conditional.elbo(x, y, num_samples=num_samples, kl=kl, generator=generator)
        return bound + self.class_log_prior[cast(Tensor, y)]  # `elbo` has looked at y

    def class_bounds(
        self,
        x: Float[Tensor, "B ..."],
        *,
        num_samples: int = 1,
        kl: str = "analytic",
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "B C"]:
        """Estimates `labelled_bound` of each image with each class, in nats.

        Raises:
            ValueError: As `ConditionalVAE.elbo`.
        """
        y = torch.arange(self.conditional.num_classes, device=x.device)[:, None].expand(-1, len(x))  # (C, B)
        return self.labelled_bound(x, y, num_samples=num_samples, kl=kl, generator=generator).T

    def unlabelled_bound(
        self,
        x: Float[Tensor, "B ..."],
        *,
        num_samples: int = 1,
        kl: str = "analytic",
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, " B"]:
        r"""Estimates a lower bound on log p(x) in nats, with the sum over all classes done exactly.

        $$\mathcal U(x) = \sum_y q(y \mid x) \big( \mathcal L(x, y) - \log q(y \mid x) \big)
          \le \log \sum_y e^{\mathcal L(x, y)},$$

        with equality where q(y|x) is the softmax of L(x, y).

        Raises:
            ValueError: As `ConditionalVAE.elbo`.
        """
        log_q = self.class_log_probs(x)
        bounds = self.class_bounds(x, num_samples=num_samples, kl=kl, generator=generator)
        return (log_q.exp() * (bounds - log_q)).sum(dim=1)

    def sample(
        self,
        num_samples: int,
        y: object | None = None,
        *,
        mean: bool = False,
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "N ..."], Int64[Tensor, " N"]]:
        """Draws images and their classes.

        Args:
            num_samples: N.
            y: The class of all, or that of each, `(N,)`; None draws the classes from p(y).
            mean: Whether to return the mean of p(x|z,y) instead of a draw.
            generator: The source of randomness; None is torch's global one.

        Returns:
            Images, `(N, C, H, W)`, and labels, `(N,)`.

        Raises:
            ValueError: `num_samples` is no positive whole number, or a label is out of range.
        """
        N = require.positive_int("num_samples", num_samples)
        if y is None:
            labels = sampling.categorical(self.class_log_prior.exp(), (N,), generator=generator)
        else:
            labels = torch.as_tensor(y, device=self.class_log_prior.device).expand(N)
        return self.conditional.sample(N, labels, mean=mean, generator=generator), labels

    def analogies(self, x: Float[Tensor, "B ..."], y: object | None = None) -> Float[Tensor, "B C ..."]:
        """Draws every class in the style of each image: see `ConditionalVAE.analogies`.

        Args:
            x: Images, `(B, C, H, W)`.
            y: Their own labels, `(B,)`; None takes those of `classify`.
        """
        return self.conditional.analogies(x, self.classify(x) if y is None else y)
