"""A small VAE-like run with every source of randomness, for the tests of training; also a program, to be killed.

`python training_runs.py RESULT [--checkpoint FILE] [--slow SECONDS] ...` writes weights and history to RESULT.
"""

import argparse
import copy
import time

import torch
from torch import nn

from vaeedu import data, sampling, training

N, D, K = 53, 6, 2  # an odd number of examples: the last batch is smaller, and parts differ


class TinyVAE(nn.Module):
    def __init__(self, dtype=torch.float64):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.encoder = nn.Linear(D, 2 * K, dtype=dtype)
            self.decoder = nn.Linear(K, D, dtype=dtype)
            self.unused = nn.Linear(3, 3, dtype=dtype)  # gets no gradient

    def loss(self, x, *, generator):
        loc, log_scale = self.encoder(x).chunk(2, dim=-1)
        q = torch.distributions.Independent(torch.distributions.Normal(loc, log_scale.exp()), 1)
        z = sampling.draw(q, (3,), generator=generator)  # (S, B, K)
        prior = torch.distributions.Independent(torch.distributions.Normal(torch.zeros_like(z), 1), 1)
        p = torch.distributions.Independent(torch.distributions.Bernoulli(logits=self.decoder(z)), 1)
        return (q.log_prob(z) - prior.log_prob(z) - p.log_prob(x)).mean()

    def reconstruction(self, x, *, generator):
        """A loss without draws."""
        return (self.decoder(self.encoder(x)[:, :K].tanh()) - x).square().sum(dim=-1).mean()

    def squared_error(self, x, *, generator):
        loc, log_scale = self.encoder(x).chunk(2, dim=-1)
        z = sampling.reparameterize(loc, log_scale.exp(), generator=generator)
        return (self.decoder(z) - x).square().sum(dim=-1).mean()


def images(dtype=torch.float64):
    return torch.rand(N, D, dtype=dtype, generator=torch.Generator().manual_seed(1))


def binarize(x, *, generator):
    return data.binarize(x, "dynamic", generator=generator)


def run(model=None, *, epochs=3, batch_size=8, seed=2, lr=0.05, fit=training.fit, **options):
    """Trains a fresh TinyVAE (or `model`); returns it and its history."""
    model = TinyVAE() if model is None else model
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    generator = torch.Generator().manual_seed(seed)
    settings = {
        "loss": model.loss,
        "transform": binarize,
        "max_grad_norm": 1.0,
        "scheduler": scheduler,
        "validate": lambda: float(model.decoder.bias.square().sum()),
        "progress": False,
        "device": "cpu",
    }
    settings |= options
    rows = settings.pop("data", None)
    rows = images() if rows is None else rows
    history = fit(
        model,
        rows,
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        generator=generator,
        **settings,
    )
    return model, history


def by_hand(model, *, epochs=3, batch_size=8, seed=2, lr=0.05, max_norm=1.0):
    """The loop that fit stands for."""
    x, generator = images(), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    means, norms, rates = [], [], []
    for _ in range(epochs):
        losses, norm = [], []
        rates.append(optimizer.param_groups[0]["lr"])
        for index in torch.randperm(len(x), generator=generator).split(batch_size):
            batch = binarize(x[index], generator=generator)
            loss = model.loss(batch, generator=generator)
            optimizer.zero_grad()
            loss.backward()
            norm.append(len(batch) * float(nn.utils.clip_grad_norm_(model.parameters(), max_norm)))
            optimizer.step()
            losses.append(len(batch) * loss.item())
        scheduler.step()
        means.append(sum(losses) / len(x))
        norms.append(sum(norm) / len(x))
    return means, norms, rates


def weights(model):
    return copy.deepcopy(dict(model.state_dict()))


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def numbers(history):
    """The history without what a clock measured."""
    return {name: value for name, value in history.state_dict().items() if name != "seconds"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("result")
    parser.add_argument("--checkpoint")
    parser.add_argument("--every", type=int)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rest", type=float, default=0.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = TinyVAE()

    def loss(x, *, generator):
        time.sleep(options.rest)
        print("step", flush=True)
        return model.loss(x, generator=generator)

    model, history = run(
        model,
        epochs=options.epochs,
        loss=loss,
        checkpoint=options.checkpoint,
        checkpoint_every=options.every if options.checkpoint else None,
    )
    torch.save({"weights": dict(model.state_dict()), "history": history.state_dict()}, options.result)


if __name__ == "__main__":
    main()
