"""WaveNet: exact likelihoods of sound, one sample after another, and a sampler whose cost does not grow.

- `WaveNet` stacks `GatedUnit`s, each a dilated `CausalConv1d` with a gate, a residual and a skip output.
- `receptive_field` is the formula of how far back such a stack looks.
- `NGram` counts: what 0, 1 or 2 samples back are worth.
- `incremental_logits` shows that the cached sampler computes what the network does.

Sound is whole numbers 0, …, L − 1 (see `vaeedu.audio`), `(B, T)`; log-probabilities are `(B,)`, in nats.
"""

from vaeedu.wavenet.fast import incremental_logits
from vaeedu.wavenet.layers import CausalConv1d, GatedUnit, receptive_field
from vaeedu.wavenet.model import WaveNet
from vaeedu.wavenet.ngram import NGram

__all__ = ["CausalConv1d", "GatedUnit", "NGram", "WaveNet", "incremental_logits", "receptive_field"]
