"""`vaeedu train` and `vaeedu evaluate`: a model from the data to a table's row, from a shell."""

import argparse
import datetime
import json
import os
import platform
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import vaeedu
from vaeedu.cli import files
from vaeedu.cli.models import KINDS, Kind

_TRAIN = """Trains {kind}, and keeps everything in a folder. The same command again goes on where the run
was cut short, by Ctrl-C or a crash, and ends with the same weights (on a CPU, bit for bit); with more --epochs it
trains on. Under torchrun the processes share each batch:
torchrun --nproc-per-node=2 -m vaeedu.cli train ..."""
_EVALUATE = """Evaluates a trained model on the test images, as far as it is trained: prints JSON, in nats per image,
and writes it to DIR/results.json. Results that are there already are kept under another name."""
_DATA = ("digits", "small-mnist", "mnist")
_BINARIZE = ("dynamic", "fixed", "threshold")


def add_commands(commands: Any) -> None:
    """Adds them to the parser's commands."""
    train = commands.add_parser("train", help="train a model", description="Trains a model.")
    kinds = train.add_subparsers(required=True, metavar="MODEL")
    for name, kind in KINDS.items():
        parser = kinds.add_parser(name, help=kind.help, description=_TRAIN.format(kind=kind.help))
        _add_training_options(parser)
        kind.add_options(parser.add_argument_group("the model"))
        parser.set_defaults(run=_train, model=name)

    evaluate = commands.add_parser("evaluate", help="evaluate a trained model", description=_EVALUATE)
    add = evaluate.add_argument
    add("folder", type=Path, metavar="DIR", help="the folder that vaeedu train wrote")
    add(
        "--num-samples",
        type=int,
        default=500,
        metavar="K",
        help="samples of the bound L_K (default: 500; papers: 5000)",
    )
    add("--num-images", type=int, metavar="N", help="only the first N test images")
    add("--seed", type=int, default=1, help="of the samples and the test images' binarisation (default: 1)")
    add("--device", default="auto", help="auto, cpu, cuda, ... (default: auto)")
    evaluate.set_defaults(run=_evaluate)


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--output", type=Path, required=True, metavar="DIR", help="the run's folder; made if need be")
    add(
        "--data",
        choices=_DATA,
        default="digits",
        help="digits: 8×8; small-mnist: 28×28, with the course; mnist: all of it, fetched if need be (default: digits)",
    )
    add(
        "--binarize",
        choices=_BINARIZE,
        default="dynamic",
        help="how grey becomes black or white: drawn afresh each epoch, drawn once, or x > 1/2 (default: dynamic)",
    )
    add("--epochs", type=int, default=20, help="passes through the data in all (default: 20)")
    add("--batch-size", type=int, default=128, metavar="B", help="images a step (default: 128)")
    add("--lr", type=float, default=1e-3, help="Adam's learning rate (default: 0.001)")
    add("--seed", type=int, default=0, help="of the weights and of all randomness (default: 0)")
    add("--device", default="auto", help="auto, cpu, cuda, ... (default: auto)")
    add(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="of the loss (default: float32)",
    )
    add("--compile", action="store_true", help="compile the loss with torch.compile")
    add(
        "--save-every",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="between two checkpoints (default: 30)",
    )
    add("--no-progress", action="store_true", help="show no bar")


def _train(options: argparse.Namespace) -> int:
    from vaeedu.training import NonFiniteLossError

    kind, folder, first = KINDS[options.model], options.output, os.environ.get("RANK", "0") == "0"
    shared = ("model", "data", "binarize", "batch_size", "lr", "seed", "precision")
    settings = {name: getattr(options, name) for name in shared} | kind.settings(options)
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
        done = (
            f"{len(history.loss)} of {options.epochs} epochs"
            if history.interrupted
            else f"{len(history.loss)} epochs"
        )
        loss = f", training loss {history.loss[-1]:.2f} nats an image" if history.loss else ""
        then = (
            "the same command goes on" if history.interrupted else f"evaluate with: vaeedu evaluate {folder}"
        )
        print(
            f"{'interrupted after' if history.interrupted else 'trained'} {done}{loss}; {then}",
            file=sys.stderr,
        )
    return 130 if history.interrupted else 0


def _fit(kind: Kind, settings: dict[str, Any], options: argparse.Namespace) -> Any:
    import torch

    from vaeedu import data
    from vaeedu.training import fit

    x = _images(settings["data"], "train")
    drawn_afresh = settings["binarize"] == "dynamic"
    if not drawn_afresh:
        x = data.binarize(x, settings["binarize"])
    model, generator = _build(kind, settings, x.shape[1:])
    with warnings.catch_warnings():
        # An interruption is told on the command line in words of its own.
        warnings.filterwarnings("ignore", message="fit was interrupted")
        return fit(
            model,
            x,
            kind.loss(model),
            torch.optim.Adam(model.parameters(), lr=settings["lr"], fused=True),
            epochs=options.epochs,
            batch_size=settings["batch_size"],
            transform=_draw_afresh if drawn_afresh else None,
            generator=generator,
            checkpoint=options.output / files.CHECKPOINT,
            checkpoint_every=datetime.timedelta(seconds=options.save_every),
            device=options.device,
            precision=settings["precision"],
            compile=options.compile,
            progress=not options.no_progress,
        )


def _evaluate(options: argparse.Namespace) -> int:
    import torch

    from vaeedu import data, require
    from vaeedu.training import devices

    start = time.perf_counter()
    folder, N = options.folder, options.num_images
    settings = files.read_settings(folder)
    kind = KINDS[require.choice("model", settings.get("model"), KINDS)]
    require.positive_int("--num-samples", options.num_samples)
    x = _images(settings["data"], "test")
    if N is not None:
        require.positive_int("--num-images", N, at_most=len(x), because="the test images there are")
    generator = torch.Generator().manual_seed(options.seed)
    mode = settings["binarize"]
    x = data.binarize(x, mode, generator=generator if mode == "dynamic" else None)[:N]
    model, _ = _build(kind, settings, x.shape[1:])
    trained = _load(model, folder)
    device = devices.resolve(options.device, model)
    scores = _scores(kind, model.to(device), x.to(device), options.num_samples, generator)
    results = {
        "model": settings["model"],
        "unit": "nats per image",
        **{name: _mean(values) for name, values in scores.items()},
        "images": f"{len(x)} test images of {settings['data']}",
        "binarization": f"{mode} (test images drawn once, with the seed)" if mode == "dynamic" else mode,
        "seed": options.seed,
        **trained,
        "settings": settings,
        "seconds": round(time.perf_counter() - start, 2),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": _machine(device),
    }
    if (aside := files.set_aside(folder / files.RESULTS)) is not None:
        print(f"earlier results are now in {aside}", file=sys.stderr)
    files.write_json(folder / files.RESULTS, results)
    print(json.dumps(results, indent=1))
    return 0


def _images(name: str, split: str) -> Any:
    from vaeedu import data

    if name == "digits":
        return data.digits(split)[0]
    if name == "mnist" and not data.mnist_at_hand():
        try:
            data.fetch_mnist()
        except ConnectionError as error:
            raise ConnectionError(f"use --data small-mnist, which is there already; or, {error}") from error
    return data.mnist(split, full=name == "mnist").images


def _draw_afresh(x: Any, *, generator: Any) -> Any:
    from vaeedu import data

    return data.binarize(x, "dynamic", generator=generator)


def _build(kind: Kind, settings: dict[str, Any], image_shape: Any) -> tuple[Any, Any]:
    """Returns the model with its first weights, and the generator of its training."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings["seed"])
        model = kind.build(settings, tuple(image_shape))
        # Not the same seed once more: noise and order would be made of the very numbers that made the weights.
        return model, torch.Generator().manual_seed(int(torch.randint(2**62, ())))


def _load(model: Any, folder: Path) -> dict[str, Any]:
    """Puts the checkpoint's weights into the model; returns how long it was trained."""
    from vaeedu.training.recovery import checkpoint

    state = checkpoint.load(folder / files.CHECKPOINT)
    model.load_state_dict(state["model"])
    model.eval()
    return {"epochs": state["epoch"], "training_seconds": round(sum(state["history"]["seconds"]), 2)}


def _scores(kind: Kind, model: Any, x: Any, num_samples: int, generator: Any) -> dict[str, Any]:
    """Returns the scores of all images, a few hundred at a time."""
    import torch
    from tqdm.auto import tqdm

    from vaeedu.training import devices

    generator = devices.own_generator(generator, x.device)
    with torch.no_grad():
        parts = [
            kind.scores(model, batch, num_samples, generator)
            for batch in tqdm(x.split(200), unit=" batches", desc="evaluating")
        ]
    return {name: torch.cat([part[name] for part in parts]).double() for name in parts[0]}


def _mean(values: Any) -> dict[str, float]:
    error = float(values.std() / len(values) ** 0.5) if len(values) > 1 else float("nan")
    return {"mean": float(values.mean()), "standard_error": error}


def _machine(device: Any) -> dict[str, str]:
    import torch

    name = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else platform.processor() or platform.machine()
    )
    return {
        "device": f"{device} ({name})",
        "threads": str(torch.get_num_threads()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "vaeedu": vaeedu.__version__,
    }
