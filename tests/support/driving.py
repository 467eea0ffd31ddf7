"""What a person does in JupyterLab, by the roles and labels that a person sees."""

import contextlib
import re
import sys
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from pages import executed  # noqa: E402

START = "lectures/00_start_here.ipynb"
DIALOG = ".jp-Dialog"
TOAST = ".Toastify__toast"
IN_MINUTES = 60_000

# How JupyterLab marks errors, in one version or another; the second is also for warnings, which no lecture should show.
ERRORS = "[data-mime-type='application/vnd.jupyter.error'], [data-mime-type='application/vnd.jupyter.stderr']"
# The page holds neither folded code nor what is scrolled out of sight, so ask JupyterLab's own model of the notebook.
CELLS = """[...window.jupyterapp.shell.currentWidget.content.model.cells]
    .filter(cell => cell.type === 'code' && cell.sharedModel.getSource().trim())"""
# Pictures, of which there are many, are not copied to be looked at.
COMPLAINTS = f"""() => {CELLS}
    .flatMap(cell => [...Array(cell.outputs.length).keys()].map(i => cell.outputs.get(i)))
    .filter(output => output.type === 'error' || output.type === 'stream')
    .map(output => output.toJSON())
    .filter(output => output.output_type === 'error' || output.name === 'stderr')
    .map(output => output.text ?? output.traceback.join('\\n'))"""
FINISHED = f"""() => {{
    const cells = {CELLS};
    return cells.length > 0 && (cells.every(cell => cell.executionCount) || ({COMPLAINTS})().length > 0);
}}"""
CLOSE = """() => [...window.jupyterapp.shell.widgets('main')].filter(widget => widget.context).forEach(widget => {
    widget.context.model.dirty = false;
    widget.close();
})"""
# What a notebook's kernel runs without a cell, and without a word to the page; what went wrong, or nothing.
IN_THE_KERNEL = """async code => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const reply = await kernel.requestExecute({code, silent: true, store_history: false}).done;
    return reply.content.status === 'ok' ? '' : `${reply.content.ename}: ${reply.content.evalue}`;
}"""
CONTENT = "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.model.toJSON())"
PICTURES = """cell => [...cell.querySelectorAll('.jp-OutputArea img')]
    .filter(image => image.complete && image.naturalWidth)
    .map(image => {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
        canvas.getContext('2d').drawImage(image, 0, 0);
        return canvas.toDataURL();
    })"""


def open_notebook(page, lab, path):
    """Opens one notebook in a workspace of its own, and waits for its kernel."""
    name = re.sub(r"\W+", "-", path)
    page.goto(f"{lab}/lab/workspaces/{name}/tree/{path}")
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    notebook.locator(".jp-Cell").first.wait_for()
    wait_for_idle_kernel(page)
    return notebook


def open_empty(page, lab):
    """Opens JupyterLab with no notebook."""
    page.goto(f"{lab}/lab/workspaces/empty?reset")
    page.locator(".jp-Launcher").wait_for()


def open_here(page, path):
    """Opens a notebook in a window that shows none, and waits for its kernel: most of a start is JupyterLab's own."""
    page.evaluate(
        "async path => { await window.jupyterapp.commands.execute('docmanager:open', {path}); }", path
    )
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    notebook.locator(".jp-Cell").first.wait_for()
    wait_for_idle_kernel(page)
    return notebook


def close_all(page):
    """Closes every notebook, and saves none."""
    page.evaluate(CLOSE)
    page.locator(".jp-NotebookPanel").first.wait_for(state="detached")


def wait_for_idle_kernel(page):
    # The status bar says "Idle" only of a kernel that has answered; cells run before that are silently dropped.
    page.locator("#jp-main-statusbar").get_by_text(re.compile(r"\| Idle$")).wait_for()


def menu(page, *path):
    """Clicks through the menu bar."""
    page.locator("#jp-MainMenu").get_by_role("menuitem", name=path[0], exact=True).click()
    for name in path[1:]:
        page.locator(".lm-Menu").get_by_role(
            "menuitem", name=re.compile(rf"^{re.escape(name)}")
        ).first.click()


def in_front(page, tab, wanted, tries=12):
    """Brings a tab to the front until what it holds can be seen: a notebook that is still opening may jump over it."""
    from playwright.sync_api import TimeoutError as NotYet  # not at the top: without playwright, tests skip

    for _ in range(tries):
        page.get_by_role("tab", name=tab, exact=True).click()
        with contextlib.suppress(NotYet):
            wanted.wait_for(timeout=5000)
            return
    raise AssertionError(f"the tab {tab!r} was put in front {tries} times, but never showed {wanted}")


def run_all(page, notebook, minutes=3):
    """Runs every cell, or until one fails; returns the seconds it took."""
    begun = time.perf_counter()
    menu(page, "Run", "Run All Cells")
    page.wait_for_function(FINISHED, timeout=minutes * IN_MINUTES, polling=500)
    wait_for_idle_kernel(page)
    return time.perf_counter() - begun


def errors(page, notebook):
    """Returns the text of every error and warning: of all cells, and of what widgets show."""
    return page.evaluate(COMPLAINTS) + notebook.locator(ERRORS).all_text_contents()


def outputs(notebook):
    """Returns the text that each cell has printed; also where it is scrolled out of sight, and so not rendered."""
    return notebook.locator(".jp-CodeCell .jp-OutputArea").all_text_contents()


def keep(page, lecture, scratch):
    """Keeps a lecture that has run, with its outputs and widgets, for the site (tools/pages/executed.py)."""
    recorded = scratch / "widgets.json"
    assert page.evaluate(IN_THE_KERNEL, executed.recorder(recorded)) == ""
    executed.keep(ROOT / lecture, nbformat.reads(page.evaluate(CONTENT), as_version=4), recorded)


def pictures(page, cell):
    """Returns the pictures in a cell's output as their pixels, so that the same picture drawn again is no change."""
    return page.evaluate(PICTURES, cell.element_handle())


def wait_for_other_pictures(page, cell, before):
    """Waits until the cell shows pictures again and they are not those of before."""
    changed = f"""([cell, before]) => {{
        const now = ({PICTURES})(cell);
        return now.length > 0 && now.join() !== before.join();
    }}"""
    page.wait_for_function(changed, arg=[cell.element_handle(), before])
