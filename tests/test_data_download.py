"""The download, against a server on this machine that behaves well, badly, or not at all."""

import gzip
import hashlib
import http.server
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest

from vaeedu import data
from vaeedu.data import download, mnist_files

NAMES = tuple(mnist_files._PUBLISHED.sha256)
PATIENCE = 60  # seconds, for what takes one


def idx_gz(array):
    content = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
    return gzip.compress(content, mtime=0)


def small_mnist():
    """Files in the format and with the names of MNIST, of 7 training and 5 test images."""
    rng = np.random.default_rng(0)
    contents = {}
    for part, n in (("train", 7), ("t10k", 5)):
        pictures = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        contents[f"{part}-images-idx3-ubyte.gz"] = idx_gz(pictures)
        contents[f"{part}-labels-idx1-ubyte.gz"] = idx_gz(rng.integers(0, 10, n, dtype=np.uint8))
    return contents


CONTENTS = small_mnist()
SHA256 = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}
IMAGES = "train-images-idx3-ubyte.gz"


class Server(http.server.ThreadingHTTPServer):
    """Serves `contents`; `answer(request, content)` may be replaced by a worse one."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Request)
        self.contents = dict(CONTENTS)
        self.answer = send_all
        self.asked_for = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is part of the tests


class Request(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.lstrip("/")
        self.server.asked_for.append(name)
        self.server.answer(self, self.server.contents[name])

    def log_message(self, *arguments):
        pass

    def announce(self, content):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()


def send_all(request, content):
    request.announce(content)
    request.wfile.write(content)


def send_half_and_hang_up(request, content):
    request.announce(content)
    request.wfile.write(content[: len(content) // 2])


def send_another_file(request, content):
    send_all(request, content[:-1] + bytes([content[-1] ^ 1]))


def be_out_of_order(request, content):
    request.send_error(503)


class SendHalfAndWait:
    """Sends half of the file, and the rest when told to."""

    def __init__(self):
        self.half_sent = threading.Semaphore(0)
        self.go_on = threading.Event()

    def __call__(self, request, content):
        request.announce(content)
        request.wfile.write(content[: len(content) // 2])
        request.wfile.flush()
        self.half_sent.release()
        self.go_on.wait(PATIENCE)
        request.wfile.write(content[len(content) // 2 :])


@pytest.fixture
def start_server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers = []

    def start(answer=send_all):
        server = Server()
        server.answer = answer
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty user cache, and no folder of the user's own."""
    folder = tmp_path / "cache" / "mnist"
    monkeypatch.setattr(download, "_cache_folder", lambda files: folder)
    monkeypatch.delenv("VAEEDU_DATA", raising=False)
    return folder


@pytest.fixture
def use_mirrors(monkeypatch, cache):
    """Makes `data.mnist` expect the small files, from these addresses."""

    def use(*mirrors):
        files = download.PublishedFiles("mnist", SHA256, mirrors)
        monkeypatch.setattr(mnist_files, "_PUBLISHED", files)
        return files

    return use


def a_closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/"


def listing(folder):
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


def fetch(split="train"):
    """Fetches what is missing, and loads."""
    data.fetch_mnist()
    return data.mnist(split)


def pixels(part):
    return np.frombuffer(gzip.decompress(CONTENTS[f"{part}-images-idx3-ubyte.gz"])[16:], dtype=np.uint8)


# ---- what goes well ----


def test_a_download_gives_the_images_and_is_kept(start_server, use_mirrors, cache):
    server = start_server()
    use_mirrors(server.url)
    pictures, labels = fetch()
    assert pictures.shape == (7, 1, 28, 28)
    assert np.array_equal((pictures.flatten() * 255).round().numpy(), pixels("train"))
    assert labels.tolist() == list(gzip.decompress(CONTENTS["train-labels-idx1-ubyte.gz"])[8:])
    assert listing(cache) == sorted(NAMES)
    assert (cache / IMAGES).read_bytes() == CONTENTS[IMAGES]


def test_only_what_is_missing_is_asked_for(start_server, use_mirrors, cache):
    server = start_server()
    use_mirrors(server.url)
    cache.mkdir(parents=True)
    (cache / IMAGES).write_bytes(CONTENTS[IMAGES])
    pictures, _ = fetch("all")
    assert sorted(server.asked_for) == sorted(set(NAMES) - {IMAGES})
    assert np.array_equal(
        (pictures.flatten() * 255).round().numpy(), np.concatenate([pixels("train"), pixels("t10k")])
    )
    fetch("all")
    assert len(server.asked_for) == 3


@pytest.mark.parametrize("split", ["train", "test", "all"])
def test_loading_asks_no_server_and_takes_the_small_set_until_all_four_files_are_there(
    split, start_server, use_mirrors, cache
):
    server = start_server()
    use_mirrors(server.url)
    cache.mkdir(parents=True)
    for name in NAMES[:3]:
        (cache / name).write_bytes(CONTENTS[name])
    small = data.mnist(split)
    assert server.asked_for == []
    assert not small.is_full
    assert small.source == f"the small MNIST that comes with the course: {len(small.images)} images"
    (cache / NAMES[3]).write_bytes(CONTENTS[NAMES[3]])
    full = data.mnist(split)
    assert full.is_full
    assert full.source == f"MNIST in full: {len(full.images)} images"
    assert len(full.images) == {"train": 7, "test": 5, "all": 12}[split]


def test_at_hand_means_all_four_files(use_mirrors, cache, tmp_path, monkeypatch):
    use_mirrors()
    cache.mkdir(parents=True)
    for name in NAMES[2:]:
        assert not data.mnist_at_hand()
        (cache / name).write_bytes(CONTENTS[name])
    assert not data.mnist_at_hand()
    monkeypatch.setenv("VAEEDU_DATA", str(tmp_path / "own"))  # the rest may lie in the user's own folder
    (tmp_path / "own" / "mnist").mkdir(parents=True)
    for name in NAMES[:2]:
        assert not data.mnist_at_hand()
        (tmp_path / "own" / "mnist" / name).write_bytes(CONTENTS[name])
    assert data.mnist_at_hand()


def test_progress_is_shown(start_server, use_mirrors, capfd):
    use_mirrors(start_server().url)
    fetch("test")
    assert "100%" in capfd.readouterr().err


def test_files_in_the_folder_of_the_user_come_first(start_server, use_mirrors, cache, tmp_path, monkeypatch):
    server = start_server()
    use_mirrors(server.url)
    monkeypatch.setenv("VAEEDU_DATA", str(tmp_path / "own"))
    own = tmp_path / "own" / "mnist"
    own.mkdir(parents=True)
    for name in NAMES:
        (own / name).write_bytes(CONTENTS[name])
    assert len(fetch("all")[0]) == 12
    assert server.asked_for == []
    assert listing(cache) == []


@pytest.mark.parametrize("own", ["absent", "empty", "a file", "unset"])
def test_without_them_the_cache_comes_next_and_then_the_download(
    own, start_server, use_mirrors, cache, tmp_path, monkeypatch
):
    server = start_server()
    use_mirrors(server.url)
    folder = tmp_path / "own"
    if own == "empty":
        (folder / "mnist").mkdir(parents=True)
    elif own == "a file":
        folder.write_bytes(b"")
    monkeypatch.setenv("VAEEDU_DATA", "" if own == "unset" else str(folder))
    cache.mkdir(parents=True)
    (cache / IMAGES).write_bytes(CONTENTS[IMAGES])
    assert len(fetch()[0]) == 7
    assert sorted(server.asked_for) == sorted(set(NAMES) - {IMAGES})
    assert listing(folder) == (["mnist"] if own == "empty" else [])


def test_a_tilde_in_vaeedu_data_is_the_home_folder(use_mirrors, tmp_path, monkeypatch):
    use_mirrors()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VAEEDU_DATA", "~/own")
    (tmp_path / "own" / "mnist").mkdir(parents=True)
    for name in NAMES:
        (tmp_path / "own" / "mnist" / name).write_bytes(CONTENTS[name])
    assert len(fetch("test")[0]) == 5


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_CACHE_HOME names the user cache on Linux")
def test_the_user_cache_is_that_of_the_system(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert download._cache_folder(mnist_files._PUBLISHED) == tmp_path / "vaeedu" / "mnist"


# ---- wrong files ----


def test_a_wrong_file_of_the_user_is_refused_and_stays(start_server, use_mirrors, tmp_path, monkeypatch):
    server = start_server()
    use_mirrors(server.url)
    own = tmp_path / "own" / "mnist"
    own.mkdir(parents=True)
    (own / IMAGES).write_bytes(b"my own work")
    monkeypatch.setenv("VAEEDU_DATA", str(tmp_path / "own"))
    words = (
        f"{own / IMAGES} must be the published file, with SHA-256 {SHA256[IMAGES]}, but has 11 bytes with SHA-256 "
        f"{hashlib.sha256(b'my own work').hexdigest()}: replace it, remove it so that it is downloaded, or unset "
        "VAEEDU_DATA"
    )
    with pytest.raises(ValueError, match=re.escape(words)):
        fetch()
    assert (own / IMAGES).read_bytes() == b"my own work"
    assert server.asked_for == []


def test_a_corrupted_file_in_the_cache_is_fetched_again(start_server, use_mirrors, cache):
    use_mirrors(start_server().url)
    fetch()
    (cache / IMAGES).write_bytes(CONTENTS[IMAGES][:-10])
    assert np.array_equal((fetch()[0].flatten() * 255).round().numpy(), pixels("train"))
    assert (cache / IMAGES).read_bytes() == CONTENTS[IMAGES]


def test_a_corrupted_file_in_the_cache_is_removed_even_when_there_is_no_other(use_mirrors, cache):
    use_mirrors(a_closed_port())
    cache.mkdir(parents=True)
    (cache / IMAGES).write_bytes(b"rubbish")
    with pytest.raises(ConnectionError, match=f"no mirror gave {IMAGES}"):
        fetch()
    assert listing(cache) == []


def test_a_corrupted_download_is_refused_and_removed(start_server, use_mirrors, cache):
    server = start_server(send_another_file)
    use_mirrors(server.url)
    words = f"{server.url}: sent another file than the published one (its SHA-256 differs), which was removed"
    with pytest.raises(ConnectionError, match=re.escape(words)):
        fetch()
    assert listing(cache) == []
    server.answer = send_all
    assert len(fetch()[0]) == 7


# ---- servers and networks that fail ----


@pytest.mark.parametrize("answer", [be_out_of_order, send_another_file, send_half_and_hang_up])
def test_when_a_mirror_fails_the_next_is_asked(answer, start_server, use_mirrors, cache):
    bad, good = start_server(answer), start_server()
    use_mirrors(a_closed_port(), bad.url, good.url)
    assert len(fetch()[0]) == 7
    assert bad.asked_for == good.asked_for == list(NAMES)
    assert listing(cache) == sorted(NAMES)


def test_mirrors_are_asked_in_order_and_only_until_one_gives_the_file(start_server, use_mirrors):
    first, second = start_server(), start_server()
    use_mirrors(first.url, second.url)
    fetch()
    assert len(first.asked_for) == 4
    assert second.asked_for == []


def test_the_error_lists_what_each_mirror_did(start_server, use_mirrors, cache):
    broken, wrong, closed = start_server(be_out_of_order), start_server(send_another_file), a_closed_port()
    use_mirrors(closed, broken.url, wrong.url)
    with pytest.raises(ConnectionError) as caught:
        fetch()
    remedy, names, problems = str(caught.value).split("\n")
    assert remedy.startswith(
        f"without a network, put the files into {cache}, or into a folder mnist and set VAEEDU_"
    )
    assert names == f"the files: {', '.join(NAMES)}"
    assert problems == (
        f"no mirror gave {IMAGES}: {closed}: no connection; {broken.url}: 503 Server Error: Service Unavailable; "
        f"{wrong.url}: sent another file than the published one (its SHA-256 differs), which was removed"
    )


def test_without_a_network_the_error_says_which_files_to_put_where(cache, monkeypatch):
    def no_network(*arguments, **keywords):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    for proxy in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
        monkeypatch.delenv(proxy.upper(), raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(ConnectionError, match=re.escape(f"put the files into {cache}")) as caught:
        fetch()
    assert all(len(line) < 300 for line in str(caught.value).split("\n"))
    assert "no connection" in str(caught.value)
    for mirror in mnist_files._PUBLISHED.mirrors:
        assert mirror in str(caught.value)
    assert len(NAMES) == 4
    assert listing(cache) == []


def test_a_cache_that_cannot_be_written_to(start_server, use_mirrors, cache):
    server = start_server()
    use_mirrors(server.url)
    cache.parent.write_bytes(b"a file where a folder should be")
    with pytest.raises(OSError, match=re.escape(f"cannot write to the cache {cache} (")) as caught:
        fetch()
    assert str(caught.value).startswith("without a network, put the files into ")
    assert server.asked_for == []


def test_a_download_that_breaks_off_leaves_nothing_and_the_next_succeeds(start_server, use_mirrors, cache):
    server = start_server(send_half_and_hang_up)
    use_mirrors(server.url)
    with pytest.raises(ConnectionError, match=f"no mirror gave {IMAGES}"):
        fetch()
    assert listing(cache) == []
    server.answer = send_all
    assert len(fetch()[0]) == 7


# ---- other processes ----

CHILD = """
import importlib.util, json, pathlib, sys, types

# The module by itself: `vaeedu.data` would load torch, and with it most of the time that this process takes.
spec = importlib.util.find_spec("vaeedu")
package = sys.modules["vaeedu.data"] = types.ModuleType("vaeedu.data")
package.__path__ = [str(pathlib.Path(spec.origin).parent / "data")]
from vaeedu.data import download

cache, sha256, mirror, name = json.loads(sys.argv[1])
download._cache_folder = lambda files: pathlib.Path(cache)
sys.stdout.buffer.write(download.read(download.PublishedFiles("mnist", sha256, (mirror,)), name))
"""


@pytest.fixture
def start_reader(cache, monkeypatch):
    """Starts processes that read the training images through `download.read` and print them."""
    children = []

    def start(server):
        arguments = json.dumps([str(cache), SHA256, server.url, IMAGES])
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def test_two_processes_at_once_both_succeed_and_nothing_half_written_shows(start_server, start_reader, cache):
    answer = SendHalfAndWait()
    server = start_server(answer)
    children = [start_reader(server) for _ in range(2)]
    for _ in children:
        assert answer.half_sent.acquire(timeout=PATIENCE)
    # Now both are in the middle of it.
    assert not (cache / IMAGES).exists()
    answer.go_on.set()
    for child in children:
        out, err = child.communicate(timeout=PATIENCE)
        assert child.returncode == 0, err.decode()
        assert out == CONTENTS[IMAGES]
    assert server.asked_for == [IMAGES, IMAGES]
    assert listing(cache) == [IMAGES]
    assert (cache / IMAGES).read_bytes() == CONTENTS[IMAGES]


def test_a_file_that_another_process_puts_there_in_the_meantime_is_no_obstacle(
    start_server, start_reader, cache
):
    answer = SendHalfAndWait()
    child = start_reader(start_server(answer))
    assert answer.half_sent.acquire(timeout=PATIENCE)
    (cache / IMAGES).write_bytes(b"from somewhere else")
    answer.go_on.set()
    out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 0, err.decode()
    assert out == CONTENTS[IMAGES]
    assert (cache / IMAGES).read_bytes() == CONTENTS[IMAGES]


@pytest.mark.skipif(os.name != "posix", reason="sends the signal of Ctrl-C")
def test_ctrl_c_in_the_middle_leaves_nothing(start_server, start_reader, use_mirrors, cache):
    answer = SendHalfAndWait()
    server = start_server(answer)
    child = start_reader(server)
    assert answer.half_sent.acquire(timeout=PATIENCE)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=PATIENCE)
    assert b"KeyboardInterrupt" in err
    assert listing(cache) == []
    answer.go_on.set()
    use_mirrors(server.url)
    assert len(fetch()[0]) == 7


def test_a_process_killed_in_the_middle_is_no_obstacle(start_server, start_reader, use_mirrors, cache):
    answer = SendHalfAndWait()
    server = start_server(answer)
    child = start_reader(server)
    assert answer.half_sent.acquire(timeout=PATIENCE)
    child.kill()
    child.communicate(timeout=PATIENCE)
    assert not (cache / IMAGES).exists()
    answer.go_on.set()
    use_mirrors(server.url)
    assert len(fetch()[0]) == 7
