"""Drawing sounds the fast way: each feature is computed once, and waits in a queue until it is needed again.

A unit with dilation d needs its inputs at times t, t − d, …, t − (k − 1) d. All but the newest were computed before.
They lie in a table of d rows and k blocks: time t goes to row t mod d, there to block (t div d) mod k, over the input
of time t − k d, which no one needs any more. So a row holds just what the unit needs at t, side by side, for one
product; the blocks' order goes round, and the weights' with it. Nothing is moved, and a step's work does not depend
on t: hence the constant cost a sample.

Gates are computed as the PixelCNN's cached sampler does, see `negated_gate`.
"""

from collections.abc import Iterator
from typing import cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vaeedu.networks.autoregressive import invert_cumulative, negated_gate
from vaeedu.wavenet.layers import GatedUnit
from vaeedu.wavenet.network import Network


def samples(
    model: Network,
    y: Int64[Tensor, " N"] | None,
    u: Float[Tensor, "N T"],
    levels: Int64[Tensor, "N T"],
    num_known: int,
) -> Iterator[int]:
    """Draws one sample of each sound at a time into `levels`, and yields its index. Arguments as in `naive.samples`."""
    program = _Program(model, y, len(levels))
    for t in range(levels.shape[1]):
        logits = program.step(t, levels[:, t - 1] if t > 0 else None)
        if t >= num_known:
            levels[:, t] = invert_cumulative(logits.softmax(dim=1), u[:, t])
        yield t


@torch.inference_mode()
def incremental_logits(
    model: Network, x: Int64[Tensor, "B T"], y: Int64[Tensor, " B"] | None = None
) -> Float[Tensor, "B L T"]:
    """Computes `model.logits` the way the cached sampler does, on given sounds: the two must agree.

    Args:
        model: A WaveNet.
        x: Levels, `(B, T)`.
        y: Labels, or None.

    Returns:
        What `model.logits(x, y)` returns, up to rounding.
    """
    program = _Program(model, y, len(x))
    steps = [program.step(t, x[:, t - 1] if t > 0 else None).clone() for t in range(x.shape[1])]
    return torch.stack(steps, dim=2)


class _Program:
    """A step of the network, laid out once for n sounds."""

    def __init__(self, model: Network, y: Tensor | None, n: int) -> None:
        self.table = model.table().detach()
        units = cast("list[GatedUnit]", list(model.units))
        F, S = units[0].conv.in_channels, units[0].skip.out_channels
        like = self.table
        self.queues = [_Queue(unit, n) for unit in units]
        self.gates, self.with_one = like.new_zeros(n, 2 * F), like.new_ones(n, F + 1)
        self.gated = self.with_one[:, :F]
        self.a, self.b = self.gates.chunk(2, dim=1)
        # One row of numbers for the stream and the skipped features: one product adds to both.
        self.out = like.new_zeros(n, F + S)
        self.stream, self.skipped = self.out[:, :F], self.out[:, F:]
        double = torch.ones_like(self.gates[0])
        double[:F] = 2  # tanh(a) is computed from σ(2a)
        self.weights = [
            queue.rotated_weights(unit.conv, double) for queue, unit in zip(self.queues, units, strict=True)
        ]
        self.biases, self.into_out = [], []
        for unit in units:
            bias = cast("Tensor", unit.conv.bias)
            shift = bias if unit.label is None or y is None else bias + unit.label(y)
            self.biases.append((shift * double).detach().expand(n, 2 * F).contiguous())
            weight = torch.cat([unit.residual.weight, unit.skip.weight])[:, :, 0]
            out_bias = torch.cat([_bias(unit.residual), _bias(unit.skip)])
            # Gated features are held negated; the bias is the row of the constant 1 behind them.
            self.into_out.append(torch.cat([-weight.T.detach(), out_bias[None]]))
        self.units = list(zip(self.queues, self.weights, self.biases, self.into_out, strict=True))
        first, second = cast("nn.Conv1d", model.head[1]), cast("nn.Conv1d", model.head[3])
        self.head = [(_bias(conv), conv.weight[:, :, 0].T.detach().contiguous()) for conv in (first, second)]

    def step(self, t: int, previous: Tensor | None) -> Float[Tensor, "N L"]:
        """Computes the logits of sample t from the one before; t counts up from 0."""
        self.out.zero_()
        if previous is not None:
            self.stream.copy_(self.table[previous])
        for queue, weights, bias, into_out in self.units:
            window, block = queue.push(t, self.stream)
            torch.addmm(bias, window, weights[block], out=self.gates).sigmoid_()
            negated_gate(self.a, self.b, out=self.gated)
            self.out.addmm_(self.with_one, into_out)
        (bias_1, W_1), (bias_2, W_2) = self.head
        hidden = torch.addmm(bias_1, self.skipped.relu(), W_1).relu_()
        return torch.addmm(bias_2, hidden, W_2)


class _Queue:
    """A unit's inputs of the last k d times: `(d, n, k F)`."""

    def __init__(self, unit: GatedUnit, n: int) -> None:
        conv = unit.conv
        (self.k,), (self.d,), F = conv.kernel_size, conv.dilation, conv.in_channels
        table = conv.weight.new_zeros(self.d, n, self.k * F).detach()
        self.rows = list(table.unbind())
        self.blocks = [[row[:, i * F : (i + 1) * F] for i in range(self.k)] for row in self.rows]

    def push(self, t: int, h: Float[Tensor, "N F"]) -> tuple[Float[Tensor, "N kF"], int]:
        """Takes the input of time t in; returns all that the unit needs at t, and in which block the newest is."""
        row, block = t % self.d, t // self.d % self.k
        self.blocks[row][block].copy_(h)
        return self.rows[row], block

    def rotated_weights(self, conv: nn.Conv1d, factors: Tensor) -> list[Float[Tensor, "kF O"]]:
        """Returns the convolution's weights for each place of the newest block."""
        weight = (conv.weight * factors[:, None, None]).detach()  # (O, F, k), the newest input last
        # Block i holds what was computed (newest − i) mod k blocks ago.
        ages = [[(newest - i) % self.k for i in range(self.k)] for newest in range(self.k)]
        return [
            weight[:, :, [self.k - 1 - age for age in order]].permute(2, 1, 0).flatten(0, 1).contiguous()
            for order in ages
        ]


def _bias(conv: nn.Conv1d) -> Tensor:
    return cast("Tensor", conv.bias).detach()
