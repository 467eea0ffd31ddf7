"""How many threads, and how should they wait? Training two small autoencoders and a PixelCNN.

One thread, two that spin while they wait, and two that wait passively (`OMP_WAIT_POLICY`), on this machine as it is and
beside one busy process. How threads wait is settled when torch is loaded, so each training is a process of its own; the
settings take turns, and the table has medians as multiples of one thread's time.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from common import keep, table
from torch import Tensor, nn

from vaeedu import autoencoders, sampling
from vaeedu.pixelcnn import Binary, PixelCNN

ROUNDS = 3
SETTINGS = {"1": "passive", "2 spinning": "active", "2 passive": "passive"}
BUSY = "while True: pass"
SHAPE = (1, 28, 28)


def trainings() -> dict[str, tuple[nn.Module, Callable[[nn.Module, Tensor], Tensor], int]]:
    """Networks as the lectures have them: each with its loss on black and white images, and a number of steps."""
    dense = autoencoders.mlp_autoencoder(SHAPE, num_latents=16, num_hidden=(256,))
    convolutional = autoencoders.conv_autoencoder(SHAPE, num_latents=16, num_channels=16)
    pixels = PixelCNN(SHAPE, output=Binary())
    return {
        "dense autoencoder": (dense, squared_error, 150),
        "convolutional autoencoder": (convolutional, squared_error, 150),
        "PixelCNN": (pixels, lambda model, x: -model.log_prob(x.long()).mean(), 6),
    }


def squared_error(model: nn.Module, x: Tensor) -> Tensor:
    """The loss of an autoencoder."""
    return (model(x) - x).square().sum()


def seconds_to_train(model: nn.Module, loss: Callable[[nn.Module, Tensor], Tensor], steps: int) -> float:
    """Times steps of Adam on one minibatch."""
    x = sampling.uniform((64, *SHAPE), like=torch.empty(0), generator=sampling.seeded(0)).gt(0.8).float()
    optimizer = torch.optim.Adam(model.parameters())
    begun = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad()
        loss(model, x).backward()
        optimizer.step()
    return time.perf_counter() - begun


def child(setting: str) -> None:
    """Prints the seconds of each training."""
    torch.set_num_threads(int(setting[0]))
    torch.manual_seed(0)
    print(*(seconds_to_train(*training) for training in trainings().values()))


def measured(setting: str) -> list[float]:
    """Runs a child with a setting."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OMP_")}
    environment["OMP_WAIT_POLICY"] = SETTINGS[setting]
    command = [sys.executable, __file__, setting]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return [float(word) for word in output.split()]


def medians() -> dict[str, list[float]]:
    """For each setting the median seconds of each training."""
    rounds = [{setting: measured(setting) for setting in SETTINGS} for _ in range(ROUNDS)]
    return {
        s: [statistics.median(column) for column in zip(*(r[s] for r in rounds), strict=True)]
        for s in SETTINGS
    }


def main() -> None:
    """Measures alone and beside a busy process, and keeps the table."""
    alone = medians()
    busy = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        crowded = medians()
    finally:
        busy.kill()
        busy.wait()
    names = list(trainings())
    rows = [
        (when, name, *(f"{results[setting][i] / results['1'][i]:.2f}" for setting in SETTINGS))
        for when, results in (("alone", alone), ("beside a busy process", crowded))
        for i, name in enumerate(names)
    ]
    text = table(("machine", "network", *(f"threads: {setting}" for setting in SETTINGS)), rows)
    header = f"Time to train as a multiple of one thread's; {os.cpu_count()} processors, {ROUNDS} rounds."
    keep("threads", f"{header}\n\n{text}", {"alone": alone, "beside a busy process": crowded})


if __name__ == "__main__":
    child(sys.argv[1]) if len(sys.argv) > 1 else main()
