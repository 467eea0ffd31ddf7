"""A program for torchrun: runs that its processes share, for a test to compare; `team_program.py RESULT [options]`."""

import argparse
import os
from pathlib import Path

import torch
from support import training_runs as runs


class CutOff(BaseException):
    pass


def train(**options):
    """Weights and numbers of a run of TinyVAE."""
    model = options.pop("model", None) or runs.TinyVAE()
    model, history = runs.run(model, **options)
    return {"weights": runs.weights(model), "history": runs.numbers(history)}


def cut_off_and_resumed(at, path, **options):
    """A run that stops within its `at`-th loss, in every process, and goes on from its checkpoint."""
    model, calls = runs.TinyVAE(), []

    def loss(x, *, generator):
        calls.append(x)
        if len(calls) > at:
            raise CutOff
        return model.loss(x, generator=generator)

    try:
        train(model=model, loss=loss, checkpoint=path, checkpoint_every=1, **options)
    except CutOff:
        return train(checkpoint=path, **(options | {"seed": 99}))


def dying(rank):
    """A loss within which the process of that rank ends."""
    model, calls = runs.TinyVAE(), []

    def loss(x, *, generator):
        calls.append(x)
        if len(calls) == 9 and os.environ["RANK"] == str(rank):
            os._exit(7)
        return model.loss(x, generator=generator)

    return {"model": model, "loss": loss}


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("result", type=Path)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--die", type=int, help="the rank that exits in the midst of training")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rank = int(os.environ["RANK"])
    settings = {"batch_size": options.batch_size, "seed": 2 + rank}
    if options.die is not None:
        train(**dying(options.die), **settings)
    model = runs.TinyVAE()
    found = {
        "without draws": train(model=model, loss=model.reconstruction, transform=None, **settings),
        "whole": train(**settings),
        "resumed": cut_off_and_resumed(9, options.result.with_name("run.pt"), **settings),
    }
    if rank == 0:
        torch.save(found, options.result)


if __name__ == "__main__":
    main()
