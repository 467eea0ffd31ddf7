r"""Sound as numbers: μ-law levels, other rates, and a player with a text beside it.

- `mu_law_encode`, `mu_law_decode`: from a waveform in [−1, 1] to 256 levels, finer where it is quiet, and back.
- `resample`: the same sound, at another number of samples a second.
- `player`: an audio element for a notebook, with words for those who do not hear it.

Waveforms are float tensors in [−1, 1], `(..., T)`; a rate counts samples a second.
"""

import base64
import html
import io
import math
import wave
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vaeedu import require


def mu_law_encode(waveform: object, num_levels: int = 256) -> Int64[Tensor, "... T"]:
    r"""Maps a waveform to levels that lie closer together where it is quiet.

    $$f(x) = \operatorname{sign}(x) \frac{\ln(1 + \mu |x|)}{\ln(1 + \mu)}, \quad \mu = L - 1, \qquad
      \text{level} = \Big\lfloor \tfrac{f(x) + 1}{2} \mu + \tfrac12 \Big\rfloor .$$

    Args:
        waveform: Numbers in [−1, 1], of any shape.
        num_levels: L, at least 2.

    Returns:
        Levels 0, …, L − 1, of the same shape. Silence is level L / 2 for an even L: 128 of 256.

    Raises:
        ValueError: The waveform leaves [−1, 1], or `num_levels` is less than 2.

    Reference:
        Van den Oord et al. (2016), WaveNet: a generative model for raw audio, section 2.2; ITU-T G.711.

    >>> mu_law_encode(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([  0, 128, 255])
    """
    x, mu = require.real("waveform", waveform), _mu(num_levels)
    outside = ~(x.abs() <= 1)
    if bool(outside.any()):
        raise ValueError(
            f"waveform must lie in [−1, 1], but holds {float(x[outside][0]):.4g}: divide by its largest size, or by "
            "32768 if these are 16-bit numbers"
        )
    squeezed = x.sign() * (mu * x.abs()).log1p() / math.log1p(mu)
    return ((squeezed + 1) / 2 * mu + 0.5).floor().long()


def mu_law_decode(
    levels: object, num_levels: int = 256, *, dtype: torch.dtype = torch.float32
) -> Float[Tensor, "... T"]:
    r"""Maps levels back to the waveform: $x = \operatorname{sign}(f) \frac{(1 + \mu)^{|f|} - 1}{\mu}$.

    Decoding what was encoded errs by less than half the distance of two levels of f, magnified by the slope of the
    inverse: by at most $\frac{\ln(1 + \mu)}{\mu^2} (1 + \mu |x|)$ to first order.

    Args:
        levels: Whole numbers 0, …, L − 1, of any shape.
        num_levels: L, at least 2.
        dtype: Of the result.

    Returns:
        Numbers in [−1, 1], of the same shape.

    Raises:
        ValueError: A level is no whole number or out of range, or `num_levels` is less than 2.

    >>> mu_law_decode(torch.tensor([0, 255]))
    tensor([-1.,  1.])
    """
    mu = _mu(num_levels)
    if not isinstance(levels, Tensor) or levels.is_floating_point() or levels.is_complex():
        got = levels.dtype if isinstance(levels, Tensor) else type(levels).__name__
        raise ValueError(f"levels must be a tensor of whole numbers, but is {got}: call mu_law_encode first")
    if levels.numel() > 0 and not 0 <= int(levels.min()) <= int(levels.max()) <= mu:
        raise ValueError(
            f"levels must lie between 0 and {mu}, but range from {int(levels.min())} to {int(levels.max())}: "
            "is num_levels that of the encoder?"
        )
    squeezed = 2 * levels.to(torch.float64) / mu - 1
    # The loudest level is 1 but for rounding; what is decoded can be encoded again.
    size = ((squeezed.abs() * math.log1p(mu)).expm1() / mu).clamp(max=1)
    return (squeezed.sign() * size).to(dtype)


def resample(waveform: object, rate: int, new_rate: int) -> Float[Tensor, "... T2"]:
    r"""Returns the same sound at another rate, without what the new rate cannot hold.

    A rate R holds frequencies up to R / 2. Those above would come back as others (aliasing): a low-pass filter takes
    them out first.

    Args:
        waveform: `(..., T)`.
        rate: Samples a second of the waveform.
        new_rate: Samples a second of the result.

    Returns:
        $\lceil T \cdot \text{new rate} / \text{rate} \rceil$ samples, `(..., T2)`. The filter may overshoot 1 a little.

    Raises:
        ValueError: A rate is no positive whole number, or the waveform is empty.

    Reference:
        SciPy's `signal.resample_poly`, a polyphase filter with a Kaiser window.

    >>> resample(torch.zeros(44100), 44100, 8000).shape
    torch.Size([8000])
    """
    x = require.real("waveform", waveform)
    rate, new_rate = require.positive_int("rate", rate), require.positive_int("new_rate", new_rate)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"waveform must hold samples, (..., T), but has shape {tuple(x.shape)}")
    from scipy.signal import resample_poly  # takes a while to import

    divisor = math.gcd(rate, new_rate)
    result = resample_poly(x.detach().cpu().double().numpy(), new_rate // divisor, rate // divisor, axis=-1)
    return torch.from_numpy(np.ascontiguousarray(result)).to(x)


def wav_bytes(waveform: object, rate: int) -> bytes:
    """Returns a waveform as a WAV file of 16 bits a sample; what leaves [−1, 1] is cut off.

    Args:
        waveform: `(T,)`.
        rate: Samples a second.

    Raises:
        ValueError: The waveform is no vector of numbers, or `rate` no positive whole number.

    >>> wav_bytes(torch.zeros(3), 8000)[:4]
    b'RIFF'
    """
    x = require.vector("waveform", waveform).detach().cpu().double().clamp(-1, 1)
    numbers = (x * 32767).round().numpy().astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(require.positive_int("rate", rate))
        file.writeframes(numbers.tobytes())
    return buffer.getvalue()


def player(waveform: object, rate: int, *, text: str) -> Any:
    """Makes an audio element with a text beside it, for those who do not hear it, and for those who do.

    Args:
        waveform: `(T,)`, in [−1, 1]; what leaves it is cut off.
        rate: Samples a second.
        text: What there is to be heard, in a sentence; it also names the element for a screen reader.

    Returns:
        IPython's `HTML`; a notebook shows it as the last value of a cell, `display` anywhere.

    Raises:
        ValueError: `text` is empty; or as `wav_bytes`.

    >>> "a click" in player(torch.ones(1), 8000, text="a click").data
    True
    """
    if not text.strip():
        raise ValueError("text must say what there is to be heard, but is empty: write a sentence")
    sound = base64.b64encode(wav_bytes(waveform, rate)).decode()
    words = html.escape(text)
    from IPython.display import HTML

    return HTML(
        '<figure style="margin: 0.3em 0; display: flex; flex-wrap: wrap; align-items: center; gap: 0.8em">'
        f'<audio controls preload="metadata" aria-label="{words}" src="data:audio/wav;base64,{sound}"></audio>'
        f"<figcaption>{words}</figcaption></figure>"
    )


def _mu(num_levels: object) -> int:
    if require.positive_int("num_levels", num_levels) == 1:
        raise ValueError("num_levels must be at least 2, but is 1: use 256 for 8 bits a sample")
    return int(num_levels) - 1  # type: ignore[call-overload]
