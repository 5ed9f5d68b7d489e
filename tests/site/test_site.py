"""The built site in a browser: no blank figure, no dead link, sound that plays, nothing fetched, for everybody."""

import json
from urllib.parse import unquote, urlsplit

import pytest

from tests.browser.lab import chromium
from tests.site.pages import BLANK, BUILT, PAGES, PLAYED, ROOT, links, opened, served

pytestmark = [pytest.mark.site, pytest.mark.timeout(300)]

PHONE = {"width": 390, "height": 844}
GRAVE = ("serious", "critical")
FEW = ("index.html", "notebooks/00_hear_it.html", "api/vampkit/masks.html")
"""Pages that are looked at more closely: one of each kind."""


@pytest.fixture(scope="module")
def browser():
    with chromium(limit=3600) as made:
        yield made


@pytest.fixture(scope="module")
def site():
    with served(BUILT) as address:
        yield address


def test_every_notebook_and_text_has_its_page():
    sources = [*(ROOT / "notebooks").rglob("*.ipynb"), *(ROOT / "notebooks").rglob("*.md")]
    sources = [p.relative_to(ROOT) for p in sources if "masters" not in p.parts]  # they hold the answers
    wanted = [p.with_suffix(".html").as_posix() for p in sources]
    wanted += ["index.html", "search.html", "CONTRIBUTING.html", "api/vampkit.html", "reference/models/coarse.html"]
    assert len(wanted) > 20 and not set(wanted) - set(PAGES), "run `make site`"


@pytest.mark.parametrize("page", PAGES)
def test_no_link_inside_is_dead(page):
    dead = []
    for target in links(page).targets:
        parts = urlsplit(target)
        if parts.scheme or target.startswith("//"):
            assert parts.scheme in ("https", "http", "data", "mailto"), target
            continue
        assert not target.startswith("/"), f"{target} leads nowhere when the site lies in a folder"
        path = (BUILT / page).parent / unquote(parts.path) if parts.path else BUILT / page
        if not path.resolve().is_file():
            dead.append(target)
        elif parts.fragment and path.suffix == ".html":
            there = links(path.resolve().relative_to(BUILT.resolve()).as_posix()).places
            dead += [] if unquote(parts.fragment) in there else [target]
    assert not dead


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_plays_and_can_be_used_by_everybody(browser, site, page):
    with opened(browser, f"{site}/{page}", site) as shown:
        assert not shown.evaluate(BLANK)
        players, silent = shown.evaluate(PLAYED)
        assert not silent
        if page.startswith("notebooks/") and '<div class="vampkit-player"' in (BUILT / page).read_text():
            assert players > 0
        assert not barriers(shown, code=page in FEW)
        shown.set_viewport_size(PHONE)
        wide = shown.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1, f"{wide} pixels wider than a phone"


@pytest.mark.parametrize("page", [page for page in PAGES if page in FEW or not page.startswith("api/")])
def test_a_dark_page_can_be_read(browser, site, page):
    """The API pages share one style sheet: one of them stands for all."""
    with opened(browser, f"{site}/{page}", site, scheme="dark") as shown:
        assert not barriers(shown, code=page in FEW, only=["color-contrast", "link-in-text-block"])


def barriers(shown, code: bool, only=None) -> list[str]:
    """What axe calls serious or critical.

    code: look at each coloured word of the code, too. All pages colour it alike, and it takes most of the time.
    """
    from axe_playwright_python.sync_playwright import Axe

    options = {"resultTypes": ["violations"], "preload": False}
    options |= {"runOnly": {"type": "rule", "values": only}} if only else {}
    context = None if code else {"exclude": [[".highlight pre span"]]}
    found = Axe().run(shown, context=context, options=options).response["violations"]
    return [
        f"{rule['id']}: {rule['help']}: " + "; ".join(node["html"][:160] for node in rule["nodes"][:4])
        for rule in found
        if rule["impact"] in GRAVE
    ]


@pytest.mark.parametrize("way", ["server", "folder"])
def test_the_search_finds_a_word_in_a_notebook(browser, site, way):
    """From a folder the browser lets no page read another one, so there each result is a title without an excerpt."""
    base = site if way == "server" else BUILT.as_uri()
    excerpts = "" if way == "server" else "file:///|net::ERR_FAILED|^Failed to fetch$"
    with opened(browser, f"{base}/search.html?q=gumbel", base, may_fail=excerpts) as shown:
        shown.wait_for_selector("li a[href*='05_the_sampling_loop']")


@pytest.mark.parametrize("page", FEW)
def test_a_page_opens_from_a_folder(browser, page):
    base = BUILT.as_uri()
    with opened(browser, f"{base}/{page}", base) as shown:
        _, silent = shown.evaluate(PLAYED)
        assert not silent
        colour = shown.evaluate("() => getComputedStyle(document.body).fontFamily")
        assert "serif" in colour, "the style sheet was not found"


def test_a_notebook_can_be_loaded_down_as_it_is():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert (BUILT / "_sources" / "notebooks" / path.name).read_bytes() == path.read_bytes()


def test_predictions_are_folded():
    text = (BUILT / "notebooks" / "00_hear_it.html").read_text()
    asked = json.loads((ROOT / "notebooks" / "00_hear_it.ipynb").read_text())
    held = sum("<details><summary>Decide first" in json.dumps(cell.get("outputs", "")) for cell in asked["cells"])
    assert held >= 3 and text.count("<details><summary>Decide first") == held
