"""Data for every lecture, as whole tensors.

- `digits` is always at hand: real handwriting, 8×8, no network. `mnist` is the full-size set, from a folder of yours,
  the user cache or a download. `natural_patches` are pieces of two photographs.
- `street_numbers` are generated colour images of a digit among others, before pieces of these
  photographs; `svhn` are the real ones, where the reader has them.
- `faces` and `shapes` are generated images whose factors are known, drawn anew from any factors by `draw_faces` and
  `draw_shapes`; `celeba` are photographs of faces, where the reader has them.
- `speech` is always at hand: spoken numbers, letters and other words; `audio` reads the reader's own WAV file;
  `plucked_strings` are made on the spot.
- `glyphs` are sketches, the letters of Hershey's vector fonts; `sketches` reads Sketch-RNN's files, where the reader
  has them; `jitter` draws a sketch anew.
- `molecules` writes SMILES strings by a small grammar; `zinc` are real ones, where the reader has them.
- `two_moons`, `eight_gaussians`, `grid_of_gaussians`, `pinwheel`, `spirals` and `line` are densities in the plane,
  made on the spot.
- `binarize` and `quantize` turn grey values into what a Bernoulli or a categorical likelihood can be asked about.

Image sets with classes take `split` and return `(images, labels)`: float32 in [0, 1], `(N, C, H, W)`, and int64
labels, None where there are none. Those with factors return `(images, factors)`, factors float32 `(N, F)`.
Sets in the plane return `(N, 2)`.
"""

from vaeedu.data.celeba import CelebA, celeba, celeba_at_hand
from vaeedu.data.faces import FACE_FACTORS, draw_faces, faces
from vaeedu.data.images import digits, natural_patches
from vaeedu.data.mnist_files import Mnist, fetch_mnist, mnist, mnist_at_hand
from vaeedu.data.molecules import molecules, zinc, zinc_at_hand
from vaeedu.data.pixels import binarize, quantize
from vaeedu.data.shapes import SHAPE_FACTORS, SHAPES, draw_shapes, shapes
from vaeedu.data.sketches import glyphs, jitter, sketches, sketches_at_hand, stroke3
from vaeedu.data.sound import Speech, audio, plucked_strings, speech
from vaeedu.data.street import street_numbers, svhn, svhn_at_hand
from vaeedu.data.toys import eight_gaussians, grid_of_gaussians, line, pinwheel, spirals, two_moons

__all__ = [
    "FACE_FACTORS",
    "SHAPES",
    "SHAPE_FACTORS",
    "CelebA",
    "Mnist",
    "Speech",
    "audio",
    "binarize",
    "celeba",
    "celeba_at_hand",
    "digits",
    "draw_faces",
    "draw_shapes",
    "eight_gaussians",
    "faces",
    "fetch_mnist",
    "glyphs",
    "grid_of_gaussians",
    "jitter",
    "line",
    "mnist",
    "mnist_at_hand",
    "molecules",
    "natural_patches",
    "pinwheel",
    "plucked_strings",
    "quantize",
    "shapes",
    "sketches",
    "sketches_at_hand",
    "speech",
    "spirals",
    "street_numbers",
    "stroke3",
    "svhn",
    "svhn_at_hand",
    "two_moons",
    "zinc",
    "zinc_at_hand",
]
