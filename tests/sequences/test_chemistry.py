"""The course's own reading of SMILES strings against RDKit's, on valid strings and on corrupted ones."""

import random

import pytest

from vaeedu import data
from vaeedu.sampling import seeded
from vaeedu.sequences import Tokenizer, parse, problem, split

Chem = pytest.importorskip("rdkit.Chem", reason="RDKit is not installed: pip install 'vaeedu[chemistry]'")
NUM_STRINGS = 600  # the slow test has more


@pytest.fixture(scope="module", autouse=True)
def quiet():
    from rdkit import RDLogger

    RDLogger.DisableLog("rdApp.*")


def corrupted(strings, chance):
    """Each string with one to three mistakes, of characters or tokens: left out, put in, another, swapped, cut off."""
    tokens = sorted({token for s in strings for token in split(s)})
    characters = sorted({c for s in strings for c in s})
    for string in strings:
        by_character = chance.random() < 0.5
        parts = list(string) if by_character else split(string)
        alphabet = characters if by_character else tokens
        for _ in range(chance.choice([1, 1, 2, 3])):
            if not parts:
                break
            i, j = chance.randrange(len(parts)), chance.randrange(len(parts))
            match chance.randrange(5):
                case 0:
                    del parts[i]
                case 1:
                    parts.insert(i, chance.choice(alphabet))
                case 2:
                    parts[i] = chance.choice(alphabet)
                case 3:
                    parts[i], parts[j] = parts[j], parts[i]
                case _:
                    parts = parts[:i]
        yield "".join(parts)


def disagreements(strings):
    return [s for s in strings if (problem(s) is None) != (bool(s) and Chem.MolFromSmiles(s) is not None)]


def strings_at_hand(count=NUM_STRINGS):
    if data.zinc_at_hand():
        return data.zinc()[:count]
    return data.molecules(count, generator=seeded(0))


def test_valid_strings_are_valid_for_both():
    assert disagreements(strings_at_hand()) == []
    assert disagreements(data.molecules(100, generator=seeded(1))) == []


# RDKit lets an aromatic carbon with a triple bond pass, which has five bonds; so one or two may be judged differently.
def test_corrupted_strings_are_judged_alike():
    strings = list(corrupted(strings_at_hand(), random.Random(0)))
    valid = sum(problem(s) is None for s in strings)
    assert 0.05 < valid / len(strings) < 0.5  # both verdicts occur
    different = disagreements(strings)
    assert len(different) <= 2, different


@pytest.mark.slow
def test_of_many_corrupted_strings_999_of_a_thousand_are_judged_alike():
    different = disagreements(list(corrupted(strings_at_hand(10000), random.Random(1))))
    assert len(different) <= 10, different


def test_atoms_hydrogens_and_weight_are_rdkits():
    from rdkit.Chem import Descriptors

    for string in strings_at_hand()[:50]:
        ours, theirs = parse(string), Chem.MolFromSmiles(string)
        assert [a.symbol for a in ours.atoms] == [a.GetSymbol() for a in theirs.GetAtoms()]
        assert [a.hydrogens for a in ours.atoms] == [a.GetTotalNumHs() for a in theirs.GetAtoms()]
        assert ours.num_rings() == theirs.GetRingInfo().NumRings()
        assert ours.weight() == pytest.approx(Descriptors.MolWt(theirs), abs=0.02)


def test_the_tokenizer_reads_selfies_whose_every_sequence_is_a_molecule():
    selfies = pytest.importorskip(
        "selfies", reason="selfies is not installed: pip install 'vaeedu[chemistry]'"
    )
    strings = strings_at_hand(200)
    written = [selfies.encoder(s) for s in strings]
    assert [split(s) for s in written] == [list(selfies.split_selfies(s)) for s in written]
    tokenizer = Tokenizer(written)
    again = tokenizer.decode(tokenizer.encode(written))
    assert [Chem.CanonSmiles(selfies.decoder(s)) for s in again] == [Chem.CanonSmiles(s) for s in strings]
    chance = random.Random(0)
    anything = [
        selfies.decoder("".join(chance.choices(tokenizer.tokens[1:], k=chance.randint(1, 40))))
        for _ in range(300)
    ]
    assert disagreements(anything) == []
    assert all(problem(s) is None for s in anything if s)
    assert sum(map(bool, anything)) > 250  # empty where the first token ends the molecule
    backwards = [problem("".join(reversed(split(s)))) for s in strings]
    assert sum(p is not None for p in backwards) > 100  # what is true of SELFIES is not of SMILES
