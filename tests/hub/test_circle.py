"""JupyterHub with an instructor and two students, each a user of this machine: an assignment goes all the way round.

The test adds three users and takes them away again, so only root can run it. It installs the course and JupyterHub
anew, unless VAEEDU_HUB_ENVIRONMENT names an environment that `hub/set_up.py` may bring up to date.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import requests
from support import mini_course as mini
from support.mini_course import ASSIGNMENT, NOTEBOOK, RIGHT
from support.sandboxes import obstacle

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"  # one that every user may start
TEACHER, ADA, BOB = "vaeedu-teacher", "vaeedu-ada", "vaeedu-bob"
PASSWORD = "only while this test runs"
WRONG = {**RIGHT, "mean": "def mean(x):\n    return x.sum(dim=0)"}
SECONDS = 300
pytestmark = [pytest.mark.slow, pytest.mark.full]


def lacking():
    """Why there can be no hub on this machine, or nothing."""
    if os.geteuid() != 0:
        return "only root may start other users' servers"
    missing = [program for program in ("npm", "useradd", "userdel", PYTHON) if shutil.which(program) is None]
    return f"there is no {missing[0]}" if missing else obstacle()


def wait_for(what, condition):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(requests.ConnectionError):
            if value := condition():
                return value
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {SECONDS} s")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def as_user(name, *command, cwd=None):
    """Runs a command as a login of that user would."""
    entry = pwd.getpwnam(name)
    environment = {
        "HOME": entry.pw_dir,
        "USER": name,
        "LOGNAME": name,
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
    }
    return subprocess.run(
        [*map(str, command)],
        cwd=cwd or entry.pw_dir,
        env=environment,
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )


class Member:
    """Somebody in front of a browser, logged in at the hub, with a server that runs."""

    def __init__(self, url, name):
        self.url, self.name, self.session = url, name, requests.Session()
        login = f"{url}/hub/login"
        self.session.get(login)
        form = {"username": name, "password": PASSWORD, "_xsrf": self._xsrf("/hub/")}
        assert self.session.post(login, data=form, params={"next": "/hub/home"}).url == f"{url}/hub/home"
        self.session.get(f"{url}/hub/spawn")
        # Its first page brings the server's own cookies.
        wait_for(
            f"server of {name}",
            lambda: self.session.get(f"{self.base}/lab").url.startswith(f"{self.base}/lab"),
        )

    @property
    def base(self):
        return f"{self.url}/user/{self.name}"

    def get(self, path, **parameters):
        return self.session.get(f"{self.base}/{path}", params=parameters)

    def post(self, path, **data):
        return self._send("post", path, data=data)

    def put(self, path, content):
        return self._send("put", path, json=content)

    def _send(self, method, path, **content):
        headers = {"X-XSRFToken": self._xsrf(f"/user/{self.name}/")}
        return self.session.request(method, f"{self.base}/{path}", headers=headers, **content)

    def _xsrf(self, path):
        return next(one.value for one in self.session.cookies if (one.name, one.path) == ("_xsrf", path))

    def nbgrader(self, action):
        """Does what a button of the list of assignments does; returns the list."""
        answer = self.post(f"assignments/{action}", assignment_id=ASSIGNMENT, course_id="vaeedu").json()
        assert answer["success"] is True, answer
        return answer["value"]

    def formgrader(self, action):
        """Does what a button of the formgrader does."""
        answer = self.post(f"formgrader/api/assignment/{ASSIGNMENT}/{action}").json()
        assert answer["success"] is True, answer

    def answer(self, answers):
        """Opens the fetched notebook, writes the answers into it, and saves it."""
        place = f"api/contents/{ASSIGNMENT}/{NOTEBOOK}"
        notebook = self.get(place).json()["content"]
        for cell in notebook["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id")
            cell["source"] = answers.get(name, cell["source"])
        assert self.put(place, {"type": "notebook", "format": "json", "content": notebook}).ok


@pytest.fixture(scope="module")
def folder():
    """A hub's folder, set up; its users are taken away at the end, whatever happens."""
    if lacking():
        pytest.skip(lacking())
    made, folder = [], Path(tempfile.mkdtemp(prefix="vaeedu-hub-"))
    folder.chmod(0o755)
    try:
        for name in (TEACHER, ADA, BOB):
            subprocess.run(["useradd", "--create-home", name], check=True)
            made.append(name)
            Path(pwd.getpwnam(name).pw_dir).chmod(0o700)
        if given := os.environ.get("VAEEDU_HUB_ENVIRONMENT"):
            (folder / "env").symlink_to(given)
        set_up = [PYTHON, ROOT / "hub" / "set_up.py", TEACHER]
        subprocess.run(set_up, env={**os.environ, "VAEEDU_HUB": str(folder)}, check=True)
        mini.make_course(folder / "made")
        for path in (folder / "made").iterdir():
            shutil.move(path, folder / "course")
        subprocess.run(["chown", "-R", f"{TEACHER}:{TEACHER}", folder / "course"], check=True)
        yield folder
    finally:
        for name in made:
            subprocess.run(["userdel", "--remove", name], check=False, capture_output=True)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def url(folder):
    """A hub that runs, by the configuration that the course comes with."""
    proxy = folder / "proxy"
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", proxy, "configurable-http-proxy@5"],
        check=True,
    )
    url, programs = (
        f"http://127.0.0.1:{free_port()}",
        (proxy / "node_modules" / ".bin", folder / "env" / "bin"),
    )
    # What belongs to the tests is not handed on to users' servers.
    environment = {
        "PATH": os.pathsep.join([*map(str, programs), "/usr/bin", "/bin"]),
        "VAEEDU_HUB": str(folder),
        "VAEEDU_HUB_URL": url,
        "VAEEDU_HUB_PASSWORD": PASSWORD,
        "VAEEDU_HUB_USERS": f"{TEACHER} {ADA} {BOB}",
    }
    command = [folder / "env" / "bin" / "jupyterhub", "-f", ROOT / "hub" / "jupyterhub_config.py"]
    ports = [
        f"--JupyterHub.hub_port={free_port()}",
        f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{free_port()}",
    ]
    log = folder / "state" / "hub.log"
    with log.open("wb") as output:
        hub = subprocess.Popen(
            [*command, *ports], cwd=folder / "state", env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for("hub", lambda: requests.get(f"{url}/hub/health").ok)
        yield url
    finally:
        hub.send_signal(signal.SIGTERM)  # it ends its proxy and its users' servers
        hub.wait(timeout=SECONDS)
        print(log.read_text()[-20_000:])


@pytest.fixture(scope="module")
def members(url):
    return {name: Member(url, name) for name in (TEACHER, ADA, BOB)}


def test_a_wrong_password_is_refused(url):
    session = requests.Session()
    session.get(f"{url}/hub/login")
    form = {"username": ADA, "password": "guessed", "_xsrf": session.cookies.get("_xsrf", path="/hub/")}
    answer = session.post(f"{url}/hub/login", data=form)
    assert answer.status_code == 403
    assert "Invalid username or password" in answer.text


def test_the_course_is_closed_to_students(folder):
    course = folder / "course"
    for place in (course, course / "solutions", folder / "state"):
        assert "Permission denied" in as_user(ADA, "ls", place).stderr
    assert as_user(TEACHER, "ls", course / "solutions").stdout == f"{ASSIGNMENT}\n"
    for place in (folder, folder / "env" / "bin", folder / "instructor"):
        assert as_user(ADA, "touch", place / "mine").returncode != 0


def test_students_have_the_packages(folder):
    done = as_user(
        ADA, folder / "env" / "bin" / "python", "-c", "import torch, vaeedu; print(vaeedu.__version__)"
    )
    assert done.stdout.strip() == "0.1.0", done.stderr


def test_the_formgrader_is_the_instructors_only(members):
    page = members[TEACHER].get("formgrader/manage_assignments")
    assert page.ok
    # JupyterLab shows it in a frame, which nobody else may do with a student's page.
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in members[ADA].get("lab").headers["Content-Security-Policy"]
    listed = members[TEACHER].get("formgrader/api/assignments").json()
    assert [one["name"] for one in listed] == [ASSIGNMENT]
    assert members[ADA].get("formgrader/manage_assignments").status_code == 404
    # Nor can a student open the instructor's server, or another student's.
    for other in (TEACHER, BOB):
        answer = members[ADA].session.get(f"{members[other].base}/api/contents/")
        assert answer.status_code == 403


def test_an_assignment_goes_all_the_way_round(folder, members):
    teacher, ada, bob = members[TEACHER], members[ADA], members[BOB]
    teacher.formgrader("assign")
    teacher.formgrader("release")
    for student, answers in ((ada, RIGHT), (bob, WRONG)):
        student.nbgrader("fetch")
        student.answer(answers)
        student.nbgrader("submit")
    teacher.formgrader("collect")
    programs, course = folder / "env" / "bin", folder / "course"
    graded = as_user(TEACHER, programs / "vaeedu", "grade", ASSIGNMENT, cwd=course)
    assert graded.returncode == 0, graded.stdout + graded.stderr
    rows = [line.split()[:3] for line in graded.stdout.splitlines()]
    assert [row for row in rows if row[:1] in ([ADA], [BOB])] == [[ADA, "graded", "6"], [BOB, "graded", "3"]]
    teacher.formgrader("generate_feedback")
    teacher.formgrader("release_feedback")
    for student, seen in ((ada, "✓ right"), (bob, "A sum is no mean.")):
        submission = student.nbgrader("fetch_feedback")
        page = page_of(student, submission)
        assert seen in page
        assert ("A sum is no mean." in page) == (student is bob)
    assert_nobody_sees_others(folder)


def page_of(student, listed):
    """The feedback page that the list of assignments leads to."""
    (submission,) = [one for entry in listed for one in entry.get("submissions", [])]
    content = student.get(f"api/contents/{submission['local_feedback_path']}").json()["content"]
    (page,) = [one["path"] for one in content if one["name"].endswith(".html")]
    return student.get(f"files/{page}").content.decode()


def assert_nobody_sees_others(folder):
    """Neither a student's submission, nor another's feedback, nor any mark."""
    shared = folder / "exchange" / "vaeedu"
    for place in (shared / "inbound", shared / "feedback", folder / "course" / "classroom"):
        assert "Permission denied" in as_user(BOB, "ls", place).stderr
    assert as_user(BOB, "mv", shared, folder / "exchange" / "away").returncode != 0


class TestMessages:
    """What docs/hub.md explains is said in these words, and for these reasons."""

    def test_an_exchange_that_is_closed(self, folder):
        (folder / "exchange").chmod(0o755)
        try:
            done = nbgrader(folder, BOB, "list")
        finally:
            (folder / "exchange").chmod(0o1777)
        assert explained("Unwritable directory, please contact your instructor") in done.stderr

    def test_an_exchange_that_somebody_else_was_first_in(self, folder, members):
        shared = folder / "exchange" / "vaeedu"
        owner = shared.stat()
        os.chown(shared, pwd.getpwnam(BOB).pw_uid, -1)
        try:
            done = nbgrader(folder, TEACHER, "release_assignment", ASSIGNMENT, "--force")
        finally:
            os.chown(shared, owner.st_uid, -1)
        assert explained("You don't own the directory") in done.stderr

    def test_a_submission_in_the_name_of_another(self, folder, members):
        forged = nbgrader(folder, BOB, "submit", ASSIGNMENT, f"--student={ADA}")
        assert "Submitted as" in forged.stderr
        done = nbgrader(folder, TEACHER, "collect", ASSIGNMENT, "--update")
        assert f"claims to be submitted by {ADA} but is owned by {BOB}" in " ".join(done.stderr.split())
        assert explained("claims to be submitted by")


def nbgrader(folder, name, *arguments):
    cwd = folder / "course" if name == TEACHER else None
    return as_user(name, folder / "env" / "bin" / "nbgrader", *arguments, cwd=cwd)


def explained(message):
    """The message, which the page for a class's administrator must have."""
    assert message in (ROOT / "docs" / "hub.md").read_text(encoding="utf-8")
    return message
