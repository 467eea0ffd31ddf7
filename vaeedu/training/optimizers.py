"""Muon: steps that go equally far along all directions of a gradient matrix."""

from collections.abc import Callable, Iterable
from functools import lru_cache

import torch
from torch import Tensor, nn

from vaeedu import require
from vaeedu.training.devices import has_bfloat16
from vaeedu.training.together import Optimizers

# Five iterations of X ← aX + b(XXᵀ)X + c(XXᵀ)²X, and the coefficients that grow small singular values fastest.
_ITERATIONS, _A, _B, _C = 5, 3.4445, -4.7750, 2.0315


def muon(model: nn.Module, lr: float) -> torch.optim.Optimizer:
    r"""Makes an optimiser that updates a model's weights by Muon, and its biases by Adam.

    With the gradient $G_t$ of a matrix $W$ of shape (m, n), and the rate η,

    $$B_t = \mu B_{t-1} + G_t, \qquad G_t + \mu B_t = U S V^\top, \qquad
      W_t = W_{t-1} - 0.2\, \eta \sqrt{\max(m, n)}\; U V^\top.$$

    All directions of the gradient move by the same amount, the weak ones too; Adam does that for single entries. The
    factor gives an update about the root mean square that Adam's has in the middle of a run, so that one η does for
    both. μ is 0.95, and no weights decay. A convolution's weights count as a matrix with a row for each output channel.

    UVᵀ is what `orthogonalised` makes of it. That costs about as much as the gradients of four examples for each row
    or column of the matrix, whichever are fewer: a step takes longer than Adam's, and fewer are needed.

    Args:
        model: Whose parameters that ask for a gradient are updated.
        lr: η.

    Returns:
        One optimiser for `fit`.

    Raises:
        ValueError: The model has no weights to train, or the rate is not positive.

    Reference:
        Jordan et al. (2024), Muon: An optimizer for hidden layers in neural networks; Liu et al. (2025), Muon is
        scalable for LLM training, for the factor.

    >>> import torch
    >>> layer = torch.nn.Linear(3, 2)
    >>> _ = torch.nn.init.zeros_(layer.weight)
    >>> optimizer = muon(layer, lr=0.1)
    >>> layer(torch.eye(3)[:2]).diag().sum().backward()  # the gradient is 1 on the diagonal, and 0 elsewhere
    >>> optimizer.step()
    >>> bool((layer.weight.diag() < -0.02).all()), bool((layer.weight[:, 2] == 0).all())
    (True, True)
    """
    require.positive_float("lr", lr)
    trained = [p for p in model.parameters() if p.requires_grad]
    weights = [p for p in trained if p.ndim >= 2]
    if not weights:
        shapes = ", ".join(str(tuple(p.shape)) for p in trained[:4])
        raise ValueError(f"model must have weights of two or more axes, but has {shapes or 'none'}: use Adam")
    each: dict[str, torch.optim.Optimizer] = {"weights": _Muon(weights, lr)}
    if biases := [p for p in trained if p.ndim < 2]:
        each["biases"] = torch.optim.Adam(biases, lr=lr, fused=True)
    return Optimizers(each)


class _Muon(torch.optim.Optimizer):
    """`torch.optim.Muon` with `adjust_lr_fn="match_rms_adamw"`, which computes in bfloat16 even where it is emulated.

    There (without AVX-512, say) its step takes thirteen times as long as in float32: measured for 200 × 784.
    """

    def __init__(self, weights: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(weights, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Updates all weights that have a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._update(weight, group["lr"], group["momentum"])

    def _update(self, weight: Tensor, lr: float, mu: float) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        B = state["momentum"].mul_(mu).add_(weight.grad)
        direction = orthogonalised((weight.grad + mu * B).flatten(1))
        weight.sub_(direction.reshape(weight.shape), alpha=0.2 * lr * max(direction.shape) ** 0.5)


def orthogonalised(G: Tensor) -> Tensor:
    r"""Returns about UVᵀ for a matrix G = USVᵀ: the same directions, with singular values between about 0.7 and 1.2.

    It is five Newton–Schulz iterations from G/‖G‖: X ← aX + b(XXᵀ)X + c(XXᵀ)²X leaves U and V as they are and maps
    every singular value s to as + bs³ + cs⁵. Where a processor or GPU multiplies in bfloat16 it is done in bfloat16;
    emulated, that would take many times as long as float32. Singular values below 0.001 of G's norm are still small
    in the end.

    Args:
        G: (m, n).

    Returns:
        (m, n), of G's dtype.
    """
    X = G.bfloat16() if G.dtype == torch.float32 and _fast_in_bfloat16(G.device) else G
    X = X if len(G) <= G.shape[1] else X.T  # so that XXᵀ is the smaller of the two
    X = X / X.norm().clamp(min=1e-7)
    for _ in range(_ITERATIONS):
        A = X @ X.T
        X = torch.addmm(X, torch.addmm(A, A, A, beta=_B, alpha=_C), X, beta=_A)
    return (X if len(G) <= G.shape[1] else X.T).to(G.dtype)


@lru_cache
def _fast_in_bfloat16(device: torch.device) -> bool:
    with torch.enable_grad():  # it looks at a backward pass, too
        return has_bfloat16(device)
