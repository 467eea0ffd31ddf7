"""Control groups: made where this machine allows it, in either version of them, with the right limits."""

import pytest
from support.sandboxes import MIB, obstacle, run, statuses

from vaeedu_grader.sandbox import Limits
from vaeedu_grader.sandbox.cgroups import Group

LIMITS = Limits(memory_bytes=100 * MIB, tmp_bytes=MIB, processes=30)


class FakeSystem:
    """Files as the kernel would show them; a folder that is made gets the files that limits are written to."""

    def __init__(self, folder, monkeypatch, files):
        self.proc, self.top = folder / "proc", folder / "cgroup"
        self.proc.mkdir()
        self.top.mkdir()
        make = type(folder).mkdir

        def mkdir(path, *arguments, **others):
            make(path, *arguments, **others)
            for name in files(path) if path.name.startswith("vaeedu-") else ():
                (path / name).touch()

        monkeypatch.setattr(type(folder), "mkdir", mkdir)

    def tell(self, groups, mounts):
        (self.proc / "cgroup").write_text(groups)
        (self.proc / "mountinfo").write_text(mounts)


def read(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.read_text()}


def test_version_2_the_nearest_group_that_hands_on_memory_and_pids(tmp_path, monkeypatch):
    names = (
        *("memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max"),
        *("cgroup.procs", "memory.events"),
    )
    system = FakeSystem(tmp_path, monkeypatch, lambda path: names)
    system.tell("0::/user/session\n", f"31 23 0:28 / {system.top} rw - cgroup2 cgroup2 rw\n")
    (system.top / "user" / "session").mkdir(parents=True)
    (system.top / "user" / "session" / "cgroup.subtree_control").write_text("\n")
    (system.top / "user" / "cgroup.subtree_control").write_text("cpu memory pids\n")
    group = Group(LIMITS, 4, proc=system.proc)
    (made,) = (path for path in (system.top / "user").iterdir() if path.name.startswith("vaeedu-"))
    assert read(made) == {
        "memory.max": str(104 * MIB),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": "32",
        "cpu.max": "100000 100000",
    }
    group.add([7])
    assert read(made)["cgroup.procs"] == "7"
    assert not group.killed_for_memory()
    (made / "memory.events").write_text("oom 1\noom_kill 2\n")
    assert group.killed_for_memory()


NAMES = {
    "memory": ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
    "pids": ("pids.max",),
    "cpu": ("cpu.cfs_period_us", "cpu.cfs_quota_us"),
}


@pytest.mark.parametrize("allowed", [True, False])
def test_version_1_a_group_for_memory_and_one_for_processes_and_one_for_processors(
    tmp_path, monkeypatch, allowed
):
    system = FakeSystem(tmp_path, monkeypatch, lambda path: NAMES[path.parent.parent.name])
    mounts = "".join(f"3 2 0:3 / {system.top}/{name} rw - cgroup cgroup rw,{name}\n" for name in NAMES)
    system.tell("4:memory:/a\n3:pids:/b\n2:cpu:/c\n0::/\n", mounts)
    for name, own in (("memory", "a"), ("pids", "b"), ("cpu", "c")):
        if allowed or name != "cpu":
            (system.top / name / own).mkdir(parents=True)
    group = Group(LIMITS, 4, proc=system.proc)
    (memory,), (pids,) = ((system.top / "memory" / "a").iterdir(), (system.top / "pids" / "b").iterdir())
    assert read(memory) == dict.fromkeys(NAMES["memory"], str(104 * MIB))
    assert read(pids) == {"pids.max": "32"}
    if allowed:
        (cpu,) = (system.top / "cpu" / "c").iterdir()
        assert read(cpu) == dict.fromkeys(NAMES["cpu"], "100000")
    assert len(group._made) == 2 + allowed


@pytest.mark.parametrize("groups", ["", "0::/user\n"])
def test_where_there_can_be_none_it_says_so(groups, tmp_path, monkeypatch):
    system = FakeSystem(tmp_path, monkeypatch, lambda path: ())
    system.tell(groups, f"31 23 0:28 / {system.top} rw - cgroup2 cgroup2 rw\n")
    with pytest.raises(OSError, match="no control groups"):
        Group(LIMITS, 4, proc=system.proc)


def test_this_machines_own_groups_limit_memory_and_are_removed():
    if obstacle():
        pytest.skip(obstacle())
    try:
        group = Group(LIMITS, 4)
    except OSError:
        # Without rights to make one, the other limits stand alone; test_sandbox_attacks tries those.
        return
    made = list(group._made)
    assert all(folder.is_dir() for folder in made)
    group.close()
    assert not any(folder.exists() for folder in made)
    hidden = (  # memory that is in no process: pipes' buffers and the kernel's own
        "import os\nfor i in range(8):\n    if os.fork() == 0:\n        x = bytearray(60 * 2**20)\n"
        "        import time; time.sleep(60)\nimport time; time.sleep(60)"
    )
    done = run(hidden, "1", memory_bytes=200 * MIB)
    assert (done.status, done.limits_hit) == ("memory", ("memory_bytes",))
    assert statuses(done) == ["ended", "not run"]
