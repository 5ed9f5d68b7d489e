"""Every number in the prose of a notebook has a source: a cell that prints or sets it, a named benchmark, the paper."""

import html
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("[0-9a][0-9]_*.ipynb"))
SMALL = 12  # whole numbers up to this count things in sight
NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|[.,]\d)")
NO_FIGURE = (
    r"```.*?```",
    r"`[^`]*`",  # code
    r"\$\$.*?\$\$|\$[^$\n]*\$",  # formulas
    r"\]\([^)]*\)",  # where a link leads
    r"<[^>]*>",
    r"^#+ .*$",  # headings carry the number of their section
    r"^\s*\d+\. ",  # lists
    r"\b(?:[Ss]ections?|[Nn]otebooks?|[Ee]quations?|[Ff]igures?|[Tt]ables?|[Cc]ells?|[Kk]eys?|[Qq]uestions?|[Cc]lips?"
    r"|[Ll]ayers?|[Cc]odebooks?|[Ff]rames?|[Pp]ass(?:es)?|[Pp]arts?|[Cc]hapter)\s+[\d.]+"
    r"(?:(?:,| and| to| or)\s+[\d.]+)*",
    r"\b(?:19|20)\d\d\b",  # years
    r"\barXiv[: ][\d.]+",
    r"\((?:easy|medium|hard), \d+ minutes\)",  # of exercises
    r"\[\d\d(?: · [^\]]*)?\]",  # names of notebooks in links
)
"""What is no figure: numbers that name or count places in a text."""

SOURCED = re.compile(r"tests[./]bench|data/models/|\b[Pp]aper\b|et al\.|benchmark", re.DOTALL)
"""A paragraph that names one of these names the source of its numbers."""


def text(part):
    return part if isinstance(part, str) else "".join(part)


def as_numbers(words):
    return {float(found.replace(",", "")) for found in re.findall(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?", words)}


def sources(cells):
    """All numbers that code cells hold or print, and that their figures and widgets show as text."""
    found = set()
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        found |= as_numbers(text(cell["source"]).replace("_", ""))
        for output in cell["outputs"]:
            data = output.get("data", {})
            shown = [text(output.get("text", "")), text(data.get("text/plain", ""))]
            figure = data.get("application/vnd.plotly.v1+json", {})
            layout = figure.get("layout", {})
            shown += [json.dumps(layout.get(key, "")) for key in ("title", "annotations", "xaxis", "yaxis")]
            shown += [str(trace.get("name", "")) for trace in figure.get("data", [])]
            for words in shown:
                found |= as_numbers(words.replace("−", "-"))
    return found


def has_source(word, follows_percent, found):
    """Whether a number is among those found, or is one of them rounded, or is one as a percentage."""
    value, digits = float(word.replace(",", "")), len(word.partition(".")[2])
    candidates = [value] + ([value / 100] if follows_percent else [])
    if any(candidate in found for candidate in candidates):
        return True
    # Rounded in the text: 3.41 is printed and 3.4 is told; whole numbers count only where they are large.
    near = {round(n, digits) for n in found if digits or n >= 100} if not follows_percent else set()
    percents = {round(100 * n, digits) for n in found if n <= 1} | {round(n, digits) for n in found}
    return value in (percents if follows_percent else near)


def unsourced(cells):
    """(cell, number, where it stands) for each number in prose without a source."""
    found, missing = sources(cells), []
    for place, cell in enumerate(cells):
        if cell["cell_type"] != "markdown":
            continue
        for block in re.split(r"\n\s*\n", text(cell["source"])):
            if SOURCED.search(block):
                continue
            for pattern in NO_FIGURE:
                block = re.sub(pattern, " ", html.unescape(block), flags=re.DOTALL | re.MULTILINE)
            for match in NUMBER.finditer(block):
                percent = bool(re.match(r"\s*(?:%|percent)", block[match.end() :]))
                word = match[0]
                if not percent and "." not in word and float(word.replace(",", "")) <= SMALL:
                    continue
                if not has_source(word, percent, found):
                    around = " ".join(block[max(0, match.start() - 40) : match.end() + 30].split())
                    missing.append((place, word, around))
    return missing


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_number_in_prose_has_a_source(path):
    missing = unsourced(json.loads(path.read_text(encoding="utf-8"))["cells"])
    lines = "\n".join(f"cell {place}: {word} in '… {around} …'" for place, word, around in missing)
    assert not missing, f"print these in a cell, or name their source in the paragraph:\n{lines}"


@pytest.mark.parametrize(
    "prose, code, printed, count",
    [
        ("The gain is 3.4 dB.", "gain", "gain 3.41 dB", 0),
        ("The gain is 3.5 dB.", "gain", "gain 3.41 dB", 1),
        ("It is 94 % of them.", "share", "0.938", 0),
        ("It is 95 % of them.", "share", "0.938", 1),
        ("A second has 44,100 samples.", "RATE = 44_100", "", 0),
        ("A second has 48,000 samples.", "RATE = 44_100", "", 1),
        ("Section 14.5 and notebook 15 say so, three times.", "1", "", 0),
        ("The paper trains on 797,000 tracks.", "1", "", 0),
        ("```\n123456\n```\nand `9999`, $x = 777$", "1", "", 0),
    ],
)
def test_a_number_without_a_source_is_found(prose, code, printed, count):
    outputs = [{"output_type": "stream", "text": printed}]
    cells = [{"cell_type": "markdown", "source": prose}, {"cell_type": "code", "source": code, "outputs": outputs}]
    assert len(unsourced(cells)) == count
