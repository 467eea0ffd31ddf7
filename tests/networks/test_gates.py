"""The gate, however a device computes it, is tanh(a) σ(b), and so is its gradient; wrong ones are noticed."""

import importlib

import pytest
import torch
from support.mutation import law_tests

from vaeedu.networks import autoregressive


def written_out(features):
    a, b = features.chunk(2, dim=1)
    return a.tanh() * b.sigmoid()


def drawn(*shape, dtype=torch.float64):
    return 3 * torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def gradient(function, features):
    """Of the sum of the squares, so that each number of the result has a gradient of its own."""
    x = features.clone().requires_grad_()  # keeps the layout
    function(x).square().sum().backward()
    return x.grad


def gate_of(networks):
    return importlib.import_module(f"{networks.__name__}.autoregressive").gate


def value_law(networks):
    x = drawn(3, 8, 5)
    torch.testing.assert_close(gate_of(networks)(x), written_out(x), rtol=1e-12, atol=1e-14)


def gradient_law(networks):
    x = drawn(3, 8, 5)
    expected = gradient(written_out, x)
    torch.testing.assert_close(gradient(gate_of(networks), x), expected, rtol=1e-10, atol=1e-14)


MUTANTS = [
    (value_law, "autoregressive", "t.mul_(2)\n        factors", "factors"),
    (value_law, "autoregressive", "t.mul_(2).sub_(1)", "t.sub_(1)"),
    (gradient_law, "autoregressive", "tanh_backward(g * s, t)", "tanh_backward(g, t)"),
    (gradient_law, "autoregressive", "sigmoid_backward(g * t, s)", "sigmoid_backward(g, s)"),
]

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("networks", MUTANTS)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_keeps_the_layout(layout):
    x = drawn(2, 6, 3, 4, dtype=torch.float32).contiguous(memory_format=layout)
    found = autoregressive.gate(x)
    assert found.is_contiguous(memory_format=layout)
    torch.testing.assert_close(found, written_out(x), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(
        gradient(autoregressive.gate, x), gradient(written_out, x), rtol=1e-5, atol=1e-6
    )


def test_in_bfloat16_small_values_are_as_exact_as_large_ones():
    """2 σ(2a) − 1 has no small values where σ has 8 bits: it is computed in float32."""
    small = torch.stack([torch.logspace(-4, 0, 50), torch.zeros(50)])[None].bfloat16()
    found = autoregressive.gate(small)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), written_out(small.float()), rtol=2**-8, atol=0)
    assert gradient(autoregressive.gate, small).dtype == torch.bfloat16


def test_a_second_gradient_is_refused_and_not_wrong():
    x = drawn(2, 4).requires_grad_()
    with pytest.raises(
        RuntimeError, match=r"no second gradient on a CPU: write a\.tanh\(\) \* b\.sigmoid\(\)"
    ):
        torch.autograd.grad(autoregressive.gate(x).sum(), x, create_graph=True)
