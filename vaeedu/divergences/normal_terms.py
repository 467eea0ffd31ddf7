"""KL(q ‖ p) of univariate Gaussians from tensors of one shape, without a look at them: what all closed forms share."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu.divergences.gap import NEAR, gap_near_one


def normal_terms(
    loc_q: Float[Tensor, "*q"],
    scale_q: Float[Tensor, "*s"],
    loc_p: Float[Tensor, "*p"],
    scale_p: Float[Tensor, "*t"],
) -> Float[Tensor, "*shape"]:
    r"""Computes KL(q ‖ p) elementwise, to the last digits also where q is nearly p.

    With the deviations in units of σ_p, $d = (\mu_q - \mu_p) / \sigma_p$ and $u = (\sigma_q - \sigma_p) / \sigma_p$,

    $$\mathrm{KL}(q \,\|\, p) = \tfrac12 (d^2 + u^2) + \big(u - \ln(1 + u)\big).$$

    No term is negative, so nothing cancels but in the last one, and there `gap_near_one` has the digits. The
    derivatives, which are simpler than the value, are written out:

    $$\frac{\partial}{\partial \mu_q} = \frac{d}{\sigma_p}, \qquad
      \frac{\partial}{\partial \sigma_q} = \frac{u (2 + u)}{\sigma_q}, \qquad
      \frac{\partial}{\partial \sigma_p} = -\frac{u (2 + u) + d^2}{\sigma_p}.$$

    Args:
        loc_q: Means μ_q.
        scale_q: Standard deviations σ_q.
        loc_p: Means μ_p.
        scale_p: Standard deviations σ_p. The four broadcast.

    Returns:
        The divergences in nats, NaN or infinite where an argument is: who trains can then say at which step.
    """
    return _NormalTerms.apply(*torch.broadcast_tensors(loc_q, scale_q, loc_p, scale_p))[0]


class _NormalTerms(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(
        mu_q: Tensor, sigma_q: Tensor, mu_p: Tensor, sigma_p: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        u, d = _deviations(mu_q, sigma_q, mu_p, sigma_p)
        # The roots' quotient neither underflows nor overflows, whatever the scales.
        far = torch.sub(u, (sigma_q.sqrt() / sigma_p.sqrt()).log(), alpha=2)
        gap = torch.where(u.abs() < NEAR, gap_near_one(u), far)
        return gap.add(u.square() + d.square(), alpha=0.5), u, d

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*inputs, *output[1:])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        mu_q, sigma_q, mu_p, sigma_p, u, d = ctx.saved_tensors
        if torch.is_grad_enabled():  # for a second derivative, which asks what u and d come from
            u, d = _deviations(mu_q, sigma_q, mu_p, sigma_p)
        grad, needed = grads[0], ctx.needs_input_grad
        if grad is None:
            return None, None, None, None
        by_loc = grad * d / sigma_p
        squares = u * (2 + u)  # r² − 1
        return (
            by_loc if needed[0] else None,
            grad * squares / sigma_q if needed[1] else None,
            -by_loc if needed[2] else None,
            -grad * (squares + d.square()) / sigma_p if needed[3] else None,
        )


def _deviations(mu_q: Tensor, sigma_q: Tensor, mu_p: Tensor, sigma_p: Tensor) -> tuple[Tensor, Tensor]:
    return (sigma_q - sigma_p) / sigma_p, (mu_q - mu_p) / sigma_p
