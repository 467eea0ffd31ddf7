"""What holds for every test, and for every example in a docstring."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _a_known_seed() -> None:
    """Seeds torch's global generator, so that what a test or an example draws from it does not depend on the others."""
    torch.manual_seed(0)
