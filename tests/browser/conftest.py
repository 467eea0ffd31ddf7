"""A real Chromium in front of the JupyterLab that `make lab` starts, on a copy of the course.

What is missing skips the tests and says so; in CI that is a failure (tests/conftest.py).
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-that-the-tests-know"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing but the course's own pages: no update checks, no synchronisation, no first-run tour.
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IN_THE_COPY = (
    "lectures",
    "solutions",
    "assignments",
    "exercises",
    "vaeedu",
    "Makefile",
    "nbgrader_config.py",
)


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """A copy of the course, so that runs and saved notebooks leave the checkout alone; it shares the `.venv`."""
    folder = tmp_path_factory.mktemp("browser") / "my course"
    folder.mkdir()
    unwanted = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in IN_THE_COPY:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=unwanted)
        else:
            shutil.copy(source, folder)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture(scope="session")
def classroom(course):
    """Where the copy's nbgrader keeps its class."""
    return course / "classroom"


@pytest.fixture(scope="session")
def lab(course, classroom):
    """The address of a JupyterLab started by `make lab` itself."""
    if not shutil.which("make"):
        pytest.skip("no make on the PATH: install it (Debian: apt install make)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"--no-browser --ip=127.0.0.1 --ServerApp.port={port} --ServerApp.port_retries=0"
    options += " --LabApp.expose_app_in_browser=True"  # so that tests can ask which cells have run
    log = course.parent / "lab.log"
    command = ["make", "-C", str(course), "lab", f"LAB_ARGS={options} --IdentityProvider.token={TOKEN}"]
    # The copy shares this .venv, which must not be set up anew for it: the target `course` counts as made, and were
    # it not, PYTHON would make it fail.
    command += ["-o", "course", "PYTHON=false", f"JUPYTER_CONFIG_DIR={course.parent / 'jupyter'}"]
    mine = {
        "JUPYTER_RUNTIME_DIR": str(course.parent / "runtime"),
        "IPYTHONDIR": str(course.parent / "ipython"),
    }
    mine["VAEEDU_CLASSROOM"] = str(classroom)
    # Kernels inherit all this: they find no cache, no settings of mine and no network, and so take the small digits.
    mine["HOME"] = str(course.parent / "home")
    mine["XDG_CACHE_HOME"] = str(course.parent / "cache")
    nobody = "http://127.0.0.1:9"  # nobody listens there
    mine |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), nobody)
    not_mine = ("MAKE", "PYTEST", "VAEEDU_DATA")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(not_mine)}
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env=inherited | mine, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        wait_until_served(f"http://127.0.0.1:{port}/api/status?token={TOKEN}", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)


def wait_until_served(address, server, log):
    end = time.monotonic() + 120
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except urllib.error.URLError:
            time.sleep(0.2)
    pytest.fail(f"`make lab` did not serve:\n{log.read_text(errors='replace')}")


@pytest.fixture(scope="session")
def lab_log(lab, course):
    """What `make lab` has printed so far, as a function."""
    return lambda: (course.parent / "lab.log").read_text(encoding="utf-8", errors="replace")


@pytest.fixture(scope="session")
def browser():
    """Chromium, headless."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: `make test` installs it"
    )
    executable = os.environ.get("VAEEDU_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if executable is None:
        pytest.skip(
            "no Chromium on the PATH: install it (Debian: apt install chromium) or set VAEEDU_CHROMIUM"
        )
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS  # root cannot use Chromium's sandbox
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, lab, request, tmp_path):
    """A fresh window that has logged in; requests to other hosts fail and are kept in `page.went_out`."""
    with _window(browser, lab, request.node, tmp_path) as page:
        yield page


@pytest.fixture(scope="class")
def shared_page(browser, lab, request, tmp_path_factory):
    """The same, for all tests of a class: most of a short test's time is JupyterLab's start in its window."""
    with _window(browser, lab, request.node, tmp_path_factory.mktemp("shots")) as page:
        yield page


@contextlib.contextmanager
def _window(browser, lab, node, folder):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.went_out = []

    def only_here(route):
        if route.request.url.startswith((lab, "data:", "blob:")):
            route.continue_()
        else:
            page.went_out.append(route.request.url)
            route.abort()

    page.route("**/*", only_here)
    page.goto(f"{lab}/login?token={TOKEN}&next=%2Fapi%2Fstatus")
    yield page
    if os.environ.get("VAEEDU_SCREENSHOTS") or getattr(node, "failed", False):
        _shoot(page, node, folder)
    _stop_kernels(context.request, lab)  # the next test shall have the memory
    context.close()


@pytest.fixture
def shoot(tmp_path):
    """Keeps a picture of a window in which a test failed, as a function of the two."""
    return lambda page, node: _shoot(page, node, tmp_path)


@pytest.fixture
def stop_kernels(lab):
    """Ends the kernels that a window has started."""
    return lambda page: _stop_kernels(page.context.request, lab)


def _shoot(page, node, folder):
    shots = Path(os.environ.get("VAEEDU_SCREENSHOTS", folder))
    shots.mkdir(parents=True, exist_ok=True)
    picture = shots / (re.sub(r"\W+", "_", node.name) + ".png")
    page.screenshot(path=picture)
    print(f"screenshot: {picture}")


def _stop_kernels(request, lab):
    token = {"Authorization": f"token {TOKEN}"}
    for session in request.get(f"{lab}/api/sessions", headers=token).json():
        request.delete(f"{lab}/api/sessions/{session['id']}", headers=token)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Tells the `page` fixtures whether a test of theirs failed."""
    report = yield
    if call.when == "call" and report.failed:
        for node in item.listchain():
            node.failed = True
    return report
