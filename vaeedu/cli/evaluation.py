"""`vaeedu evaluate`: a trained model's row of a table, from a shell."""

import argparse
import datetime
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import vaeedu
from vaeedu.cli import files, runs
from vaeedu.cli.models import KINDS, Kind

_EVALUATE = """Evaluates a trained model on the test images, as far as it is trained: prints JSON, in nats per image,
and writes it to DIR/results.json. Results that are there already are kept under another name."""


def add_commands(commands: Any) -> None:
    """Adds it to the parser's commands."""
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


def _evaluate(options: argparse.Namespace) -> int:
    import torch

    from vaeedu import data, require
    from vaeedu.training import devices

    start = time.perf_counter()
    folder, N = options.folder, options.num_images
    settings = files.read_settings(folder)
    kind = KINDS[require.choice("model", settings.get("model"), KINDS)]
    require.positive_int("--num-samples", options.num_samples)
    x = runs.images(settings["data"], "test")
    if N is not None:
        require.positive_int("--num-images", N, at_most=len(x), because="the test images there are")
    generator = torch.Generator().manual_seed(options.seed)
    mode = settings["binarize"]
    x = data.binarize(x, mode, generator=generator if mode == "dynamic" else None)[:N]
    model, _ = runs.build(kind, settings, x.shape[1:])
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


def _load(model: Any, folder: Path) -> dict[str, Any]:
    """Puts the checkpoint's weights into the model; returns how long it was trained."""
    from vaeedu.training.recovery import checkpoint

    state = checkpoint.load(folder / files.CHECKPOINT)
    model.load_state_dict(state["best"] or state["model"])
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
