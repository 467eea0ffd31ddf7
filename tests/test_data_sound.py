"""The recordings are those of their source, strings have their pitch, and files of one's own are read as they are."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import wavfile

from vaeedu import audio, data
from vaeedu.data import sound

# Where Debian's package asterisk-core-sounds-en-wav puts its files.
SOURCE = Path("/usr/share/asterisk/sounds/en_US_f_Allison")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def refuses(words):
    return pytest.raises(ValueError, match=re.escape(words))


class TestSpeech:
    def test_it_comes_with_the_course(self):
        everything = data.speech("all")
        assert len(everything.clips) == len(everything.labels) == len(everything.names) == 155
        assert 137 < everything.seconds < 139
        assert all(clip.dtype == torch.int64 and clip.ndim == 1 for clip in everything.clips)
        assert min(int(clip.min()) for clip in everything.clips) >= 0
        assert max(int(clip.max()) for clip in everything.clips) <= 255

    def test_each_recording_is_in_one_part(self):
        train, test, everything = map(data.speech, ("train", "test", "all"))
        assert sorted(train.names + test.names) == sorted(everything.names)
        assert len(set(everything.names)) == 155
        by_name = dict(zip(everything.names, everything.clips, strict=True))
        for part in (train, test):
            assert all(torch.equal(c, by_name[n]) for c, n in zip(part.clips, part.names, strict=True))

    def test_the_ten_digits_are_labelled_and_for_training(self):
        train = data.speech()
        named = {
            word: int(label) for word, label in zip(train.words, train.labels, strict=True) if label < 10
        }
        assert list(named.values()) == sorted(named.values())
        assert list(named) == ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
        assert set(data.speech("test").labels.tolist()) == {10}

    @pytest.mark.parametrize(
        ("name", "word"),
        [
            ("digits/17", "seventeen"), ("digits/90", "ninety"), ("digits/h-1", "first"), ("digits/h-20", "twentieth"),
            ("digits/h-6", "sixth"), ("digits/day-0", "Sunday"), ("digits/mon-11", "December"),
            ("digits/oclock", "o'clock"), ("letters/a", "a"), ("letters/ascii63", "question mark"),
            ("letters/exclaimation-point", "exclamation point"), ("digits/h-thousand", "thousandth"),
        ],
    )  # fmt: skip
    def test_words(self, name, word):
        everything = data.speech("all")
        assert everything.words[everything.names.index(name)] == word

    def test_the_file_is_small_and_has_its_licence_beside_it(self):
        assert sound.SPEECH_FILE.stat().st_size < 1_200_000
        assert "CC-BY-SA-3.0" in sound.SPEECH_FILE.with_suffix(".md").read_text("utf-8")
        assert "speech.npz" in (Path(__file__).parents[1] / "LICENSE").read_text("utf-8")

    @pytest.mark.slow
    @pytest.mark.full  # the file does not change, and the package is not on every machine
    @pytest.mark.skipif(not SOURCE.is_dir(), reason=f"needs the files of Debian's package in {SOURCE}")
    def test_it_is_what_the_package_holds(self):
        everything = data.speech("all")
        for name, clip in zip(everything.names, everything.clips, strict=True):
            rate, numbers = wavfile.read(SOURCE / f"{name}.wav")
            assert rate == everything.rate
            assert torch.equal(audio.mu_law_encode(torch.from_numpy(numbers / 32768)), clip)

    def test_speech_is_louder_in_the_middle_than_at_the_ends(self):
        """The levels are sound: silence at either end is near the middle level."""
        for clip in data.speech("test").clips:
            x = audio.mu_law_decode(clip)
            ends = torch.cat([x[:160], x[-160:]]).square().mean()
            assert ends < 0.2 * x.square().mean()

    def test_unknown_split(self):
        with refuses("split must be one of 'train', 'test', 'all', but is 'valid'"):
            data.speech("valid")


class TestPluckedStrings:
    @pytest.mark.parametrize("frequency", [110.0, 147.0, 300.0])
    def test_the_pitch(self, frequency):
        """A spectrum's harmonics are multiples of rate / (P + ½)."""
        x, _ = data.plucked_strings([frequency], num_samples=4000, rate=4000, generator=seeded())
        spectrum = torch.fft.rfft(x[0].double() * torch.hann_window(4000, dtype=torch.float64)).abs()
        expected = 4000 / (int(4000 / frequency) + 0.5)
        peak = int(spectrum[int(0.7 * expected) : int(1.3 * expected)].argmax()) + int(0.7 * expected)
        assert abs(peak - expected) <= 1
        assert abs(expected - frequency) <= 0.5 * frequency**2 / 4000 * 1.1

    def test_the_recursion(self):
        x, y = data.plucked_strings(
            [100.0, 230.0], num_each=2, num_samples=333, damping=0.97, generator=seeded()
        )
        assert y.tolist() == [0, 1, 0, 1]
        for row, label in zip(x.double(), y.tolist(), strict=True):
            P = (40, 17)[label]
            t = torch.arange(P + 1, 333)
            torch.testing.assert_close(row[t], 0.485 * (row[t - P] + row[t - P - 1]), rtol=1e-5, atol=1e-6)

    def test_it_dies_away_sooner_with_more_damping(self):
        long, short = (
            data.plucked_strings([200.0], damping=rho, generator=seeded())[0][0, -200:].square().mean()
            for rho in (0.996, 0.9)
        )
        assert short < 0.01 * long

    def test_the_generator_is_the_only_randomness(self):
        before = torch.random.get_rng_state()
        one, other = (data.plucked_strings([200.0], generator=seeded())[0] for _ in range(2))
        assert torch.equal(one, other)
        assert torch.equal(before, torch.random.get_rng_state())

    def test_fewer_samples_than_a_turn(self):
        assert data.plucked_strings([100.0], num_samples=10)[0].shape == (1, 10)

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"frequencies": []}, "frequencies must hold at least one frequency"),
            (
                {"frequencies": [1500.0]},
                "frequencies must be at most a quarter of the rate, 1000 Hz, but one is 1500",
            ),
            ({"frequencies": [-1.0]}, "frequencies must be a finite number greater than 0, but is -1.0"),
            ({"damping": 1.1}, "damping must be at most 1, or the string grows louder, but is 1.1"),
            ({"num_each": 0}, "num_each must be a whole number of at least 1, but is 0"),
        ],
    )
    def test_bad_input(self, settings, words):
        with refuses(words):
            data.plucked_strings(**({"frequencies": [100.0]} | settings))


class TestAudio:
    @pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
    def test_every_kind_of_number(self, dtype, tmp_path):
        x = np.array([-1.0, -0.5, 0.0, 0.25])
        numbers = {
            np.uint8: lambda: x * 128 + 128,
            np.int16: lambda: x * 32768,
            np.int32: lambda: x * 2**31,
            np.float32: lambda: x,
        }[dtype]()
        wavfile.write(tmp_path / "a.wav", 11025, numbers.astype(dtype))
        waveform, rate = data.audio(tmp_path / "a.wav")
        assert rate == 11025
        assert waveform.dtype == torch.float32
        assert np.array_equal(waveform.numpy(), x)

    def test_channels_are_averaged(self, tmp_path):
        wavfile.write(tmp_path / "a.wav", 8000, np.array([[0.5, -0.5], [1.0, 0.5]], dtype=np.float32))
        assert data.audio(tmp_path / "a.wav")[0].tolist() == [0.0, 0.75]

    def test_what_the_player_plays_can_be_read(self, tmp_path):
        x = torch.linspace(-1, 1, 50)
        (tmp_path / "a.wav").write_bytes(audio.wav_bytes(x, 8000))
        torch.testing.assert_close(data.audio(tmp_path / "a.wav")[0], x, rtol=0, atol=1e-4)

    def test_no_such_file(self, tmp_path):
        with refuses("path must be a WAV file, but there is no file"):
            data.audio(tmp_path / "a.wav")

    def test_another_kind_of_file(self, tmp_path):
        (tmp_path / "a.wav").write_bytes(b"ID3 this is no sound, but long enough to be one")
        with refuses("cannot be read"):
            data.audio(tmp_path / "a.wav")
