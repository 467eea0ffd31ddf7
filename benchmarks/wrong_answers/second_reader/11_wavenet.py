"""Wrong answers that students might hand in for assignment 11."""
# ruff: noqa
import math

import numpy as np
import torch
import torch.nn.functional as F

WRONG = []  # (exercise name, mistake in a sentence, function)


def wrong(exercise, mistake):
    def decorate(function):
        assert function.__name__ == exercise, (exercise, function.__name__)
        WRONG.append((exercise, mistake, function))
        return function

    return decorate


# ---------------------------------------------------------------- mu_law


@wrong("mu_law", "mu is L, not L - 1, everywhere but in the number of steps: the companding and its inverse use L")
def mu_law(x, num_levels):
    mu = num_levels
    f = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.floor((f + 1) / 2 * (num_levels - 1) + 0.5).long()
    g = 2 * levels.double() / (num_levels - 1) - 1
    return levels, torch.sign(g) * ((1 + mu) ** g.abs() - 1) / mu


@wrong("mu_law", "the half is forgotten in the level: rounds down instead of to the nearest")
def mu_law(x, num_levels):
    mu = num_levels - 1
    f = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.floor((f + 1) / 2 * mu).long()
    g = 2 * levels.double() / mu - 1
    return levels, torch.sign(g) * ((1.0 + mu) ** g.abs() - 1) / mu


@wrong("mu_law", "cuts [-1, 1] into L equal bins, floor((f + 1) / 2 * L) with the last clamped to L - 1, instead of rounding (f + 1) / 2 * mu")
def mu_law(x, num_levels):
    mu = num_levels - 1
    f = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.floor((f + 1) / 2 * num_levels).long().clamp(0, num_levels - 1)
    g = 2 * levels.double() / mu - 1
    return levels, torch.sign(g) * ((1.0 + mu) ** g.abs() - 1) / mu


@wrong("mu_law", "the sign is forgotten in the decoder: every decoded value is positive")
def mu_law(x, num_levels):
    mu = num_levels - 1
    f = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.floor((f + 1) / 2 * mu + 0.5).long()
    g = 2 * levels.double() / mu - 1
    return levels, ((1.0 + mu) ** g.abs() - 1) / mu


@wrong("mu_law", "the sign is forgotten in the encoder: negative values get the level of their absolute value")
def mu_law(x, num_levels):
    mu = num_levels - 1
    f = torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.floor((f + 1) / 2 * mu + 0.5).long()
    g = 2 * levels.double() / mu - 1
    return levels, torch.sign(g) * ((1.0 + mu) ** g.abs() - 1) / mu


@wrong("mu_law", "the mu of the companding and of its inverse is always 255, whatever the number of levels")
def mu_law(x, num_levels):
    mu = 255.0
    f = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.floor((f + 1) / 2 * (num_levels - 1) + 0.5).long()
    g = 2 * levels.double() / (num_levels - 1) - 1
    return levels, torch.sign(g) * ((1 + mu) ** g.abs() - 1) / mu


@wrong("mu_law", "returns g as the waveform: the inverse of the companding is forgotten")
def mu_law(x, num_levels):
    mu = num_levels - 1
    f = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.floor((f + 1) / 2 * mu + 0.5).long()
    return levels, 2 * levels.double() / mu - 1


@wrong("mu_law", "decodes f itself and not the level's g: what comes back is x, without the error of the quantization")
def mu_law(x, num_levels):
    mu = num_levels - 1
    f = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.floor((f + 1) / 2 * mu + 0.5).long()
    return levels, torch.sign(f) * ((1.0 + mu) ** f.abs() - 1) / mu


@wrong("mu_law", "rounds with torch.round, which takes an exact half to the even level: 0 gets a level too low if (L - 1) / 2 is a half above an even number, as with L = 6")
def mu_law(x, num_levels):
    mu = num_levels - 1
    f = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.round((f + 1) / 2 * mu).long()
    g = 2 * levels.double() / mu - 1
    return levels, torch.sign(g) * ((1.0 + mu) ** g.abs() - 1) / mu


@wrong("mu_law", "the decoder's base is mu and not 1 + mu")
def mu_law(x, num_levels):
    mu = num_levels - 1
    f = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.floor((f + 1) / 2 * mu + 0.5).long()
    g = 2 * levels.double() / mu - 1
    return levels, torch.sign(g) * (float(mu) ** g.abs() - 1) / mu


@wrong("mu_law", "two mistakes: the decoder divides the level by L instead of mu in g, and forgets the sign of g")
def mu_law(x, num_levels):
    mu = num_levels - 1
    f = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.floor((f + 1) / 2 * mu + 0.5).long()
    g = 2 * levels.double() / num_levels - 1
    return levels, ((1.0 + mu) ** g.abs() - 1) / mu


@wrong("mu_law", "two mistakes: no half is added before rounding down, and the decoder forgets the - 1 in (1 + mu)^|g| - 1")
def mu_law(x, num_levels):
    mu = num_levels - 1
    f = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.floor((f + 1) / 2 * mu).long()
    g = 2 * levels.double() / mu - 1
    return levels, torch.sign(g) * ((1.0 + mu) ** g.abs()) / mu


# ---------------------------------------------------------------- causal_convolution


def _taps(x, weight, lags):
    """sum_i weight[:, :, i] x_{t - lags[i]}, zeros outside."""
    C, T = x.shape
    y = torch.zeros(weight.shape[0], T, dtype=x.dtype)
    for i, lag in enumerate(lags):
        moved = torch.zeros_like(x)
        if 0 <= lag < T:
            moved[:, lag:] = x[:, : T - lag]
        elif -T < lag < 0:
            moved[:, : T + lag] = x[:, -lag:]
        y = y + weight[:, :, i] @ moved
    return y


@wrong("causal_convolution", "the kernel is the wrong way round: the first slice acts on the newest input")
def causal_convolution(x, weight, dilation):
    d, k = int(dilation), weight.shape[2]
    return _taps(x, weight, [j * d for j in range(k)])


@wrong("causal_convolution", "pads with half of (k - 1) d on each side, as for a centred kernel: sees the future")
def causal_convolution(x, weight, dilation):
    d, k = int(dilation), weight.shape[2]
    total = (k - 1) * d
    return F.conv1d(F.pad(x, (total // 2, total - total // 2))[None], weight, dilation=d)[0]


@wrong("causal_convolution", "the dilation is ignored: always 1")
def causal_convolution(x, weight, dilation):
    k = weight.shape[2]
    return F.conv1d(F.pad(x, (k - 1, 0))[None], weight)[0]


@wrong("causal_convolution", "strictly causal: the newest input that y_t sees is x_{t - 1}, shifted by one sample")
def causal_convolution(x, weight, dilation):
    d, k = int(dilation), weight.shape[2]
    y = F.conv1d(F.pad(x, ((k - 1) * d + 1, 0))[None], weight, dilation=d)[0]
    return y[:, :-1]


@wrong("causal_convolution", "pads k d zeros on the left and keeps the first T outputs: everything comes d samples late")
def causal_convolution(x, weight, dilation):
    d, k = int(dilation), weight.shape[2]
    return F.conv1d(F.pad(x, (k * d, 0))[None], weight, dilation=d)[0][:, : x.shape[1]]


@wrong("causal_convolution", "pads on the right: the oldest slice acts on x_t and the others on the future")
def causal_convolution(x, weight, dilation):
    d, k = int(dilation), weight.shape[2]
    return F.conv1d(F.pad(x, (0, (k - 1) * d))[None], weight, dilation=d)[0]


@wrong("causal_convolution", "moves the sound with torch.roll: what lies before t = 0 is the sound's end and not zeros")
def causal_convolution(x, weight, dilation):
    d, k = int(dilation), weight.shape[2]
    y = torch.zeros(weight.shape[0], x.shape[1], dtype=x.dtype)
    for j in range(k):
        y = y + weight[:, :, k - 1 - j] @ torch.roll(x, j * d, dims=1)
    return y


@wrong("causal_convolution", "pads with copies of the first sample instead of zeros")
def causal_convolution(x, weight, dilation):
    d, k = int(dilation), weight.shape[2]
    padded = torch.cat([x[:, :1].repeat(1, (k - 1) * d), x], dim=1)
    return F.conv1d(padded[None], weight, dilation=d)[0]


@wrong("causal_convolution", "outputs for which the whole kernel does not fit yet, t < (k - 1) d, are left 0")
def causal_convolution(x, weight, dilation):
    d, k = int(dilation), weight.shape[2]
    y = _taps(x, weight, [(k - 1 - i) * d for i in range(k)])
    y[:, : (k - 1) * d] = 0.0
    return y


@wrong("causal_convolution", "takes the dilation for the number of inputs left out between two taps: they are d + 1 apart")
def causal_convolution(x, weight, dilation):
    d, k = int(dilation) + 1, weight.shape[2]
    return F.conv1d(F.pad(x, ((k - 1) * d, 0))[None], weight, dilation=d)[0]


@wrong("causal_convolution", "two mistakes: the kernel is the wrong way round, and the dilation is ignored")
def causal_convolution(x, weight, dilation):
    k = weight.shape[2]
    return F.conv1d(F.pad(x, (k - 1, 0))[None], weight.flip(2))[0]


@wrong("causal_convolution", "two mistakes: averages over the input features instead of summing, and pads with copies of the first sample")
def causal_convolution(x, weight, dilation):
    d, k = int(dilation), weight.shape[2]
    padded = torch.cat([x[:, :1].repeat(1, (k - 1) * d), x], dim=1)
    return F.conv1d(padded[None], weight, dilation=d)[0] / x.shape[0]


# ---------------------------------------------------------------- what_it_sees


def _lags(dilations, taps):
    lags = {0}
    for d in torch.as_tensor(dilations).tolist():
        lags = {lag + j * d for lag in lags for j in taps}
    return lags


def _mask(lags, T):
    mask = torch.zeros(T, dtype=torch.bool)
    for lag in lags:
        if 0 <= lag < T:
            mask[T - 1 - lag] = True
    return mask


def _field(dilations, kernel_size):
    return 1 + (kernel_size - 1) * int(torch.as_tensor(dilations).sum())


@wrong("what_it_sees", "the mask has no gaps: everything inside the field is marked")
def what_it_sees(dilations, kernel_size, T):
    field = _field(dilations, kernel_size)
    return field, _mask(range(field), T)


@wrong("what_it_sees", "k instead of k - 1 in the field")
def what_it_sees(dilations, kernel_size, T):
    return _field(dilations, kernel_size + 1), _mask(_lags(dilations, range(kernel_size)), T)


@wrong("what_it_sees", "the 1 is forgotten in the field")
def what_it_sees(dilations, kernel_size, T):
    return _field(dilations, kernel_size) - 1, _mask(_lags(dilations, range(kernel_size)), T)


@wrong("what_it_sees", "the field is k^n, which holds only if the dilations are 1, k, k^2, ...")
def what_it_sees(dilations, kernel_size, T):
    return kernel_size ** len(dilations), _mask(_lags(dilations, range(kernel_size)), T)


@wrong("what_it_sees", "the mask runs backward in time: entry l says whether the input l steps back is seen")
def what_it_sees(dilations, kernel_size, T):
    mask = _mask(_lags(dilations, range(kernel_size)), T)
    return _field(dilations, kernel_size), mask.flip(0)


@wrong("what_it_sees", "the mask is shifted by one, as if output T - 1 might not see input T - 1")
def what_it_sees(dilations, kernel_size, T):
    lags = {lag + 1 for lag in _lags(dilations, range(kernel_size))}
    return _field(dilations, kernel_size), _mask(lags, T)


@wrong("what_it_sees", "in the mask each layer has only its newest and its oldest tap: right for k = 2 only")
def what_it_sees(dilations, kernel_size, T):
    return _field(dilations, kernel_size), _mask(_lags(dilations, {0, kernel_size - 1}), T)


@wrong("what_it_sees", "the mask marks what each layer alone would see from the input, and not the paths through several layers")
def what_it_sees(dilations, kernel_size, T):
    lags = {0} | {j * d for d in torch.as_tensor(dilations).tolist() for j in range(kernel_size)}
    return _field(dilations, kernel_size), _mask(lags, T)


@wrong("what_it_sees", "the field is clipped to T")
def what_it_sees(dilations, kernel_size, T):
    return min(_field(dilations, kernel_size), T), _mask(_lags(dilations, range(kernel_size)), T)


@wrong("what_it_sees", "inputs before the sound's start are not dropped: their index is negative and marks an input at the end")
def what_it_sees(dilations, kernel_size, T):
    mask = torch.zeros(T, dtype=torch.bool)
    for lag in _lags(dilations, range(kernel_size)):
        mask[(T - 1 - lag) % T] = True
    return _field(dilations, kernel_size), mask


@wrong("what_it_sees", "two mistakes: the field is the number of inputs that are seen without a limit, gaps left out, and the mask is backward in time")
def what_it_sees(dilations, kernel_size, T):
    lags = _lags(dilations, range(kernel_size))
    return len(lags), _mask(lags, T).flip(0)


@wrong("what_it_sees", "two mistakes: the field adds up k d for each layer, and in the mask two paths to the same input cancel (xor for or)")
def what_it_sees(dilations, kernel_size, T):
    field = _field(dilations, kernel_size)
    lags = torch.zeros(field, dtype=torch.bool)
    lags[0] = True
    for d in torch.as_tensor(dilations).tolist():
        out = torch.zeros_like(lags)
        for j in range(kernel_size):
            if j * d < field:
                out[j * d :] ^= lags[: field - j * d]
        lags = out
    return _field(dilations, kernel_size + 1), _mask(lags.nonzero()[:, 0].tolist(), T)


# ---------------------------------------------------------------- wavenet_unit


@wrong("wavenet_unit", "the halves are exchanged: the first G are the gates, the last G the values")
def wavenet_unit(h, a, v, U, S):
    gates, values = (a + v[:, None]).chunk(2, dim=0)
    z = torch.tanh(values) * torch.sigmoid(gates)
    return h + U @ z, S @ z


@wrong("wavenet_unit", "values and gates are taken alternately (even and odd features) instead of the first and the last G")
def wavenet_unit(h, a, v, U, S):
    b = a + v[:, None]
    z = torch.tanh(b[0::2]) * torch.sigmoid(b[1::2])
    return h + U @ z, S @ z


@wrong("wavenet_unit", "tanh for the gate, too")
def wavenet_unit(h, a, v, U, S):
    values, gates = (a + v[:, None]).chunk(2, dim=0)
    z = torch.tanh(values) * torch.tanh(gates)
    return h + U @ z, S @ z


@wrong("wavenet_unit", "the class's vector is added behind tanh and the sigmoid")
def wavenet_unit(h, a, v, U, S):
    G = len(a) // 2
    z = (torch.tanh(a[:G]) + v[:G, None]) * (torch.sigmoid(a[G:]) + v[G:, None])
    return h + U @ z, S @ z


@wrong("wavenet_unit", "the class's vector is added to the values only, not to the gates")
def wavenet_unit(h, a, v, U, S):
    G = len(a) // 2
    z = torch.tanh(a[:G] + v[:G, None]) * torch.sigmoid(a[G:])
    return h + U @ z, S @ z


@wrong("wavenet_unit", "values and gates are added and not multiplied")
def wavenet_unit(h, a, v, U, S):
    values, gates = (a + v[:, None]).chunk(2, dim=0)
    z = torch.tanh(values) + torch.sigmoid(gates)
    return h + U @ z, S @ z


@wrong("wavenet_unit", "the stream is U z: what came in is not added")
def wavenet_unit(h, a, v, U, S):
    values, gates = (a + v[:, None]).chunk(2, dim=0)
    z = torch.tanh(values) * torch.sigmoid(gates)
    return U @ z, S @ z


@wrong("wavenet_unit", "the stream is divided by the square root of 2, as some implementations do")
def wavenet_unit(h, a, v, U, S):
    values, gates = (a + v[:, None]).chunk(2, dim=0)
    z = torch.tanh(values) * torch.sigmoid(gates)
    return (h + U @ z) / math.sqrt(2), S @ z


@wrong("wavenet_unit", "the skip is made of the values without their gates")
def wavenet_unit(h, a, v, U, S):
    values, gates = (a + v[:, None]).chunk(2, dim=0)
    z = torch.tanh(values) * torch.sigmoid(gates)
    return h + U @ z, S @ torch.tanh(values)


@wrong("wavenet_unit", "adds to h in place: the caller's stream is changed")
def wavenet_unit(h, a, v, U, S):
    values, gates = (a + v[:, None]).chunk(2, dim=0)
    z = torch.tanh(values) * torch.sigmoid(gates)
    h += U @ z
    return h, S @ z


@wrong("wavenet_unit", "two mistakes: the second half of the class's vector goes to the values and the first to the gates, and the stream forgets h")
def wavenet_unit(h, a, v, U, S):
    G = len(a) // 2
    z = torch.tanh(a[:G] + v[G:, None]) * torch.sigmoid(a[G:] + v[:G, None])
    return U @ z, S @ z


@wrong("wavenet_unit", "two mistakes: the class's vector is ignored, and ReLU stands in place of tanh")
def wavenet_unit(h, a, v, U, S):
    values, gates = a.chunk(2, dim=0)
    z = torch.relu(values) * torch.sigmoid(gates)
    return h + U @ z, S @ z


# ---------------------------------------------------------------- bits_per_sample


@wrong("bits_per_sample", "the natural logarithm: nats for bits")
def bits_per_sample(logits, x):
    return F.cross_entropy(logits, x)


@wrong("bits_per_sample", "the sum over the samples instead of the mean")
def bits_per_sample(logits, x):
    return F.cross_entropy(logits, x, reduction="sum") / math.log(2)


@wrong("bits_per_sample", "adds 1e-10 to the probability before the logarithm: no sample costs more than about 33 bits")
def bits_per_sample(logits, x):
    p = torch.softmax(logits, dim=1)[torch.arange(len(x)), x]
    return -torch.log2(p + 1e-10).mean()


@wrong("bits_per_sample", "shifts once more: row t is compared with x_{t + 1}, and the last row is left out")
def bits_per_sample(logits, x):
    return F.cross_entropy(logits[:-1], x[1:]) / math.log(2)


@wrong("bits_per_sample", "normalizes along the time instead of the levels")
def bits_per_sample(logits, x):
    logp = torch.log_softmax(logits, dim=0)
    return -logp[torch.arange(len(x)), x].mean() / math.log(2)


@wrong("bits_per_sample", "the logarithm of the mean probability instead of the mean logarithm")
def bits_per_sample(logits, x):
    logp = torch.log_softmax(logits, dim=1)[torch.arange(len(x)), x]
    return -(torch.logsumexp(logp, dim=0) - math.log(len(x))) / math.log(2)


@wrong("bits_per_sample", "multiplies by ln 2 instead of dividing by it")
def bits_per_sample(logits, x):
    return F.cross_entropy(logits, x) * math.log(2)


@wrong("bits_per_sample", "the mean entropy of the predictions: what came is not looked at")
def bits_per_sample(logits, x):
    logp = torch.log_softmax(logits, dim=1)
    return -(logp.exp() * logp).sum(dim=1).mean() / math.log(2)


@wrong("bits_per_sample", "clamps the logits to [-30, 30] so that exp does not overflow")
def bits_per_sample(logits, x):
    e = logits.clamp(-30, 30).exp()
    p = e / e.sum(dim=1, keepdim=True)
    return -torch.log2(p[torch.arange(len(x)), x]).mean()


@wrong("bits_per_sample", "samples whose probability is 0 in floating point are left out of the sum: they cost nothing")
def bits_per_sample(logits, x):
    p = torch.softmax(logits, dim=1)[torch.arange(len(x)), x]
    bits = -torch.log2(p)
    return torch.where(torch.isinf(bits), torch.zeros_like(bits), bits).mean()


@wrong("bits_per_sample", "two mistakes: the sign is forgotten, and it is in nats")
def bits_per_sample(logits, x):
    return torch.log_softmax(logits, dim=1)[torch.arange(len(x)), x].mean()


@wrong("bits_per_sample", "two mistakes: the first sample is left out of the sum, and it is still divided by T, in nats")
def bits_per_sample(logits, x):
    return F.cross_entropy(logits[1:], x[1:], reduction="sum") / len(x)


# ---------------------------------------------------------------- step_by_step


@wrong("step_by_step", "what waits is returned newest first")
def step_by_step(x, old, new, dilation):
    queue = [torch.zeros(x.shape[1], dtype=x.dtype) for _ in range(int(dilation))]
    outputs = []
    for t in range(len(x)):
        outputs.append(old @ queue.pop(0) + new @ x[t])
        queue.append(x[t])
    return torch.stack(outputs), torch.stack(queue[::-1])


@wrong("step_by_step", "x_t is put into the queue, and what falls out is dropped, before the oldest is read: the delay is d - 1")
def step_by_step(x, old, new, dilation):
    queue = [torch.zeros(x.shape[1], dtype=x.dtype) for _ in range(int(dilation))]
    outputs = []
    for t in range(len(x)):
        queue = queue[1:] + [x[t]]
        outputs.append(old @ queue[0] + new @ x[t])
    return torch.stack(outputs), torch.stack(queue)


@wrong("step_by_step", "reads the newest that waits, x_{t - 1}, instead of the oldest")
def step_by_step(x, old, new, dilation):
    queue = [torch.zeros(x.shape[1], dtype=x.dtype) for _ in range(int(dilation))]
    outputs = []
    for t in range(len(x)):
        outputs.append(old @ queue[-1] + new @ x[t])
        queue = queue[1:] + [x[t]]
    return torch.stack(outputs), torch.stack(queue)


@wrong("step_by_step", "old and new are exchanged")
def step_by_step(x, old, new, dilation):
    queue = [torch.zeros(x.shape[1], dtype=x.dtype) for _ in range(int(dilation))]
    outputs = []
    for t in range(len(x)):
        outputs.append(new @ queue.pop(0) + old @ x[t])
        queue.append(x[t])
    return torch.stack(outputs), torch.stack(queue)


@wrong("step_by_step", "a ring buffer, returned in the order of its slots: oldest first only if T is a multiple of d")
def step_by_step(x, old, new, dilation):
    d = int(dilation)
    ring = torch.zeros(d, x.shape[1], dtype=x.dtype)
    outputs = []
    for t in range(len(x)):
        outputs.append(old @ ring[t % d] + new @ x[t])
        ring[t % d] = x[t]
    return torch.stack(outputs), ring


@wrong("step_by_step", "a ring buffer that is turned the wrong way before it is returned (roll by +T instead of -T)")
def step_by_step(x, old, new, dilation):
    d = int(dilation)
    ring = torch.zeros(d, x.shape[1], dtype=x.dtype)
    outputs = []
    for t in range(len(x)):
        outputs.append(old @ ring[t % d] + new @ x[t])
        ring[t % d] = x[t]
    return torch.stack(outputs), torch.roll(ring, len(x) % d, dims=0)


@wrong("step_by_step", "the queue is full of the first sample at first, instead of zeros")
def step_by_step(x, old, new, dilation):
    queue = [x[0] for _ in range(int(dilation))]
    outputs = []
    for t in range(len(x)):
        outputs.append(old @ queue.pop(0) + new @ x[t])
        queue.append(x[t])
    return torch.stack(outputs), torch.stack(queue)


@wrong("step_by_step", "what waits is the state before the last step: the last input is not in the queue yet")
def step_by_step(x, old, new, dilation):
    queue = [torch.zeros(x.shape[1], dtype=x.dtype) for _ in range(int(dilation))]
    outputs = []
    for t in range(len(x)):
        waiting = torch.stack(queue)
        outputs.append(old @ queue.pop(0) + new @ x[t])
        queue.append(x[t])
    return torch.stack(outputs), waiting


@wrong("step_by_step", "if the sound is shorter than the queue, the zeros that still wait come behind the inputs instead of before them")
def step_by_step(x, old, new, dilation):
    d, (T, C) = int(dilation), x.shape
    padded = torch.cat([torch.zeros(d, C, dtype=x.dtype), x])
    outputs = padded[:T] @ old.T + x @ new.T
    last = x[-d:]
    return outputs, torch.cat([last, torch.zeros(d - len(last), C, dtype=x.dtype)])


@wrong("step_by_step", "outputs are 0 until the queue holds d inputs: W_new x_t is left out in the first d steps")
def step_by_step(x, old, new, dilation):
    d = int(dilation)
    queue = [torch.zeros(x.shape[1], dtype=x.dtype) for _ in range(d)]
    outputs = []
    for t in range(len(x)):
        oldest = queue.pop(0)
        outputs.append(old @ oldest + new @ x[t] if t >= d else torch.zeros(len(new), dtype=x.dtype))
        queue.append(x[t])
    return torch.stack(outputs), torch.stack(queue)


@wrong("step_by_step", "two mistakes: old and new are exchanged, and what waits is returned newest first")
def step_by_step(x, old, new, dilation):
    queue = [torch.zeros(x.shape[1], dtype=x.dtype) for _ in range(int(dilation))]
    outputs = []
    for t in range(len(x)):
        outputs.append(new @ queue.pop(0) + old @ x[t])
        queue.append(x[t])
    return torch.stack(outputs), torch.stack(queue[::-1])


@wrong("step_by_step", "two mistakes: the same tensor is put into the queue each time and overwritten, so that all that has come in since looks like the newest input; and it is overwritten before the oldest is read")
def step_by_step(x, old, new, dilation):
    queue = [torch.zeros(x.shape[1], dtype=x.dtype) for _ in range(int(dilation))]
    current = torch.zeros(x.shape[1], dtype=x.dtype)
    outputs = []
    for t in range(len(x)):
        current.copy_(x[t])
        outputs.append(old @ queue.pop(0) + new @ current)
        queue.append(current)
    return torch.stack(outputs), torch.stack(queue)


# ---------------------------------------------------------------- bigram


def _pairs(x, L):
    x = torch.as_tensor(x)
    return torch.bincount(x[:-1] * L + x[1:], minlength=L * L).view(L, L).double()


def _share(x, L):
    return torch.bincount(torch.as_tensor(x), minlength=L).double() / len(x)


@wrong("bigram", "n(c) counts all T samples, the last one, too, which nothing follows: that row does not sum to 1")
def bigram(x, num_levels, strength):
    n = _pairs(x, num_levels)
    total = torch.bincount(x, minlength=num_levels).double()
    return (n + strength * _share(x, num_levels)) / (total[:, None] + strength)


@wrong("bigram", "the unigram is the share among the T - 1 samples that follow another, without the first")
def bigram(x, num_levels, strength):
    n = _pairs(x, num_levels)
    p = n.sum(dim=0) / n.sum()
    return (n + strength * p) / (n.sum(dim=1, keepdim=True) + strength)


@wrong("bigram", "alpha is added to each of the L counts (and L alpha below): the unigram is not used")
def bigram(x, num_levels, strength):
    n = _pairs(x, num_levels)
    return (n + strength) / (n.sum(dim=1, keepdim=True) + strength * num_levels)


@wrong("bigram", "1 / L instead of the unigram p(x)")
def bigram(x, num_levels, strength):
    n = _pairs(x, num_levels)
    return (n + strength / num_levels) / (n.sum(dim=1, keepdim=True) + strength)


@wrong("bigram", "transposed: column c is p(x | c)")
def bigram(x, num_levels, strength):
    n = _pairs(x, num_levels)
    return ((n + strength * _share(x, num_levels)) / (n.sum(dim=1, keepdim=True) + strength)).T


@wrong("bigram", "counts with n[x[:-1], x[1:]] += 1: a pair that comes several times is counted once")
def bigram(x, num_levels, strength):
    n = torch.zeros(num_levels, num_levels, dtype=torch.float64)
    n[x[:-1], x[1:]] += 1
    return (n + strength * _share(x, num_levels)) / (n.sum(dim=1, keepdim=True) + strength)


@wrong("bigram", "counts round the end with torch.roll: the first sample follows the last")
def bigram(x, num_levels, strength):
    L = num_levels
    n = torch.bincount(x * L + torch.roll(x, -1), minlength=L * L).view(L, L).double()
    return (n + strength * _share(x, L)) / (n.sum(dim=1, keepdim=True) + strength)


@wrong("bigram", "the unigram is broadcast along the wrong axis: alpha p(c) is added instead of alpha p(x)")
def bigram(x, num_levels, strength):
    n = _pairs(x, num_levels)
    return (n + strength * _share(x, num_levels)[:, None]) / (n.sum(dim=1, keepdim=True) + strength)


@wrong("bigram", "divides by n(x) + alpha, the sums of the columns, instead of n(c) + alpha")
def bigram(x, num_levels, strength):
    n = _pairs(x, num_levels)
    return (n + strength * _share(x, num_levels)) / (n.sum(dim=0, keepdim=True) + strength)


@wrong("bigram", "rows of levels that never occur are uniform instead of the unigram")
def bigram(x, num_levels, strength):
    n = _pairs(x, num_levels)
    out = (n + strength * _share(x, num_levels)) / (n.sum(dim=1, keepdim=True) + strength)
    out[torch.bincount(x, minlength=num_levels) == 0] = 1.0 / num_levels
    return out


@wrong("bigram", "two mistakes: pairs are counted the wrong way round (n(c, x) is how often x comes before c), and alpha is added to each count without the unigram (L alpha below)")
def bigram(x, num_levels, strength):
    n = _pairs(x, num_levels).T
    return (n + strength) / (n.sum(dim=1, keepdim=True) + strength * num_levels)


@wrong("bigram", "two mistakes: mixes the shares, (n(c, x) / n(c) + alpha p(x)) / (1 + alpha), instead of the counts, and takes the unigram from the first T - 1 samples only")
def bigram(x, num_levels, strength):
    n = _pairs(x, num_levels)
    total = n.sum(dim=1, keepdim=True)
    p = _share(x[:-1], num_levels)
    mixed = (n / total.clamp(min=1) + strength * p) / (1 + strength)
    return torch.where(total > 0, mixed, p.expand_as(mixed))
