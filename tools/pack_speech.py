"""Makes vaeedu/data/speech.npz from the recordings of Debian's package asterisk-core-sounds-en-wav.

    python tools/pack_speech.py /usr/share/asterisk/sounds/en_US_f_Allison

All recordings in `digits` and `letters`, 8000 samples a second, 16 bits each, become 8-bit μ-law levels.
"""

import sys
import wave
from pathlib import Path

import numpy as np
import torch

from vaeedu import audio
from vaeedu.data import sound

FOLDERS = ("digits", "letters")


def packed(root: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of the file, recordings in the order of their folders and names."""
    paths = [path for folder in FOLDERS for path in sorted((root / folder).glob("*.wav"))]
    clips = [_levels(path) for path in paths]
    return {
        "levels": np.concatenate(clips),
        "lengths": np.array([len(clip) for clip in clips], dtype=np.int32),
        "names": np.array([f"{path.parent.name}/{path.stem}" for path in paths]),
    }


def _levels(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        if file.getparams()[:3] != (1, 2, 8000):
            raise ValueError(f"{path} must be mono, of 16 bits and 8000 Hz, but is {file.getparams()}")
        numbers = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    waveform = torch.from_numpy(numbers.astype(np.float64)) / 32768
    return audio.mu_law_encode(waveform).to(torch.uint8).numpy()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    arrays = packed(Path(sys.argv[1]))
    np.savez_compressed(sound.SPEECH_FILE, **arrays)
    seconds = arrays["lengths"].sum() / 8000
    print(f"{len(arrays['lengths'])} recordings, {seconds:.0f} s, {sound.SPEECH_FILE.stat().st_size} bytes")
