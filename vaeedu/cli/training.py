"""`vaeedu train`: a model from the data to its weights, from a shell."""

import argparse
import datetime
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vaeedu.cli import files, runs
from vaeedu.cli.models import KINDS, Kind

_TRAIN = """Trains {kind}, and keeps everything in a folder. The same command again goes on where the run
was cut short, by Ctrl-C or a crash, and ends with the same weights (on a CPU, bit for bit); with more --epochs it
trains on. Under torchrun the processes share each batch:
torchrun --nproc-per-node=2 -m vaeedu.cli train ..."""
# Where neither the command line nor a recipe says anything.
_STANDARD: dict[str, Any] = {
    "data": "digits",
    "binarize": "dynamic",
    "epochs": 20,
    "batch_size": 128,
    "lr": 1e-3,
    "optimizer": "adam",
    "schedule": "constant",
    "held_out": 0,
    "patience": None,
    "precision": "float32",
}


def add_commands(commands: Any) -> None:
    """Adds it to the parser's commands."""
    train = commands.add_parser("train", help="train a model", description="Trains a model.")
    kinds = train.add_subparsers(required=True, metavar="MODEL")
    for name, kind in KINDS.items():
        parser = kinds.add_parser(name, help=kind.help, description=_TRAIN.format(kind=kind.help))
        _add_run_options(parser)
        # What is not given is left out, so that a recipe can say it.
        training, model = (
            parser.add_argument_group(f"the {title}", argument_default=argparse.SUPPRESS)
            for title in ("training", "model")
        )
        _add_training_options(training)
        _add_schedule_options(training)
        kind.add_options(model)
        if kind.recipes:
            _add_recipes(parser, kind)
        parser.set_defaults(run=_train, model=name)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--output", type=Path, required=True, metavar="DIR", help="the run's folder; made if need be")
    add("--seed", type=int, default=0, help="of the weights and of all randomness (default: 0)")
    add("--device", default="auto", help="auto, cpu, cuda, ... (default: auto)")
    add("--compile", action="store_true", help="compile the loss with torch.compile")
    add(
        "--save-every",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="between two checkpoints (default: 30)",
    )
    add("--no-progress", action="store_true", help="show no bar")


def _add_training_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--data",
        choices=("digits", "small-mnist", "mnist"),
        help="digits: 8×8; small-mnist: 28×28, with the course; mnist: all of it, fetched if need be (default: digits)",
    )
    add(
        "--binarize",
        choices=("dynamic", "fixed", "threshold"),
        help="how grey becomes black or white: drawn afresh each epoch, drawn once, or x > 1/2 (default: dynamic)",
    )
    add("--epochs", type=int, help="passes through the data in all (default: 20)")
    add("--batch-size", type=int, metavar="B", help="images a step (default: 128)")
    add("--lr", type=float, help="the learning rate, or where it begins (default: 0.001)")
    add(
        "--optimizer",
        choices=("adam", "muon"),
        help="muon: for models of dense layers; fewer epochs, each longer (default: adam)",
    )
    add(
        "--precision",
        choices=("float32", "bfloat16"),
        help="of the loss; bfloat16 where the machine has it (default: float32)",
    )


def _add_schedule_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--schedule",
        choices=("constant", "cosine"),
        help="of the learning rate: as it is, or down to 0 along half a cosine over all epochs (default: constant)",
    )
    add(
        "--held-out",
        type=int,
        metavar="N",
        help="the last N training images validate each epoch, and train nothing (default: 0)",
    )
    add(
        "--patience",
        type=int,
        metavar="EPOCHS",
        help="stop after so many without a better one, and keep the best weights (default: train to the end)",
    )


def _add_recipes(parser: argparse.ArgumentParser, kind: Kind) -> None:
    described = "; ".join(f"{name}: {recipe.described}" for name, recipe in kind.recipes.items())
    parser.add_argument(
        "--recipe",
        choices=list(kind.recipes),
        help=f"what to do where no option says otherwise. {described}",
    )


def _completed(kind: Kind, options: argparse.Namespace) -> argparse.Namespace:
    """Adds the options that were not given: the recipe's, and else the standard ones."""
    recipe = kind.recipes.get(getattr(options, "recipe", None) or "")
    said = {} if recipe is None else recipe.options
    return argparse.Namespace(**{**_STANDARD, **kind.standard, **said, **vars(options)})


def _train(given: argparse.Namespace) -> int:
    from vaeedu.training import NonFiniteLossError

    kind, folder, first = KINDS[given.model], given.output, os.environ.get("RANK", "0") == "0"
    options = _completed(kind, given)
    settings = _settings(options) | kind.settings(options)
    files.claim(folder, settings, write=first)
    try:
        history = _fit(kind, settings, options)
    except NonFiniteLossError as error:
        raise ValueError(str(error)) from None
    finally:
        if first:
            files.give_up(folder)
    if first:
        files.write_json(folder / files.HISTORY, {"unit": "nats per image", **history.state_dict()})
        print(_report(history, options), file=sys.stderr)
    return 130 if history.interrupted else 0


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """What a run may not change on its way. What a run of an earlier version did not have is None, or left out."""
    names = ("model", "data", "binarize", "batch_size", "lr", "seed", "precision")
    falls = options.schedule == "cosine"
    return {name: getattr(options, name) for name in names} | {
        # The rate at each epoch follows from how many there will be.
        "schedule": f"cosine over {options.epochs} epochs" if falls else None,
        "held_out": options.held_out or None,
        "optimizer": None if options.optimizer == "adam" else options.optimizer,
    }


def _report(history: Any, options: argparse.Namespace) -> str:
    num_done = len(history.loss)
    told = f"trained {num_done} epoch{'' if num_done == 1 else 's'}"
    if history.interrupted:
        told = f"interrupted after {num_done} of {options.epochs} epochs"
    elif history.stopped_early:
        told = f"stopped after {num_done} of {options.epochs} epochs, the last {options.patience} without a better one"
    loss = f", training loss {history.loss[-1]:.2f} nats an image" if history.loss else ""
    if history.validation:
        best = history.validation[history.best_epoch]
        loss += f", held-out loss {best:.2f} after the best, epoch {history.best_epoch + 1}"
    then = (
        "the same command goes on"
        if history.interrupted
        else f"evaluate with: vaeedu evaluate {options.output}"
    )
    return f"{told}{loss}; {then}"


def _fit(kind: Kind, settings: dict[str, Any], options: argparse.Namespace) -> Any:
    import torch

    from vaeedu import data
    from vaeedu.training import fit

    x, held_out = _parted(runs.images(settings["data"], "train"), options.held_out)
    drawn_afresh = settings["binarize"] == "dynamic"
    if not drawn_afresh:
        x = data.binarize(x, settings["binarize"])
    model, generator = runs.build(kind, settings, x.shape[1:], x.mean(dim=0))
    optimizer = _optimizer(options.optimizer, model, settings["lr"])
    falling = None
    if options.schedule == "cosine" and options.epochs > 0:  # what fewer are, `fit` will say
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)
    loss = kind.loss(model, settings)
    with warnings.catch_warnings():
        # An interruption is told on the command line in words of its own.
        warnings.filterwarnings("ignore", message="fit was interrupted")
        return fit(
            model,
            x,
            loss,
            optimizer,
            epochs=options.epochs,
            batch_size=settings["batch_size"],
            transform=_draw_afresh if drawn_afresh else None,
            generator=generator,
            validate=_validation(model, loss, held_out, settings) if options.held_out else None,
            patience=options.patience,
            scheduler=falling,
            checkpoint=options.output / files.CHECKPOINT,
            checkpoint_every=datetime.timedelta(seconds=options.save_every),
            device=options.device,
            precision=settings["precision"],
            compile=options.compile,
            progress=not options.no_progress,
        )


def _optimizer(name: str, model: Any, lr: float) -> Any:
    import torch

    from vaeedu.training import muon

    return muon(model, lr) if name == "muon" else torch.optim.Adam(model.parameters(), lr=lr, fused=True)


def _parted(x: Any, held_out: int) -> tuple[Any, Any]:
    """Returns the images that train, and the last ones, which do not."""
    if not 0 <= held_out < len(x):
        raise ValueError(
            f"--held-out must be at least 0 and leave some of the {len(x)} training images, but is {held_out}"
        )
    return x[: len(x) - held_out], x[len(x) - held_out :]


def _validation(model: Any, loss: Any, images: Any, settings: dict[str, Any]) -> Callable[[], float]:
    """Returns a function that computes the mean loss on held-out images: of the same pixels and draws each time."""
    import torch

    from vaeedu import data
    from vaeedu.training import devices

    mode, seeded = settings["binarize"], torch.Generator().manual_seed
    x = data.binarize(images, mode, generator=seeded(0) if mode == "dynamic" else None)

    def validate() -> float:
        device = next(model.parameters()).device
        generator = devices.own_generator(seeded(0), device)
        parts = [
            float(loss(part.to(device), generator=generator)) * len(part)
            for part in x.split(settings["batch_size"])
        ]
        return sum(parts) / len(x)

    return validate


def _draw_afresh(x: Any, *, generator: Any) -> Any:
    from vaeedu import data

    return data.binarize(x, "dynamic", generator=generator)
