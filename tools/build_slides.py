"""Makes slides of the lectures in `build/slides`, for who teaches with them.

Usage: python tools/build_slides.py [--lectures 00 02] [--output FOLDER]

What a lecture says stands in the speaker's notes (press S). Lectures that were not run since they were last changed are
run first, as for `make site`.
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from build_site import asked, choose, run_missing  # noqa: E402
from pages import executed, links, slides, vendor  # noqa: E402
from pages.errors import SiteError  # noqa: E402

STYLES = ("course.css", "slides.css", "film.js", "formulas.js")


def main(arguments: list[str]) -> int:
    """Makes the slides; returns the exit status."""
    options = asked(arguments, __doc__, "slides")
    try:
        chosen = choose(options.lectures)
        run_missing(chosen, options.runs)
        build(chosen, options.runs, options.output)
    except SiteError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"The slides are in {options.output}, a file for each lecture: open one in a browser; S shows the notes."
    )
    return 0


def build(chosen: list[Path], runs: Path, output: Path) -> None:
    """Writes every lecture's slides beside the old ones, and puts them in their place."""
    fresh = output.with_name(output.name + "-work")
    shutil.rmtree(fresh, ignore_errors=True)
    vendor.fetch()
    vendor.copy(fresh / "_static", ("mathjax", "reveal.js"))
    for name in STYLES:
        shutil.copyfile(ROOT / "docs" / "_static" / name, fresh / "_static" / name)
    for path in chosen:
        slides.write(
            path.stem, executed.read(path, runs), fresh, ROOT / "docs", {each.stem for each in chosen}
        )
    if broken := links.broken(fresh):
        raise SiteError("\n".join([*broken, f"mend what is said above; what there is lies in {fresh}"]))
    shutil.rmtree(output, ignore_errors=True)
    fresh.rename(output)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
