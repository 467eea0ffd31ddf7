"""What a step of training frees is there for the next one."""

import mmap
import platform
import subprocess
import sys

import pytest

# In a process of its own: the C library does not forget what it has learnt.
STEPS = """
import resource
import torch
from vaeedu.training.devices import keep_freed_memory

def faults(blocks=8, size=2**20):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        held = [torch.ones(size) for _ in range(blocks)]
        del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
before = faults()
keep_freed_memory()
faults()
print(before, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc learns from what is freed")
def test_its_pages_are_not_fetched_anew():
    """Five times 32 MiB, in blocks of 4: some 40 000 pages of 4 KiB, or none."""
    output = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True).stdout
    before, after = map(int, output.split())
    assert before > 2 * 2**25 // mmap.PAGESIZE  # two rounds' worth at least
    assert after < 2**20 // mmap.PAGESIZE
