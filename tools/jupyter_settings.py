"""How JupyterLab behaves in the course: files inside `.venv`, so that nothing of the user's own is touched."""

import json
from pathlib import Path
from typing import Any

SETTINGS: dict[str, dict[str, Any]] = {
    # What JupyterLab's own settings begin with; a user's choices still win over them.
    "share/jupyter/lab/settings/overrides.json": {
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
        # A notebook that names no kernel gets Python instead of a dialog.
        # Who runs a cell before the kernel is there is told so; otherwise nothing happens at all.
        "@jupyterlab/notebook-extension:tracker": {
            "autoStartDefaultKernel": True,
            "enableKernelInitNotification": True,
        },
    },
    # nbgrader's two lists serve classes that hand in through an exchange folder on a shared machine.
    "etc/jupyter/labconfig/page_config.json": {
        "disabledExtensions": {
            "@jupyter/nbgrader:assignment-list": True,
            "@jupyter/nbgrader:course-list": True,
        }
    },
    # The server's: read before what nbgrader put into jupyter_server_config.d/, which switches everything on, and wins.
    "etc/jupyter/jupyter_server_config.json": {
        "ServerApp": {
            "jpserver_extensions": {
                "nbgrader.server_extensions.assignment_list": False,
                "nbgrader.server_extensions.course_list": False,
            }
        },
        # On a shared machine others could listen in; without it every kernel starts with a warning that says so.
        "KernelManager": {"transport_encryption": "auto"},
        # The server fetches nothing either.
        "LabApp": {"check_for_updates_class": "jupyterlab.NeverCheckForUpdate", "news_url": None},
    },
}


def write(venv: Path) -> None:
    """Writes the files into a virtual environment."""
    for name, content in SETTINGS.items():
        path = venv / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
