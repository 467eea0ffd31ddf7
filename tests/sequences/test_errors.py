"""Bad input gets a message that says what was expected, what arrived, and how to mend it."""

import pytest
import torch

from vaeedu import data, sequences
from vaeedu.sampling import seeded
from vaeedu.sequences import SketchVAE, StringVAE, Tokenizer, from_lines, quality, to_lines, to_stroke5

SQUARE = torch.tensor([[1.0, 0, 0], [0, 1, 1]])
X = to_stroke5([SQUARE])


def sketch_model(K=2):
    return SketchVAE(K, num_hidden=4, num_encoder_hidden=4, num_components=2)


def string_model(K=2):
    return StringVAE(5, K, num_hidden=4, num_encoder_hidden=4, num_embedding=3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: from_lines([]),
            r"lines must hold \(n, 2\) points, two or more in all, but have shapes \[\]",
        ),
        (lambda: from_lines([[[0, 0]]]), r"two or more in all, but have shapes \[\(1, 2\)\]"),
        (lambda: from_lines([[[0, 0, 1], [1, 1, 1]]]), r"have shapes \[\(2, 3\)\]"),
        (lambda: to_lines(torch.zeros(3, 2)), "strokes must have 3 columns"),
        (lambda: to_stroke5([]), "sketches must hold at least one sketch"),
        (
            lambda: to_stroke5([SQUARE], num_steps=2),
            "num_steps must be more than the longest sketch's 2 steps",
        ),
        (lambda: to_stroke5([SQUARE * 2]), "p is 1 where a line ends"),
        (
            lambda: sequences.from_stroke5(torch.zeros(2, 5)),
            r"x must have shape \(N, T, 5\), but has shape \(2, 5\)",
        ),
        (
            lambda: sequences.from_stroke5(torch.zeros(1, 2, 5)),
            "x must have one 1 among its three pen states",
        ),
        (
            lambda: sketch_model().log_likelihood(X[:, :2], torch.zeros(1, 2)),
            "x must end each sketch with a row",
        ),
        (lambda: sketch_model(0).posterior(X), "num_latents must be at least 1 for a posterior, but is 0"),
        (lambda: SketchVAE(-1), "num_latents must be a whole number of at least 0, but is -1"),
        (lambda: SketchVAE(2, num_components=0), "num_components must be a whole number of at least 1"),
        (lambda: sketch_model().elbo(X, beta=-1.0), "beta must be"),
        (lambda: sketch_model().elbo(X, free_nats=-1.0), "free_nats must be"),
        (lambda: sketch_model().sample(0), "num_samples must be a whole number of at least 1"),
        (lambda: sketch_model().sample(1, temperature=0.0), "temperature must be"),
        (lambda: sketch_model().interpolate(SQUARE, SQUARE, 1), "num_steps must be at least 2, but is 1"),
        (
            lambda: sketch_model().complete(SQUARE, num_steps=2),
            "num_steps must be more than the 2 steps of start",
        ),
        (
            lambda: sequences.MixtureNormal2d(*[torch.zeros(1)] * 4).log_prob(torch.zeros(3)),
            r"shape \(\.\.\., 2\)",
        ),
        (lambda: Tokenizer([]), "strings must hold at least one string that is not empty"),
        (lambda: Tokenizer(["CC"]).encode([]), "strings must hold at least one string, but is empty"),
        (lambda: Tokenizer(["CC"]).encode(["CN"]), r"strings must hold known tokens, but hold \['N'\]"),
        (
            lambda: Tokenizer(["CC"]).encode(["CC"], num_steps=2),
            "num_steps must be more than the longest string's 2",
        ),
        (lambda: string_model().elbo(torch.tensor([[1, 5, 0]])), "x must be int64 rows"),
        (lambda: string_model().elbo(torch.tensor([[1, 2]])), "each ending with 0"),
        (lambda: string_model().elbo(torch.zeros(1, 2)), "use Tokenizer.encode"),
        (lambda: string_model(0).posterior(torch.tensor([[1, 0]])), "num_latents must be at least 1"),
        (lambda: string_model().sample(2, temperature=-1.0), "temperature must be"),
        (lambda: quality([]), "strings must hold at least one string"),
        (lambda: sequences.parse("[Na]").weight(), r"but the molecule has \['Na'\]"),
        (lambda: sequences.parse("C1CC"), r"the rings \[1\] are not closed"),
        (lambda: sequences.parse("C(C"), "1 branches are not closed"),
        (lambda: sequences.parse("C=1CC-1"), "ring 1 is opened with the bond = and closed with -"),
        (lambda: sequences.parse("CX"), "'X' is no token of SMILES"),
        (lambda: sequences.parse("cC"), "atom 1, c, is written as aromatic but lies in no ring"),
        (lambda: sequences.parse("C:C"), "atom 1, C, has an aromatic bond but is not aromatic"),
        (lambda: data.glyphs("all"), "split must be one of"),
        (lambda: data.glyphs(max_points=1), "max_points must leave some glyphs, but none has at most 1"),
        (lambda: data.molecules(0), "num_strings must be a whole number of at least 1"),
        (lambda: data.jitter([SQUARE], noise=-1.0), "noise must be"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_broken_model_gives_nan_which_training_notices():
    model = sketch_model()
    torch.nn.init.constant_(model.decoder.out.bias, float("nan"))
    assert bool(model.elbo(X, generator=seeded(0)).isnan().all())
