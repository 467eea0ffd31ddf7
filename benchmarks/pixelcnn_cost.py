"""What PixelCNN costs on a CPU, and where that goes: `profile`, `speed`, `loaded` and `growth` of `pixelcnn.py`.

Times of one thread are the process's computing time, which other processes hardly change; those of several threads are
the clock's, because threads that wait for each other compute, too.
"""

import contextlib
import functools
import math
import statistics
import subprocess
import sys
import time
from collections import defaultdict

import numpy
import torch
from common import RESULTS, keep, table
from matplotlib.figure import Figure
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils.flop_counter import FlopCounterMode

from vaeedu import plotting
from vaeedu.pixelcnn import GatedPixelCNN, core, layers, networks
from vaeedu.pixelcnn.fast import incremental
from vaeedu.training import devices

# Computes until its parent is gone, however that ends.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
SIDES = (7, 14, 28, 56)
GROUPS = {  # a part of a step, by the names of the operations in it; the first that is found upwards counts
    "_GateOnCPU": "gate",
    "_GateOnCPUBackward": "gate",
    "aten::constant_pad_nd": "padding",
    "ConstantPadNdBackward0": "padding",
    "aten::mkldnn_convolution": "convolutions, forward",
    "aten::convolution_backward": "convolutions, backward",
    "Optimizer.step#Adam.step": "optimiser",
    "Optimizer.zero_grad#Adam.zero_grad": "optimiser",
    "validation": "validation of the input",
    "mask": "weights times masks",
    "aten::binary_cross_entropy_with_logits": "loss",
    "BinaryCrossEntropyWithLogitsBackward0": "loss",
    "aten::_to_copy": "copies: layout and precision",
    "aten::clone": "copies: layout and precision",
    "aten::add": "sums of features and of gradients",
    "aten::add_": "sums of features and of gradients",
}


def clock() -> float:
    """Seconds of computing on one thread, or else of the clock."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def median(function, rounds: int) -> float:
    """The median seconds of a call, after one that is not timed."""
    function()
    times = []
    for _ in range(rounds):
        start = clock()
        function()
        times.append(clock() - start)
    return statistics.median(times)


def make_step(batch, precision, num_layers=6, num_channels=32, side=28):
    """Returns a step of training, as `fit` makes it, on black and white images."""
    torch.manual_seed(0)
    model = GatedPixelCNN((1, side, side), num_layers=num_layers, num_channels=num_channels)
    x = torch.randint(2, (batch, 1, side, side)).float()
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    autocast = devices.autocast(precision, torch.device("cpu"))

    def step():
        optimizer.zero_grad(set_to_none=True)
        for piece in x.split(model.microbatch_size):
            with autocast():
                loss = -model.log_prob(piece).mean() * (len(piece) / batch)
            loss.backward()
        optimizer.step()

    return step


def precisions() -> list[str]:
    """Those in which this machine computes."""
    return ["float32", *(["bfloat16"] if devices.has_bfloat16(torch.device("cpu")) else [])]


# profile


def profiled(batch: int, precision: str, rounds: int) -> dict[str, dict]:
    """Takes a step apart: milliseconds by group, and by the weights of a convolution.

    An operation's time is its least over the rounds: other processes can only add to it.
    """
    step, levels = make_step(batch, precision), core.require.levels

    def validated(*arguments):
        with record_function("validation"):
            return levels(*arguments)

    with contextlib.ExitStack() as stack:
        stack.callback(setattr, core.require, "levels", levels)
        core.require.levels = validated
        for _ in range(3):
            step()
        recorded = []
        for _ in range(rounds):
            with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as found:
                step()
            recorded.append(sorted(found.events(), key=lambda event: event.time_range.start))
    groups, convolutions = defaultdict(float), defaultdict(lambda: defaultdict(float))
    if len({tuple(event.name for event in events) for events in recorded}) > 1:
        raise SystemExit("The steps differ in their operations: run it once more.")
    for same in zip(*recorded, strict=True):
        milliseconds = min(event.self_cpu_time_total for event in same) / 1000
        group = _group(same[0], batch)
        groups[group] += milliseconds
        if same[0].name in ("aten::mkldnn_convolution", "aten::convolution_backward"):
            weight = same[0].input_shapes[2 if "backward" in group else 1]
            convolutions[tuple(weight)][group.split()[-1]] += milliseconds
    return {"groups": dict(groups), "convolutions": {k: dict(v) for k, v in convolutions.items()}}


def _group(event, batch: int) -> str:
    while event is not None:
        shapes = event.input_shapes or [[]]
        masks = event.name == "aten::mul" and len(shapes[0]) == 4 and shapes[0][0] != batch
        if (name := "mask" if masks else event.name) in GROUPS:
            return GROUPS[name]
        event = event.cpu_parent
    return "the rest"


def peak(precision: str) -> float:
    """The most multiplications and additions a second, ×10⁹, of a large matrix product and a large convolution."""
    dtype = getattr(torch, precision)
    a = torch.randn(2048, 2048).to(dtype)
    x = torch.randn(16, 256, 30, 30).to(dtype).contiguous(memory_format=torch.channels_last)
    w = torch.randn(256, 256, 3, 3).to(dtype).contiguous(memory_format=torch.channels_last)
    conv = functools.partial(torch.nn.functional.conv2d, x, w)
    works = {2 * 2048**3: lambda: a @ a, 2 * 16 * 28**2 * 9 * 256**2: conv}
    with torch.no_grad():
        return max(work / median(function, 5) for work, function in works.items()) / 1e9


def part_profile(batch: int = 16, rounds: int = 15) -> None:
    """Keeps a table of a step's parts in each precision, with the limit that arithmetic alone sets."""
    found = {precision: profiled(batch, precision, rounds) for precision in precisions()}
    with FlopCounterMode(display=False) as counter:
        make_step(batch, "float32")()
    work = counter.get_total_flops() / 1e9
    peaks = {precision: peak(precision) for precision in found}
    names = sorted(found["float32"]["groups"], key=lambda name: -found["float32"]["groups"][name])
    rows = [[name, *(f"{each['groups'].get(name, 0):.1f}" for each in found.values())] for name in names]
    totals = {precision: sum(each["groups"].values()) for precision, each in found.items()}
    rows.append(["**the step**", *(f"**{total:.1f}**" for total in totals.values())])
    rows.append(["images a second", *(f"{1e3 * batch / total:.0f}" for total in totals.values())])
    limits = {precision: work / rate for precision, rate in peaks.items()}
    rows.append(["limit: the arithmetic alone", *(f"{1e3 * limit:.1f}" for limit in limits.values())])
    rows.append(["limit, images a second", *(f"{batch / limit:.0f}" for limit in limits.values())])
    by_weight = [
        [" × ".join(map(str, weight)), *_conv_cells(found, weight)]
        for weight in sorted(found["float32"]["convolutions"], reverse=True)
    ]
    header = [
        "weights (out, in, height, width)",
        *(f"{p}, {way}" for p in found for way in ("forward", "backward")),
    ]
    rates = ", ".join(f"{rate:.0f} in {precision}" for precision, rate in peaks.items())
    text = (
        f"# PixelCNN: where a step of training goes, 28×28\n\n6 layers × 32 channels, {batch} images, milliseconds: "
        f"for each operation the least of {rounds} steps. A step is {work:.2f} GFLOP; a large matrix product or "
        f"convolution here makes {rates} GFLOP/s.\n\n{table(['part', *found], rows)}\n\n"
        f"The convolutions, all layers together:\n\n{table(header, by_weight)}"
    )
    numbers = {p: {"groups": each["groups"], "peak_gflops": peaks[p]} for p, each in found.items()}
    keep("pixelcnn_profile", text, {"gflop": work, **numbers})


def _conv_cells(found: dict, weight: tuple) -> list[str]:
    return [
        f"{each['convolutions'][weight].get(way, 0):.1f}"
        for each in found.values()
        for way in ("forward", "backward")
    ]


# speed


@contextlib.contextmanager
def as_it_was():
    """Puts back the gate by tanh and σ, and features channel by channel unless under autocast: the baseline."""

    def layout(features):
        wanted = torch.is_autocast_enabled("cpu")
        return features.contiguous(memory_format=torch.channels_last) if wanted else features

    def gate(features):
        a, b = features.chunk(2, dim=1)
        return a.tanh() * b.sigmoid()

    before = layers.gate, networks.in_fast_layout, core._LARGEST_TENSOR
    layers.gate, networks.in_fast_layout, core._LARGEST_TENSOR = gate, layout, 2**24
    try:
        yield
    finally:
        layers.gate, networks.in_fast_layout, core._LARGEST_TENSOR = before


def child_speed(
    which: str, precision: str, batch: str, threads: str, num_layers: str, num_channels: str
) -> None:
    """Prints the seconds of a step: a process of its own, as the C library does not forget what it has learnt."""
    torch.set_num_threads(int(threads))
    with contextlib.ExitStack() as stack:
        if which == "before":
            stack.enter_context(as_it_was())
            stack.enter_context(_weights_as_they_were())
        else:
            devices.keep_freed_memory()
        step = make_step(int(batch), precision, int(num_layers), int(num_channels))
        step()
        print(median(step, max(3, 160 // int(batch) // (int(num_channels) // 32) ** 2)))


@contextlib.contextmanager
def _weights_as_they_were():
    made = GatedPixelCNN.__init__

    def init(self, *arguments, **options):
        made(self, *arguments, **options)
        self.to(memory_format=torch.contiguous_format)

    GatedPixelCNN.__init__ = init
    try:
        yield
    finally:
        GatedPixelCNN.__init__ = made


def part_speed(rounds: int = 3, batches=(16, 128), num_layers: int = 6, num_channels: int = 32) -> None:
    """Keeps the images a second, before and now, in both precisions: processes that take turns, medians."""
    threads, rows, numbers = torch.get_num_threads(), [], {}
    for batch in batches:
        settings = [(which, precision) for precision in precisions() for which in ("before", "now")]
        seconds = defaultdict(list)
        for _ in range(rounds):
            for setting in settings:
                command = [
                    sys.executable,
                    __file__,
                    *setting,
                    *map(str, (batch, threads, num_layers, num_channels)),
                ]
                seconds[setting].append(
                    float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
                )
        rates = {setting: batch / statistics.median(times) for setting, times in seconds.items()}
        plain = rates["before", "float32"]
        for which, precision in settings:
            rate = rates[which, precision]
            rows.append([batch, precision, which, f"{rate:.0f}", f"{rate / plain:.2f}×"])
            numbers[f"{batch}, {precision}, {which}"] = rate
    counted = "computing time" if threads == 1 else "time by the clock"
    text = (
        f"# PixelCNN: images a second in training on the CPU, 28×28\n\n{num_layers} layers × {num_channels} channels, "
        f"{counted}, medians of {rounds} processes each, which take turns. *before*: the gate by tanh and σ, features "
        "channel by channel in float32, pieces of up to 16 MiB a tensor, and memory as the C library gives it. Asked: "
        f"1.8× of float32 before.\n\n{table(['batch', 'precision', 'code', 'images/s', 'ratio'], rows)}"
    )
    keep(f"pixelcnn_speed_{num_layers}x{num_channels}", text, numbers)


# loaded


def part_loaded(rounds: int = 5, batches=(1, 8, 64)) -> None:
    """Keeps the sampler's ratio to the naive one, alone and beside busy processes that end with the table."""
    torch.manual_seed(0)
    model, found = GatedPixelCNN((1, 28, 28), num_layers=6, num_channels=32), {}
    for num_busy in (0, 1, 2):
        busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(num_busy)]
        try:
            time.sleep(1)
            for batch in batches:
                found[batch, num_busy] = _samplers(model, batch, rounds)
        finally:
            for process in busy:
                process.kill()
                process.wait()
    rows = []
    for batch in batches:
        for num_busy in (0, 1, 2):
            naive, now, before = found[batch, num_busy]
            idle = found[batch, 0][0] / found[batch, 0][1]
            kept = f"{naive / now / idle:.0%}" if num_busy else ""
            times = [f"{naive:.1f}", f"{before:.3f}", f"{now:.3f}"]
            rows.append([batch, num_busy, *times, f"{naive / before:.0f}×", f"{naive / now:.0f}×", kept])
    header = [
        "images",
        "busy",
        "naive s",
        "all threads s",
        "chosen s",
        "ratio, all",
        "ratio, chosen",
        "of idle",
    ]
    text = (
        f"# PixelCNN: sampling beside other work, 28×28\n\n6 layers × 32 channels, {torch.get_num_threads()} threads, "
        "beside so many processes that compute without end. *All threads*: as torch would; *chosen*: by the size of "
        f"the products. Naive is 784 times a pass. Means over half a second, medians of {rounds} turns. Asked: at "
        "least 80% of the idle ratio.\n\n"
        f"{table(header, rows)}"
    )
    keep("pixelcnn_loaded", text, [{"images": b, "busy": k, "seconds": v} for (b, k), v in found.items()])


def _samplers(model: GatedPixelCNN, batch: int, rounds: int) -> tuple[float, float, float]:
    """Seconds by the clock of the naive sampler, the cached one, and the cached one on all threads, in turns."""
    scaled, chosen, times = model.scale(torch.zeros(batch, 1, 28, 28)), incremental.suiting, defaultdict(list)

    @torch.inference_mode()
    def one_pass():
        model.logits(scaled)

    def draw():
        model.sample(batch, generator=torch.Generator().manual_seed(0))

    def draw_on_all():
        incremental.suiting = lambda work: contextlib.nullcontext()
        try:
            draw()
        finally:
            incremental.suiting = chosen

    for turn in range(rounds + 1):
        for function in (one_pass, draw, draw_on_all):
            seconds = _mean_seconds(function)
            if turn:
                times[function].append(seconds)
    naive, now, before = (statistics.median(times[f]) for f in (one_pass, draw, draw_on_all))
    return naive * math.prod(model.image_shape), now, before


def _mean_seconds(function, at_least: float = 0.5) -> float:
    """Seconds by the clock of a call, over so many seconds: a single short one may fit between two turns of others."""
    start, calls = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < at_least:
        function()
        calls += 1
    return passed / calls


# growth


def part_growth(batch: int = 16, rounds: int = 3) -> None:
    """Keeps the cost of a step and of both samplers against the number of pixels, as a figure and a table."""
    found = {name: [] for name in ("training step", "cached sampling", "naive sampling")}
    for side in SIDES:
        torch.manual_seed(0)
        model = GatedPixelCNN((1, side, side), num_layers=6, num_channels=32)
        scaled = model.scale(torch.zeros(batch, 1, side, side))
        found["training step"].append(median(make_step(batch, "float32", side=side), rounds))
        with torch.inference_mode():
            found["naive sampling"].append(side**2 * median(functools.partial(model.logits, scaled), rounds))
        found["cached sampling"].append(median(functools.partial(model.sample, batch), rounds))
    pixels = [side**2 for side in SIDES]
    slopes = {name: numpy.polyfit(numpy.log(pixels), numpy.log(times), 1)[0] for name, times in found.items()}
    rows = [[name, *(f"{t:.3g}" for t in times), f"{slopes[name]:.2f}"] for name, times in found.items()]
    counted = "computing time" if torch.get_num_threads() == 1 else "time by the clock"
    text = (
        f"# PixelCNN: cost against pixels\n\n6 layers × 32 channels, {batch} images, float32, seconds of {counted}, "
        f"medians of {rounds}; naive sampling is a pass for each pixel. The slope is that of log seconds over log "
        f"pixels: 1 is proportional, 2 quadratic.\n\n{table(['', *(f'{s}×{s}' for s in SIDES), 'slope'], rows)}"
    )
    keep("pixelcnn_growth", text, {"pixels": pixels, "seconds": found, "slopes": slopes})
    _draw_growth(pixels, found, slopes, batch)


def _draw_growth(
    pixels: list[int], found: dict[str, list[float]], slopes: dict[str, float], batch: int
) -> None:
    figure = Figure(figsize=(5.6, 3.8), layout="constrained")
    axes = figure.subplots()
    styles = ((plotting.BLUE, "o-"), (plotting.ORANGE, "s--"), ("black", "^:"))
    for (name, times), (color, style) in zip(found.items(), styles, strict=True):
        axes.loglog(pixels, times, style, color=color, label=f"{name}: slope {slopes[name]:.2f}")
    gap = found["naive sampling"][-1] / found["cached sampling"][-1]
    title = f"At {SIDES[-1]}×{SIDES[-1]} pixels, naive sampling takes {gap:.0f}× as long"
    axes.set(xlabel="size of an image (pixels)", ylabel=f"seconds for {batch} images", title=title)
    axes.set_xticks(pixels, [f"{side}×{side}" for side in SIDES])
    axes.minorticks_off()
    axes.legend()
    (RESULTS / "pixelcnn_growth.png").write_bytes(plotting.png(figure))


if __name__ == "__main__":
    child_speed(*sys.argv[1:])
