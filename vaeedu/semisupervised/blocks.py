"""Separate VAEs, one a class, written as one conditional VAE: a conditional model can be no worse."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vaeedu.semisupervised.conditional import ConditionalVAE

# A hidden unit of another class is switched off by this bias: what a ReLU gets is then below 0, whatever x is.
_OFF = -1e4


@torch.no_grad()
def join_by_blocks(separate: Sequence[ConditionalVAE], joint: ConditionalVAE) -> ConditionalVAE:
    """Sets the weights of a conditional VAE so that for class c it is the c-th of several separate models.

    Its hidden layer has a block for each class and one unit more for each. The bias that class c chooses switches the
    other blocks off; the extra unit is 1 for its own class, and carries what is the bias of the last layer.

    Args:
        separate: A model for each of C classes, by `mlp_conditional_vae(…, num_classes=1, num_hidden=(H,))`, with ReLU,
            all of one shape.
        joint: One by `mlp_conditional_vae(…, num_classes=C, num_hidden=(C * (H + 1),))`, with ReLU.

    Returns:
        `joint`, changed in place.

    Raises:
        ValueError: The sizes do not fit.

    >>> from vaeedu.semisupervised import mlp_conditional_vae
    >>> parts = [mlp_conditional_vae((1, 4, 4), 1, num_latents=2, num_hidden=(3,)) for _ in range(2)]
    >>> whole = join_by_blocks(parts, mlp_conditional_vae((1, 4, 4), 2, num_latents=2, num_hidden=(8,)))
    >>> z = torch.zeros(5, 2)
    >>> one = parts[1].likelihood(z, torch.zeros(5).long()).mean
    >>> torch.allclose(whole.likelihood(z, torch.ones(5).long()).mean, one, atol=1e-6)
    True
    """
    for part in ("encoder", "decoder"):
        models = [getattr(model, part) for model in separate]
        first = [_linear(model.body) for model in models]
        last = [_linear(model.rest) for model in models]
        C, H = len(models), first[0].out_features
        whole = getattr(joint, part)
        if whole.of_class.weight.shape != (C, C * (H + 1)):
            raise ValueError(
                f"joint must have {C} classes and {C} × ({H} + 1) = {C * (H + 1)} hidden units, but has "
                f"{whole.of_class.num_embeddings} and {whole.of_class.embedding_dim}"
            )
        switches = torch.eye(C).repeat_interleave(H, dim=1)  # (C, C·H): 1 in the class's own block
        biases = torch.cat([a.bias + m.of_class.weight[0] for a, m in zip(first, models, strict=True)])
        _set(
            whole.of_class.weight, torch.cat([biases * switches + _OFF * (1 - switches), torch.eye(C)], dim=1)
        )
        into = _linear(whole.body)
        _set(into.weight, torch.cat([*(a.weight for a in first), into.weight.new_zeros(C, into.in_features)]))
        nn.init.zeros_(into.bias)
        out = _linear(whole.rest)
        _set(
            out.weight, torch.cat([*(b.weight for b in last), torch.stack([b.bias for b in last], 1)], dim=1)
        )
        nn.init.zeros_(out.bias)
    return joint


def _linear(network: nn.Module) -> nn.Linear:
    """The one linear layer of a network."""
    (layer,) = (module for module in network.modules() if isinstance(module, nn.Linear))
    return layer


def _set(parameter: Tensor, value: Tensor) -> None:
    parameter.copy_(value.to(parameter))
