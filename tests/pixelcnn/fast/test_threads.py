"""The cached sampler's small products run on one thread, and torch's number of threads is left as it was."""

import threading

import pytest
import torch

from vaeedu.pixelcnn import BLACK_AND_WHITE, GatedPixelCNN
from vaeedu.pixelcnn.fast.threads import suiting
from vaeedu.pixelcnn.outputs import Binary


@pytest.fixture(autouse=True)
def four_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    assert torch.get_num_threads() == 4
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("multiplications", "expected"),
    [(0, 1), (2**23, 1), (2**24 - 1, 1), (2**24, 2), (3 * 2**23, 3), (2**40, 4)],
)
def test_there_are_as_many_as_the_work_is_worth(multiplications, expected):
    with suiting(multiplications):
        assert torch.get_num_threads() == expected


def test_an_error_puts_them_back():
    with pytest.raises(RuntimeError, match="on the way"), suiting(0):
        raise RuntimeError("on the way")
    assert torch.get_num_threads() == 4


class Watching(Binary):
    """Notes how many threads there are where pixels are drawn."""

    def __init__(self):
        super().__init__()
        object.__setattr__(self, "seen", set())

    def draw(self, *arguments, **options):
        self.seen.add(torch.get_num_threads())
        super().draw(*arguments, **options)


def test_pixels_are_drawn_on_one_and_what_looks_on_has_all():
    output, looking = Watching(), set()
    model = GatedPixelCNN((1, 4, 3), output=output, num_channels=4, num_layers=2)
    generator = torch.Generator().manual_seed(0)
    model.sample(2, generator=generator, on_row=lambda *_: looking.add(torch.get_num_threads()))
    assert output.seen == {1}
    assert looking == {4}
    output.seen.clear()
    model.sample(1, generator=generator, method="naive")
    assert output.seen == {4}


def test_samplers_in_two_threads_leave_each_other_alone():
    """The one begins and ends within the other."""
    inside, left, numbers = threading.Event(), threading.Event(), {}

    def long():
        torch.set_num_threads(3)
        with suiting(0):
            inside.set()
            assert left.wait(10)
            numbers["long, within"] = torch.get_num_threads()
        numbers["long, after"] = torch.get_num_threads()

    def short():
        torch.set_num_threads(2)
        assert inside.wait(10)
        with suiting(0):
            numbers["short, within"] = torch.get_num_threads()
        numbers["short, after"] = torch.get_num_threads()
        left.set()

    both = [threading.Thread(target=each) for each in (long, short)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert numbers == {"long, within": 1, "long, after": 3, "short, within": 1, "short, after": 2}


def test_the_work_is_that_of_the_largest_product():
    """A row of 64 images in the network of 6 × 32 is worth two threads, a pixel of them or a row of 16 is not."""
    from vaeedu.pixelcnn.fast.sampler import row_program

    model = GatedPixelCNN((1, 28, 28), output=BLACK_AND_WHITE, num_channels=32, num_layers=6)
    works = {n: row_program(model, n, None)._work for n in (16, 64)}
    assert works[64] == 4 * works[16]
    assert 28 * works[64] >= 2**24 > 28 * works[16]
    assert works[64] < 2**24
