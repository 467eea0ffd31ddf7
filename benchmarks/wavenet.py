"""What lecture 11 says of speed and of bits: how WaveNet draws, and how well it predicts speech.

    python benchmarks/wavenet.py sampling              the 20-layer network: cached against naive, one thread
    python benchmarks/wavenet.py speech --minutes 5    held-out bits a sample, and drawn digits that are recognised
    python benchmarks/wavenet.py speech --minutes 60 --channels 32

Times are CPU seconds of one thread: what else the machine does has little say in them.
"""

import argparse
import math
import time

import common
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from vaeedu import audio, data, sampling, wavenet

PIECE, BATCH = 1536, 4


def cpu_seconds(function):
    """Returns how long a call takes on the CPU."""
    start = time.process_time()
    function()
    return time.process_time() - start


def measure_sampling() -> list[dict]:
    """Draws from the 20-layer network, cached at three lengths, naive at one that fills the field twice."""
    torch.manual_seed(0)
    model = wavenet.WaveNet(256, [2**i for i in range(10)] * 2, 32)
    model.sample(1, 100)  # warm
    rows, cached = [], {}
    for length in (1000, 4000, 16_000):
        cached[length] = cpu_seconds(
            lambda length=length: model.sample(1, length, generator=sampling.seeded(0))
        )
        rows.append({
            "method": "cached", "samples": length, "CPU seconds": round(cached[length], 2),
            "samples a second": round(length / cached[length]),
        })  # fmt: skip
    naive = cpu_seconds(lambda: model.sample(1, 4000, method="naive", generator=sampling.seeded(0)))
    rows.append({
        "method": "naive", "samples": 4000, "CPU seconds": round(naive, 2), "samples a second": round(4000 / naive),
    })  # fmt: skip
    print(f"cached is {naive / cached[4000]:.0f} times as fast at 4000 samples")
    return rows


def held_out_bits(model, clips, **settings) -> float:
    """Returns bits a sample over all recordings, each from its own beginning."""
    with torch.no_grad():
        nats = sum(-float(model.log_prob(clip[None], **settings)) for clip in clips)
    return nats / sum(map(len, clips)) / math.log(2)


def train(minutes: float, channels: int, dilations: list[int], seed: int):
    """Trains on speech for so many CPU minutes; returns the model and how its held-out bits fell."""
    torch.manual_seed(seed)
    generator = sampling.seeded(seed)
    speech, held_out = data.speech(), data.speech("test")
    stream = torch.cat(speech.clips)
    classes = torch.cat([y.expand(len(c)) for c, y in zip(speech.clips, speech.labels, strict=True)])
    model = wavenet.WaveNet(256, dilations, channels, 11)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, fused=True)
    budget, curve, start, marks = 60 * minutes, [], time.process_time(), 1
    while (elapsed := time.process_time() - start) < budget:
        place = sampling.integers((BATCH,), len(stream) - PIECE, generator=generator)
        x, y = stream[place[:, None] + torch.arange(PIECE)], classes[place + PIECE // 2]
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * max(1 - elapsed / budget, 0.02)
        optimizer.zero_grad()
        model.bits_per_sample(x, y).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if elapsed > marks * budget / 10:
            curve.append(
                {
                    "CPU minutes": round(elapsed / 60, 1),
                    "held out": round(held_out_bits(model, held_out.clips, y=10), 3),
                }
            )
            print(curve[-1], flush=True)
            marks += 1
    curve.append({"CPU minutes": minutes, "held out": round(held_out_bits(model, held_out.clips, y=10), 3)})
    return model, curve


def features(x):
    """Coarse spectrogram: 8 times × 16 bands of log power, of a waveform (T,)."""
    spectrum = torch.stft(x, 256, 128, window=torch.hann_window(256), return_complex=True).abs().square()
    bands = (functional.adaptive_avg_pool2d(spectrum[None, 1:], (16, 8))[0] + 1e-5).log()
    return (bands - bands.mean()).flatten()


def replayed(x, rng):
    """Plays a waveform faster or slower, later or sooner, louder or softer, with a little noise."""
    size = int(len(x) * rng.uniform(0.85, 1.15))
    x = functional.interpolate(x[None, None], size=size, mode="linear", align_corners=True)[0, 0]
    x = functional.pad(x, (int(rng.integers(0, 600)), int(rng.integers(0, 600))))
    return x * float(rng.uniform(0.5, 1.5)) + 0.002 * torch.from_numpy(rng.standard_normal(len(x))).float()


def recognised(model, each: int) -> tuple[float, float]:
    """Returns which share of drawn digits a classifier recognises, and which of replayed real ones."""
    speech, rng = data.speech(), np.random.default_rng(0)
    digits = [audio.mu_law_decode(speech.clips[speech.labels.tolist().index(d)]) for d in range(10)]
    known, fresh = (
        torch.stack([features(replayed(x, rng)) for x in digits for _ in range(n)]) for n in (30, 10)
    )
    ear = LogisticRegression(C=0.1, max_iter=300).fit(known, np.repeat(np.arange(10), 30))
    asked = torch.arange(10).repeat(each)
    said = model.sample(len(asked), 6000, asked, generator=sampling.seeded(1))
    guesses = ear.predict(torch.stack([features(audio.mu_law_decode(s)) for s in said]))
    real = float((ear.predict(fresh) == np.repeat(np.arange(10), 10)).mean())
    return float((guesses == asked.numpy()).mean()), real


def main() -> None:
    """Runs what is asked for, and keeps what it found."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("sampling", "speech"))
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--channels", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.what == "sampling":
        save("wavenet_sampling", "Drawing from the 20-layer WaveNet, one thread", measure_sampling())
        return
    speech, held_out = data.speech(), data.speech("test")
    counts = [
        {
            "model": name,
            "held out": round(
                held_out_bits(wavenet.NGram(256, order, strength=20.0).fit(speech.clips), held_out.clips), 3
            ),
        }
        for order, name in ((0, "unigram"), (1, "bigram"))
    ]
    dilations = [2**i for i in range(8)] * 2
    model, curve = train(arguments.minutes, arguments.channels, dilations, arguments.seed)
    share, real = recognised(model, 10)
    name = (
        f"WaveNet, {len(dilations)} layers, {arguments.channels} channels, {arguments.minutes:g} CPU minutes"
    )
    rows = [
        *counts,
        *({"model": f"{name}, at {row['CPU minutes']} min", "held out": row["held out"]} for row in curve),
    ]
    rows.append(
        {
            "model": f"digits recognised: {share:.0%} of 100 drawn, {real:.0%} of replayed real ones",
            "held out": "",
        }
    )
    save(f"wavenet_speech_{arguments.minutes:g}", "Speech: bits a sample, held out", rows)


def save(name: str, title: str, rows: list[dict]) -> None:
    """Keeps a table."""
    header = list(rows[0])
    common.keep(
        name, f"# {title}\n\n" + common.table(header, [[row[key] for key in header] for row in rows]), rows
    )


if __name__ == "__main__":
    main()
