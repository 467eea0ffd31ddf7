"""What sequence models share: an encoder that reads in both directions, and a decoder told z at every step."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Independent

from vaeedu.networks import NormalHead

State = tuple[Tensor, Tensor]


class BidirectionalEncoder(nn.Module):
    """Reads a sequence forwards and backwards, and returns q(z|x) from where both readings end.

    Args:
        num_inputs: Entries of a step.
        num_hidden: Units of each direction's LSTM.
        num_latents: K.
    """

    def __init__(self, num_inputs: int, num_hidden: int, num_latents: int) -> None:
        super().__init__()
        self.forwards = nn.LSTM(num_inputs, num_hidden, batch_first=True)
        self.backwards = nn.LSTM(num_inputs, num_hidden, batch_first=True)
        self.head = NormalHead(2 * num_hidden, (num_latents,))

    def forward(self, steps: Float[Tensor, "B T F"], lengths: Tensor) -> Independent:
        """Reads the first `lengths` steps of each sequence: the backward reading begins there, not at the padding."""
        # Packed sequences would do the same, and take twice as long on a CPU.
        n, T = lengths[:, None], int(lengths.max())
        steps = steps[:, :T]
        back = (n - 1 - torch.arange(T, device=steps.device)).clamp(min=0)  # the padding stays at the end
        reverse = steps.gather(1, back[..., None].expand_as(steps))
        last = (n - 1)[..., None].expand(-1, 1, self.forwards.hidden_size)
        ends = [
            lstm(x)[0].gather(1, last)[:, 0]
            for lstm, x in ((self.forwards, steps), (self.backwards, reverse))
        ]
        return self.head(torch.cat(ends, dim=-1))


class Decoder(nn.Module):
    """An LSTM that starts from tanh of a linear map of z, and gets z at each step beside what came before.

    Args:
        num_inputs: Entries of a step.
        num_hidden: Units of the LSTM.
        num_latents: K; 0 makes a decoder without a code, a plain autoregressive model.
        num_outputs: Numbers it gives for the next step.
    """

    def __init__(self, num_inputs: int, num_hidden: int, num_latents: int, num_outputs: int) -> None:
        super().__init__()
        self.num_latents = num_latents
        self.start = nn.Linear(num_latents, 2 * num_hidden) if num_latents else None
        self.lstm = nn.LSTM(num_inputs + num_latents, num_hidden, batch_first=True)
        self.out = nn.Linear(num_hidden, num_outputs)

    def initial(self, z: Float[Tensor, "B K"]) -> State:
        """Returns the LSTM's first state, (h, c), `(1, B, H)` each."""
        if self.start is None:
            zeros = z.new_zeros(1, len(z), self.lstm.hidden_size)
            return zeros, zeros
        h, c = self.start(z).tanh()[None].chunk(2, dim=-1)
        return h.contiguous(), c.contiguous()

    def forward(
        self, z: Float[Tensor, "B K"], steps: Float[Tensor, "B T F"], state: State
    ) -> tuple[Float[Tensor, "B T O"], State]:
        """Returns what is said of the step after each of `steps`, and the state after the last."""
        told = torch.cat([steps, z[:, None].expand(-1, steps.shape[1], -1)], dim=-1)
        h, state = self.lstm(told, state)
        return self.out(h), state
