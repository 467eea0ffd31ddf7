"""Arrays survive as plain data, and whatever is no plain array is refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from vaeedu.feedback.arrays import decode, encode, pack, rounded, unpack


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        arrays(np.float64, array_shapes(min_dims=0, min_side=0, max_dims=3), elements=st.floats()),
        arrays(np.int64, array_shapes(max_dims=2)),
        arrays(np.bool_, array_shapes(max_dims=2)),
    )
)
def test_every_plain_array_survives_strict_json(array):
    back = decode(json.loads(json.dumps(encode(array), allow_nan=False)))
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)
    assert unpack(json.loads(json.dumps(pack(array)))).tobytes() == array.tobytes()


def test_whole_numbers_are_written_short_and_read_back_to_the_last_bit():
    array = np.array([0.0, -0.0, 1.0, -3.0, 0.5, 2.0**53, 2.0**53 + 2, 1e300, np.nan, -np.inf])
    written = json.dumps(encode(array)["data"])
    assert written.startswith("[0, -0.0, 1, -3, 0.5, 9007199254740992, ")
    assert '1e+300, "nan", "-inf"]' in written
    back = decode({**encode(array), "data": json.loads(written)})
    assert back.dtype == np.float64
    assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("read", [decode, unpack])
@pytest.mark.parametrize("shape", [None, [1] * 9, [-1], [True], [2**25], ["1"]])
def test_a_shape_is_a_short_list_of_sizes(read, shape):
    with pytest.raises(ValueError, match="a plain array's shape must be a list of sizes"):
        read({"dtype": "bool", "shape": shape, "data": ""})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1.0], "must be an object of dtype, shape and data"),
        ({"dtype": "float64", "shape": [1]}, "must be an object of dtype, shape and data"),
        (
            {"dtype": "object", "shape": [1], "data": [1]},
            "must be one of float64, int64, bool, but is object",
        ),
        ({"dtype": "float64", "shape": [-1], "data": []}, "shape must be a list of sizes"),
        ({"dtype": "float64", "shape": [True], "data": [1.0]}, "shape must be a list of sizes"),
        ({"dtype": "float64", "shape": [2, 2], "data": [1.0]}, "must hold 4 entries"),
        ({"dtype": "float64", "shape": [1], "data": ["one"]}, "must hold numbers, but holds 'one'"),
        ({"dtype": "int64", "shape": [1], "data": [2**70]}, "must fit int64, but one is too large"),
        ({"dtype": "float64", "shape": [1], "data": [[1.0]]}, "must hold numbers"),
    ],
)
def test_what_is_no_plain_array_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        decode(value)


def test_other_dtypes_are_refused():
    with pytest.raises(
        ValueError, match="must be one of float64, int64, bool, but is complex128: convert it"
    ):
        encode(np.zeros(2, dtype=complex))


def test_rounding_hides_the_last_bits_only():
    array = np.random.default_rng(0).standard_normal((50, 4)) * 1e3
    noisy = array * (1 + 1e-15)
    assert rounded(array).tobytes() == rounded(noisy).tobytes()
    assert np.abs(rounded(array) - array).max() <= 1e-8 * np.abs(array).max()
    assert not np.signbit(rounded(np.array([-1e-12, 1.0]))).any()


def test_rounding_leaves_zeros_integers_and_infinities():
    for array in (np.zeros(3), np.arange(3), np.array([np.inf, 1.0, np.nan])):
        np.testing.assert_array_equal(rounded(array), array)
