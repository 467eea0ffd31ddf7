"""Each validator passes what is right through untouched, and refuses what is wrong with words that help."""

import re
import warnings

import numpy as np
import pytest
import torch

from vaeedu import require


def refuses(words):
    return pytest.raises(ValueError, match=re.escape(words))


class TestMatrix:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_returns_the_very_tensor(self, dtype):
        x = torch.ones(3, 2, dtype=dtype)
        assert require.matrix("x", x, num_columns=2) is x

    def test_shares_the_memory_of_an_array(self):
        array = np.zeros((3, 2))
        require.matrix("x", array)[1, 1] = 5.0
        assert array[1, 1] == 5.0

    @pytest.mark.parametrize("kind", ["read-only", "reversed"])
    def test_copies_an_array_that_torch_cannot_share(self, kind):
        array = np.arange(6.0).reshape(3, 2)
        if kind == "read-only":
            array.flags.writeable = False
        else:
            array = array[::-1]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            x = require.matrix("x", array)
        x += 1.0
        assert torch.equal(x, torch.from_numpy(array.copy()) + 1.0)

    def test_type(self):
        with refuses("x must be a torch.Tensor or numpy.ndarray, but is list: use torch.tensor(x, "):
            require.matrix("x", [[1.0]])

    def test_dtype_of_a_tensor(self):
        with refuses("x must be float32 or float64, but is torch.int64: use x.float()"):
            require.matrix("x", torch.ones(2, 2, dtype=torch.int64))

    def test_dtype_of_an_array(self):
        with refuses("x must be float32 or float64, but is uint8: use x.astype('float32')"):
            require.matrix("x", np.ones((2, 2), dtype=np.uint8))

    def test_too_few_dimensions(self):
        with refuses("but has shape (4,): use x[None, :] for a single example"):
            require.matrix("x", torch.ones(4))

    def test_too_many_dimensions(self):
        with refuses(
            "x must have shape (N, D), one row per example, but has shape (4, 1, 8, 8): use x.reshape(len(x), -1)"
        ):
            require.matrix("x", torch.ones(4, 1, 8, 8))

    @pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
    def test_empty(self, shape):
        with refuses(f"x must hold at least one row and one column, but has shape {shape}"):
            require.matrix("x", torch.ones(shape))

    def test_number_of_columns(self):
        with refuses("x must have 5 columns, but has shape (2, 3): pass data with the same features"):
            require.matrix("x", torch.ones(2, 3), num_columns=5)

    def test_missing_entry(self):
        x = torch.ones(3, 2)
        x[2, 1] = torch.nan
        with refuses(
            "x must hold finite numbers, but x[2, 1] is nan: drop or fill that entry, or fit ProbabilisticPCA"
        ):
            require.matrix("x", x)
        assert require.matrix("x", x, allow_missing=True) is x

    @pytest.mark.parametrize("entry", [torch.inf, -torch.inf])
    @pytest.mark.parametrize("allow_missing", [False, True])
    def test_infinite_entry(self, entry, allow_missing):
        x = torch.ones(3, 2)
        x[0, 1] = entry
        with pytest.raises(ValueError, match=rf"x\[0, 1\] is {entry}: drop or fill that entry$"):
            require.matrix("x", x, allow_missing=allow_missing)

    def test_infinities_that_cancel_to_nan_in_a_sum(self):
        x = torch.tensor([[1.0, torch.inf], [-torch.inf, 1.0]])
        with refuses("x[0, 1] is inf"):
            require.matrix("x", x, allow_missing=True)

    def test_an_infinite_entry_behind_a_missing_one(self):
        x = torch.tensor([[torch.nan, 1.0], [1.0, torch.inf]])
        with refuses("x[1, 1] is inf"):
            require.matrix("x", x, allow_missing=True)

    def test_a_bad_entry_late_in_many_rows_is_named_by_its_row(self):
        x = torch.ones(20_000, 2)
        x[17_003, 0] = torch.nan
        with refuses("x[17003, 0] is nan"):
            require.matrix("x", x)

    def test_finite_entries_whose_sum_overflows_are_fine(self):
        x = torch.full((4, 2), 3e38)
        assert torch.isinf(x.sum())
        assert require.matrix("x", x) is x


class TestPositiveInt:
    @pytest.mark.parametrize("value", [1, 7, np.int32(7), np.uint8(7)])
    def test_returns_an_int(self, value):
        number = require.positive_int("n", value, at_most=7)
        assert number == value
        assert type(number) is int

    @pytest.mark.parametrize("value", [0, -3, np.int64(0), 2.0, True, "2", None])
    def test_refuses(self, value):
        with refuses(f"n must be a whole number of at least 1, but is {value!r}"):
            require.positive_int("n", value)

    def test_refuses_more_than_the_limit(self):
        with refuses("n must be at most 3, but is 4"):
            require.positive_int("n", 4, at_most=3)

    def test_says_why_there_is_a_limit(self):
        with refuses("n must be at most 3 (min(N, D)), but is 4"):
            require.positive_int("n", 4, at_most=3, because="min(N, D)")


NUMBERS = [2, 0.5, np.float32(0.5), torch.tensor(0.5)]
NO_NUMBERS = [True, "1", None, float("nan"), float("inf"), torch.ones(1), np.ones(2)]


class TestPositiveFloat:
    @pytest.mark.parametrize("value", NUMBERS)
    def test_returns_a_float(self, value):
        number = require.positive_float("noise", value)
        assert number == float(value)
        assert type(number) is float

    @pytest.mark.parametrize("value", [0, 0.0, -1.0, *NO_NUMBERS])
    def test_refuses(self, value):
        with refuses(f"noise must be a finite number greater than 0, but is {value!r}"):
            require.positive_float("noise", value)


class TestNonNegativeFloat:
    @pytest.mark.parametrize("value", [0, 0.0, *NUMBERS])
    def test_returns_a_float(self, value):
        number = require.non_negative_float("noise", value)
        assert number == float(value)
        assert type(number) is float

    @pytest.mark.parametrize("value", [-1e-9, -1, *NO_NUMBERS])
    def test_refuses(self, value):
        with refuses(f"noise must be a finite number of at least 0, but is {value!r}"):
            require.non_negative_float("noise", value)


class TestChoice:
    def test_returns_the_name(self):
        assert require.choice("method", "svd", ("svd", "eigh")) == "svd"

    @pytest.mark.parametrize("value", ["SVD", "", None, 3, ["svd"]])
    def test_refuses(self, value):
        with refuses(f"method must be one of 'svd', 'eigh', but is {value!r}"):
            require.choice("method", value, ("svd", "eigh"))


class TestUnitInterval:
    @pytest.mark.parametrize("shape", [(), (2,), (2, 1, 3, 3), (0, 4)])
    def test_returns_the_very_tensor(self, shape):
        x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        assert require.unit_interval("x", x) is x

    def test_the_ends_belong_to_it(self):
        x = np.array([0.0, 1.0])
        assert require.unit_interval("x", x).tolist() == [0.0, 1.0]

    @pytest.mark.parametrize(("low", "high"), [(0.0, 255.0), (-0.5, 1.0), (0.0, torch.inf)])
    def test_refuses_entries_outside(self, low, high):
        with refuses(
            f"x must lie in [0, 1], but its entries range from {low} to {high}: use x / 255 for bytes"
        ):
            require.unit_interval("x", torch.tensor([0.5, low, high]))

    def test_refuses_nan(self):
        with refuses("x must lie in [0, 1], but has NaN entries: drop or fill them"):
            require.unit_interval("x", torch.tensor([0.5, torch.nan]))

    def test_refuses_integers(self):
        with refuses("x must be float32 or float64, but is torch.uint8: use x.float()"):
            require.unit_interval("x", torch.ones(3, dtype=torch.uint8))


class TestReal:
    def test_returns_the_very_tensor(self):
        x = torch.ones(3, 2, requires_grad=True)
        assert require.real("x", x) is x

    def test_takes_a_plain_number(self):
        assert float(require.real("x", 2)) == 2.0

    @pytest.mark.parametrize("entry", [torch.nan, torch.inf, -torch.inf])
    def test_not_finite(self, entry):
        with refuses(f"x must hold finite numbers, but x[1, 0] is {entry}: drop or replace that entry"):
            require.real("x", torch.tensor([[1.0], [entry]]))

    @pytest.mark.parametrize("value", [True, "1", None, [1.0]])
    def test_type(self, value):
        with refuses(f"x must be a torch.Tensor or numpy.ndarray, but is {type(value).__name__}"):
            require.real("x", value)


class TestPositive:
    def test_returns_the_very_tensor(self):
        x = torch.ones(3)
        assert require.positive("scale", x) is x

    @pytest.mark.parametrize("entry", [0.0, -2.0])
    def test_zero_and_below(self, entry):
        with refuses(
            f"scale must hold numbers greater than 0, but scale[1] is {entry:g}: use scale.exp() for"
        ):
            require.positive("scale", torch.tensor([1.0, entry]))

    def test_a_plain_number(self):
        with refuses("scale must hold numbers greater than 0, but scale is -1"):
            require.positive("scale", -1)


class TestProbabilities:
    def test_returns_the_very_tensor(self):
        p = torch.tensor([[0.25, 0.75], [0.0, 1.0]])
        assert require.probabilities("p", p) is p

    def test_negative(self):
        with refuses("p must hold probabilities of at least 0, but p[0] is -0.5: use torch.softmax(p, -1)"):
            require.probabilities("p", torch.tensor([-0.5, 1.5]))

    def test_sum(self):
        with refuses(
            "p must sum to 1 over its last dimension, but a sum is 0.9: use p / p.sum(-1, keepdim=True)"
        ):
            require.probabilities("p", torch.tensor([[0.5, 0.5], [0.4, 0.5]], dtype=torch.float64))

    def test_shape(self):
        with refuses("p must have shape (..., L) with L outcomes in its last dimension, but has shape ()"):
            require.probabilities("p", torch.tensor(1.0))


class TestBroadcast:
    def test_numbers_take_the_dtype_of_the_tensors(self):
        a, b = require.broadcast(a=torch.ones(2), b=0.1)
        assert (a.dtype, b.dtype, b.shape) == (torch.float32, torch.float32, (2,))

    def test_the_wider_dtype_wins(self):
        assert {t.dtype for t in require.broadcast(a=torch.ones(2), b=np.ones(2))} == {torch.float64}

    def test_numbers_alone(self):
        assert require.broadcast(a=1, b=2.0)[0].dtype == torch.float32

    def test_shapes(self):
        with refuses(
            "a, b must have shapes that broadcast, but have (2,), (3,): add [:, None] or [None] to one"
        ):
            require.broadcast(a=torch.ones(2), b=torch.ones(3))


class TestVector:
    def test_returns_the_very_tensor(self):
        x = torch.ones(3)
        assert require.vector("x", x, length=3) is x

    @pytest.mark.parametrize(
        ("value", "what"), [(torch.ones(2, 1), "(2, 1)"), ([1.0], "list"), (torch.ones(()), "()")]
    )
    def test_another_shape(self, value, what):
        with refuses(f"x must be a tensor of shape (K,), but is {what}"):
            require.vector("x", value)

    def test_another_length(self):
        with refuses("x must be a tensor of shape (2,), but is (3,)"):
            require.vector("x", torch.ones(3), length=2)

    def test_empty(self):
        with refuses("x must be a tensor of shape (K,), but is (0,)"):
            require.vector("x", torch.ones(0))

    def test_a_bad_entry(self):
        with refuses("x must hold finite numbers, but x[1] is nan"):
            require.vector("x", torch.tensor([0.0, torch.nan]))


class TestCovariance:
    def test_returns_the_very_tensor_and_its_factor(self):
        A = torch.randn(4, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        value = A @ A.mT + torch.eye(3)
        matrices, factors = require.covariance("S", value, size=3)
        assert matrices is value
        torch.testing.assert_close(factors @ factors.mT, value)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
    def test_rounding_is_forgiven_and_no_more(self, dtype, scale):
        """In units of the largest entry, so that it is the same matrix in any unit of measurement."""
        value = scale * torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=dtype)
        value[0, 1] += 80 * torch.finfo(dtype).eps * 2 * scale
        require.covariance("S", value)
        value[0, 1] += 40 * torch.finfo(dtype).eps * 2 * scale
        with refuses("S must be symmetric, but differs from its transpose by "):
            require.covariance("S", value)

    def test_a_product_of_long_matrices_is_symmetric_enough(self):
        A = torch.randn(300, 2000, generator=torch.Generator().manual_seed(0))
        require.covariance("S", A @ (A * 1.0).T / 2000)

    @pytest.mark.parametrize("shape", [(2,), (2, 3), ()])
    def test_shape(self, shape):
        with refuses(f"S must have shape (..., K, K), but has shape {shape}: use torch.diag(scale**2)"):
            require.covariance("S", torch.ones(shape))

    def test_size(self):
        with refuses("S must have shape (3, 3), but has shape (2, 2)"):
            require.covariance("S", torch.eye(2), size=3)

    def test_the_bad_one_of_a_batch_is_named(self):
        value = torch.eye(2).repeat(3, 2, 1, 1)
        value[2, 1, 0, 0] = -1.0
        with refuses(
            "S[2, 1] must be positive definite, but its smallest eigenvalue is -1: add a small multiple"
        ):
            require.covariance("S", value)
        value[1, 0, 0, 1] = 0.5
        with refuses(
            "S[1, 0] must be symmetric, but differs from its transpose by 0.5: use (S[1, 0] + S[1, 0].mT) / 2"
        ):
            require.covariance("S", value)

    def test_keeps_the_history(self):
        value = torch.eye(2).requires_grad_()
        assert require.covariance("S", value)[1].requires_grad


def test_a_function_must_return_a_distribution():
    p = torch.distributions.Normal(0.0, 1.0)
    assert require.distribution("encoder", p, "mend") is p
    with refuses("encoder must return a torch.distributions.Distribution, but returned tuple: return one"):
        require.distribution("encoder", (p,), "return one")


class TestEvents:
    def test_returns_the_very_tensor(self):
        x = torch.ones(5, 4, 2, 3)
        assert require.events("x", x, (2, 3)) is x

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            (
                torch.ones(4, 6),
                "x must have shape (..., 2, 3), but has shape (4, 6): use x.reshape(-1, 2, 3)",
            ),
            (torch.ones(3), "x must have shape (..., 2, 3), but has shape (3,): make the network for"),
            ([1.0], "x must be a tensor of shape (..., 2, 3), but is list"),
        ],
    )
    def test_refuses(self, value, words):
        with refuses(words):
            require.events("x", value, (2, 3))

    @pytest.mark.parametrize("value", [(), 20, "20"])
    def test_shape_of_an_event(self, value):
        with refuses(
            f"n must be a tuple of sizes such as (20,) or (1, 28, 28), but is {value!r}: use ({value},)"
        ):
            require.event_shape("n", value)
        assert require.event_shape("n", [2, 3]) == (2, 3)


@pytest.mark.parametrize("value", [-1, 1.0, True, "0"])
def test_non_negative_int(value):
    assert require.non_negative_int("n", np.int64(0)) == 0
    with refuses(f"n must be a whole number of at least 0, but is {value!r}"):
        require.non_negative_int("n", value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0", True, torch.ones(1)])
def test_finite_float(value):
    assert require.finite_float("x", -2) == -2.0
    with refuses(f"x must be a finite number, but is {value!r}"):
        require.finite_float("x", value)


class TestBinary:
    def test_returns_the_very_tensor(self):
        x = torch.tensor([[0.0, 1.0], [1.0, -0.0]])
        assert require.binary("x", x) is x

    @pytest.mark.parametrize("entry", [0.5, -1.0, 2.0, torch.nan, torch.inf, 1 + 1e-6])
    def test_refuses_any_other_number(self, entry):
        x = torch.tensor([[0.0, 1.0], [entry, 1.0]])
        with refuses("x must hold zeros and ones where it is asked, but x[1, 0] is"):
            require.binary("x", x, where="where it is asked")
        with refuses("use vaeedu.data.binarize(x, 'dynamic'), or this"):
            require.binary("x", x, mend="or this")

    def test_refuses_other_types(self):
        with refuses("x must be float32 or float64, but is torch.bool: use x.float()"):
            require.binary("x", torch.tensor([True]))
