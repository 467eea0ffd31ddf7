"""The progress bar: how far, how fast, and at which loss."""

from typing import Any


class Bar:
    """A bar over all the examples of a run, or nothing.

    In a notebook it is a widget, in a terminal a line; its rate is in examples per second.
    """

    def __init__(self, shown: bool, num_examples: int, epochs: int, *, done: int) -> None:
        from tqdm.auto import tqdm

        self._epochs = epochs
        self._bar: Any = tqdm(
            total=num_examples * epochs,
            initial=done,
            disable=not shown,
            unit=" images",
            unit_scale=True,
            mininterval=0.2,
        )

    def epoch(self, epoch: int) -> None:
        """Names the epoch under way, counted from 1 as people do."""
        self._bar.set_description(f"epoch {epoch + 1}/{self._epochs}", refresh=False)

    def advance(self, num_examples: int) -> None:
        """Moves on."""
        self._bar.update(num_examples)

    def loss(self, mean: float) -> None:
        """Shows the mean loss of the epoch so far."""
        self._bar.set_postfix_str(f"loss {mean:.4g}", refresh=False)

    def close(self) -> None:
        """Leaves the bar as it is."""
        self._bar.close()
