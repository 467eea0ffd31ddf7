"""Sound: recordings of spoken words that come with the course, the reader's own, and strings that are plucked."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from vaeedu import require, sampling

# Made from the files of Debian's package asterisk-core-sounds-en-wav by tools/pack_speech.py.
SPEECH_FILE = Path(__file__).with_name("speech.npz")
_DIGITS = {f"digits/{digit}": digit for digit in range(10)}
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
          "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
             "nine": "ninth", "twelve": "twelfth"}  # fmt: skip
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_PUNCTUATION = {34: "quote", 36: "dollar", 37: "percent", 38: "ampersand", 39: "apostrophe", 40: "open parenthesis",
                41: "close parenthesis", 42: "asterisk", 44: "comma", 58: "colon", 59: "semicolon",
                60: "less than", 62: "greater than", 63: "question mark", 91: "open bracket", 92: "backslash",
                93: "close bracket", 94: "caret", 95: "underscore", 96: "backquote", 123: "open brace",
                124: "vertical bar", 125: "close brace", 126: "tilde"}  # fmt: skip


class Speech(NamedTuple):
    """Recordings, one entry each in three lists of the same length.

    Attributes:
        clips: μ-law levels 0 to 255, int64, `(T,)` each; `audio.mu_law_decode` makes waveforms of them.
        labels: 0 to 9 for the ten digits, 10 for all else, int64, `(N,)`.
        names: What the recording's file is called, such as `digits/4` or `letters/a`; `word` says what is said.
        rate: Samples a second, 8000.
    """

    clips: list[Int64[Tensor, " T"]]
    labels: Int64[Tensor, " N"]
    names: list[str]
    rate: int = 8000

    @property
    def words(self) -> list[str]:
        """What is said in each recording, as its file's name tells."""
        return [_word(name) for name in self.names]

    @property
    def seconds(self) -> float:
        """How long all recordings are together."""
        return sum(map(len, self.clips)) / self.rate


def speech(split: str = "train") -> Speech:
    """Loads 155 recordings of one voice, 138 s: numbers, days, months, letters and signs, in American English.

    They are those of the telephone system Asterisk, spoken by Allison Smith, as μ-law levels, 8 bits and 8000 samples a
    second; under CC BY-SA 3.0. Each word was recorded once. Every tenth recording that is not one of the ten digits is
    a test recording: new words, but the same voice, and parts of these words occur in others.

    Args:
        split: `"train"`, `"test"` or `"all"` (in the order of the file).

    Returns:
        Recordings, labels and names.

    Raises:
        ValueError: `split` is unknown.

    Reference:
        Asterisk's core sounds, see `vaeedu/data/speech.md`.

    >>> recordings = speech()
    >>> recordings.clips[0].dtype, recordings.names[0], recordings.words[:2]
    (torch.int64, 'digits/0', ['zero', 'one'])
    """
    require.choice("split", split, ("train", "test", "all"))
    with np.load(SPEECH_FILE, allow_pickle=False) as arrays:
        levels, lengths, names = (arrays[key] for key in ("levels", "lengths", "names"))
    clips = torch.from_numpy(levels.astype(np.int64)).split(lengths.tolist())
    others = [i for i, name in enumerate(names.tolist()) if name not in _DIGITS]
    held_out = set(others[9::10])
    chosen = [i for i in range(len(names)) if split == "all" or (i in held_out) == (split == "test")]
    labels = torch.tensor([_DIGITS.get(str(names[i]), 10) for i in chosen])
    return Speech([clips[i].clone() for i in chosen], labels, [str(names[i]) for i in chosen])


def audio(path: str | Path) -> tuple[Float32[Tensor, " T"], int]:
    """Reads a WAV file of yours: whole numbers of 8, 16, 24 or 32 bits, or floats; channels are averaged.

    Args:
        path: The file.

    Returns:
        The waveform in [−1, 1], `(T,)`, and its rate, samples a second. `audio.resample` changes the rate.

    Raises:
        ValueError: There is no such file, or it is no WAV file that can be read.

    >>> import tempfile
    >>> from vaeedu.data.sound import audio
    >>> from scipy.io import wavfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     wavfile.write(f"{folder}/a.wav", 8000, np.array([0, 16384], dtype=np.int16))
    ...     audio(f"{folder}/a.wav")
    (tensor([0.0000, 0.5000]), 8000)
    """
    if not Path(path).is_file():
        raise ValueError(f"path must be a WAV file, but there is no file {path}: record one, or use speech()")
    import warnings

    from scipy.io import wavfile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of notes in the file that are no sound
            rate, numbers = wavfile.read(str(path))
    except ValueError as error:
        raise ValueError(
            f"path must be a WAV file, but {path} cannot be read ({error}): convert it, say by "
            "`ffmpeg -i in.mp3 out.wav`"
        ) from None
    x = numbers.astype(np.float64)
    if numbers.dtype == np.uint8:
        x = (x - 128) / 128
    elif np.issubdtype(numbers.dtype, np.integer):
        x /= -float(np.iinfo(numbers.dtype).min)  # 24 bits come as the upper three bytes of 32
    x = x.mean(axis=1) if x.ndim == 2 else x
    return torch.from_numpy(x.clip(-1, 1).astype(np.float32)), int(rate)


def plucked_strings(
    frequencies: Sequence[float],
    *,
    num_each: int = 1,
    num_samples: int = 2000,
    rate: int = 4000,
    damping: float = 0.996,
    generator: torch.Generator | None = None,
) -> tuple[Float32[Tensor, "N T"], Int64[Tensor, " N"]]:
    r"""Plucks strings, by the algorithm of Karplus and Strong: noise in a loop that is smoothed at each turn.

    $$x_t \sim \text{Uniform}(-1, 1) \;\; (t < P), \qquad x_t = \rho\, \tfrac12 (x_{t - P} + x_{t - P - 1}) .$$

    Each sound is another noise, so another timbre of the pluck. It is heard at rate / (P + ½), because the mean
    of two samples comes half a sample late; P is the whole number for which this is nearest to the frequency.

    Args:
        frequencies: In Hertz, one for each class; at most a quarter of `rate`.
        num_each: How many sounds of each.
        num_samples: T.
        rate: Samples a second.
        damping: ρ, at most 1; smaller dies away sooner.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Waveforms in [−1, 1], `(N, T)`, classes in turn, and which frequency each has, `(N,)`.

    Raises:
        ValueError: An argument is not as described.

    Reference:
        Karplus and Strong (1983), Digital synthesis of plucked-string and drum timbres, Computer Music Journal 7(2).

    >>> sounds, labels = plucked_strings([110.0, 220.0], num_each=2, num_samples=100)
    >>> sounds.shape, labels
    (torch.Size([4, 100]), tensor([0, 1, 0, 1]))
    """
    n, T = require.positive_int("num_each", num_each), require.positive_int("num_samples", num_samples)
    R, rho = require.positive_int("rate", rate), require.positive_float("damping", damping)
    if rho > 1:
        raise ValueError(f"damping must be at most 1, or the string grows louder, but is {rho}")
    if len(frequencies) == 0:
        raise ValueError("frequencies must hold at least one frequency, but is empty")
    periods = []
    for frequency in frequencies:
        if require.positive_float("frequencies", frequency) > R / 4:
            raise ValueError(
                f"frequencies must be at most a quarter of the rate, {R / 4:g} Hz, but one is {frequency:g}: raise rate"
            )
        periods.append(max(math.floor(R / frequency), 2))
    like = torch.empty(0, dtype=torch.float64, device=None if generator is None else generator.device)
    noise = (
        2 * sampling.uniform((n, len(periods), max(periods) + 1), like=like, generator=generator).cpu() - 1
    )
    x = torch.zeros(n, len(periods), T, dtype=torch.float64)
    for c, P in enumerate(periods):
        start = noise[:, c, : P + 1]
        x[:, c, : P + 1] = start[:, :T]
        # A whole turn at once: it depends on the turn before and on the last sample before that.
        for t in range(P + 1, T, P):
            end = min(t + P, T)
            x[:, c, t:end] = rho / 2 * (x[:, c, t - P : end - P] + x[:, c, t - P - 1 : end - P - 1])
    return x.flatten(0, 1).float(), torch.arange(len(periods)).repeat(n)


def _word(name: str) -> str:
    """What is said in the recording of this name."""
    folder, _, stem = name.partition("/")
    kind, _, rest = stem.partition("-")
    if folder == "letters":
        spelled = stem.replace("exclaimation", "exclamation").replace("-", " ")
        return _PUNCTUATION[int(stem[5:])] if stem.startswith("ascii") else spelled
    if stem.isdigit():
        return _number(int(stem))
    if kind == "day" and rest.isdigit():
        return _DAYS[int(rest)]
    if kind == "mon" and rest.isdigit():
        return _MONTHS[int(rest)]
    if kind == "h":
        word = _number(int(rest)) if rest.isdigit() else rest
        return _ORDINALS.get(word, word.removesuffix("y") + "ieth" if word.endswith("y") else word + "th")
    return {"a-m": "a.m.", "p-m": "p.m.", "oclock": "o'clock"}.get(stem, stem)


def _number(value: int) -> str:
    return _WORDS[value] if value < 20 else _TENS[value // 10 - 2]
