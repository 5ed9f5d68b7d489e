"""What every notebook keeps to.

Size, rhythm, prose, and nothing that would fail elsewhere. Their outputs are compared by nbval.
"""

import ast
import json
import re
import statistics
from itertools import pairwise
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9a][0-9]_*.ipynb"))
LIMIT = 1_500_000
DOWNLOADS = (
    r"\bpip3? install|\bconda install|\bapt(-get)? |\bwget\b|\bcurl\b|https?://|urllib|requests\."
    r"|hf_hub_download|git clone"
)
MACHINE_PATHS = r"""(?<![\w.\]}])/(home|root|tmp|usr|opt|mnt|work|Users|var)/|[A-Z]:\\\\?(?!n)\w"""

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def text(part):
    return part if isinstance(part, str) else "".join(part)


def cells(path, kind):
    return [c for c in read(path)["cells"] if c["cell_type"] == kind]


def lines(cell):
    return [line for line in text(cell["source"]).splitlines() if line.strip()]


def printed(path):
    """All text among the outputs: streams, plain text and error messages."""
    for cell in cells(path, "code"):
        for output in cell["outputs"]:
            yield text(output.get("text", ""))
            yield text(output.get("data", {}).get("text/plain", ""))
            yield text(output.get("traceback", ""))


def test_cells_are_many_and_short(path):
    code = [len(lines(c)) for c in cells(path, "code")]
    assert 25 <= len(read(path)["cells"]) <= 70
    assert statistics.median(code) <= 6
    assert max(code) <= 25
    assert min(code) >= 1


def test_prose_keeps_pace_with_code(path):
    words = sum(len(text(c["source"]).split()) for c in cells(path, "markdown"))
    code = sum(len(lines(c)) for c in cells(path, "code"))
    assert 5 <= words / code <= 10, f"{words} words for {code} lines of code: {words / code:.1f} a line"


def test_opens_with_a_promise_and_a_cost_and_ends_with_its_provenance(path):
    found = read(path)["cells"]
    first = text(found[0]["source"])
    assert first.startswith(f"# {path.stem[:2]} · ")
    assert "After this notebook you can" in " ".join(first.split()) and "*Cost:*" in first
    assert "__version__" in text(found[-1]["source"]) and "codec" in text(found[-1]["source"])


def test_leads_on_back_and_to_the_bibliography(path):
    """Each notebook ends with ways on or back; every work that it links to stands in the bibliography."""
    prose = "\n".join(text(c["source"]) for c in cells(path, "markdown"))
    end = text(cells(path, "markdown")[-1]["source"])
    assert "(bibliography.md)" in end and re.search(r"\]\(\w+\.ipynb\)", end)
    assert path.stem[:2] == "00" or "Back" in end
    listed = (FOLDER / "bibliography.md").read_text(encoding="utf-8")
    works = re.findall(r"\]\((https?://(?:arxiv|doi)[^)]+)\)", prose)
    assert all(work in listed for work in works)
    for target in re.findall(r"\]\(([\w./]+\.(?:ipynb|md|png))\)", prose):
        assert (FOLDER / target).exists(), f"{target} is linked to, and is not there"


def test_sections_are_numbered_without_a_gap(path):
    numbers = [
        int(n) for cell in cells(path, "markdown") for n in re.findall(r"(?m)^## (\d+) · ", text(cell["source"]))
    ]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 5


def test_every_task_is_told_before_its_cell(path):
    for before, cell in pairwise(read(path)["cells"]):
        if cell["cell_type"] == "code" and "raise NotImplementedError" in text(cell["source"]):
            told = re.findall(r"\*\*[^*]+\*\* \((?:easy|medium|hard), \d+ minutes\)", text(before["source"]))
            asked = text(cell["source"]).count("raise NotImplementedError")
            assert before["cell_type"] == "markdown" and len(told) == asked, text(cell["source"])


def test_asserts_what_it_claims(path):
    code = "\n".join(text(c["source"]) for c in cells(path, "code"))
    assert len(re.findall(r"^\s*assert ", code, re.MULTILINE)) >= 5
    assert re.search(r"\bSEED = \d+", code)


def test_nothing_is_installed_fetched_or_tied_to_a_machine(path):
    code = "\n".join(text(c["source"]) for c in cells(path, "code"))
    assert not re.search(DOWNLOADS, code)
    assert not re.search(r"^\s*[!%]", code, re.MULTILINE), "shell lines and magics are no Python"
    for part in (code, *printed(path)):
        assert not re.search(MACHINE_PATHS, part), part[:300]


def test_outputs_are_committed_and_clean(path):
    assert path.stat().st_size < LIMIT
    notebook = read(path)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "widgets" not in notebook["metadata"], "widget state is saved in it"
    code = cells(path, "code")
    assert [c["execution_count"] for c in code] == list(range(1, len(code) + 1)), "run it from top to bottom and save"
    kinds = [o["output_type"] for c in code for o in c["outputs"]]
    assert len(kinds) >= len(code) // 3
    assert "error" not in kinds
    assert not any(o.get("name") == "stderr" for c in code for o in c["outputs"]), "warnings stand in the outputs"
    for cell in code:
        names = [o.get("name") for o in cell["outputs"]]
        assert not any(a == b == "stdout" for a, b in pairwise(names)), "what a cell prints is in pieces; make outputs"


def test_players_and_pictures_come_with_a_printed_fact(path):
    for cell in cells(path, "code"):
        if "vk.listen(" in text(cell["source"]):
            stream = "".join(text(o.get("text", "")) for o in cell["outputs"])
            assert re.search(r"\d s, peak -?[\d.]+ dBFS, loudness -?[\d.]+ LUFS", stream)


SHOWN_LAST = ("listen", "Prediction", "Explorer", "bars", "curves", "matrices", "sheet")


def test_what_a_cell_shows_is_its_last_expression(path):
    """Jupyter shows the value of the last expression alone: a player made before it would not be seen."""
    lost = []
    for cell in cells(path, "code"):
        for statement in ast.parse(text(cell["source"])).body[:-1]:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                called = statement.value.func
                if getattr(called, "attr", getattr(called, "id", "")) in SHOWN_LAST:
                    lost.append(cell["id"])
    assert not lost, f"what cells {lost} make is not shown"


def test_the_code_of_a_question_is_folded(path):
    """It holds the answer. JupyterLab folds by the first mark, the site by the second."""
    for cell in cells(path, "code"):
        asks = re.search(r"(?m)^Prediction\(", text(cell["source"])) is not None
        marks = cell["metadata"].get("jupyter", {}).get("source_hidden", False), cell["metadata"].get("tags", [])
        assert marks[0] == asks and ("hide-input" in marks[1]) == asks, cell["id"]


STILLS = ("image/png", "image/svg+xml")
PLOTLY, WIDGET = "application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"


def without_scripts(page):
    """HTML as a page shows it that strips scripts, styles and sound (GitHub, for one)."""
    return re.sub(r"<(script|style|audio)\b.*?</\1>", "", page, flags=re.DOTALL)


def test_every_figure_player_and_widget_has_a_still(path):
    """A page without scripts shows a picture in place of each figure, player and widget."""
    blank = []
    for number, cell in enumerate(read(path)["cells"]):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            page = text(data.get("text/html", ""))
            alive = PLOTLY in data or WIDGET in data or "<script" in page or "<audio" in page
            inline = re.search(r'<svg\b|<img\b[^>]*src="data:image/(png|svg)', without_scripts(page))
            if alive and not inline and not any(kind in data for kind in STILLS):
                blank.append(number)
    assert not blank, f"cells {blank} show nothing where scripts are stripped"


def test_every_figure_has_a_title_and_axis_titles(path):
    """Of several panels one may name an axis for all; a figure without visible axes has none to name."""
    bare = []
    for number, cell in enumerate(read(path)["cells"]):
        for layout in (o["data"][PLOTLY]["layout"] for o in cell.get("outputs", []) if PLOTLY in o.get("data", {})):
            sides = [[v for name, v in layout.items() if re.match(side, name)] for side in ("xaxis", "yaxis")]
            shown = [[axis for axis in side if axis.get("visible", True)] for side in sides]
            titled = [not side or any(axis.get("title", {}).get("text") for axis in side) for side in shown]
            if not layout.get("title", {}).get("text") or not all(titled):
                bare.append(number)
    assert not bare, f"figures of cells {bare} lack a title or the title of an axis"


def test_code_fits_a_page(path):
    long = [line for c in cells(path, "code") for line in lines(c) if len(line) > 100]
    assert not long, f"{len(long)} lines of code are cut off on a page, at most 100 columns were expected: {long[:3]}"


def test_sound_is_kept_from_allowed_clips_only(path):
    """Sound saved in a notebook comes from clips 01 to 05 and from composed pieces."""
    code = "\n".join(text(c["source"]) for c in cells(path, "code"))
    for name in re.findall(r"""load_clip\(\s*["']([^"']+)""", code):
        assert name[:2] in ("01", "02", "03", "04", "05") or name.startswith("composed"), name
