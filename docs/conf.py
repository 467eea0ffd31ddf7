"""How Sphinx makes the course's site; `tools/build_site.py` lays out the pages and calls it."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent

project = "vaeedu"
author = "The vaeedu authors"
copyright = "The vaeedu authors. Code: MIT License; text and figures: CC BY 4.0"
language = "en"
extensions = [
    "myst_nb",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_codeautolink",
]
root_doc = "index"
toc_object_entries = False  # the headings of a module's page name them already
nitpicky = True

# Lectures come with their outputs (tools/pages/executed.py); nothing is run here.
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "gfm"  # what cells show as Markdown has tables
nb_code_prompt_show = "Show the code that draws"
nb_code_prompt_hide = "Hide the code that draws"
nb_ipywidgets_js = {"widgets.js": {}}

myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
myst_update_mathjax = True

# The scripts that Sphinx would take from elsewhere lie in build/site-static (tools/pages/vendor.py).
html_static_path = [str(HERE / "_static"), os.environ["VAEEDU_SITE_STATIC"]]
mathjax_path = "mathjax/tex-svg-full.js"
mathjax3_config = {"options": {"enableMenu": False}}

html_theme = "sphinx_book_theme"
html_context = {"default_mode": "auto"}
html_title = "vaeedu"
html_css_files = ["course.css"]
html_js_files = ["film.js", "formulas.js", "keys.js", "search-here.js"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "use_repository_button": False,
    "show_toc_level": 2,
    "collapse_navigation": True,
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the sidebar has the search
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

# Names in code lead to the library's pages. A page's cells are read as one program.
codeautolink_concat_default = True
codeautolink_warn_on_missing_inventory = False
codeautolink_warn_on_failed_resolve = False
viewcode_follow_imported_members = True

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True
