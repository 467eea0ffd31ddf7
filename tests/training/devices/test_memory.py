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

def kept():
    "MiB that the process still holds after 32 MiB, in blocks of 4, were filled and freed."
    before = resident()
    held = [torch.ones(2**20) for _ in range(8)]
    del held
    return resident() - before

kept()
before = kept()
keep_freed_memory()
print(before, kept())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc learns from what is freed")
def test_it_is_kept():
    output = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True).stdout
    before, after = map(float, output.split())
    assert before < 16
    assert after > 28
