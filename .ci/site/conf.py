"""Sphinx's settings for the site. `make site` lays the pages first (staging.py); this file lies beside none of them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from launch import repository  # noqa: E402

project, author = "vampkit", "The vampkit authors"
html_title, html_short_title, language = "vampkit", "vampkit", "en"
extensions = ["myst_nb", "mathml"]
exclude_patterns = ["_extra", "_static"]
nb_execution_mode = "off"  # the committed outputs are shown
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

html_theme = "sphinx_book_theme"
html_favicon = str(Path(__file__).parent / "static" / "icon.svg")
html_static_path = [str(Path(__file__).parent / "static")]
html_css_files = ["site.css"]
html_show_sphinx = False
html_use_index = False  # it would be empty: the names have pages of their own
html_context = {"default_mode": "auto"}  # light or dark as the reader's system is
html_copy_source = True
html_sourcelink_suffix = ""
pygments_style = "a11y-high-contrast-light"
html_theme_options = {
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "show_toc_level": 2,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # the search stands at the left
    "home_page_in_toc": True,
    "footer_content_items": "",
}
if repository():
    html_theme_options |= {
        "repository_url": f"https://github.com/{repository()}",
        "repository_branch": "main",
        "path_to_docs": "",
        "use_repository_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
            "notebook_interface": "jupyterlab",
        },
    }
