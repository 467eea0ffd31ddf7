"""What a step of training frees is there for the next one."""

import platform
import subprocess
import sys

import pytest

# In a process of its own: the C library does not forget what it has learnt.
STEPS = """
import resource
from pathlib import Path
import torch
from vaeedu.training.devices import keep_freed_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

def given_back():
    "MiB that the process no longer holds when 32 MiB, in blocks of 4, have been filled and freed."
    held = [torch.ones(2**20) for _ in range(8)]
    before = resident()
    del held
    return before - resident()

keep_freed_memory()
given_back()
print(given_back())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc learns from what is freed")
def test_it_is_kept():
    # What a process gives back that has learnt nothing depends on what else it did: there is nothing to compare with.
    output = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True).stdout
    assert float(output) < 4
