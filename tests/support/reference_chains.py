"""Makes arviz_reference.json: what ArviZ says about chains that anyone can make again, with no random generator.

pip install arviz==0.23.4 && python tests/support/reference_chains.py
"""

import json
from pathlib import Path

FILE = Path(__file__).with_name("arviz_reference.json")
# name: (samples, chains, correlation of neighbours, drift of the last chain, shift of the last chain)
SETTINGS = {
    "independent": (250, 4, 0.0, 0.0, 0.0),
    "correlated": (400, 4, 0.9, 0.0, 0.0),
    "alternating": (300, 2, -0.6, 0.0, 0.0),
    "one apart": (200, 3, 0.5, 0.0, 2.0),
    "drifting": (201, 4, 0.3, 3.0, 0.0),
    "slow": (60, 2, 0.99, 0.0, 0.0),
    "short": (9, 3, 0.2, 0.0, 0.0),
    "shortest": (4, 2, 0.0, 0.0, 0.0),
}


def uniforms(seed):
    """The linear congruential generator of Knuth's MMIX: numbers in [0, 1), the same everywhere."""
    state = seed
    while True:
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        yield (state >> 11) / 2**53


def chains(samples, num_chains, correlation, drift, shift):
    """Autoregressive chains as a list of lists, one list a chain; close to normal, with variance one."""
    rows = []
    for c in range(num_chains):
        u, x = uniforms(c + 1), 0.0
        row = []
        for s in range(samples + 50):
            noise = sum(next(u) for _ in range(12)) - 6.0
            x = correlation * x + (1.0 - correlation**2) ** 0.5 * noise
            row.append(x + (drift * s / samples + shift if c == num_chains - 1 else 0.0))
        rows.append(row[50:])
    return rows


def main():
    import arviz
    import numpy as np

    found = {"arviz": arviz.__version__, "numpy": np.__version__}
    for name, setting in SETTINGS.items():
        x = np.array(chains(*setting))
        found[name] = {
            "r_hat": float(arviz.rhat(x, method="split")),
            "r_hat_rank": float(arviz.rhat(x, method="rank")),
            "ess": float(arviz.ess(x, method="mean")),
            "ess_bulk": float(arviz.ess(x, method="bulk")),
            "se": float(arviz.mcse(x, method="mean")),
        }
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
