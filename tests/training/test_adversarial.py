"""Two networks in turn: the loop is the one written out by hand, and it resumes bit for bit."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from vaeedu import gan, training
from vaeedu.training import adversarial, devices

N, B = 53, 8


class Game(nn.Module):
    """A generator, a critic and a moving average, with every source of randomness."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.generator = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)).double()
            self.critic = nn.Linear(3, 1).double()
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.calls = []

    def draw(self, n, generator):
        return self.generator(torch.randn(n, 2, dtype=torch.float64, generator=generator))

    def critic_loss(self, x, *, generator):
        self.calls.append(
            ("critic", self.critic.weight.requires_grad, self.generator[0].weight.requires_grad)
        )
        return (softplus(-self.critic(x)) + softplus(self.critic(self.draw(len(x), generator)))).mean()

    def generator_loss(self, x, *, generator):
        self.calls.append(
            ("generator", self.critic.weight.requires_grad, self.generator[0].weight.requires_grad)
        )
        return softplus(-self.critic(self.draw(len(x), generator))).mean()

    def update(self):
        for mean, p in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            mean.lerp_(p, 0.25)

    def optimizers(self, lr=0.05):
        first = torch.optim.Adam(self.critic.parameters(), lr=lr, betas=(0.0, 0.9))
        return first, torch.optim.SGD(self.generator.parameters(), lr=lr, momentum=0.5)


def images():
    return torch.rand(N, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def noisy(x, *, generator):
    return x + 0.1 * torch.randn(x.shape, dtype=x.dtype, generator=generator)


def schedules(optimizers):
    return tuple(torch.optim.lr_scheduler.ExponentialLR(each, gamma=0.5) for each in optimizers)


def run(game=None, *, epochs=3, seed=2, **options):
    game = Game() if game is None else game
    optimizers = game.optimizers()
    settings = {
        "losses": (game.critic_loss, game.generator_loss), "optimizers": optimizers, "batch_size": B,
        "critic_steps": 3, "transform": noisy, "after_step": game.update, "schedulers": schedules(optimizers),
        "generator": torch.Generator().manual_seed(seed), "device": "cpu", "progress": False, "data": images(),
    } | options  # fmt: skip
    return game, training.fit_adversarial(game, epochs=epochs, **settings)


def by_hand(game, *, epochs=3, k=3):
    x, generator, steps, losses = images(), torch.Generator().manual_seed(2), 0, []
    critic, other = game.optimizers()
    decay = schedules((critic, other))
    for _ in range(epochs):
        first, second = [], []
        for index in torch.randperm(N, generator=generator).split(B):
            batch = noisy(x[index], generator=generator)
            loss = game.critic_loss(batch, generator=generator)
            critic.zero_grad()
            loss.backward()
            critic.step()
            first.append(len(batch) * loss.item())
            steps += 1
            if steps % k == 0:
                loss = game.generator_loss(batch, generator=generator)
                other.zero_grad()
                loss.backward()
                other.step()
                second.append(loss.item())
                with torch.no_grad():
                    game.update()
        for each in decay:
            each.step()
        losses.append((sum(first) / N, sum(second) / len(second)))
    return losses


def weights(game):
    return copy.deepcopy(dict(game.state_dict()))


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def numbers(history):
    return {name: value for name, value in history.state_dict().items() if name != "seconds"}


def test_it_is_the_loop_written_out_by_hand():
    reference = Game()
    losses = by_hand(reference)
    game, history = run()
    assert same(weights(game), weights(reference))
    assert history.loss == pytest.approx([a for a, _ in losses], rel=1e-9)
    assert history.generator_loss == pytest.approx([b for _, b in losses], rel=1e-9)
    assert history.learning_rate == [0.05, 0.025, 0.0125]


def test_each_player_asks_for_its_own_gradient_only():
    game, _ = run(epochs=1)
    assert set(game.calls) == {("critic", True, False), ("generator", False, True)}
    assert all(p.requires_grad for p in [*game.critic.parameters(), *game.generator.parameters()])


class Killed(BaseException):
    pass


@pytest.mark.parametrize("at", [1, 4, 9, 10, 14, 27])
def test_cut_off_at_any_step_and_resumed(at, tmp_path):
    """Also between the critic's step and the generator's, and with another seed: the stored one counts."""
    reference, expected = run()
    game = Game()

    def killed(loss):
        def wrapped(x, *, generator):
            if len(game.calls) >= at:
                raise Killed
            return loss(x, generator=generator)

        return wrapped

    path = tmp_path / "run.pt"
    with pytest.raises(Killed):
        run(
            game,
            losses=(killed(game.critic_loss), killed(game.generator_loss)),
            checkpoint=path,
            checkpoint_every=1,
        )
    resumed, history = run(checkpoint=path, seed=99)
    assert same(weights(resumed), weights(reference))
    assert numbers(history) == numbers(expected)


def test_another_runs_checkpoint_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    run(epochs=1, checkpoint=path)
    with pytest.raises(ValueError, match="critic_steps was 3, and now is 2"):
        run(critic_steps=2, checkpoint=path)
    game = Game()
    optimizers = game.optimizers()[0], game.optimizers(0.1)[1]
    with pytest.raises(ValueError, match=r"lr \(generator\) was 0.05"):
        run(game, optimizers=optimizers, schedulers=schedules(optimizers), checkpoint=path)


def test_a_loss_that_is_no_number_is_named():
    game = Game()

    def loss(x, *, generator):
        return game.critic_loss(x, generator=generator) * (torch.nan if len(game.calls) > 12 else 1.0)

    with pytest.raises(training.NonFiniteLossError, match="loss is nan in epoch 1"):
        run(game, losses=(loss, game.generator_loss))


def test_validation_is_noted():
    game = Game()
    _, history = run(game, validate=lambda: float(game.critic.bias.square().sum()))
    assert len(history.validation) == 3


def shared(game):
    one = torch.optim.SGD(game.critic.parameters(), lr=0.1)
    return one, torch.optim.SGD(game.critic.parameters(), lr=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (lambda game: {"critic_steps": 8}, "critic_steps must be at most 7"),
        (
            lambda game: {"optimizers": shared(game)},
            "optimizers must update separate parameters, but share 2",
        ),
        (lambda game: {"epochs": 0}, "epochs must be"),
        (lambda game: {"precision": "fp8"}, "precision must be one of 'float32', 'bfloat16'"),
    ],
)
def test_mistakes_are_named(options, message):
    game = Game()
    with pytest.raises(ValueError, match=message):
        run(game, **({"schedulers": None} | options(game)))


def test_bfloat16_computes_both_losses_in_bfloat16_and_keeps_the_weights(monkeypatch):
    monkeypatch.setattr(devices.precision, "_cpu_multiplies_bfloat16", lambda: True)  # emulated, if need be

    def trained(precision):
        torch.manual_seed(0)
        model = gan.mlp_gan(3, num_latents=2, num_hidden=(8,), r1=0.5, gradient_penalty=1.0)
        seen = []
        for part in (model.critic, model.generator):
            part.register_forward_hook(lambda module, x, output: seen.append((output.dtype, len(output))))
        history = training.fit_adversarial(
            model, images().float(), model.losses, (torch.optim.Adam(model.critic.parameters()),
            torch.optim.Adam(model.generator.parameters())), epochs=2, batch_size=B, progress=False, device="cpu",
            precision=precision, generator=torch.Generator().manual_seed(0),
        )  # fmt: skip
        return model, seen, history

    model, seen, history = trained("bfloat16")
    assert {dtype for dtype, _ in seen} == {torch.bfloat16}
    assert max(size for _, size in seen) == B  # never in pieces, which batch normalisation would feel
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    _, _, exact = trained("float32")
    assert history.loss != exact.loss
    assert history.loss == pytest.approx(exact.loss, rel=0.05)
    assert history.generator_loss == pytest.approx(exact.generator_loss, rel=0.05)


def test_two_are_asked_for():
    with pytest.raises(
        ValueError, match="losses must be two, the critic's and the generator's, but is tuple of 1"
    ):
        adversarial._pair("losses", (print,))
    with pytest.raises(ValueError, match=r"optimizers must be two, .* but is Adam"):
        adversarial._pair("optimizers", Game().optimizers()[0])


def test_it_runs_in_one_process(monkeypatch):
    monkeypatch.setattr(devices, "join", lambda device: devices.Team(0, 2, device))
    with pytest.raises(ValueError, match="must run in one process, but there are 2"):
        run()
