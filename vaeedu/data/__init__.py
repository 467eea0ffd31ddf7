"""Data for every lecture, as whole tensors.

- `digits` is always at hand: real handwriting, 8×8, no network. `mnist` is the full-size set, from a folder of yours,
  the user cache or a download. `natural_patches` are pieces of two photographs.
- `street_numbers` are generated colour images of a digit among others, before pieces of these
  photographs; `svhn` are the real ones, where the reader has them.
- `glyphs` are sketches, the letters of Hershey's vector fonts; `sketches` reads Sketch-RNN's files, where the reader
  has them; `jitter` draws a sketch anew.
- `molecules` writes SMILES strings by a small grammar; `zinc` are real ones, where the reader has them.
- `two_moons`, `eight_gaussians`, `pinwheel`, `spirals` and `line` are densities in the plane, made on the spot.
- `binarize` and `quantize` turn grey values into what a Bernoulli or a categorical likelihood can be asked about.

Image sets take `split` and return `(images, labels)`: float32 in [0, 1], `(N, C, H, W)`, and int64 labels, None where
there are none. Sets in the plane return `(N, 2)`.
"""

from vaeedu.data.images import digits, natural_patches
from vaeedu.data.mnist_files import Mnist, fetch_mnist, mnist, mnist_at_hand
from vaeedu.data.molecules import molecules, zinc, zinc_at_hand
from vaeedu.data.pixels import binarize, quantize
from vaeedu.data.sketches import glyphs, jitter, sketches, sketches_at_hand, stroke3
from vaeedu.data.street import street_numbers, svhn, svhn_at_hand
from vaeedu.data.toys import eight_gaussians, line, pinwheel, spirals, two_moons

__all__ = [
    "Mnist",
    "binarize",
    "digits",
    "eight_gaussians",
    "fetch_mnist",
    "glyphs",
    "jitter",
    "line",
    "mnist",
    "mnist_at_hand",
    "molecules",
    "natural_patches",
    "pinwheel",
    "quantize",
    "sketches",
    "sketches_at_hand",
    "spirals",
    "street_numbers",
    "stroke3",
    "svhn",
    "svhn_at_hand",
    "two_moons",
    "zinc",
    "zinc_at_hand",
]
