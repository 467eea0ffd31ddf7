"""The VAE of convolutions and nothing else, and σ as a map."""

import pytest
import torch
from torch import nn

from vaeedu import vae
from vaeedu.networks import NormalHead, fully_conv_decoder, fully_conv_encoder
from vaeedu.sampling import seeded


@pytest.mark.parametrize("size", [8, 16, 32])
def test_every_layer_with_weights_is_a_convolution_and_sizes_are_halved(size):
    encoder = fully_conv_encoder((3, size, size), 10, num_channels=4)
    decoder = fully_conv_decoder(10, (3, size, size), num_channels=4)
    weighted = [m for n in (encoder, decoder) for m in n.modules() if list(m.parameters(recurse=False))]
    assert {type(m) for m in weighted} == {nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d}
    sizes = []
    for module in [*encoder.modules(), *decoder.modules()]:
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.register_forward_hook(lambda m, i, o: sizes.append(o.shape[-1]))
    z = encoder(torch.rand(2, 3, size, size))
    assert decoder(z.expand(4, 2, 10)).shape == (4, 2, 3, size, size)
    down = [s for s in (16, 8, 4) if s < size]
    assert sizes == [*down, 1, *reversed(down), size]


def test_the_last_convolution_is_a_dense_layer():
    encoder = fully_conv_encoder((1, 8, 8), 5, num_channels=3).eval()
    body, last = encoder[0].network[:-1], encoder[0].network[-1]
    x = torch.rand(4, 1, 8, 8)
    dense = body(x).flatten(1) @ last.weight.flatten(1).T + last.bias
    torch.testing.assert_close(encoder(x), dense)


def test_a_trained_mode_image_depends_on_its_batch_and_an_evaluated_one_does_not():
    model, x = vae.fully_conv_vae((3, 16, 16), scale=0.1, num_channels=4), torch.rand(6, 3, 16, 16)
    together, alone = model.posterior(x).mean[:2].detach(), model.posterior(x[:2]).mean.detach()
    assert float((together - alone).abs().max()) > 1e-3
    model.eval()
    torch.testing.assert_close(model.posterior(x).mean[:2], model.posterior(x[:2]).mean)


@pytest.mark.parametrize("scale", [0.1, "learned", torch.full((16, 16), 0.2)])
def test_the_bound_has_the_likelihood_that_was_chosen(scale):
    torch.manual_seed(0)
    model = vae.fully_conv_vae((3, 16, 16), num_latents=4, num_channels=4, scale=scale).eval()
    x = torch.rand(5, 3, 16, 16)
    sigma = 1.0 if scale == "learned" else torch.as_tensor(scale)
    z = model.posterior(x).mean
    p = torch.distributions.Normal(model.likelihood(z).mean, sigma)
    torch.testing.assert_close(model.likelihood(z).log_prob(x), p.log_prob(x).sum((1, 2, 3)))
    assert model.elbo(x, generator=seeded(0)).shape == (5,)


def test_a_map_of_scales_is_saved_moves_and_takes_no_gradient():
    sigma = torch.full((8, 8), 0.5)
    sigma[4:] = 0.1
    head = NormalHead(None, (3, 8, 8), scale=sigma)
    assert list(head.parameters()) == []
    sigma.fill_(9.0)  # the caller's tensor may change; the head's does not
    p = head.double()(torch.zeros(2, 3, 8, 8).double())
    assert p.stddev.dtype == torch.float64
    assert p.stddev[1, 2, 0, 0] == pytest.approx(0.5)
    assert p.stddev[1, 2, 7, 0] == pytest.approx(0.1)
    other = NormalHead(None, (3, 8, 8), scale=torch.ones(8, 8))
    other.load_state_dict(head.state_dict())
    torch.testing.assert_close(other.scale_map, head.scale_map.float())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: fully_conv_encoder((1, 28, 28), 5),
            r"equal sides of 8, 16, 32, 64 or so.*but is \(1, 28, 28\)",
        ),
        (lambda: fully_conv_decoder(5, (1, 4, 4)), r"equal sides of 8, 16, 32, 64 or so.*but is \(1, 4, 4\)"),
        (lambda: fully_conv_decoder(5, (1, 16, 8)), r"equal sides of 8, 16"),
        (lambda: fully_conv_encoder((1, 8, 8), 0), "num_features must be a whole number of at least 1"),
        (
            lambda: vae.fully_conv_vae((1, 8, 8), scale=0.1, num_latents=0),
            "num_latents must be a whole number",
        ),
        (
            lambda: vae.fully_conv_vae((1, 8, 8), scale=torch.ones(3, 3)),
            r"scale must have a shape that broadcasts .* but has \(3, 3\)",
        ),
        (
            lambda: vae.fully_conv_vae((1, 8, 8), scale=-torch.ones(8, 8)),
            "scale must hold numbers greater than 0",
        ),
        (lambda: vae.fully_conv_vae((1, 8, 8), scale=0.0), "scale must be a finite number greater than 0"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
