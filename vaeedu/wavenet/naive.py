"""Drawing sounds the naive way: the whole network over all that it can see, again for every sample."""

from collections.abc import Iterator

from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from vaeedu.networks.autoregressive import invert_cumulative
from vaeedu.wavenet.network import Network


def samples(
    model: Network,
    y: Int64[Tensor, " N"] | None,
    u: Float[Tensor, "N T"],
    levels: Int64[Tensor, "N T"],
    num_known: int,
) -> Iterator[int]:
    """Draws one sample of each sound at a time into `levels`, and yields its index.

    Args:
        model: A WaveNet.
        y: Checked labels.
        u: Uniform numbers, one for every sample.
        levels: What is drawn; the first `num_known` samples are kept.
        num_known: How many samples are known.
    """
    field = model.receptive_field
    for t in range(levels.shape[1]):
        if t >= num_known:
            # Sample t itself is 0 as yet; the shift leaves it out. What lies before the window is not seen.
            window = levels[:, max(0, t - field) : t + 1]
            h = functional.embedding(window, model.table()).transpose(1, 2)
            probs = model.network(h, y)[:, :, -1].softmax(dim=1)
            levels[:, t] = invert_cumulative(probs, u[:, t])
        yield t
