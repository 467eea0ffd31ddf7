"""Makes the course's site in `build/site`: lectures with what they printed and drew, assignments, the library's pages.

Usage: python tools/build_site.py [--lectures 00 02] [--output FOLDER]

Lectures that were run since they were last changed (`make test-all` does it) are taken from `build/executed`;
others are run now, which takes half an hour for all of them. `--lectures` is for who writes pages: the lectures that it
does not name appear without outputs, and say so.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from pages import executed, layout, links  # noqa: E402
from pages.errors import SiteError  # noqa: E402


def main(arguments: list[str]) -> int:
    """Builds the site; returns the exit status."""
    options = asked(arguments, __doc__, "site")
    try:
        chosen = choose(options.lectures)
        run_missing(chosen, options.runs)
        return build(chosen, options.runs, options.output)
    except SiteError as error:
        print(error, file=sys.stderr)
        return 1


def asked(arguments: list[str], usage: str, name: str) -> argparse.Namespace:
    """Reads the options, which the slides have, too: which lectures, from where, and where to below `build/`."""
    parser = argparse.ArgumentParser(description=usage.splitlines()[0])
    parser.add_argument("--lectures", nargs="*", help="their numbers, such as 00 02; by default all")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / name)
    parser.add_argument("--runs", type=Path, default=executed.FOLDER, help="where lectures with outputs are")
    return parser.parse_args(arguments)


def choose(numbers: list[str] | None) -> list[Path]:
    """Returns the lectures of these numbers, all of them by default.

    Raises:
        SiteError: There is no such lecture, or this is a students' copy of the course.
    """
    if not (ROOT / "docs" / "conf.py").is_file():
        raise SiteError(
            "the site is made of the whole course, but this copy of it has no docs/: clone its repository"
        )
    lectures = layout.all_lectures()
    if numbers is None:
        return lectures
    unknown = set(numbers) - {path.name[:2] for path in lectures}
    if unknown:
        raise SiteError(
            f"--lectures takes numbers from {lectures[0].name[:2]} to {lectures[-1].name[:2]}, "
            f"but there is no {min(unknown)}"
        )
    return [path for path in lectures if path.name[:2] in numbers]


def run_missing(chosen: list[Path], runs: Path) -> None:
    """Runs the lectures that have no outputs, or old ones."""
    for path in executed.missing(chosen, runs):
        print(f"running {path.name}", flush=True)
        executed.execute(path, runs)


def build(chosen: list[Path], runs: Path, output: Path) -> int:
    """Lays out the pages, has Sphinx make the site beside the old one, checks its links, and puts it in its place."""
    begun = time.monotonic()
    work = output.parent / f"{output.name}-work"
    fresh = work / "html"
    shutil.rmtree(work, ignore_errors=True)
    layout.lay_out(work / "pages", work / "static", chosen, runs)
    status = layout.build(work / "pages", work / "static", fresh, work / "doctrees")
    broken = links.broken(fresh)
    for line in broken:
        print(line, file=sys.stderr)
    if status or broken:
        print(
            f"the site was not made: mend what is said above; what there is lies in {fresh}", file=sys.stderr
        )
        return 1
    shutil.rmtree(output, ignore_errors=True)
    fresh.rename(output)
    shutil.rmtree(work)
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    print(f"The site is in {output} ({size / 1e6:.0f} MB, made in {time.monotonic() - begun:.0f} s).")
    print(f"Open {output / 'index.html'} in a browser; it needs neither a server nor a network.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
