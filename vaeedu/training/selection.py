"""Which epoch was the best, and whether a better one is still to be expected."""

import math
from collections.abc import Callable
from typing import Any

import torch

from vaeedu import require
from vaeedu.training.devices import Team
from vaeedu.training.history import History
from vaeedu.training.recovery import State, copy_tree


class Selection:
    """Validates after each epoch, and with patience keeps the best weights.

    Args:
        validate: Or None. See `fit`.
        patience: Or None. See `fit`.

    Attributes:
        best: The best weights so far; None without patience.

    Raises:
        ValueError: `patience` is not as described.
    """

    def __init__(self, validate: Callable[[], float] | None, patience: int | None) -> None:
        if patience is not None:
            require.positive_int("patience", patience)
            if validate is None:
                raise ValueError(
                    f"patience must be None without validate, but is {patience}: pass validate as well"
                )
        self._validate, self._patience = validate, patience
        self.best: dict[str, Any] | None = None

    def note(self, state: State, team: Team) -> None:
        """Validates the weights, and notes the value; process 0's counts."""
        if self._validate is None:
            return
        model, history = state.model, state.history
        model.eval()
        with torch.no_grad():
            value = team.share_number(float(self._validate()))
        model.train()
        lowest = math.inf if history.best_epoch is None else history.validation[history.best_epoch]
        if value < lowest:
            history.best_epoch = len(history.validation)
            if self._patience is not None:
                self.best = copy_tree(dict(model.state_dict()), into=self.best)
        history.validation.append(value)

    def is_over(self, history: History) -> bool:
        """Whether patience has run out."""
        best = -1 if history.best_epoch is None else history.best_epoch
        return self._patience is not None and len(history.validation) - 1 - best >= self._patience

    def restore(self, state: State) -> None:
        """Leaves the model with the best weights, where there is patience."""
        if self._patience is not None and self.best is not None:
            state.model.load_state_dict(self.best)
