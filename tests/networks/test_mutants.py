"""The classic mistakes in these networks, each made on purpose: every one must break a law."""

import torch
from support.mutation import law_tests
from torch.nn.functional import conv2d, conv_transpose2d


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def stamp_law(networks):
    x = drawn(2, 2, 4, 5)
    for weight in (drawn(2, 3, 3, 3, seed=1), drawn(2, 3, 3, 4, seed=1)):
        for stride, padding, more in ((1, 0, 0), (2, 1, 0), (2, 1, 1), (3, 0, 2)):
            settings = {"stride": stride, "padding": padding, "output_padding": more}
            torch.testing.assert_close(
                networks.transposed_convolution(x, weight, **settings),
                conv_transpose2d(x, weight, **settings),
            )


def matrix_law(networks):
    x, weight = drawn(2, 3, 6, 7), drawn(2, 3, 3, 2, seed=1)
    for stride, padding in ((1, 0), (2, 1), (3, 2)):
        A = networks.convolution_matrix(weight, (3, 6, 7), stride=stride, padding=padding)
        torch.testing.assert_close(
            x.flatten(1) @ A.T, conv2d(x, weight, stride=stride, padding=padding).flatten(1)
        )


def head_law(networks):
    """Fixed, learned and predicted scales agree where they mean the same."""
    loc, x = drawn(6, 3), drawn(6, 3, seed=1)
    expected = torch.distributions.Normal(loc, 0.3).log_prob(x).sum(dim=1)
    torch.testing.assert_close(networks.NormalHead(None, (3,), scale=0.3).double()(loc).log_prob(x), expected)
    learned = networks.NormalHead(None, (3,), scale="learned").double()
    torch.nn.init.constant_(learned.log_scale, torch.tensor(0.3).log().item())
    torch.testing.assert_close(learned(loc).log_prob(x), expected, rtol=1e-6, atol=1e-6)
    predicted = networks.NormalHead(3, (3,)).double()
    with torch.no_grad():
        predicted.layer[0].weight.copy_(torch.eye(6, 3))
        predicted.layer[0].bias.copy_(torch.tensor([0.0] * 3 + [0.3] * 3).clamp(min=1e-9).log().where(
            torch.arange(6) > 2, torch.tensor(0.0)))  # fmt: skip
    torch.testing.assert_close(predicted(loc).log_prob(x), expected, rtol=1e-6, atol=1e-6)
    logits = drawn(6, 3)
    p = networks.BernoulliHead(None, (3,)).double()(logits)
    torch.testing.assert_close(p.mean, torch.sigmoid(logits))


def body_law(networks):
    network = networks.mlp([4, 3, 2]).double()
    assert [type(layer).__name__ for layer in network] == ["Linear", "Tanh", "Linear"]
    for image, small in (((1, 8, 8), 4 * 4), ((2, 13, 28), 3 * 7)):
        down, up = networks.conv_encoder(image, 3).double(), networks.conv_decoder(3, image).double()
        (dense,) = (m for m in up.modules() if isinstance(m, torch.nn.Linear))
        assert dense.out_features == 64 * small
        x = drawn(2, 4, *image)
        assert down(x).shape == (2, 4, 3)
        assert up(down(x)).shape == x.shape
        torch.testing.assert_close(down(x)[1, 2], down(x[1, 2]))
        with torch.no_grad():
            [m for m in down.modules() if isinstance(m, torch.nn.Linear)][-1].bias.fill_(-1e3)
        assert bool((down(x) < 0).all())  # nothing clips the features
        layers = [m for m in up.modules() if isinstance(m, torch.nn.ConvTranspose2d)]
        assert all(layer.kernel_size[0] % layer.stride[0] == 0 for layer in layers)
        rectifiers = [m for m in [*down.modules(), *up.modules()] if isinstance(m, torch.nn.ReLU)]
        assert len(rectifiers) == 8
        assert len(layers) == 4


MUTANTS = [
    (stamp_law, "transposed", "canvas[:, :, top : top + kh, left : left + kw] += stamp",
     "canvas[:, :, top : top + kh, left : left + kw] = stamp"),
    (stamp_law, "transposed", "bo,oikl->bikl", "bo,oilk->bikl"),
    (stamp_law, "transposed", "stride * (H - 1) + kh + output_padding", "stride * H + kh + output_padding"),
    (stamp_law, "transposed", "padding : height - padding,", "padding : height,"),
    (stamp_law, "transposed", "x[:, :, i, j], weight", "x[:, :, j % H, i], weight"),
    (stamp_law, "transposed", "stamp = torch.einsum", "stamp = -torch.einsum"),
    (matrix_law, "transposed", "A[:, i, j, :, top : top + kh, left : left + kw] = weight",
     "A[:, i, j, :, top : top + kh, left : left + kw] = weight.flip(2, 3)"),
    (matrix_law, "transposed", "(H + 2 * padding - kh) // stride + 1,", "(H + 2 * padding - kh) // stride,"),
    (matrix_law, "transposed", "A[..., padding : padding + H, padding : padding + W]", "A[..., :H, :W]"),
    (head_law, "heads", "scale = log_scale.exp()", "scale = (log_scale / 2).exp()"),
    (head_law, "heads", "scale = log_scale.exp()", "scale = log_scale"),
    (head_law, "heads", "loc, log_scale = output", "log_scale, loc = output"),
    (head_law, "heads", "scale = self.log_scale.exp() if", "scale = self.log_scale if"),
    (head_law, "heads", "else loc.new_tensor(self.scale)", "else loc.new_tensor(self.scale).sqrt()"),
    (head_law, "heads", "_checking_values(normal), len(self.event_shape)", "_checking_values(normal), 0"),
    (head_law, "heads", "Bernoulli(logits=_full", "Bernoulli(probs=_full"),
    (body_law, "dense", "layers[1:]", "layers"),
    (body_law, "convolutional", "h // 2, w // 2", "h // 2, h // 2"),
    (body_law, "convolutional", "return 4 if stride == 2 else 3", "return 3"),
    (body_law, "convolutional", "output_padding=odd", "output_padding=0"),
    (body_law, "convolutional", "y.reshape(*leading, *y.shape[1:])", "y.reshape(*leading[::-1], *y.shape[1:])"),
    (body_law, "convolutional", "layers += [nn.ReLU(), _up(", "layers += [_up("),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("networks", MUTANTS)
