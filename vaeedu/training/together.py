"""Several optimisers, or several schedulers, with the interface of one."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch


class Together:
    """Several optimisers, or schedulers, with the part of their interface that a loop and a checkpoint use."""

    def __init__(self, each: Sequence[Any]) -> None:
        self.each = tuple(each)

    def state_dict(self) -> list[dict[str, Any]]:
        """Returns the state of each."""
        return [one.state_dict() for one in self.each]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Takes over what `state_dict` returned."""
        for one, state in zip(self.each, states, strict=True):
            one.load_state_dict(state)

    def step(self) -> None:
        """Makes a step of each, in turn."""
        for one in self.each:
            one.step()


class Optimizers(Together, torch.optim.Optimizer):  # type: ignore[misc]
    """Optimisers of separate parameters as one, whose groups are theirs, one after another; it has no state of its own.

    Args:
        each: The optimisers, by the name of what they update.

    Raises:
        ValueError: Two of them update the same parameter.
    """

    def __init__(self, each: Mapping[str, torch.optim.Optimizer]) -> None:
        Together.__init__(self, list(each.values()))
        self._names = tuple(each)
        updated = [id(p) for group in self.param_groups for p in group["params"]]
        if shared := len(updated) - len(set(updated)):
            owners = ", the other the ".join(f"{name}'s" for name in each)
            raise ValueError(
                f"optimizers must update separate parameters, but share {shared}: give one the {owners}"
            )

    @property
    def param_groups(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The groups of all."""
        return [group for one in self.each for group in one.param_groups]

    @property
    def defaults(self) -> dict[str, Any]:  # type: ignore[override]
        """What tells a run from others, by whose it is."""
        return {
            f"{name} ({owner})": value
            for owner, one in zip(self._names, self.each, strict=True)
            for name, value in {**one.defaults, "kind": type(one).__name__}.items()
        }

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of all."""
        for one in self.each:
            one.zero_grad(set_to_none=set_to_none)
