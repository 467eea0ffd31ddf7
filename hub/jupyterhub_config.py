"""A hub on this machine alone, to try the course with a class: docs/hub.md says how, and what a real class needs.

Every user of the machine who is named here logs in with one and the same password.
"""

import os
import sys
from pathlib import Path

load_subconfig(str(Path(__file__).with_name("class_config.py")))

hub = Path(os.environ.get("VAEEDU_HUB", "/srv/vaeedu")).resolve()
password, users = os.environ.get("VAEEDU_HUB_PASSWORD"), os.environ.get("VAEEDU_HUB_USERS", "").split()
if not password or not users:
    sys.exit(
        "jupyterhub_config.py: expected VAEEDU_HUB_PASSWORD, which all users log in with while you try, and "
        "VAEEDU_HUB_USERS, such as 'teacher ada bob': set both, or use an authenticator for a real class (docs/hub.md)"
    )
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = password
c.Authenticator.allowed_users = set(users)

# From another machine nobody gets here.
c.JupyterHub.bind_url = os.environ.get("VAEEDU_HUB_URL", "http://127.0.0.1:8000")
c.Spawner.cmd = [str(hub / "env" / "bin" / "jupyterhub-singleuser")]
c.JupyterHub.db_url = f"sqlite:///{hub / 'state' / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(hub / "state" / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(hub / "state" / "proxy.pid")
