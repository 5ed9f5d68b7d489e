"""Grade notebooks of students with otter-grader, each in a sandbox, without network.

    python -m vampkit.check.grading AUTOGRADER.zip FOLDER_OR_NOTEBOOKS --to grades

Each notebook is copied to a folder of its own and run there by bubblewrap (`bwrap`): all else can only be read, there
is no network, and processes, memory, sizes of files and time are limited. Needs the extra `grading`. See
notebooks/course/grading.md for what is not bounded.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from vampkit.check.grades import Grade, assignment, feedback, headings, read_results, worth, write_csv
from vampkit.errors import VampkitError
from vampkit.files import written


@dataclass(frozen=True)
class Limits:
    """What a notebook may use.

    Parameters
    ----------
    seconds : float
        For the whole notebook with its tests.
    cell_seconds : int
        For one cell; then it is interrupted and the next one runs.
    memory : float
        GiB of address space of each process. PyTorch alone reserves about 4.
    file : float
        GiB of the largest file it may write.
    threads : int, optional
        Threads of one computation. If left out, the environment's OMP_NUM_THREADS, or as many as there are cores for
        each of the notebooks that are graded at the same time: more would wait for each other.
    """

    seconds: float = 300.0
    cell_seconds: int = 90
    memory: float = 12.0
    file: float = 0.25
    threads: int | None = None


def grade(
    autograder: str | os.PathLike,
    notebook: str | os.PathLike,
    limits: Limits = Limits(),  # noqa: B008  (frozen)
    sandbox: bool = True,
) -> Grade:
    """Grade one notebook.

    Parameters
    ----------
    autograder : str or PathLike
        The zip that `otter assign` made of the master.
    notebook : str or PathLike
        A student's notebook. It is copied; the file itself is only read.
    limits : Limits
        What it may use.
    sandbox : bool
        Run it in bubblewrap. Without, it can write, delete and send whatever you can: only where the whole machine is
        thrown away afterwards.

    Returns
    -------
    Grade
        The points. A notebook that does not run to its end has 0 and a note.

    Raises
    ------
    VampkitError
        If otter-grader or bubblewrap is missing, or the autograder is not one.
    FileNotFoundError
        If a file is missing.
    """
    autograder, notebook = _existing(autograder), _existing(notebook)
    possible = worth(autograder)
    titles, unread = headings(autograder)
    result = Grade(notebook.name, dict.fromkeys(possible, 0.0), possible, titles=titles, unread=unread)
    with tempfile.TemporaryDirectory(prefix="vampkit-grading-") as name:
        work = Path(name)
        copy = work / "in" / "submission.ipynb"
        for folder in ("in", "out", "home", "tmp"):
            (work / folder).mkdir()
        try:
            content = _prepared(notebook)
        except ValueError as error:
            result.note = f"it is no notebook: {error}"
            return result
        mine, theirs = _assignment(content), assignment(autograder)
        if mine and theirs and mine != theirs:
            result.note = f"it is {mine}, {theirs} was expected"
            return result
        copy.write_text(json.dumps(content), encoding="utf-8")
        shutil.copy(autograder, work / "in" / "autograder.zip")
        began = time.monotonic()
        note = _run(work, limits, sandbox)
        result.seconds = time.monotonic() - began
        read_results(work / "out" / "results.json", result, note)
    return result


def grade_all(
    autograder: str | os.PathLike,
    notebooks: Sequence[str | os.PathLike],
    to: str | os.PathLike,
    limits: Limits = Limits(),  # noqa: B008  (frozen)
    sandbox: bool = True,
    jobs: int = 1,
) -> list[Grade]:
    """Grade notebooks; write grades.csv and a page of feedback for each.

    Parameters
    ----------
    autograder : str or PathLike
        The zip that `otter assign` made of the master.
    notebooks : sequence of str or PathLike
        Notebooks, or folders of them.
    to : str or PathLike
        Folder for the results. grades.csv has a row a notebook: points by task, total, possible, seconds, note.
        Notebooks found in a folder are named with the folders between, which may be the students' names.
    limits : Limits
        What each may use.
    sandbox : bool
        See `grade`.
    jobs : int
        How many are graded at the same time.

    Returns
    -------
    list of Grade
        In the order of the rows.

    Raises
    ------
    VampkitError, FileNotFoundError
        See `grade`; also if there are no notebooks.
    """
    named = _named(notebooks)
    if not named:
        raise VampkitError(f"no notebooks are in {', '.join(map(str, notebooks))}, .ipynb files were expected")
    if limits.threads is None and jobs > 1 and "OMP_NUM_THREADS" not in os.environ:
        limits = replace(limits, threads=max(1, (os.cpu_count() or 1) // jobs))
    folder, grades = Path(to), []
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        graded = pool.map(lambda path: grade(autograder, path, limits, sandbox), named.values())
        for name, latest in zip(named, graded, strict=True):
            latest.notebook = name
            grades.append(latest)
            points = f"{latest.total:g} of {sum(latest.possible.values()):g} points"
            print(f"{name}: {points} {latest.note}".rstrip(), flush=True)
            with written(folder / Path(name).with_suffix(".txt")) as part:
                part.write_text(feedback(latest), encoding="utf-8")
            with written(folder / "grades.csv") as part:
                write_csv(part, grades)
    return grades


def _named(given: Sequence[str | os.PathLike]) -> dict[str, Path]:
    """The notebooks by name: below a folder the path from there, else the file's name; longer where two are alike.

    Copies that Jupyter keeps are left out.
    """
    found: list[tuple[str, Path]] = []
    for path in map(Path, given):
        inside = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        kept = [notebook for notebook in inside if ".ipynb_checkpoints" not in notebook.parts]
        found += [(n.relative_to(path).as_posix() if path.is_dir() else n.name, n) for n in kept]
    if len({name for name, _ in found}) < len(found):
        whole = [path.resolve() for _, path in found]
        top = os.path.commonpath([path.parent for path in whole])
        found = [(path.relative_to(top).as_posix(), path) for path in whole]
    return dict(found)


def _existing(path: str | os.PathLike) -> Path:
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}, a notebook or an autograder zip was expected")
    return path


def _prepared(path: Path) -> dict:
    """A notebook's content, to be run by the Python that grades. Raises ValueError for other files."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ValueError("it has no cells")
    notebook.setdefault("metadata", {})["kernelspec"] = dict(name="python3", language="python", display_name="Python 3")
    return notebook


def _assignment(notebook: dict) -> str:
    """The name of the homework that otter-grader wrote into a student's notebook, "" if it is gone."""
    about = notebook["metadata"].get("otter")
    name = about.get("assignment_name") if isinstance(about, dict) else ""
    return name if isinstance(name, str) else ""


def _command(work: Path, limits: Limits, sandbox: bool) -> list[str]:
    inside = [sys.executable, "-m", "vampkit.check.inside"]
    inside += [str(work / "in" / "submission.ipynb"), str(work / "in" / "autograder.zip"), str(work / "out")]
    inside += [str(limits.cell_seconds), str(limits.memory), str(limits.file)]
    if not sandbox:
        return inside
    if not (bwrap := shutil.which("bwrap")):
        raise VampkitError(
            "bubblewrap is not installed, the command bwrap was expected; install it (Debian: bubblewrap), or pass "
            "--no-sandbox on a machine that is thrown away afterwards"
        )
    walls = [bwrap, "--ro-bind", "/", "/", "--tmpfs", "/tmp", "--dev", "/dev", "--proc", "/proc"]
    for code in {Path(__file__).parents[2], Path(sys.prefix)}:  # readable also where they lie in /tmp
        walls += ["--ro-bind", str(code), str(code)]
    return [*walls, "--bind", str(work), str(work), "--unshare-all", "--die-with-parent", "--new-session", *inside]


def _environment(work: Path, limits: Limits) -> dict[str, str]:
    """Nothing of the instructor's own environment but what Python needs."""
    kept = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "OMP_NUM_THREADS", "OMP_WAIT_POLICY")
    own = {"HOME": "home", "TMPDIR": "tmp", "VAMPKIT_CACHE": "home/cache", "IPYTHONDIR": "home/ipython"}
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    if limits.threads is not None:
        environment["OMP_NUM_THREADS"] = str(limits.threads)
    return environment | {name: str(work / folder) for name, folder in own.items()}


def _run(work: Path, limits: Limits, sandbox: bool) -> str:
    """Run otter-grader. Returns a note where it did not come to its end."""
    process = subprocess.Popen(
        _command(work, limits, sandbox),
        cwd=work,
        env=_environment(work, limits),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=limits.seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        return f"it was stopped after {limits.seconds:g} s"
    if process.returncode:
        last = output.decode("utf-8", "replace").strip().splitlines()[-1:] or ["nothing was printed"]
        if "No module named" in last[0]:
            raise VampkitError(f'the grader cannot start ({last[0]}); pip install "vampkit[grading]"')
        if last[0].startswith("bwrap:"):
            raise VampkitError(
                f"bubblewrap cannot make a sandbox here ({last[0]}); grade where it can, or pass --no-sandbox"
            )
        return f"the grader stopped: {last[0][:200]}"
    return ""


def _end(process: subprocess.Popen) -> None:
    """End a process and all that it started. In the sandbox the kernel ends them with it."""
    import psutil

    try:
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        family = []
    for member in family:
        try:
            member.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        except psutil.NoSuchProcess:
            continue
    process.communicate()


def main(
    autograder: Path,
    notebooks: list[Path],
    /,
    to: Path = Path("grades"),
    seconds: float = Limits.seconds,
    cell_seconds: int = Limits.cell_seconds,
    memory: float = Limits.memory,
    sandbox: bool = True,
    jobs: int = 1,
) -> None:
    """Grade notebooks in a sandbox and write grades.csv.

    Parameters
    ----------
    autograder : Path
        The zip that otter assign made.
    notebooks : list of Path
        Notebooks or folders of them.
    to : Path
        Folder for grades.csv and the feedback.
    seconds : float
        Limit for a whole notebook.
    cell_seconds : int
        Limit for a cell.
    memory : float
        GiB of address space.
    sandbox : bool
        Run each in bubblewrap.
    jobs : int
        How many are graded at the same time.
    """
    grade_all(autograder, notebooks, to, Limits(seconds, cell_seconds, memory), sandbox, jobs)


if __name__ == "__main__":
    import tyro

    try:
        tyro.cli(main)
    except (VampkitError, FileNotFoundError) as error:
        sys.exit(str(error))
