"""`make new-assignment`: the files of a new assignment, with one exercise that works, to be replaced.

The exercise is that of `exercises/skeleton.py`; its notebook is here.
"""

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vaeedu.files import write_whole

_TITLE = """# Assignment {number}: {title}

**What you will be able to do:** say it in one sentence.

**Time:** about an hour; every cell runs within seconds on a laptop's CPU. **Read first:** lecture {number}.
**Points:** 5, of which 2 are for a written answer."""
_EXERCISE = r"""## Exercise 1: a sum of exponentials (3 points)

Sum what is given as logarithms, row by row: $b_n = \log \sum_k \exp a_{nk}$."""
_SOLUTION = '''def log_sum(a):
    """Computes log Σ exp(a) of each row.

    a: (N, K).
    Returns one value: log_sum (N,).
    """
    ### BEGIN SOLUTION
    return torch.logsumexp(a, dim=1)
    ### END SOLUTION'''
_WRITTEN = """### BEGIN MARK SCHEME
exp overflows above 709 in float64 (1 point); the largest entry taken out makes every exponent ≤ 0 (1 point).
### END MARK SCHEME"""


_HINTS = r"""# Hints: assignment {number}

## log_sum

**Idea.** Say in a sentence or two how to begin, without the answer.

**Formula.** $\log \sum_k e^{{a_k}} = m + \log \sum_k e^{{a_k - m}}$ with $m = \max_k a_k$.

**First line.** `top = a.max(dim=1, keepdim=True).values`

**Why.** Say why the reference is right, and name the usual trap.
"""


def new_assignment(course: Path, number: int, topic: str) -> tuple[Path, Path, Path]:
    """Lays out an assignment: `exercises/NN_topic.py`, its notebook in `solutions/`, `exercises/hints/NN_topic.md`.

    Args:
        course: The course's folder.
        number: The lecture's number, 0 to 99.
        topic: Its topic, as in a file's name, such as "sequences_and_molecules".

    Returns:
        The three files.

    Raises:
        ValueError: A number or topic makes no such name, or there is such an assignment.
    """
    if not 0 <= number <= 99:
        raise ValueError(f"number must be from 0 to 99, but is {number}")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", topic):
        raise ValueError(
            f"topic must be lower-case words joined by _, such as autoencoders, but is {topic!r}"
        )
    name, title = f"{number:02}_{topic}", topic.replace("_", " ")
    exercises, notebook = course / "exercises" / f"{name}.py", course / "solutions" / name / f"{name}.ipynb"
    hints = course / "exercises" / "hints" / f"{name}.md"
    for path in (exercises, notebook.parent, hints):
        if path.exists():
            raise ValueError(f"{path.relative_to(course)} must not be there yet, but is: nothing was written")
    skeleton = (course / "exercises" / "skeleton.py").read_text(encoding="utf-8")
    made = {
        exercises: skeleton.replace("TITLE", title.capitalize(), 1),
        notebook: nbformat.writes(_notebook(number, title)) + "\n",
        hints: _HINTS.format(number=number),
    }
    try:
        for path, text in made.items():
            write_whole(path, text.encode())
    except BaseException:
        _take_back(notebook.parent, *made)
        raise
    return exercises, notebook, hints


def _take_back(folder: Path, *paths: Path) -> None:
    """Removes what was made of an assignment before the rest of it failed."""
    for path in paths:
        path.unlink(missing_ok=True)
    if folder.is_dir():
        folder.rmdir()


def _notebook(number: int, title: str) -> NotebookNode:
    cells = [
        nbformat.v4.new_markdown_cell(_TITLE.format(number=number, title=title), id="title"),
        _cell("imports", "import math\n\nimport numpy as np\nimport torch\n\nimport vaeedu", locked=True),
        nbformat.v4.new_markdown_cell(_EXERCISE, id="ex1"),
        _cell("log_sum", _SOLUTION, solution=True),
        nbformat.v4.new_markdown_cell(
            "## Exercise 2: why not directly? (2 points)\n\nWhat goes wrong without the detour, and why not with it?",
            id="ex2",
        ),
        _cell("why_not_directly", _WRITTEN, kind="markdown", solution=True, points=2),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook: NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    return notebook


def _cell(
    name: str,
    source: str,
    *,
    kind: str = "code",
    solution: bool = False,
    points: int = 0,
    locked: bool = False,
) -> NotebookNode:
    marks = {"grade": bool(points), "grade_id": name, "locked": locked, "schema_version": 3}
    marks |= {"solution": solution, "task": False} | ({"points": points} if points else {})
    new = getattr(nbformat.v4, f"new_{kind}_cell")
    cell: NotebookNode = new(source, id=name, metadata={"nbgrader": marks})
    return cell
