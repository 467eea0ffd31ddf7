"""What a hub needs to know of the course; `jupyterhub_config.py` loads it, and so can another hub's configuration."""

import os
import pwd
from pathlib import Path

hub = Path(os.environ.get("VAEEDU_HUB", "/srv/vaeedu")).resolve()
course = hub / "course"
# The instructor is whose the course folder is. The Littlest JupyterHub puts "jupyter-" before a user's name.
owner = pwd.getpwuid(course.stat().st_uid).pw_name
instructors = {owner, owner.removeprefix("jupyter-")}


def give_the_course(spawner):
    """Starts the instructor's server in the course, with its configuration; a student's in the home folder."""
    if spawner.user.name in instructors:
        spawner.notebook_dir = str(course)
        # nbgrader_config.py is read from the first, the formgrader switched on by the second.
        settings = f"{course}{os.pathsep}{hub / 'instructor'}"
        spawner.environment = {**spawner.environment, "JUPYTER_CONFIG_PATH": settings}


c.Spawner.pre_spawn_hook = give_the_course
c.Spawner.default_url = "/lab"
# A first start compiles what it loads, and a class starts all at once.
c.Spawner.http_timeout = 120
c.Spawner.start_timeout = 120
