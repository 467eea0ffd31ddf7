"""The classic mistakes around flows, each made on purpose: every one must break a law."""

import math

import torch
from support.mutation import law_tests
from torch import nn

F64 = {"dtype": torch.float64}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def close(a, b, within=1e-9):
    torch.testing.assert_close(a, b, rtol=0, atol=within, check_dtype=False)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), **F64)


def shaken(module, seed=0, strength=0.4):
    """The module in float64 with weights that are not those of its start."""
    module = module.double()
    g = seeded(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(strength * torch.randn(parameter.shape, generator=g, **F64))
    return module


def network(flows, num_inputs, num_outputs, seed=1):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return shaken(flows.ResidualNetwork(num_inputs, num_outputs, num_hidden=7, num_blocks=1), seed)


MASK = torch.tensor([True, False, False, True, False])


def couplings(flows):
    return [
        flows.AdditiveCoupling(network(flows, 2, 3), MASK),
        flows.AffineCoupling(network(flows, 2, 6), MASK, max_log_scale=1.5),
        flows.SplineCoupling(network(flows, 2, 3 * 11), MASK, num_bins=4, bound=2.0),
    ]


def jacobian_and_inverse(layer, x, within=1e-9):
    """Autograd's determinant is the layer's; the inverse undoes it, in both orders."""
    z, log_det = layer(x)
    assert z.shape == x.shape
    assert log_det.shape == (len(x),)
    D = x[0].numel()
    J = torch.autograd.functional.jacobian(
        lambda v: layer(v)[0].sum(dim=0), x
    )  # no example moves another's z
    close(log_det, torch.linalg.slogdet(J.reshape(D, len(x), D).transpose(0, 1)).logabsdet, within)
    close(layer.inverse(z), x, within)
    close(layer(layer.inverse(x))[0], x, within)


def coupling_law(flows):
    x = 0.6 * drawn(6, 5)
    for layer in couplings(flows):
        jacobian_and_inverse(layer, x)
        z, _ = layer(x)
        assert torch.equal(z[:, MASK], x[:, MASK])  # kept to the last bit
        assert bool((z != x)[:, ~MASK].all())
        # What moves does not depend on what else moves: one entry of x_b, one entry of z_b.
        other = x.clone()
        other[:, 1] += 0.1
        assert torch.equal(
            (layer(other)[0] != z).any(dim=0), torch.tensor([False, True, False, False, False])
        )
    additive, affine, _ = couplings(flows)
    assert torch.equal(additive(x)[1], torch.zeros(6, **F64))
    # The formula, and its limit: no step stretches by more than e^c.
    s, t = affine.network(x[:, MASK]).reshape(6, 3, 2).unbind(2)
    s = 1.5 * torch.tanh(s / 1.5)
    close(affine(x)[0][:, ~MASK], x[:, ~MASK] * s.exp() + t)
    with torch.no_grad():
        affine.network.last.bias.fill_(1e4)
    close(affine(x)[1], torch.full((6,), 3 * 1.5))


def spline_law(flows):
    """Through its knots, with their slopes; monotone; the identity outside, at the start, and to the last edge."""
    K, B = 4, 2.0
    p = 2 * drawn(3 * K - 1, seed=3)
    shares = [1e-3 + (1 - K * 1e-3) * v.softmax(0) for v in p[: 2 * K].split(K)]
    x_k, y_k = (torch.cat([torch.zeros(1, **F64), 2 * B * v.cumsum(0)]) - B for v in shares)
    shift = math.log(math.expm1(1 - 1e-3))
    d_k = torch.cat([torch.ones(1), 1e-3 + nn.functional.softplus(p[2 * K :] + shift), torch.ones(1)])

    def spline(x, inverse=False, parameters=p):
        return flows.rational_quadratic(x, parameters.expand(*x.shape, -1), bound=B, inverse=inverse)

    # What is between the knots is the formula of Durkan et al., bin by bin.
    for k in range(K):
        theta = torch.linspace(0.01, 0.99, 9, **F64)
        x = x_k[k] + theta * (x_k[k + 1] - x_k[k])
        s = (y_k[k + 1] - y_k[k]) / (x_k[k + 1] - x_k[k])
        top = (y_k[k + 1] - y_k[k]) * (s * theta**2 + d_k[k] * theta * (1 - theta))
        y = y_k[k] + top / (s + (d_k[k + 1] + d_k[k] - 2 * s) * theta * (1 - theta))
        close(spline(x)[0], y)
    near = 1e-9
    for k in range(K + 1):
        for side in (-near, near):
            at = (x_k[k] + side)[None].requires_grad_()
            y, log_slope = spline(at)
            close(y[0], y_k[k], 1e-6)
            close(log_slope[0].exp(), d_k[k], 1e-5)  # the slope has no jump
            (slope,) = torch.autograd.grad(y.sum(), at)
            close(slope, log_slope.exp())
    x = torch.linspace(-5, 5, 4001, **F64)
    y, log_slope = spline(x)
    assert bool((y.diff() > 0).all())
    back, back_slope = spline(y, inverse=True)
    close(back, x)
    close(back_slope, -log_slope)
    far = torch.tensor([-1e30, -B, B, 1e30, 2.5], **F64)
    assert torch.equal(spline(far)[0], far)
    assert torch.equal(spline(far)[1], torch.zeros(5, **F64))
    close(spline(x, parameters=torch.zeros(3 * K - 1, **F64))[0], x)
    steep = torch.tensor([60.0, -60.0, 0, 0, -60.0, 60.0, 0, 0, 90.0, -90.0, 0.0], **F64)
    for inverse in (False, True):
        found, log_slope = spline(x, inverse, steep)
        assert bool(found.isfinite().all() and log_slope.isfinite().all())
        close(spline(found, not inverse, steep)[0], x, 1e-6)


def glow_law(flows):
    for layer in (shaken(flows.ActNorm(5)), shaken(flows.InvertibleConv1x1(5))):
        jacobian_and_inverse(layer, drawn(4, 5))
        jacobian_and_inverse(layer, drawn(2, 5, 2, 3))
    images = drawn(3, 4, 2, 2)
    for layer in (
        shaken(flows.OnChannels(2, flows.ActNorm(2))),
        shaken(flows.OnChannels(2, flows.Chain([flows.Squeeze(), flows.ActNorm(8), flows.Unsqueeze()]))),
    ):
        jacobian_and_inverse(layer, images)
        assert torch.equal(layer(images)[0][:, 2:], images[:, 2:])
    squeeze = flows.Squeeze()
    close(squeeze.inverse(squeeze(images)[0]), images)
    # One cell of the small picture holds one square of the large one.
    assert torch.equal(squeeze(images)[0].reshape(3, 4, 4), images.reshape(3, 4, 4))
    big = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert sorted(squeeze(big)[0][0, :, 0, 1].tolist()) == [2, 3, 6, 7]
    rotation = flows.InvertibleConv1x1(6).weight.double()
    close(rotation @ rotation.T, torch.eye(6), 1e-5)


def start_law(flows):
    """After the start each channel of the batch has mean 0 and variance 1, layer by layer; then nothing changes."""
    x = 3 * drawn(200, 4, 2, 2) + torch.tensor([5.0, -2, 0, 100], **F64)[:, None, None]
    x[:, 2] = 7.0  # a constant channel is only shifted
    chain = flows.Chain(
        [flows.ActNorm(4), shaken(flows.InvertibleConv1x1(4)), flows.OnChannels(3, flows.ActNorm(3))]
    ).double()
    chain.start(x)
    first = chain.layers[0](x)[0].transpose(0, 1).flatten(1)
    close(first.mean(dim=1), torch.zeros(4))
    close(first.var(dim=1, correction=0), torch.tensor([1.0, 1.0, 0.0, 1.0]))
    last = chain(x)[0][:, :3].transpose(0, 1).flatten(1)
    close(last.mean(dim=1), torch.zeros(3))
    close(last.var(dim=1, correction=0), torch.ones(3))
    weights = [p.detach().clone() for p in chain.parameters()]
    chain(2 * x + 1)  # another batch moves no weight
    assert all(torch.equal(a, b) for a, b in zip(weights, chain.parameters(), strict=True))


def flow_law(flows):
    """Layers are undone from the last; log-determinants add up; the density is a density, and that of the samples."""
    layers = [*couplings(flows), shaken(flows.InvertibleConv1x1(5)), shaken(flows.ActNorm(5))]
    flow, x = flows.Flow(layers, (5,)), drawn(4, 5)
    jacobian_and_inverse(flow, x)
    z = x
    for layer in layers:
        z = layer(z)[0]
    close(flow(x)[0], z)
    # A linear flow is a Gaussian: N(0, (AᵀA)⁻¹), written by torch itself.
    linear = flows.Flow([shaken(flows.InvertibleConv1x1(5), 1), shaken(flows.ActNorm(5), 2)], (5,))
    conv, norm = linear.layers
    A = norm.log_scale.exp()[:, None] * conv.weight
    loc = torch.linalg.solve(A, -norm.log_scale.exp() * norm.bias)
    gaussian = torch.distributions.MultivariateNormal(loc, precision_matrix=A.T @ A)
    close(linear.log_prob(x), gaussian.log_prob(x))
    noise = torch.randn(3, 5, generator=seeded(4), **F64)
    close(linear.sample(3, generator=seeded(4)), torch.linalg.solve(A, noise.T).T + loc)
    close(linear.sample(3, temperature=0.5, generator=seeded(4)) - loc, torch.linalg.solve(A, noise.T).T / 2)


def integral_law(flows):
    """In the plane the density adds up to 1, also where the couplings are bent."""
    mask = torch.tensor([True, False])
    layers = [
        flows.AffineCoupling(network(flows, 1, 2, 2), mask, max_log_scale=0.5),
        flows.SplineCoupling(network(flows, 1, 11, 3), ~mask, num_bins=4, bound=3.0),
        flows.InvertibleConv1x1(2).double(),
        flows.SplineCoupling(network(flows, 1, 11, 4), mask, num_bins=4, bound=3.0),
        shaken(flows.ActNorm(2)),
    ]
    with torch.no_grad():
        for i in (0, 1, 3):  # bends that the grid can follow, and that leave the mass within it
            layers[i].network.last.weight.mul_(0.2)
    flow = flows.Flow(layers, (2,))
    step = 0.05
    side = torch.arange(-12, 12, step, **F64)
    with torch.no_grad():
        mass = sum(
            flow.log_prob(part).exp().sum() for part in torch.cartesian_prod(side, side).split(200_000)
        )
    close(mass * step**2, torch.tensor(1.0), 1e-3)  # a sum over a grid: splines have corners in their slope


def drift(t, x):
    """A field that is bent in space and changes with time, and whose divergence is not constant."""
    return torch.stack(
        [torch.sin(2 * x[:, 1]) + t * x[:, 0] ** 2 / 4, torch.cos(x[:, 0] + 3 * t) * x[:, 1]], dim=1
    )


def continuous_law(flows):
    """Linear fields have e^A and tr A; any field has autograd's determinant and SciPy's solution."""
    A = torch.tensor([[0.3, 1.0, -0.2], [-0.5, 0.1, 0.4], [0.2, 0.7, -0.9]], **F64)
    x = drawn(4, 3)
    linear = flows.ContinuousFlow(lambda t, v: v @ A.T, num_steps=16)
    z, log_det = linear(x)
    close(z, x @ torch.linalg.matrix_exp(A).T, 1e-5)
    close(log_det, A.trace().expand(4))
    # All signs there are, each as likely: Hutchinson's estimate is the trace on average, and no sooner.
    lone = flows.ContinuousFlow(lambda t, v: v @ A.T, num_steps=2, trace="hutchinson")
    with torch.no_grad():
        seen = lone(x.repeat(200, 1), generator=seeded())[1]
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], **F64)] * 3)
    values = ((signs @ A) * signs).sum(dim=1)
    close(values.mean(), A.trace())
    assert bool(torch.isclose(seen[:, None], values, atol=1e-9).any(dim=1).all())
    assert len(seen.round(decimals=6).unique()) == len(values.round(decimals=6).unique()) > 2
    assert abs(float(seen.mean() - A.trace())) < 5 * float(seen.std()) / len(seen) ** 0.5

    flow, points = flows.ContinuousFlow(drift, num_steps=20), 0.7 * drawn(3, 2)
    solution = scipy_solution(points)
    jacobian_and_inverse(flow, points, 1e-4)
    with torch.no_grad():
        close(flow(points)[0], solution, 1e-4)
        path = flow.path(points, num_points=5)
        close(path[0], points)
        close(path[-1], flow(points)[0])
        half = flows.ContinuousFlow(lambda t, v: drift(t / 2, v) / 2, num_steps=10)
        close(path[2], half(points)[0])
        # Fourth order: half the step, a sixteenth of the error.
        errors = [
            float((flows.ContinuousFlow(drift, num_steps=n)(points)[0] - solution).abs().max())
            for n in (10, 20)
        ]
    assert 8 < errors[0] / errors[1] < 32


def scipy_solution(points):
    from scipy.integrate import solve_ivp

    def rate(t, flat):
        return drift(torch.tensor(t, **F64), torch.from_numpy(flat.reshape(-1, 2))).numpy().ravel()

    solved = solve_ivp(rate, (0, 1), points.numpy().ravel(), rtol=1e-11, atol=1e-12)
    return torch.from_numpy(solved.y[:, -1].reshape(-1, 2))


def gradient_law(flows):
    """Gradients reach the field's weights through solver and trace, as finite differences say."""
    x, w = drawn(5, 2), torch.tensor(0.7, requires_grad=True, **F64)
    for trace in ("exact", "hutchinson"):

        def loss(w, trace=trace):
            flow = flows.ContinuousFlow(lambda t, v: torch.tanh(w * v * (1 + t)), num_steps=3, trace=trace)
            z, log_det = flow(x, generator=seeded(1))
            return (z.square().sum(dim=1) / 2 - log_det).sum()

        (slope,) = torch.autograd.grad(loss(w), w)
        h = 1e-5
        with torch.no_grad():
            close(slope, (loss(w + h) - loss(w - h)) / (2 * h), 1e-6)
    with torch.no_grad():
        assert not flows.ContinuousFlow(lambda t, v: w * v)(x)[1].requires_grad


def pixels(flows, L, margin=0.1):
    """Two pixels whose y are independent normals, so that probabilities of levels are one-dimensional integrals."""
    flow = flows.Flow([flows.ActNorm(2).double()], (2,))
    with torch.no_grad():
        flow.layers[0].bias.copy_(torch.tensor([0.3, -0.5]))
        flow.layers[0].log_scale.copy_(torch.tensor([0.4, -0.2]))
    return flows.Dequantized(flow, L, margin=margin)


def exact_log_prob(model, levels):
    """log P(x): the normal's mass between the cell's edges, carried to the line."""
    L, a = model.num_levels, model.margin
    edges = torch.stack([levels, levels + 1]).double() / L
    y = torch.logit(a + (1 - 2 * a) * edges)
    norm = model.flow.layers[0]
    z = (y + norm.bias) * norm.log_scale.exp()
    cdf = torch.distributions.Normal(0.0, 1.0).cdf(z)
    return (cdf[1] - cdf[0]).log().sum(dim=1)


@torch.no_grad()
def levels_law(flows):
    """Weights average to P(x); the bounds are below it and in order; samples have these probabilities."""
    L, S, R = 4, 50, 80
    model = pixels(flows, L)
    x = torch.cartesian_prod(torch.arange(L), torch.arange(L))
    exact = exact_log_prob(model, x)
    log_w = model.log_weights(x.repeat(R, 1), num_samples=S, generator=seeded())
    assert log_w.shape == (S, 16 * R)
    log_w = log_w.reshape(S * R, 16)
    w = (log_w - exact).exp()
    error = w.std(dim=0) / (S * R) ** 0.5
    assert bool(((w.mean(dim=0) - 1).abs() < 5 * error).all())
    eights = log_w.reshape(-1, 8, 16).logsumexp(dim=1) - math.log(8)
    assert bool((log_w.mean(dim=0) < eights.mean(dim=0)).all())
    assert bool((log_w.mean(dim=0) < exact).all())
    assert bool((eights.mean(dim=0) < exact + 5 * eights.std(dim=0) / len(eights) ** 0.5).all())
    log_w = model.log_weights(x, num_samples=8, generator=seeded())
    close(model.elbo(x, num_samples=8, generator=seeded()), log_w.mean(dim=0))
    close(model.iwae_bound(x, num_samples=8, generator=seeded()), log_w.logsumexp(dim=0) - math.log(8))
    # y is the logit of the noisy share, and the levels come back.
    y, log_slope = model.dequantize(x, generator=seeded())
    s = 0.1 + 0.8 * (x + torch.rand(16, 2, generator=seeded(), **F64)) / L
    close(y, (s / (1 - s)).log())
    close(log_slope, (0.8 / L / (s * (1 - s))).log().sum(dim=1))
    assert torch.equal(model.quantize(y), x)
    # What is drawn has these probabilities, where the margin's mass goes to the first and the last level.
    drawn_levels = model.sample(20_000, generator=seeded(3))
    middle = (drawn_levels[:, 0] == 1) & (drawn_levels[:, 1] == 2)
    p = exact[x.tolist().index([1, 2])].exp()
    assert abs(float(middle.double().mean() - p)) < 5 * float(p * (1 - p) / 20_000) ** 0.5
    assert (drawn_levels.min(), drawn_levels.max()) == (0, L - 1)
    # An extreme: 65536 levels, both ends, in single precision.
    fine = flows.Dequantized(flows.Flow([flows.ActNorm(2)], (2,)), 2**16, margin=1e-4)
    ends = torch.tensor([[0, 2**16 - 1]]).expand(1000, 2)
    assert bool(fine.elbo(ends, generator=seeded()).isfinite().all())


def start_of_levels_law(flows):
    model = flows.Dequantized(flows.Flow([flows.ActNorm(2).double()], (2,)), 4)
    x = torch.cartesian_prod(torch.arange(4), torch.arange(4)).repeat(10, 1)
    model.start(x, generator=seeded(1))
    z = model.flow(model.dequantize(x, generator=seeded(1))[0])[0]
    close(z.mean(dim=0), torch.zeros(2))
    close(z.var(dim=0, correction=0), torch.ones(2))


def builders_law(flows):
    """Each flow begins as the identity after its `ActNorm`, is a flow with other weights, and moves every entry."""
    for shape, build in (
        ((6,), flows.spline_flow),
        ((1, 4, 4), flows.affine_flow),
        ((2, 4, 2), flows.additive_flow),
    ):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            flow = build(shape, num_layers=4, num_hidden=5).double()
        x = drawn(2, *shape)
        close(flow(x)[0], x)
        jacobian_and_inverse(shaken(flow, strength=0.15), x)
        assert bool((flow(x)[0] != x).all())
        masks = flows.coupling_masks(shape, 6)
        assert all(torch.equal(a, ~b) for a, b in zip(masks[::2], masks[1::2], strict=True))
        assert all(abs(int(m.sum()) - m.numel() // 2) <= 1 for m in masks)
    chess, _, rows, _, columns, _ = flows.coupling_masks((1, 4, 4), 6)
    assert (chess[0, 0, 0], chess[0, 0, 1], chess[0, 1, 0], chess[0, 1, 1]) == (True, False, False, True)
    assert torch.equal(rows[0], rows[0][:, :1].expand(4, 4))
    assert torch.equal(columns[0], columns[0][:1].expand(4, 4))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        flow = flows.image_flow((1, 4, 4), num_channels=3, num_blocks=1, num_steps=1, num_bins=3)
    jacobian_and_inverse(shaken(flow, strength=0.15), drawn(2, 1, 4, 4), 1e-7)
    # A convolution sees what is near: a pixel in the corner moves no parameter more than three pixels away.
    chess = flows.coupling_masks((1, 9, 9), 1)[0]
    conv = shaken(flows.ConvNetwork(chess, 2, num_channels=3, num_blocks=1))
    kept = drawn(1, int(chess.sum()))
    other = kept.clone()
    other[0, 0] += 1  # the pixel (0, 0)
    changed = (conv(kept) != conv(other))[0].any(dim=1)
    rows_and_columns = (~chess[0]).nonzero()[changed]
    assert len(rows_and_columns) > 3
    assert int(rows_and_columns.max()) <= 3
    dropping = flows.ResidualNetwork(3, 4, dropout=0.5)
    nn.init.ones_(dropping.last.weight)
    assert not torch.equal(dropping(torch.ones(1, 3)), dropping(torch.ones(1, 3)))
    dropping = flows.Flow([flows.AdditiveCoupling(flows.ResidualNetwork(2, 3, dropout=0.5), MASK)], (5,))
    nn.init.ones_(dropping.layers[0].network.last.weight)
    assert torch.equal(dropping.sample(3, generator=seeded()), dropping.sample(3, generator=seeded()))
    assert dropping.training


MUTANTS = [
    (coupling_law, "couplings", "return x * s.exp() + t, s", "return x * s.exp() + t, -s"),
    (coupling_law, "couplings", "return x * s.exp() + t, s", "return x * s.exp() + t, 0 * s"),
    (coupling_law, "couplings", "return x * s.exp() + t, s", "return (x + t) * s.exp(), s"),
    (coupling_law, "couplings", "return (z - t) * (-s).exp()", "return z * (-s).exp() - t"),
    (coupling_law, "couplings", "return (z - t) * (-s).exp()", "return (z - t) * s.exp()"),
    (coupling_law, "couplings", "return z - parameters[..., 0]", "return z + parameters[..., 0]"),
    (coupling_law, "couplings", "torch.zeros_like(x)", "torch.ones_like(x)"),
    (coupling_law, "couplings", "log_slopes.sum(dim=1)", "log_slopes.mean(dim=1)"),
    (coupling_law, "couplings", "(parameters[..., 0] / self.max_log_scale).tanh()", "parameters[..., 0]"),
    (
        coupling_law,
        "couplings",
        "inverse=True)[0]",
        "inverse=False)[0]",
    ),
    (spline_law, "splines", "2 * scale.log()", "scale.log()"),
    (spline_law, "splines", "- 2 * denominator.log()", "- denominator.log()"),
    (
        spline_law,
        "splines",
        "piece.next_slope * theta.square() + 2 * scale * between + piece.slope",
        "piece.slope * theta.square() + 2 * scale * between + piece.next_slope",
    ),
    (spline_law, "splines", "theta * piece.width, -log_slope", "theta * piece.width, log_slope"),
    (spline_law, "splines", "torch.where(inside, found, x)", "found"),
    (spline_law, "splines", "torch.where(inside, log_slope, torch.zeros_like(x))", "log_slope"),
    (spline_law, "splines", "(low if along_y else left)", "left"),
    (spline_law, "splines", "slopes + _UNIT_SLOPE", "slopes"),
    (
        spline_law,
        "splines",
        "piece.slope + piece.next_slope - 2 * scale",
        "piece.slope + piece.next_slope - scale",
    ),
    (
        spline_law,
        "splines",
        "b = piece.height * piece.slope - rise * bend",
        "b = piece.height * piece.slope + rise * bend",
    ),
    (spline_law, "splines", "slopes.gather(-1, k + 1)", "slopes.gather(-1, k)"),
    (glow_law, "glow", "self.log_scale.sum() * math.prod(x.shape[2:])", "self.log_scale.sum()"),
    (glow_law, "glow", ".logabsdet * math.prod(x.shape[2:])", ".logabsdet"),
    (
        glow_law,
        "glow",
        "* _column(-self.log_scale, z).exp() - _column(self.bias, z)",
        "* _column(-self.log_scale, z).exp()",
    ),
    (glow_law, "glow", "torch.linalg.qr(torch.randn(C, C))[0]", "torch.randn(C, C)"),
    (glow_law, "glow", "z = self.weight @ x", "z = self.weight.T @ x"),
    (glow_law, "glow", "[self.bijection.inverse(going), waiting]", "[going, waiting]"),
    (start_law, "glow", "self.bias.copy_(-loc)", "self.bias.copy_(loc)"),
    (start_law, "glow", "torch.ones_like(scale)).log()", "torch.ones_like(scale)).log() / 2"),
    (start_law, "glow", "self.bijection.start(x[:, : self.num_channels])", "pass"),
    (start_law, "bijection", "            x, _ = layer(x)\n", ""),
    (flow_law, "bijection", "for layer in reversed(self.layers):", "for layer in self.layers:"),
    (flow_law, "bijection", "total = total + log_det", "total = log_det"),
    (flow_law, "model", "-0.5 * (z.square() + math.log(2 * math.pi))", "-0.5 * z.square()"),
    (flow_law, "model", ".sum(dim=1) + log_det", ".sum(dim=1) - log_det"),
    (flow_law, "model", ".sum(dim=1) + log_det", ".sum(dim=1)"),
    (flow_law, "model", ".sum(dim=1) + log_det", ".mean(dim=1) + log_det"),
    (flow_law, "model", "z = T * sampling", "z = T**0.5 * sampling"),
    (integral_law, "model", ".sum(dim=1) + log_det", ".sum(dim=1) - log_det"),
    (integral_law, "couplings", "return x * s.exp() + t, s", "return x * s.exp() + t, 0 * s"),
    (continuous_law, "continuous", "(a + 2 * b + 2 * c + d) / 6", "(a + b + c + d) / 4"),
    (continuous_law, "continuous", "_moved(state, k2, h / 2)", "_moved(state, k2, h)"),
    (continuous_law, "continuous", "t + share * h", "t"),
    (continuous_law, "continuous", "(-1 if backwards else 1) / self.num_steps", "1 / self.num_steps"),
    (continuous_law, "continuous", "t = (1 if backwards else 0) + step * h", "t = step * h"),
    (continuous_law, "continuous", "signs = 2 * coins - 1", "signs = 3**0.5 * (2 * coins - 1)"),
    (continuous_law, "continuous", "signs = 2 * coins - 1", "signs = coins"),
    (continuous_law, "continuous", "(v * p).sum(dim=1)", "v.sum(dim=1)"),
    (gradient_law, "continuous", "create_graph=is_training", "create_graph=False"),
    (levels_law, "dequantized", "- math.log(self.num_levels)", "- 0.0"),
    (levels_law, "dequantized", "math.log(1 - 2 * self.margin)", "0.0"),
    (levels_law, "dequantized", "constant - s.log() - (-s).log1p()", "constant + s.log() + (-s).log1p()"),
    (levels_law, "dequantized", "constant - s.log() - (-s).log1p()", "constant - s.log()"),
    (levels_law, "dequantized", "(levels + u) / self.num_levels", "(levels + u) / (self.num_levels - 1)"),
    (levels_law, "dequantized", "(levels + u) / self.num_levels", "levels / self.num_levels"),
    (
        levels_law,
        "dequantized",
        "log_prob(y, generator=generator) + log_slope",
        "log_prob(y, generator=generator)",
    ),
    (levels_law, "dequantized", "logsumexp(dim=0) - math.log(num_samples)", "logsumexp(dim=0)"),
    (
        levels_law,
        "dequantized",
        "num_samples=num_samples, generator=generator).mean(dim=0)",
        "num_samples=num_samples, generator=generator).sum(dim=0)",
    ),
    (levels_law, "dequantized", ".floor()", ".round()"),
    (
        start_of_levels_law,
        "dequantized",
        "self.flow.start(self.dequantize(x, generator=generator)[0])",
        "self.flow.start(x.double())",
    ),
    (builders_law, "networks", "nn.init.zeros_(parameter)", "pass"),
    (
        builders_law,
        "networks",
        "functional.relu(h)).reshape(-1, C, self.num_parameters, H * W)",
        "functional.relu(h)).reshape(-1, C, self.num_parameters, H * W).flip(3)",
    ),
    (builders_law, "builders", "masks += [mask, ~mask]", "masks += [mask, mask]"),
    (
        builders_law,
        "builders",
        "(torch.arange(shape[1]) % 2 == 0)[:, None]",
        "(torch.arange(shape[2]) % 2 == 0)",
    ),
    (builders_law, "model", "self.eval()", "pass"),
    (builders_law, "model", "self.train(was_training)", "pass"),
]

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("flows", MUTANTS)
