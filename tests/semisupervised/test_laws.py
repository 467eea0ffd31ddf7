"""M2's bounds against a mixture in which all is known, and the laws that hold for any weights."""

import math

import pytest
import torch
from support.classes_and_styles import (
    IMAGE,
    C,
    Call,
    K,
    drawn,
    exact_model,
    images,
    seeded,
    small_model,
)
from torch import nn
from torch.distributions import Independent, Normal

from vaeedu import bounds, sampling, semisupervised, vae


def close(a, b, within=1e-10):
    torch.testing.assert_close(a, b, rtol=0, atol=within)


def test_with_exact_posteriors_one_draw_gives_the_joint_and_the_evidence():
    model, mixture = exact_model(semisupervised)
    x = mixture.data()
    for seed in range(3):
        bounds_ = model.class_bounds(x, kl="monte_carlo", generator=seeded(seed))
        close(bounds_, mixture.joint(x))
        close(
            model.unlabelled_bound(x, kl="monte_carlo", generator=seeded(seed)), mixture.joint(x).logsumexp(1)
        )


def test_another_q_of_y_loses_exactly_its_divergence():
    logits = drawn(6, C, seed=4)
    model, mixture = exact_model(semisupervised, q=lambda x: logits)
    x = mixture.data()
    q, p = logits.log_softmax(1), mixture.joint(x).log_softmax(1)
    loss = (q.exp() * (q - p)).sum(dim=1)
    assert float(loss.min()) > 0.01
    found = model.unlabelled_bound(x, kl="monte_carlo", generator=seeded())
    close(mixture.joint(x).logsumexp(1) - found, loss)


def test_u_is_at_most_the_log_sum_of_l_and_equal_at_the_softmax():
    model, x = small_model(semisupervised), images()
    each = model.class_bounds(x, generator=seeded())
    assert bool((model.unlabelled_bound(x, generator=seeded()) < each.logsumexp(1) - 1e-3).all())
    model.classifier = Call(lambda x: each.detach())
    close(model.unlabelled_bound(x, generator=seeded()), each.logsumexp(1))


def test_the_labelled_bound_is_the_sum_of_its_terms():
    model, x, y = small_model(semisupervised), images(), torch.tensor([0, 1, 2, 1, 0])
    of_z = bounds.elbo(
        x,
        lambda x: model.conditional.posterior(x, y),
        lambda z: model.conditional.likelihood(z, y),
        model.conditional.prior(),
        num_samples=3,
        generator=seeded(),
    )
    log_p_y = torch.tensor([0.2, 0.5, 0.3]).double().log()[y]
    close(model.labelled_bound(x, y, num_samples=3, generator=seeded()), of_z + log_p_y, 1e-6)


def test_a_column_of_classes_asks_about_each():
    model, x = small_model(semisupervised), images()
    of_z = torch.zeros(K, dtype=torch.float64)
    certain = Call(lambda x, y: Independent(Normal(of_z + y[..., None], 1e-9), 1))
    model.conditional.encoder = certain  # no noise to speak of: draws do not matter
    each = model.class_bounds(x, generator=seeded())
    assert each.shape == (5, C)
    for c in range(C):
        close(
            each[:, c], model.labelled_bound(x, torch.full((5,), c), num_samples=2, generator=seeded(1)), 1e-5
        )


def test_the_weight_of_the_classifier_leaves_the_decoder_alone():
    x, y = images(), torch.tensor([0, 1, 2, 1, 0])
    gradients = {}
    for a in (0.0, 7.0):
        model = small_model(semisupervised)
        loss = semisupervised.semi_supervised_loss(model, labelled_weight=0.5, classifier_weight=a)
        loss(images(4, seed=8), x, y, generator=seeded()).backward()
        gradients[a] = {name: p.grad for name, p in model.named_parameters()}
    for name, gradient in gradients[0.0].items():
        if name.startswith("conditional"):
            close(gradients[7.0][name], gradient, 0.0)
        else:
            assert not torch.allclose(gradients[7.0][name], gradient), name


def test_without_that_weight_labels_teach_the_classifier_nothing():
    model, x, y = small_model(semisupervised), images(), torch.tensor([0, 1, 2, 1, 0])
    model.labelled_bound(x, y, generator=seeded()).sum().backward()
    assert all(p.grad is None for p in model.classifier.parameters())


def test_the_loss_is_minus_the_objective_for_each_unlabelled_image():
    """J̃ = Σ (L + α log q) + Σ U over a data set with 5 labelled images and 4 others."""
    model, x, y, x_u = (
        small_model(semisupervised), images(), torch.tensor([0, 1, 2, 1, 0]), images(4, seed=8),
    )  # fmt: skip
    alpha, g = 3.0, seeded()
    U = model.unlabelled_bound(x_u, generator=g).sum()
    L = model.labelled_bound(x, y, generator=g).sum()
    log_q = model.class_log_probs(x)[torch.arange(5), y].sum()
    loss = semisupervised.semi_supervised_loss(model, labelled_weight=5 / 4, classifier_weight=alpha * 5 / 4)
    close(loss(x_u, x, y, generator=seeded()), -(U + L + alpha * log_q) / 4)


def test_block_weights_make_separate_models_one():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sizes = {"num_latents": K, "likelihood": "normal", "scale": "predicted"}
        separate = [
            semisupervised.mlp_conditional_vae(IMAGE, 1, num_hidden=(4,), **sizes).double() for _ in range(C)
        ]
        joint = semisupervised.mlp_conditional_vae(IMAGE, C, num_hidden=(C * 5,), **sizes).double()
    assert semisupervised.join_by_blocks(separate, joint) is joint
    x = images()
    for c, model in enumerate(separate):
        zero, own = torch.zeros(5, dtype=torch.int64), torch.full((5,), c)
        close(joint.elbo(x, own, generator=seeded()), model.elbo(x, zero, generator=seeded()))
        close(joint.posterior(x, own).stddev, model.posterior(x, zero).stddev)


def test_blocks_of_other_sizes_are_refused():
    separate = [semisupervised.mlp_conditional_vae(IMAGE, 1, num_hidden=(4,)) for _ in range(C)]
    joint = semisupervised.mlp_conditional_vae(IMAGE, C, num_hidden=(12,))
    with pytest.raises(ValueError, match=r"3 classes and 3 × \(4 \+ 1\) = 15 hidden units, but has 3 and 12"):
        semisupervised.join_by_blocks(separate, joint)


def test_stacked_on_an_exact_first_model_the_bound_is_exact():
    """M1 exact, and all classes of M2 the same model of N(0, I) codes: then U is M1's log p(x)."""
    from support.linear_gaussian import LinearGaussian

    line = LinearGaussian()
    first = vae.VAE(nn.Identity(), nn.Identity(), vae.NormalPrior.standard(2))
    first.posterior, first.likelihood = line.exact_posterior, line.decoder
    half = math.sqrt(0.5)  # z₁ = half · z₂ + half · noise is N(0, I); its posterior is N(half z₁, ½)
    conditional = semisupervised.ConditionalVAE(
        Call(lambda x, y: Independent(Normal((half * x).expand(*y.shape, 2), half), 1)),
        Call(lambda z, y: Independent(Normal(half * z, half), 1)),
        num_latents=2,
        num_classes=C,
    )
    second = semisupervised.SemiSupervisedVAE(Call(lambda x: x.new_zeros(len(x), C)), conditional).double()
    model, x = semisupervised.StackedVAE(first, second), line.data()
    close(model.unlabelled_bound(x, kl="monte_carlo", generator=seeded()), line.log_prob(x), 1e-6)
    close(model.draw_codes(x, generator=seeded()), sampling.draw(line.exact_posterior(x), generator=seeded()))
    codes, labels = second.sample(6, generator=seeded())
    samples, classes = model.sample(6, generator=seeded())
    close(samples, line.decoder(codes).mean)
    assert torch.equal(labels, classes)


def test_stacked_classifies_at_the_mean_code():
    first = vae.mlp_vae(IMAGE, num_latents=2).double()
    second, _ = exact_model(semisupervised, q=lambda z: torch.cat([z, z.sum(1, keepdim=True)], dim=1))
    model, x = semisupervised.StackedVAE(first, second), images()
    z = first.posterior(x).mean
    expected = torch.cat([z, z.sum(1, keepdim=True)], dim=1).argmax(1)
    assert torch.equal(model.classify(x), expected)


def test_samples_are_of_the_class_that_is_asked_for():
    model = small_model(semisupervised)
    z = sampling.draw(model.conditional.prior(), (4,), generator=seeded())
    for y in (2, torch.tensor([2, 2, 2, 2])):
        x, labels = model.sample(4, y, mean=True, generator=seeded())
        close(x, model.conditional.likelihood(z, torch.full((4,), 2)).mean)
        assert labels.tolist() == [2, 2, 2, 2]
    x, labels = model.sample(4, generator=seeded())
    assert bool(((x == 0) | (x == 1)).all())
    assert torch.equal(labels, sampling.categorical(model.class_log_prior.exp(), (4,), generator=seeded()))


def test_analogies_keep_the_code_of_an_image_and_its_own_label():
    model, x, y = small_model(semisupervised), images(), torch.tensor([0, 1, 2, 1, 0])
    grid = model.analogies(x, y)
    assert grid.shape == (5, C, *IMAGE)
    for b in range(5):
        z = model.conditional.posterior(x[b : b + 1], y[b : b + 1]).mean
        for c in range(C):
            close(grid[b, c], model.conditional.likelihood(z, torch.tensor([c])).mean[0])
    close(model.analogies(x), model.analogies(x, model.classify(x)))


def test_convolutional_bodies_are_told_the_class():
    torch.manual_seed(0)
    model = semisupervised.conv_conditional_vae(
        (3, 8, 8), C, num_latents=2, num_channels=2, likelihood="normal"
    )
    z, y = torch.zeros(C, 2), torch.arange(C)
    means = model.likelihood(z, y).mean
    assert means.shape == (C, 3, 8, 8)
    assert float((means[0] - means[1]).detach().abs().max()) > 1e-4
    q = model.posterior(torch.ones(4, 3, 8, 8), torch.arange(C)[:, None].expand(C, 4))
    assert (q.batch_shape, q.event_shape) == ((C, 4), (2,))
    assert model.elbo(torch.ones(4, 3, 8, 8), torch.zeros(4).long()).shape == (4,)


def test_more_hidden_layers_are_made():
    model = semisupervised.mlp_conditional_vae(IMAGE, C, num_latents=2, num_hidden=(7, 4))
    sizes = {
        part: [(m.in_features, m.out_features) for m in network.modules() if isinstance(m, nn.Linear)]
        for part, network in (("encoder", model.encoder), ("decoder", model.decoder))
    }
    assert sizes == {"encoder": [(9, 7), (7, 4), (4, 4)], "decoder": [(2, 4), (4, 7), (7, 9)]}


def test_the_stream_draws_pairs_and_prepares_both():
    x, y = torch.arange(3.0)[:, None].expand(3, 2), torch.tensor([0, 1, 2])
    stream = semisupervised.LabelledStream(
        x, y, batch_size=500, prepare=lambda x, generator: x + 10
    )  # values say which image it was
    unlabelled, labelled, labels = stream(torch.zeros(4, 2), generator=seeded())
    assert torch.equal(unlabelled, torch.full((4, 2), 10.0))
    assert torch.equal(labelled, 10.0 + labels[:, None].expand(-1, 2))
    assert all(abs(int((labels == c).sum()) - 500 / 3) < 5 * math.sqrt(500 * 2 / 9) for c in range(3))
    assert len(semisupervised.LabelledStream(x, y)(torch.zeros(7, 2), generator=seeded())[1]) == 7


def test_it_trains_with_fit_and_classifies_what_labels_name():
    """Two clusters of binary images, one label each: after training q(y|x) names them as labelled."""
    from vaeedu.training import fit

    torch.manual_seed(0)
    which = torch.arange(60) % 2
    stripes = torch.tensor([0.9, 0.1]).repeat(8).view(1, 1, 4, 4)
    ink = torch.where(which[:, None, None, None] == 1, stripes, 1 - stripes)
    x = sampling.bernoulli(ink, generator=seeded())
    model = semisupervised.SemiSupervisedVAE(
        nn.Sequential(nn.Flatten(), nn.Linear(16, 2)),
        semisupervised.mlp_conditional_vae((1, 4, 4), 2, num_latents=1, num_hidden=(8,)),
    )
    loss = semisupervised.semi_supervised_loss(model, labelled_weight=1.0, classifier_weight=1.0)
    stream = semisupervised.LabelledStream(x[:2], which[:2], batch_size=4)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    fit(
        model,
        x,
        loss,
        optimizer,
        epochs=30,
        batch_size=20,
        transform=stream,
        generator=seeded(),
        progress=False,
    )
    assert float((model.classify(x) == which).float().mean()) > 0.9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: m.labelled_bound(x, [0, 1]), "must be a tensor of int64, but is list"),
        (lambda m, x: m.labelled_bound(x, torch.zeros(5)), "int64, but is torch.float32"),
        (lambda m, x: m.labelled_bound(x, torch.zeros(4).long()), r"each of 5 examples .* has shape \(4,\)"),
        (lambda m, x: m.labelled_bound(x, torch.full((5,), -1)), "classes from 0 to 2, but holds -1: examples w"),
        (lambda m, x: m.labelled_bound(x, torch.full((5,), 3)), "classes from 0 to 2, but holds 3"),
        (lambda m, x: m.labelled_bound(x, torch.zeros(5).long(), kl="exact"), "kl must be one of"),
        (lambda m, x: m.labelled_bound(x / 2, torch.zeros(5).long()), "zeros and ones where the likelihood is"),
        (lambda m, x: m.sample(0), "num_samples must be a whole number of at least 1"),
        (lambda m, x: m.sample(2, 3), "classes from 0 to 2, but holds 3"),
        (
            lambda m, x: semisupervised.semi_supervised_loss(m, labelled_weight=-1.0, classifier_weight=1.0),
            "labelled_weight must be a finite number of at least 0",
        ),
        (
            lambda m, x: semisupervised.SemiSupervisedVAE(m.classifier, m.conditional, class_log_prior=torch.zeros(3)),
            "3 probabilities that add up to 1, .* add up to 3",
        ),
        (
            lambda m, x: semisupervised.SemiSupervisedVAE(nn.Flatten(), m.conditional).unlabelled_bound(x),
            r"logits of shape \(5, 3\), .* they have shape \(5, 9\)",
        ),
        (
            lambda m, x: semisupervised.ConditionalVAE(
                m.conditional.encoder, m.conditional.decoder, num_latents=4, num_classes=3
            ).elbo(x, torch.zeros(5).long()),
            r"batch shape \(5,\) over 4 latents, but they have batch shape \(5,\) and event shape \(2,\)",
        ),
        (
            lambda m, x: semisupervised.LabelledStream(x, torch.zeros(4).long()),
            r"x has 5 images, and y has shape \(4,\) and dtype torch.int64",
        ),
        (lambda m, x: semisupervised.conv_classifier((1, 3, 8), 2), "sides of at least 4, .* but is"),
        (
            lambda m, x: semisupervised.mlp_conditional_vae(IMAGE, 2, scale=0.1),
            "scale must be left out where the likelihood is 'bernoulli', but is 0.1",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_advice(call, message):
    with pytest.raises(ValueError, match=message):
        call(small_model(semisupervised), images())
