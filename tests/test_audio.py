"""μ-law and back within its bound, rates that keep what they can hold, and a player that says what it plays."""

import base64
import io
import math
import re
import wave

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaeedu import audio


def refuses(words):
    return pytest.raises(ValueError, match=re.escape(words))


class TestMuLaw:
    @pytest.mark.parametrize("num_levels", [2, 16, 255, 256])
    def test_levels_survive_the_way_there_and_back(self, num_levels):
        levels = torch.arange(num_levels)
        there = audio.mu_law_decode(levels, num_levels, dtype=torch.float64)
        assert torch.equal(audio.mu_law_encode(there, num_levels), levels)
        assert (there.diff() > 0).all()
        assert abs(float(there[0]) + 1) < 1e-12
        assert abs(float(there[-1]) - 1) < 1e-12

    @pytest.mark.parametrize("num_levels", [16, 256])
    def test_the_error_is_at_most_half_a_step(self, num_levels):
        """In f it is 1/μ at most, so in x at most the distance to where f is 1/μ further."""
        x = torch.linspace(-1, 1, 20_001, dtype=torch.float64)
        error = (audio.mu_law_decode(audio.mu_law_encode(x, num_levels), num_levels, dtype=x.dtype) - x).abs()
        mu = num_levels - 1
        step = math.expm1(math.log1p(mu) / mu)  # f moved by 1/μ multiplies 1 + μ|x| by this much more than 1
        bound = (1 + mu * x.abs()) / mu * step
        assert (error <= bound * (1 + 1e-9)).all()
        assert (error / bound).max() > 0.9

    def test_the_formula(self):
        x = torch.tensor([0.1, -0.01, 0.5], dtype=torch.float64)
        f = [math.copysign(math.log(1 + 255 * abs(v)) / math.log(256), v) for v in x.tolist()]
        assert audio.mu_law_encode(x).tolist() == [math.floor((v + 1) / 2 * 255 + 0.5) for v in f]

    def test_it_is_finer_where_it_is_quiet(self):
        steps = audio.mu_law_decode(torch.arange(256)).diff()
        assert steps[127] < 0.01 * steps[0]

    @given(st.lists(st.floats(-1, 1), min_size=1, max_size=20))
    def test_sign_and_order_are_kept(self, values):
        x = torch.tensor(sorted(values), dtype=torch.float64)
        levels = audio.mu_law_encode(x)
        assert (levels.diff() >= 0).all()
        assert ((levels >= 128) == (x >= 0))[x.abs() > 1e-4].all()

    def test_any_shape(self):
        assert audio.mu_law_encode(torch.zeros(2, 3, 4)).shape == (2, 3, 4)
        assert audio.mu_law_decode(torch.zeros(2, 0, dtype=torch.int64)).shape == (2, 0)

    def test_bad_input(self):
        with refuses("waveform must lie in [−1, 1], but holds 1.5: divide by its largest size"):
            audio.mu_law_encode(torch.tensor([0.0, 1.5]))
        with refuses("num_levels must be at least 2, but is 1"):
            audio.mu_law_encode(torch.zeros(1), 1)
        with refuses(
            "levels must be a tensor of whole numbers, but is torch.float32: call mu_law_encode first"
        ):
            audio.mu_law_decode(torch.zeros(1))
        with refuses(
            "levels must lie between 0 and 15, but range from 3 to 16: is num_levels that of the encoder?"
        ):
            audio.mu_law_decode(torch.tensor([3, 16]), 16)


class TestResample:
    @pytest.mark.parametrize(("rate", "new_rate"), [(44_100, 8000), (8000, 4000), (4000, 8000)])
    def test_a_tone_that_both_hold_stays(self, rate, new_rate):
        tone = lambda r: (2 * math.pi * 440 * torch.arange(r, dtype=torch.float64) / r).sin()  # noqa: E731
        middle = slice(new_rate // 10, -new_rate // 10)
        torch.testing.assert_close(
            audio.resample(tone(rate), rate, new_rate)[middle], tone(new_rate)[middle], rtol=0, atol=0.01
        )

    def test_a_tone_that_the_new_rate_cannot_hold_goes(self):
        tone = (2 * math.pi * 3500 * torch.arange(8000) / 8000).sin()
        assert audio.resample(tone, 8000, 4000)[400:-400].abs().max() < 0.02
        assert tone[::2].abs().max() > 0.9  # every second sample would sound, at 500 Hz

    def test_the_same_rate_changes_nothing(self):
        x = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
        assert torch.equal(audio.resample(x, 8000, 8000), x)

    def test_bad_input(self):
        with refuses("new_rate must be a whole number of at least 1, but is 0"):
            audio.resample(torch.zeros(5), 8000, 0)
        with refuses("waveform must hold samples, (..., T), but has shape (0,)"):
            audio.resample(torch.zeros(0), 8000, 4000)


class TestPlayer:
    def test_it_holds_the_sound_and_says_what_it_is(self):
        x = torch.tensor([0.0, 1.0, -2.0])
        shown = audio.player(x, 8000, text="three <samples>").data
        assert shown.count("three &lt;samples&gt;") == 2
        assert "<audio controls" in shown
        content = base64.b64decode(re.search(r'base64,([^"]+)"', shown)[1])
        with wave.open(io.BytesIO(content)) as file:
            assert file.getparams()[:4] == (1, 2, 8000, 3)
            assert file.readframes(3) == b"\x00\x00\xff\x7f\x01\x80"

    def test_bad_input(self):
        with refuses("text must say what there is to be heard, but is empty"):
            audio.player(torch.zeros(1), 8000, text=" ")
        with refuses("waveform must"):
            audio.player(torch.zeros(2, 2), 8000, text="two sounds")
