"""A file is written whole, or stays as it was."""

import os
import stat
import threading

import pytest

from vaeedu.files import write_whole


def test_a_failure_leaves_the_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    write_whole(path, b"kept")

    def full(number):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write_whole(path, b"lost")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.txt", b"kept")]


def test_readers_see_the_old_or_the_new_and_never_a_part(tmp_path):
    path, seen = tmp_path / "a.bin", set()
    contents = {bytes([number]) * 2**20 for number in range(2)}
    write_whole(path, min(contents))
    ended = threading.Event()

    def read():
        while not ended.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for content in sorted(contents) * 5:
        write_whole(path, content)
    ended.set()
    reader.join()
    assert seen <= contents


def test_links_are_followed_and_devices_are_not_replaced(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "behind")
    write_whole(tmp_path / "link", b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "behind").read_bytes() == b"x"
    os.mkfifo(tmp_path / "pipe")
    with open(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        write_whole(tmp_path / "pipe", b"through")
        assert reader.read() == b"through"
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_what_is_private_stays_so(tmp_path):
    write_whole(tmp_path / "secret", b"x", mode=0o600)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_file_that_its_owner_has_closed_to_others_stays_closed(tmp_path):
    marks = tmp_path / "marks.csv"
    marks.write_bytes(b"old")
    marks.chmod(0o600)
    write_whole(marks, b"new")
    assert (marks.read_bytes(), stat.S_IMODE(marks.stat().st_mode)) == (b"new", 0o600)
    marks.chmod(0o644)
    write_whole(marks, b"newer", mode=0o600)
    assert stat.S_IMODE(marks.stat().st_mode) == 0o600


def test_a_folder_is_not_written_over(tmp_path):
    with pytest.raises(ValueError, match="must be a file, but is a folder: name a file in it"):
        write_whole(tmp_path, b"x")
