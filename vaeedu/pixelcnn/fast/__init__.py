"""Drawing images the fast way: each feature is computed once, and a GPU records a row as one graph.

It knows the networks; they know nothing of it. What it draws is what `naive` draws, up to rounding.

- `rows` draws; `incremental_logits` shows that it computes what the network does.
"""

from vaeedu.pixelcnn.fast.sampler import incremental_logits, rows

__all__ = ["incremental_logits", "rows"]
