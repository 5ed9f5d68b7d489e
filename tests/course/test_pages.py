"""What a course hands out beside homework: students' versions, minutes, answers, slides. otter-grader is not needed."""

import importlib.util
import json
import re
import sys
import zipfile
from pathlib import Path

import pytest

from tests.course.masters import FOLDER, HOMEWORK, PROJECTS, questions, read, solutions, text
from tests.test_notebooks import DOWNLOADS, MACHINE_PATHS
from vampkit.check.grades import worth

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9a][0-9]_*.ipynb"))
MASTERS = [*HOMEWORK, *PROJECTS]


def script(name):
    spec = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


course, slides = script("course"), script("slides")


def test_there_are_six_homeworks_and_three_projects():
    assert [path.stem[:3] for path in HOMEWORK] == [f"hw{n}" for n in range(1, 7)]
    assert [path.stem[:8] for path in PROJECTS] == [f"project{n}" for n in range(1, 4)]


@pytest.mark.parametrize("path", MASTERS, ids=lambda p: p.stem)
def test_a_students_version_poses_what_the_master_does_and_gives_no_answer_away(path):
    student = read(FOLDER.parent / path.name)
    code = [text(c) for c in student["cells"] if c["cell_type"] == "code"]
    everything = json.dumps(student, ensure_ascii=False)
    posed = [text(c).rpartition("-->\n\n")[2] for c in student["cells"]]
    assert all(text(cells[0]) in posed for _, cells in questions(path))
    for name, solution in solutions(path).items():
        (stub,) = [c for c in code if f"def {name}(" in c]
        assert stub.rstrip().endswith("raise NotImplementedError") and len(stub.splitlines()) == 2
        assert solution.strip().splitlines()[-1] not in stub
    assert (
        not re.search(r"hidden=(True|\d)", everything)
        and "**SOLUTION**" not in everything
        and "BEGIN" not in "".join(code)
    )
    assert all(not c["outputs"] for c in student["cells"] if c["cell_type"] == "code")


def test_columns_of_grades_are_in_the_order_of_the_tasks(tmp_path):
    path, names = tmp_path / "autograder.zip", [settings["name"] for settings, _ in questions(HOMEWORK[1])]
    tested = [name for name in names if name in solutions(HOMEWORK[1])]
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(tested):
            archive.writestr(f"tests/{name}.py", f'name = "{name}"\npoints = 1\n')
        archive.writestr("setup.sh", "set -e")
    course.in_order(path, HOMEWORK[1])
    assert list(worth(path)) == tested != sorted(tested)
    assert zipfile.ZipFile(path).read("setup.sh") == b"set -e"


@pytest.mark.parametrize("path", MASTERS, ids=lambda p: p.stem)
def test_a_master_installs_nothing_leads_somewhere_and_fits_a_page(path):
    cells = read(path)["cells"]
    code = "\n".join(text(c) for c in cells if c["cell_type"] == "code")
    prose = "\n".join(text(c) for c in cells if c["cell_type"] == "markdown")
    assert not re.search(DOWNLOADS, code) and not re.search(MACHINE_PATHS, code)
    assert re.search(r"\bSEED = \d+", code) and "*Cost:*" in prose and "*You need:*" in prose
    for target in re.findall(r"\]\(([\w./]+\.(?:ipynb|md))\)", prose):
        assert (FOLDER.parent / target).exists(), target
    long = [line for line in code.splitlines() if len(line) > 110]
    assert not long, long
    assert path.stat().st_size < 40_000


@pytest.mark.parametrize("page", sorted(FOLDER.parent.glob("*.md")), ids=lambda p: p.stem)
def test_links_of_the_guide_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_guide_names_the_minutes_that_the_homework_names():
    guide = (FOLDER.parent / "guide.md").read_text(encoding="utf-8")
    for path in HOMEWORK:
        minutes = sum(int(re.search(r"· (\d+) minutes", text(cells[0]))[1]) for _, cells in questions(path))
        (row,) = [line for line in guide.splitlines() if line.startswith("|") and path.name in line]
        assert row.rstrip(" |").endswith(f"| 20 | {minutes}"), row


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_section_has_minutes_and_every_closing_question_an_answer(path):
    parts = course.sections(path)
    prose = "\n".join(text(c) for c in read(path)["cells"] if c["cell_type"] == "markdown")
    assert len(parts) == 1 + len(re.findall(r"(?m)^## ", prose)) and all(1 <= minutes <= 60 for _, minutes in parts)
    asked = course.questions(path)
    assert len(asked) == len(re.findall(r"(?m)^\d+\. ", prose.partition("## Questions")[2])) >= 3
    assert all(question and told and "<" not in told for question, told in asked)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_deck_has_a_title_pictures_and_what_to_remember(path):
    cells = slides.deck(path).cells
    prose = [c.source for c in cells if c.cell_type == "markdown"]
    assert prose[0].startswith("# ") and prose[-1].startswith("**To remember.**")
    assert 6 <= len(prose) <= 40 and sum(c.cell_type == "code" for c in cells) >= 5
    assert all(len(part.split()) <= 220 for part in prose), "a slide is too full"
    assert not re.search(r"\]\((?!https?:)", "\n".join(prose)), "a link leads to a file that lies elsewhere"
    assert not any(c.cell_type == "code" and c.source for c in cells)
    assert not any("Your turn" in part for part in prose)
