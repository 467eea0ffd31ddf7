"""The classic mistakes around M2, each made on purpose: every one must break a law."""

import torch
from support.classes_and_styles import IMAGE, C, Call, K, drawn, exact_model, images, seeded, small_model
from support.mutation import law_tests
from torch import nn
from torch.distributions import Independent, Normal

from vaeedu import bounds, sampling, vae
from vaeedu.networks import NormalHead


def close(a, b, within=1e-8):
    torch.testing.assert_close(a, b, rtol=0, atol=within)


def exact_law(ss):
    model, mixture = exact_model(ss)
    x = mixture.data()
    each = model.class_bounds(x, kl="monte_carlo", generator=seeded())
    assert each.shape == (6, C)
    close(each, mixture.joint(x))
    close(model.unlabelled_bound(x, kl="monte_carlo", generator=seeded()), mixture.joint(x).logsumexp(1))


def divergence_law(ss):
    logits = drawn(6, C, seed=4)
    model, mixture = exact_model(ss, q=lambda x: logits)
    x = mixture.data()
    q, p = logits.log_softmax(1), mixture.joint(x).log_softmax(1)
    close(model.class_log_probs(x), q)
    gap = mixture.joint(x).logsumexp(1) - model.unlabelled_bound(x, kl="monte_carlo", generator=seeded())
    close(gap, (q.exp() * (q - p)).sum(dim=1))
    assert torch.equal(model.classify(x), logits.argmax(1))


def terms_law(ss):
    model, x, y = small_model(ss), images(), torch.tensor([0, 1, 2, 1, 0])
    parts = (
        lambda x: model.conditional.posterior(x, y),
        lambda z: model.conditional.likelihood(z, y),
        model.conditional.prior(),
    )
    log_p_y = torch.tensor([0.2, 0.5, 0.3]).double().log()[y]
    for kl in ("analytic", "monte_carlo"):
        of_z = bounds.elbo(x, *parts, num_samples=3, kl=kl, generator=seeded())
        found = model.labelled_bound(x, y, num_samples=3, kl=kl, generator=seeded())
        close(found, of_z + log_p_y, 1e-6)


def objective_law(ss):
    model, x, y, x_u = small_model(ss), images(), torch.tensor([0, 1, 2, 1, 0]), images(4, seed=8)
    g = seeded()
    U = model.unlabelled_bound(x_u, num_samples=2, generator=g).sum()
    L = model.labelled_bound(x, y, num_samples=2, generator=g).sum()
    log_q = model.class_log_probs(x)[torch.arange(5), y].sum()
    loss = ss.semi_supervised_loss(model, labelled_weight=5 / 4, classifier_weight=3 * 5 / 4, num_samples=2)
    close(loss(x_u, x, y, generator=seeded()), -(U + L + 3 * log_q) / 4)


def stream_law(ss):
    x, y = torch.arange(3.0)[:, None].expand(3, 2), torch.tensor([0, 1, 2])
    stream = ss.LabelledStream(x, y, batch_size=30, prepare=lambda x, generator: x + 10)
    unlabelled, labelled, labels = stream(torch.zeros(4, 2), generator=seeded())
    close(unlabelled, torch.full((4, 2), 10.0))
    close(labelled, 10.0 + labels[:, None].expand(-1, 2))
    assert len(labels) == 30
    assert len(ss.LabelledStream(x, y)(torch.zeros(7, 2), generator=seeded())[2]) == 7


def sample_law(ss):
    model = small_model(ss)
    z = sampling.draw(model.conditional.prior(), (4,), generator=seeded())
    x, _ = model.sample(4, 2, mean=True, generator=seeded())
    close(x, model.conditional.likelihood(z, torch.full((4,), 2)).mean)
    drawn_x, _ = model.sample(4, 2, generator=seeded())
    assert bool(((drawn_x == 0) | (drawn_x == 1)).all())
    labels = model.sample(99, generator=seeded())[1]
    assert torch.equal(labels, sampling.categorical(model.class_log_prior.exp(), (99,), generator=seeded()))


def analogies_law(ss):
    model, x, y = small_model(ss), images(), torch.tensor([0, 1, 2, 1, 0])
    grid = model.analogies(x, y)
    z = model.conditional.posterior(x, y).mean
    for c in range(C):
        close(grid[:, c], model.conditional.likelihood(z, torch.full((5,), c)).mean)
    close(model.analogies(x), model.analogies(x, model.classify(x)))


def blocks_law(ss):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sizes = {"num_latents": K, "likelihood": "normal", "scale": "predicted"}
        separate = [ss.mlp_conditional_vae(IMAGE, 1, num_hidden=(4,), **sizes).double() for _ in range(C)]
        joint = ss.mlp_conditional_vae(IMAGE, C, num_hidden=(C * 5,), **sizes).double()
    ss.join_by_blocks(separate, joint)
    x, zero = images(), torch.zeros(5, dtype=torch.int64)
    for c, model in enumerate(separate):
        close(joint.elbo(x, torch.full((5,), c), generator=seeded()), model.elbo(x, zero, generator=seeded()))


def layers_law(ss):
    head = NormalHead(None, (5,), scale=1.0)
    network = ss.Conditioned(nn.Linear(3, 5), head, num_features=5, num_classes=C).double()
    x, y = drawn(4, 3), torch.tensor([0, 1, 2, 0])
    close(network(x, y).mean, network.body(x) + network.of_class.weight[y])
    model = ss.mlp_conditional_vae(IMAGE, C, num_latents=2, num_hidden=(7, 4), activation=nn.SiLU)
    for part, sizes in (("encoder", [(9, 7), (7, 4), (4, 4)]), ("decoder", [(2, 4), (4, 7), (7, 9)])):
        modules = list(getattr(model, part).modules())
        found = [(m.in_features, m.out_features) for m in modules if isinstance(m, nn.Linear)]
        assert found == sizes
        assert sum(isinstance(m, nn.SiLU) for m in modules) == 2
    normal = ss.conv_conditional_vae((1, 8, 8), C, num_channels=2, likelihood="normal", scale=0.25)
    close(normal.likelihood(torch.zeros(1, 20), torch.zeros(1).long()).stddev, torch.full((1, 1, 8, 8), 0.25))


def stacked_law(ss):
    first = vae.mlp_vae(IMAGE, num_latents=2).double()
    encoder = Call(lambda x, y: Independent(Normal(x.expand(*y.shape, 2), 1.0), 1))
    decoder = Call(lambda z, y: Independent(Normal(z, 1.0), 1))
    conditional = ss.ConditionalVAE(encoder, decoder, num_latents=2, num_classes=C)
    logits = Call(lambda z: torch.cat([z, z.sum(1, keepdim=True)], dim=1))
    second = ss.SemiSupervisedVAE(logits, conditional).double()
    model, x = ss.StackedVAE(first, second), images()
    q, g = first.posterior(x), seeded()
    z = sampling.draw(q, generator=g)
    own = first.likelihood(z).log_prob(x) - q.log_prob(z)
    close(model.unlabelled_bound(x, generator=seeded()), own + second.unlabelled_bound(z, generator=g))
    close(model.draw_codes(x, generator=seeded()), sampling.draw(q, generator=seeded()))
    assert torch.equal(model.classify(x), logits(q.mean).argmax(1))
    codes, _ = second.sample(6, 1, generator=seeded())
    close(model.sample(6, 1, generator=seeded())[0], first.likelihood(codes).mean)


MUTANTS = [
    (exact_law, "model", "return bound + self.class_log_prior[cast(Tensor, y)]", "return bound"),
    (exact_law, "model", "(log_q.exp() * (bounds - log_q)).sum(dim=1)", "(log_q.exp() * bounds).sum(dim=1)"),
    (exact_law, "model", "(bounds - log_q)", "(bounds + log_q)"),
    (exact_law, "model", "(log_q.exp() * (bounds - log_q)).sum(dim=1)",
     "(log_q.exp() * (bounds - log_q)).max(dim=1).values"),
    (exact_law, "model", "(log_q.exp() * (bounds - log_q)).sum(dim=1)",
     "(log_q.exp() * (bounds - log_q)).mean(dim=1)"),
    (divergence_law, "model", "(log_q.exp() * (bounds - log_q)).sum(dim=1)", "bounds.logsumexp(dim=1)"),
    (divergence_law, "model", "logits.log_softmax(dim=1)", "logits.log_softmax(dim=0)"),
    (divergence_law, "model", "self.class_log_probs(x).argmax(dim=1)",
     "self.class_bounds(x, kl='monte_carlo').argmax(dim=1)"),
    (terms_law, "conditional", "reconstruction - analytic_kl(q, p)", "reconstruction + analytic_kl(q, p)"),
    (terms_law, "conditional", "inputs.unchecked(q).log_prob(z) - p.log_prob(z)",
     "p.log_prob(z) - inputs.unchecked(q).log_prob(z)"),
    (terms_law, "conditional", "z, x).mean(dim=0)", "z, x).sum(dim=0)"),
    (terms_law, "model", "+ self.class_log_prior[cast(Tensor, y)]", "+ self.class_log_prior.exp()[y]"),
    (objective_law, "streams", "- a * log_q.mean()", "+ a * log_q.mean()"),
    (objective_law, "streams", "- a * log_q.mean()", "- a * log_q.sum()"),
    (objective_law, "streams", "- w * labelled.mean()", "- labelled.mean()"),
    (objective_law, "streams", "model.class_log_probs(x_labelled).gather", "model.class_log_probs(x).gather",
     RuntimeError),
    (objective_law, "streams", "model.unlabelled_bound(x, num_samples=S,", "model.unlabelled_bound(x,"),
    (stream_law, "streams", "return x, labelled, self.y[index]", "return x, labelled, self.y[index.flip(0)]"),
    (stream_law, "streams", "self.prepare(labelled, generator=generator)", "labelled"),
    (stream_law, "streams", "len(x) if self.batch_size is None", "1 if self.batch_size is None"),
    (sample_law, "model", "mean=mean, generator=generator), labels", "generator=generator), labels"),
    (sample_law, "conditional", "return p.mean if mean else sampling.draw(p, generator=generator)",
     "return p.mean"),
    (sample_law, "model", "sampling.categorical(self.class_log_prior.exp()",
     "sampling.categorical(torch.ones_like(self.class_log_prior)"),
    (analogies_law, "conditional", "return self.likelihood(z[:, None].expand(-1, self.num_classes, -1), classes)",
     "return self.likelihood(self.posterior(x, classes.T).mean.transpose(0, 1), classes)"),
    (analogies_law, "conditional", "device=z.device).expand(len(x), -1)",
     "device=z.device).flip(0).expand(len(x), -1)"),
    (analogies_law, "model", "self.classify(x) if y is None else y", "0 * self.classify(x)"),
    (blocks_law, "blocks", "_OFF * (1 - switches)", "0 * (1 - switches)"),
    (blocks_law, "blocks", "a.bias + m.of_class.weight[0]", "a.bias"),
    (blocks_law, "blocks", "torch.stack([b.bias for b in last], 1)", "0 * torch.stack([b.bias for b in last], 1)"),
    (layers_law, "builders", "self.body(x) + self.of_class(y)", "self.body(x) * self.of_class(y)"),
    (layers_law, "builders", "(K, *reversed(widths))", "(K, *widths)"),
    (layers_law, "builders", "mlp(widths, activation=activation), activation()]", "mlp(widths), nn.Tanh()]"),
    (layers_law, "builders", '"learned" if scale is None else scale', "1.0"),
    (stacked_law, "stacked", "log_prob(x) - q.log_prob(z)", "log_prob(x) + q.log_prob(z)"),
    (stacked_law, "stacked", "self.second.classify(self.first.posterior(x).mean)",
     "self.second.classify(self.first.posterior(x).stddev)"),
    (stacked_law, "stacked", "return sampling.draw(self.first.posterior(x), generator=generator)",
     "return self.first.posterior(x).mean"),
    (stacked_law, "stacked", "self.second.sample(num_samples, y, generator",
     "self.second.sample(num_samples, generator"),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("semisupervised", MUTANTS)
