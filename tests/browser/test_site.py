"""The site as a reader meets it: files on a disk, a browser, no server, no network.

It is built of the lectures that have been run, whichever they are; two small ones are run where they have not been.
"""

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.accessibility import assert_nobody_is_shut_out, violations
from support.driving import executed

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[2]
AT_LEAST = ("00", "03")  # with sliders, one of them with a play button; both run within half a minute
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1400, "height": 900}
SETTLED = "() => !window.MathJax?.startup || window.MathJax.startup.promise.then(() => true)"
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Of the colours of text and of what it stands on, by WCAG 2.
CONTRAST = """selector => {
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = colour => {
        const [r, g, b] = numbers(colour).slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = element => {
        const colour = getComputedStyle(element).backgroundColor;
        return element.parentElement && (numbers(colour)[3] ?? 1) === 0 ? behind(element.parentElement) : colour;
    };
    const element = document.querySelector(selector);
    const pair = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
}"""


def run_tool(name, *arguments):
    command = [sys.executable, str(ROOT / "tools" / name), *map(str, arguments)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def lectures():
    """The numbers of the lectures that have been run, and of two that are run now if they have not been."""
    paths = sorted((ROOT / "lectures").glob("[0-9]*.ipynb"))
    return [p.name[:2] for p in paths if p.name[:2] in AT_LEAST or executed.read(p) is not None]


@pytest.fixture(scope="module")
def site(lectures, tmp_path_factory):
    """The site's folder."""
    folder = tmp_path_factory.mktemp("pages") / "site"
    said = run_tool("build_site.py", "--lectures", *lectures, "--output", folder)
    assert f"The site is in {folder}" in said
    return folder


@pytest.fixture
def window(browser):
    """A window that notes what pages complain of, and what they ask of other machines."""
    context = browser.new_context(viewport=DESK, color_scheme="light")
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(f"{page.url}: {error}"))
    page.on(
        "console",
        lambda said: said.type == "error" and page.complaints.append(f"{page.url}: {said.text}"),
    )
    page.on(
        "request",
        lambda asked: (
            asked.url.startswith(("file:", "data:", "blob:"))
            or page.complaints.append(f"asks for {asked.url}")
        ),
    )
    yield page
    context.close()
    assert page.complaints == []


def open_page(window, site, name):
    window.goto((site / name).as_uri())
    window.wait_for_function(SETTLED)


def test_every_page_opens_in_silence_and_fits_a_phone(window, site):
    window.set_viewport_size(PHONE)
    pages = [p.relative_to(site).as_posix() for p in sorted(site.rglob("*.html")) if "_static" not in p.parts]
    sources = [name for name in pages if name.startswith("_modules/")]
    assert len(sources) > 50
    too_wide = []
    for name in [name for name in pages if name not in sources[2:]]:  # the library's sources are all alike
        open_page(window, site, name)
        assert window.locator("html").get_attribute("lang") == "en"
        assert window.get_by_role("main").count() == 1, name
        assert window.get_by_role("heading", level=1).count() == 1, name
        if window.evaluate(TOO_WIDE) > 0:
            too_wide.append(name)
    assert too_wide == []


ASSIGNMENT = "assignments/07_variational_autoencoders/07_variational_autoencoders.html"


@pytest.mark.parametrize(("colours", "rules"), [("light", None), ("dark", ["color-contrast"])])
def test_axe_finds_nothing_serious(window, site, colours, rules):
    window.emulate_media(color_scheme=colours)
    names = (
        "index",
        "lectures/03_information_and_divergence",
        "api/bounds",
        "errata",
        "benchmarks/results/claims",
    )
    for name in (*(f"{name}.html" for name in names), ASSIGNMENT):
        open_page(window, site, name)
        window.locator(".bd-links summary[aria-label]").first.wait_for(state="attached")
        assert_nobody_is_shut_out(violations(window, only=rules), f"{name}, {colours}")


def test_a_search_finds_posterior_collapse_in_lecture_7(window, site):
    open_page(window, site, "index.html")
    window.keyboard.press("Control+k")
    window.locator("dialog input[type=search], .search-button__search-container input").first.fill(
        "posterior collapse"
    )
    window.keyboard.press("Enter")
    found = window.locator("#search-results a[href*='07_variational_autoencoders']").first
    found.wait_for()
    assert "Variational autoencoders" in found.inner_text()


def shown(film):
    image = film.locator("img")
    return image.get_attribute("src"), film.locator(".film-caption").inner_text()


@pytest.mark.parametrize("lecture", ["00_start_here", "03_information_and_divergence"])
def test_a_slider_moves_its_picture_without_a_kernel(window, site, lecture):
    open_page(window, site, f"lectures/{lecture}.html")
    film = window.locator(".film").first
    slider = film.get_by_role("slider")
    seen, said = [], [slider.get_attribute("aria-valuetext")]
    for key in (None, "ArrowRight", "End", "Home"):
        if key:
            slider.press(key)
            said.append(slider.get_attribute("aria-valuetext"))
        window.wait_for_function(
            "film => film.querySelector('img').naturalWidth > 100", arg=film.element_handle()
        )
        seen.append(shown(film))
    assert len(set(seen)) == len(seen) == len(set(said))
    assert film.locator("output").inner_text() == said[-1]


def test_a_film_plays_to_its_end(window, site):
    open_page(window, site, "lectures/03_information_and_divergence.html")
    film = window.locator(".film:has(.film-play)")
    before = shown(film)
    film.get_by_role("button", name="play").click()
    film.get_by_role("button", name="stop").wait_for()
    film.get_by_role("button", name="play").wait_for()
    slider = film.get_by_role("slider")
    assert slider.input_value() == slider.get_attribute("max")
    assert shown(film) != before


CUT = """() => [...document.querySelectorAll(".cell_input pre, .cell_output pre")]
    .filter(box => box.clientWidth && box.scrollWidth > box.clientWidth)
    .filter(box => box.textContent.split("\\n").every(line => line.length <= 110))
    .map(box => box.textContent)"""


def test_tables_have_headings_and_code_and_outputs_are_whole_on_a_desk(window, site):
    window.set_viewport_size({"width": 1280, "height": 900})
    open_page(window, site, "lectures/00_start_here.html")
    assert window.locator(".cell_output table").count() == 2  # the way through the course, and how far one is
    open_page(window, site, "benchmarks/results/iwae.html")
    assert window.locator("tbody th[scope=row]").count() == 4  # the ways to compute it
    assert window.locator("th:empty").count() == 0
    open_page(window, site, "lectures/03_information_and_divergence.html")
    assert window.evaluate(CUT) == []


def test_answers_unfold_and_so_does_code_that_only_draws(window, site):
    open_page(window, site, "lectures/03_information_and_divergence.html")
    answers = window.locator("details").filter(has_text="Answers").last
    assert not answers.locator("li").first.is_visible()
    answers.locator("summary").click()
    answers.locator("li").first.wait_for()
    folded = window.locator("details.hide").first
    assert not folded.locator("pre").first.is_visible()
    folded.locator("summary").click()
    folded.locator("pre").first.wait_for()
    assert folded.locator("button.copybtn").count() > 0


def test_code_leads_to_the_library_and_the_library_back(window, site):
    open_page(window, site, "lectures/03_information_and_divergence.html")
    link = window.locator("a.sphinx-codeautolink-a[href$='vaeedu.divergences.kl_normal']").first
    link.click()
    window.wait_for_url("**/api/divergences.html#vaeedu.divergences.kl_normal")
    described = window.locator("dl").filter(has=window.locator("[id='vaeedu.divergences.kl_normal']"))
    assert described.locator("mjx-container").count() > 0  # its formula, drawn
    described.get_by_role("link", name="3", exact=True).first.click()
    window.wait_for_url("**/lectures/03_information_and_divergence.html")
    window.go_back()
    described.get_by_role("link", name="[source]").first.click()
    window.wait_for_url("**/_modules/vaeedu/divergences/**")


def test_text_code_and_links_can_be_read_by_day_and_by_night(window, site):
    lecture = "lectures/03_information_and_divergence.html"
    looked_at = {
        "api/pca.html": ("article p", "article a.reference.internal", "article code", "article .used-in"),
        lecture: (
            "article .highlight .kn",
            "article .film-caption",
            "article .film-slider span",
            "article th",
        ),
    }
    for theme in ("light", "dark"):
        window.emulate_media(color_scheme=theme)
        for name, selectors in looked_at.items():
            open_page(window, site, name)
            assert window.locator("html").get_attribute("data-theme") == theme
            for selector in selectors:
                assert window.evaluate(CONTRAST, selector) >= 4.5, (theme, selector)


def test_slides_have_a_title_each_and_fit_their_height(
    window, tmp_path, site
):  # after the site: its lectures have run
    folder = tmp_path / "slides"
    run_tool("build_slides.py", "--lectures", "03", "--output", folder)
    window.set_viewport_size({"width": 1280, "height": 720})
    open_page(window, folder, "03_information_and_divergence.html")
    count = window.evaluate("Reveal.getTotalSlides()")
    assert count > 20
    for number in range(count):
        window.evaluate("n => Reveal.slide(n)", number)
        slide = window.locator("section.present").last
        assert slide.locator("h1, h2").count() == 1
        assert slide.evaluate("s => s.scrollHeight") <= 720, slide.inner_text()
        assert slide.evaluate("s => s.scrollWidth") <= 1280, slide.inner_text()
    assert window.locator("aside.notes").count() > 10
    film = window.locator(".film").first
    window.evaluate(
        "film => Reveal.slide(...Object.values(Reveal.getIndices(film.closest('section'))))",
        film.element_handle(),
    )
    before = shown(film)
    film.get_by_role("slider").press("End")
    assert shown(film) != before


def alternative_texts(page):
    return {html.unescape(text) for text in re.findall(r'<img [^>]*alt="([^"]+)"', page)}


def test_figures_keep_their_alternative_text(site):
    run = executed.read(ROOT / "lectures" / "03_information_and_divergence.ipynb")
    outputs = [output for cell in run.cells if cell.cell_type == "code" for output in cell.outputs]
    texts = alternative_texts("".join(output.get("data", {}).get("text/html", "") for output in outputs))
    page = (site / "lectures" / "03_information_and_divergence.html").read_text("utf-8")
    assert len(texts) > 5
    assert texts <= alternative_texts(page)
    assert "data:image/png;base64" not in page
