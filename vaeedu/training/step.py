"""One step of training: a batch, its loss, the gradient, the update."""

from torch import Tensor, nn

from vaeedu.training.batches import as_batch, take
from vaeedu.training.devices import Team
from vaeedu.training.history import History
from vaeedu.training.objective import Objective
from vaeedu.training.recovery import Interrupt, State
from vaeedu.training.task import Task


class Step:
    """Makes the steps of an epoch, one after another: call it with the indices of a batch.

    Args:
        task: What is trained, and on what.
        objective: Its loss, as it is computed here.
        state: Where the run stands.
        team: The processes that share each batch.
        interrupt: Ctrl-C in this process, of which the others must learn.
    """

    def __init__(
        self, task: Task, objective: Objective, state: State, team: Team, interrupt: Interrupt
    ) -> None:
        self.task, self.state, self.team, self.interrupt = task, state, team, interrupt
        self._objective = objective
        self._parameters = [p for p in task.model.parameters() if p.requires_grad]

    def __call__(self, index: Tensor) -> None:
        """Updates the weights by one batch: the examples `index`, `(B,)`, of which the team's processes share."""
        task, state, part = self.task, self.state, self.team.part(len(index))
        generator = self.team.generator(state.generators[0], state.seed, state.num_steps)
        batch = take(task.data, index[part.start : part.stop])
        if task.transform is not None:
            batch = as_batch(task.transform(*batch, generator=generator))

        task.optimizer.zero_grad(set_to_none=True)
        loss = self._objective.backward(batch, generator)
        record = state.records[state.step]
        if self.team.size > 1:
            loss, record[2] = self.team.add_up(self._parameters, part.weight, loss, self.interrupt.pressed)
        record[0] = loss
        if task.max_grad_norm is not None:
            record[1] = nn.utils.clip_grad_norm_(self._parameters, task.max_grad_norm)
        task.optimizer.step()
        state.step += 1

    def note(self, history: History) -> None:
        """Adds the epoch's means to the history."""
        loss, norm, _ = self.task.mean(self.state.records)
        history.loss.append(loss)
        if self.task.max_grad_norm is not None:
            history.gradient_norm.append(norm)
