"""What a course hands out, made from its masters by otter-grader: `python .ci/course.py build/course [--update]`.

student/ holds the notebooks for students, solutions/ those with answers, autograder/ the zips for
`python -m vampkit.check.grading`. The students' versions stand in notebooks/course as well, so that nobody needs
otter-grader to read them: they must be those that the masters make; --update writes them anew.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

COURSE = Path(__file__).parents[1] / "notebooks" / "course"


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
    return out / "student" / master.name


def main(out: str, update: bool) -> None:
    """Build all, and compare or update the students' versions in the repository."""
    masters, stale = sorted((COURSE / "masters").glob("*.ipynb")), []
    for master in masters:
        made, kept = build(master, Path(out)), COURSE / master.name
        if update:
            shutil.copy(made, kept)
        elif not kept.exists() or made.read_bytes() != kept.read_bytes():
            stale.append(master.stem)
    print(f"{len(masters)} masters: student, solutions and autograder in {out}")
    if stale:
        sys.exit(f"notebooks/course is not what the masters make: {', '.join(stale)}; run .ci/course.py {out} --update")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    main(sys.argv[1] if len(sys.argv) > 1 else "build/course", "--update" in sys.argv)
