"""A gated PixelCNN, MADE or NADE on dynamically binarised MNIST in a budget of time: what the benchmarks share.

The speed of a step is measured first, and decides how many steps the budget holds; the learning rate falls to zero
over just these. Both are kept in the run's folder, so that a run that was cut short goes on as planned.
"""

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from common import RESULTS, keep, seconds_of_work, table
from matplotlib.figure import Figure

from vaeedu import autoregressive, data, plotting
from vaeedu.pixelcnn import GatedPixelCNN
from vaeedu.training import fit

SEED = 0
SHAPE = (1, 28, 28)
NUM_STAGES = 64  # the budget's equal parts: after each the learning rate changes, and a checkpoint is written
LOOKS = (2, 4, 8, 16, 32, 64)  # stages after which the test images are looked at
BINARISATION = "Pixels are drawn afresh each time an image is seen; the test images once, with seed 1."


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        num_layers: Layers of the network; NADE has one.
        num_channels: Features of each stack, or hidden units of each layer.
        batch_size: Images a step.
        learning_rate: Adam's, before it falls.
        precision: Of the loss, as `fit` takes it.
        compile: Whether the loss is compiled.
        channels_last: Whether the weights are laid out so, as the network makes them.
        kind: Which network: a name in `KINDS`.
        microbatch_size: Pieces of a step, where the network does not know.
    """

    num_layers: int = 6
    num_channels: int = 32
    batch_size: int = 16
    learning_rate: float = 2e-3
    precision: str = "bfloat16"
    compile: bool = False
    channels_last: bool = True
    kind: str = "gated"
    microbatch_size: int | None = None


class Averaged(torch.nn.Module):
    """A network beside the running average of its weights, so that one checkpoint holds both.

    After t steps the average is over about the last t/25 of them.

    Reference:
        Shamir and Zhang (2013), Stochastic gradient descent for non-smooth optimization, section 4.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network, self.average = network, copy.deepcopy(network).requires_grad_(False)
        self.register_buffer("steps", torch.zeros(()))

    @property
    def microbatch_size(self) -> int | None:
        """What the network asks of `fit` on the CPU."""
        return getattr(self.network, "microbatch_size", None)

    @torch.no_grad()
    def update(self, *_: object) -> None:
        """Takes the weights after a step into the average."""
        self.steps += 1
        share = 25 / (self.steps + 24)  # stays on the device, where nothing has to wait for it
        for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, share)


class Run:
    """One training, its curve and its evaluation, with their files in a folder.

    Args:
        name: Of the files.
        recipe: How to train.
        folder: Where checkpoint, plan and curve lie.
        images: Grey training images and binary test images, as `mnist` returns them.
        device: Where to train.
        num_looked_at: How many test images a point on the curve is measured on; the end is on all as well.

    Attributes:
        device: Where to train.
        clock: What seconds are counted by: on a CPU by the process's own computing time, summed over its threads, so
            that a budget holds as much work beside other processes as alone.
    """

    def __init__(
        self,
        name: str,
        recipe: Recipe,
        folder: Path,
        images: dict[str, torch.Tensor],
        device: str = "cpu",
        num_looked_at: int = 1000,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.recipe, self._folder, self._name = recipe, folder, name
        self.num_looked_at = num_looked_at
        at = "cuda" if device == "auto" and torch.cuda.is_available() else device.replace("auto", "cpu")
        self.device = torch.device(at)
        self.clock = partial(seconds_of_work, self.device.type)
        self._train = images["train"].to(self.device)
        self._test = images["test"]
        self.num_test = len(self._test)

    @property
    def plan(self) -> dict[str, object]:
        """The recipe, the budget and the steps that it holds, or nothing before the first start."""
        return self._read("plan") or {}

    @property
    def curve(self) -> list[dict[str, float]]:
        """What was seen so far: images, seconds of training, nats on test images."""
        return self._read("curve") or []

    def train(self, seconds: float, **remarks: object) -> "Run":
        """Trains for so long, or goes on as planned; remarks are kept with the plan."""
        plan = self.plan
        if not plan:
            a_step = speed(self.recipe, self._train, self.device, clock=self.clock)
            steps = max(1, int(0.95 * seconds / a_step / NUM_STAGES))
            plan = {
                **asdict(self.recipe),
                "budget": seconds,
                "seconds_a_step": a_step,
                "steps_a_stage": steps,
                **remarks,
            }
            self._write("plan", plan)
        self._check_plan(plan, seconds)
        steps = int(plan["steps_a_stage"])
        self.model = Averaged(network(self.recipe))
        trained = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(trained, lr=self.recipe.learning_rate, fused=True)
        optimizer.register_step_post_hook(self.model.update)
        self._optimizer, self._last_look = optimizer, self.clock()
        fit(
            self.model,
            tickets(steps, self.recipe),
            lambda x, *, generator: -self.model.network.log_prob(x).mean(),
            optimizer,
            epochs=NUM_STAGES,
            batch_size=self.recipe.batch_size,
            transform=drawing(self._train),
            generator=torch.Generator().manual_seed(SEED),
            scheduler=torch.optim.lr_scheduler.LambdaLR(optimizer, factor),
            validate=self._look,
            checkpoint=self._folder / f"{self._name}.pt",
            device=self.device,
            precision=self.recipe.precision,
            compile=self.recipe.compile,
            microbatch_size=self.recipe.microbatch_size,
            progress=False,
        )
        return self

    def _check_plan(self, plan: dict[str, object], seconds: float) -> None:
        asked = {**asdict(self.recipe), "budget": seconds}
        if differing := {name: plan[name] for name, value in asked.items() if plan[name] != value}:
            raise SystemExit(
                f"The run in {self._folder} was begun with {differing}: use the same settings to go on, or delete it."
            )

    @torch.no_grad()
    def _look(self) -> float:
        """Adds a point to the curve where one is due; returns the last one's nats."""
        now, state = self.clock(), next(iter(self._optimizer.state.values()))
        stage = round(float(state["step"]) / int(self.plan["steps_a_stage"]))
        done = [point for point in self.curve if point["stage"] < stage]
        before = float((self._read("clock") or {"seconds": 0.0})["seconds"])
        seconds = before + now - self._last_look
        self._write("clock", {"seconds": seconds})
        if stage in LOOKS:
            few = self._test[: self.num_looked_at]
            nll, raw = self._nll(self.model.average, few), self._nll(self.model.network, few)
            point = {
                "stage": stage,
                "images": float(state["step"]) * self.recipe.batch_size,
                "seconds": seconds,
                **_summary("nll", nll),
                "nll_without_averaging": float(raw.mean()),
            }
            if stage == NUM_STAGES:
                point |= _summary("nll_of_all", self._nll(self.model.average, self._test))
            done.append(point)
            self._write("curve", done)
            print(f"{self._name}: {done[-1]}", flush=True)
        self._last_look = self.clock()
        return done[-1]["nll"] if done else math.inf

    def _nll(self, net: torch.nn.Module, test: torch.Tensor) -> torch.Tensor:
        """−log p(x) of each image in nats, in float32."""
        at = 500 if self.device.type == "cuda" else 50
        return torch.cat([-net.log_prob(x.to(self.device)) for x in test.split(at)]).double()

    def _read(self, what: str) -> object:
        file = self._folder / f"{self._name}_{what}.json"
        return json.loads(file.read_text()) if file.exists() else None

    def _write(self, what: str, content: object) -> None:
        file = self._folder / f"{self._name}_{what}.json"
        fresh = file.with_name(file.name + ".tmp")  # a run may be killed at any time
        fresh.write_text(json.dumps(content, indent=1))
        fresh.replace(file)


def _summary(name: str, nll: torch.Tensor) -> dict[str, float]:
    return {name: float(nll.mean()), f"{name}_error": float(nll.std() / len(nll) ** 0.5)}


KINDS = {
    "gated": lambda size, layers: GatedPixelCNN(SHAPE, num_layers=layers, num_channels=size),
    "made": lambda size, layers: autoregressive.MADE(SHAPE, num_hidden=[size] * layers),
    "nade": lambda size, layers: autoregressive.NADE(SHAPE, num_hidden=size),
}


def network(recipe: Recipe) -> torch.nn.Module:
    """Makes the network."""
    torch.manual_seed(SEED)
    net = KINDS[recipe.kind](recipe.num_channels, recipe.num_layers)
    return net if recipe.channels_last else net.to(memory_format=torch.contiguous_format)


def factor(stage: int) -> float:
    """What the learning rate is multiplied by: two stages to warm up, full until half-time, then down a cosine."""
    warm = min(1.0, (stage + 1) / 3)
    return warm * 0.5 * (1 + math.cos(math.pi * max(0.0, 2 * stage / NUM_STAGES - 1)))


def tickets(steps: int, recipe: Recipe) -> torch.Tensor:
    """What `fit` counts through in a stage: `drawing` turns each into an image, whichever it is."""
    return torch.zeros(steps * recipe.batch_size, dtype=torch.uint8)


def drawing(images: torch.Tensor):
    """Returns a transform that draws as many images as it gets tickets, and makes their pixels black or white.

    A stage is then as many steps as the budget says, be it a part of the 60 000 images or many times all.
    """

    def draw(ticket: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
        index = torch.randint(len(images), ticket.shape, generator=generator, device=generator.device)
        return data.binarize(images.index_select(0, index), "dynamic", generator=generator)

    return draw


def speed(
    recipe: Recipe,
    images: torch.Tensor,
    device: torch.device,
    steps: int = 10,
    rounds: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Measures a training step in seconds of a clock: the median of some rounds, after one that is not timed."""
    net, marks = network(recipe), []

    def mark() -> float:
        marks.append(clock())
        return 0.0

    fit(
        net,
        tickets(steps, recipe),
        lambda x, *, generator: -net.log_prob(x).mean(),
        torch.optim.Adam(net.parameters(), lr=recipe.learning_rate, fused=True),
        epochs=rounds + 1,
        batch_size=recipe.batch_size,
        transform=drawing(images),
        generator=torch.Generator().manual_seed(SEED),
        validate=mark,
        device=device,
        precision=recipe.precision,
        compile=recipe.compile,
        microbatch_size=recipe.microbatch_size,
        progress=False,
    )
    return sorted(after - before for before, after in pairwise(marks))[rounds // 2] / steps


def mnist() -> dict[str, torch.Tensor]:
    """Grey training images, and binary test images."""
    test = data.binarize(data.mnist("test")[0], "dynamic", generator=torch.Generator().manual_seed(1))
    return {"train": data.mnist("train")[0], "test": test}


def report(name: str, title: str, run: Run, numbers: dict[str, object] | None = None, note: str = "") -> None:
    """Keeps the run's table and its learning curve."""
    curve, plan, recipe = run.curve, run.plan, run.recipe
    last = curve[-1]
    rows = [
        [
            f"{p['images']:.0f}",
            f"{p['images'] / len(run._train):.2f}",
            f"{p['seconds']:.0f}",
            f"{p['nll']:.2f} ± {p['nll_error']:.2f}",
            f"{p['nll_without_averaging']:.2f}",
        ]
        for p in curve
    ]
    header = ["images seen", "passes", "seconds", "−log p(x), nats", "without averaging"]
    units = "channels" if recipe.kind == "gated" else "hidden units"
    layers = "1 layer" if recipe.num_layers == 1 else f"{recipe.num_layers} layers"
    counted = ", of computing time, summed over threads" if run.device.type == "cpu" else ""
    text = (
        f"# {title}\n\n{BINARISATION} {layers} × {recipe.num_channels} {units}, batches of "
        f"{recipe.batch_size}, {recipe.precision}, Adam at {recipe.learning_rate:g}, falling to zero in the second "
        f"half; seed {SEED}. Seconds are of training{counted}: measuring the speed of a step, which sets the number of "
        f"steps for the budget of {plan['budget']:.0f} s, and the looks at test images come on top. Likelihoods are "
        "exact, in float32, of the average of the weights after the last steps (a twenty-fifth of all so far); ± is "
        "the standard error over images.\n\n"
        f"**After {last['seconds']:.0f} s: {last['nll_of_all']:.2f} ± {last['nll_of_all_error']:.2f} nats an image**, "
        f"on all {run.num_test} test images."
        f"{note}\n\nOn the way, on the first {run.num_looked_at} of them:\n\n{table(header, rows)}"
    )
    keep(name, text, {"seed": SEED, "plan": plan, "curve": curve, **(numbers or {})})
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    axes = figure.subplots()
    seconds = [p["seconds"] for p in curve]
    axes.semilogx(seconds, [p["nll"] for p in curve], "o-", color=plotting.BLUE, label="averaged weights")
    axes.semilogx(
        seconds, [p["nll_without_averaging"] for p in curve], ":", color=plotting.ORANGE, label="last weights"
    )
    axes.set(
        xlabel="seconds of training",
        ylabel=f"−log p(x), first {run.num_looked_at} test images (nats)",
        title=f"{last['nll_of_all']:.1f} nats after {last['seconds']:.0f} s",
    )
    axes.legend()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.png").write_bytes(plotting.png(figure))
