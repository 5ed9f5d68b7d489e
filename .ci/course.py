"""What a course hands out, made from its masters by otter-grader: `python .ci/course.py build/course [--update]`.

student/ holds the notebooks for students, solutions/ those with answers, autograder/ the zips for
`python -m vampkit.check.grading`; plan.md has the minutes of every section of the notebooks, answers.md their closing
questions with answers. The students' versions stand in notebooks/course as well, so that nobody needs otter-grader to
read them: they must be those that the masters make; --update writes them anew.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import nbformat
import yaml

from vampkit.check.grades import HEADINGS

COURSE = Path(__file__).parents[1] / "notebooks" / "course"
WORDS, LINES, PLAYER, FIGURE = 130, 12, 1.0, 0.5
"""Words and lines of code read in a minute, minutes for a player or a prediction, and for another figure: reckoned, not
timed with students. Tasks take the minutes that they name."""


def sections(notebook: Path) -> list[tuple[str, int]]:
    """Headings of a notebook's sections, and the minutes each takes, rounded up."""
    found: list[list] = [["opening", 0.0]]
    for cell in nbformat.read(notebook, 4).cells:
        if cell.cell_type == "code":
            found[-1][1] += sum(bool(line.strip()) for line in cell.source.splitlines()) / LINES
            shown = [kind for output in cell.outputs for kind in output.get("data", {})]
            alive = "vk.listen(" in cell.source or "Prediction(" in cell.source
            found[-1][1] += PLAYER if alive else FIGURE if "application/vnd.plotly.v1+json" in shown else 0
            continue
        for part in re.split(r"(?m)^(?=## )", cell.source):
            if part.startswith("## "):
                found.append([part.splitlines()[0][3:].strip(), 0.0])
            tasks = [int(n) for n in re.findall(r"\((?:easy|medium|hard), (\d+) minutes\)", part)]
            found[-1][1] += len(part.split()) / WORDS + sum(tasks)
    return [(name, max(1, -(-int(10 * minutes) // 10))) for name, minutes in found]


def questions(notebook: Path) -> list[tuple[str, str]]:
    """The closing questions of a notebook, with their answers."""
    prose = "\n".join(c.source for c in nbformat.read(notebook, 4).cells if c.cell_type == "markdown")
    asked = re.findall(
        r"(?ms)^\d+\. (.*?)\s*<details><summary>Answer</summary>(.*?)</details>", prose.partition("## Questions")[2]
    )
    return [(" ".join(q.split()), html.unescape(re.sub("</?code>", "`", " ".join(a.split())))) for q, a in asked]


def write_pages(out: Path) -> None:
    """plan.md and answers.md, from the notebooks themselves."""
    plan, answers = (
        ["# Minutes a section", "", "Reckoned from words, code, players and tasks, see .ci/course.py."],
        ["# Closing questions"],
    )
    for notebook in sorted(COURSE.parent.glob("[0-9a][0-9]_*.ipynb")):
        parts = sections(notebook)
        plan += ["", f"## {notebook.stem}: {sum(m for _, m in parts)} minutes", ""]
        plan += ["| section | minutes |", "| --- | --- |", *(f"| {name} | {minutes} |" for name, minutes in parts)]
        answers += ["", f"## {notebook.stem}", ""]
        answers += [f"{i}. {asked}\n   *{told}*" for i, (asked, told) in enumerate(questions(notebook), 1)]
    for name, lines in (("plan.md", plan), ("answers.md", answers)):
        (out / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def build(master: Path, out: Path) -> Path:
    """Make one master's three parts; returns the student's notebook."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "otter", "assign", "--no-run-tests", str(master), folder]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"otter assign refused {master.name}:\n{done.stderr}")
        for part, made, name in (
            ("student", Path(folder, "student", master.name), master.name),
            ("solutions", Path(folder, "autograder", master.name), master.name),
            ("autograder", next(Path(folder, "autograder").glob("*.zip")), f"{master.stem}.zip"),
        ):
            (out / part).mkdir(parents=True, exist_ok=True)
            shutil.copy(made, out / part / name)
    in_order(out / "autograder" / f"{master.stem}.zip", master)
    without_marks(out / "solutions" / master.name)
    return out / "student" / master.name


def tasks(master: Path) -> dict[str, tuple[dict, str]]:
    """Settings and heading of each task of a master, by name, in order."""
    found, cells = {}, nbformat.read(master, 4).cells
    for place, cell in enumerate(cells):
        if cell.cell_type == "raw" and cell.source.startswith("# BEGIN QUESTION"):
            settings = yaml.safe_load(cell.source)
            found[settings["name"]] = (settings, cells[place + 1].source.splitlines()[0].lstrip("# "))
    return found


def in_order(autograder: Path, master: Path) -> None:
    """Put the tests of an autograder in the order of the tasks, for the columns of grades, and add their headings."""
    found = tasks(master)
    order = {f"tests/{name}.py": place for place, name in enumerate(found)}
    about = {
        "titles": {name: heading for name, (_, heading) in found.items()},
        "unread": {heading: settings["points"] for settings, heading in found.values() if settings.get("manual")},
    }
    with zipfile.ZipFile(autograder) as archive:
        members = {info: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(autograder, "w", zipfile.ZIP_DEFLATED) as archive:
        for info in sorted(members, key=lambda info: order.get(info.filename, -1)):
            archive.writestr(info, members[info])
        archive.writestr(HEADINGS, json.dumps(about, ensure_ascii=False))


def without_marks(solution: Path) -> None:
    """Take otter-grader's marks, and what it puts into students' versions, out of a notebook with answers."""
    notebook = nbformat.read(solution, 4)
    for cell in notebook.cells:
        if cell.cell_type == "code" and "# BEGIN SOLUTION" in cell.source:
            kept = re.sub(r' *""" # BEGIN PROMPT.*?""" # END PROMPT\n?', "", cell.source, flags=re.DOTALL)
            cell.source = re.sub(r"(?m)^ *# (BEGIN|END) SOLUTION.*\n?", "", kept).rstrip()
    nbformat.write(notebook, solution)


def main(out: str, update: bool) -> None:
    """Build all, and compare or update the students' versions in the repository."""
    masters, stale = sorted((COURSE / "masters").glob("*.ipynb")), []
    for master in masters:
        made, kept = build(master, Path(out)), COURSE / master.name
        if update:
            shutil.copy(made, kept)
        elif not kept.exists() or made.read_bytes() != kept.read_bytes():
            stale.append(master.stem)
    write_pages(Path(out))
    print(f"{len(masters)} masters: student, solutions and autograder in {out}")
    if stale:
        sys.exit(f"notebooks/course is not what the masters make: {', '.join(stale)}; run .ci/course.py {out} --update")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    main(sys.argv[1] if len(sys.argv) > 1 else "build/course", "--update" in sys.argv)
