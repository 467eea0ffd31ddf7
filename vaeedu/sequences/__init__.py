"""Sequence VAEs: sketches as pen movements, molecules as strings.

- Sketches: `from_lines`, `to_lines`, `to_stroke5`, `from_stroke5`; `MixtureNormal2d`, where the pen may go next;
  `SketchVAE`: `posterior`, `elbo`, `sample`, `interpolate`, `complete`; `spherical`.
- Strings: `Tokenizer`; `StringVAE`: `posterior`, `elbo`, `sample`, `reconstruct`, `decode`.
- Molecules: `parse` reads a SMILES string by the rules, `problem` says which one it breaks, `is_valid` whether; a
  `Molecule` has `weight` and `identity`; `quality` is validity with uniqueness and novelty.
"""

from vaeedu.sequences.mixture import MixtureNormal2d
from vaeedu.sequences.molecule import Atom, Bond, Molecule, layout
from vaeedu.sequences.quality import Quality, identities, quality
from vaeedu.sequences.sketch import SketchVAE, spherical
from vaeedu.sequences.smiles import InvalidSmiles, split
from vaeedu.sequences.strings import StringVAE
from vaeedu.sequences.strokes import from_lines, from_stroke5, num_points, simplify, to_lines, to_stroke5
from vaeedu.sequences.tokens import Tokenizer
from vaeedu.sequences.valence import is_valid, parse, problem

__all__ = [
    "Atom",
    "Bond",
    "InvalidSmiles",
    "MixtureNormal2d",
    "Molecule",
    "Quality",
    "SketchVAE",
    "StringVAE",
    "Tokenizer",
    "from_lines",
    "from_stroke5",
    "identities",
    "is_valid",
    "layout",
    "num_points",
    "parse",
    "problem",
    "quality",
    "simplify",
    "spherical",
    "split",
    "to_lines",
    "to_stroke5",
]
