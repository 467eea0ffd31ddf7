"""What holds for every test, and for every example in a docstring."""

import signal

import pytest
import torch

# A shell that starts its tests in the background has Ctrl-C ignored, and all that they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _a_known_seed() -> None:
    """Seeds torch's global generator, so that what a test or an example draws from it does not depend on the others."""
    torch.manual_seed(0)
