"""A small VAE-like run with every source of randomness, for the tests of training."""

import copy
import os
import time
import warnings

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


def to_be_killed(result, checkpoint, connection):
    """In a process of its own: a run that saves after every step, and tells of each; the end is written to `result`."""
    torch.set_num_threads(1)
    model = TinyVAE()

    def loss(x, *, generator):
        time.sleep(0.002)
        connection.send_bytes(b"step")
        return model.loss(x, generator=generator)

    model, history = run(model, loss=loss, checkpoint=checkpoint, checkpoint_every=1)
    torch.save({"weights": dict(model.state_dict()), "history": history.state_dict()}, result)


def compiled(variables, connection):
    """In a process of its own, under these environment variables: sends a compiled run's losses, and its warnings."""
    os.environ |= variables
    torch.set_num_threads(1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, history = run(TinyVAE(torch.float32), data=images(torch.float32), compile=True)
    told = [str(warning.message) for warning in caught]
    connection.send((history.loss, [message for message in told if "going on without it" in message]))
