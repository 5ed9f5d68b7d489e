"""`vampkit lab --copy`: a folder of one's own is laid out, brought up to date, and never loses what its owner did."""

import json
import os
import signal
import subprocess
import sys

import pytest

from vampkit import VampkitError, cli
from vampkit.cli import copying
from vampkit.cli.copying import LIST, lay_out, notebooks_folder


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    for name, text in {
        "00_a.ipynb": "a",
        "01_b.ipynb": "b",
        "images/x.png": "x",
        "conftest.py": "no",
        "course/masters/hw1.ipynb": "answers",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def texts(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != LIST)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_the_notebooks_of_this_vampkit_are_laid_with_what_they_show(tmp_path, capsys):
    cli.main(["lab", "--copy", str(tmp_path / "mine"), "--no-open"])
    ours = {path.name for path in notebooks_folder().glob("*.ipynb")}
    assert {path.name for path in (tmp_path / "mine").glob("*.ipynb")} == ours and len(ours) >= 16
    assert (tmp_path / "mine" / "bibliography.md").is_file() and not (tmp_path / "mine" / "conftest.py").exists()
    assert f"{len(copying._files(notebooks_folder()))} new" in capsys.readouterr().out


def test_laid_again_nothing_changes(source, tmp_path):
    assert sorted(lay_out(tmp_path / "mine", source).new) == ["00_a.ipynb", "01_b.ipynb", "images/x.png"]
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "mine").rglob("*.ipynb")}
    again = lay_out(tmp_path / "mine", source)
    assert len(again.same) == 3 and not (again.new or again.updated or again.kept)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "mine").rglob("*.ipynb")} == before


def test_an_update_reaches_what_is_untouched_and_leaves_what_was_changed(source, tmp_path, capsys, monkeypatch):
    mine = tmp_path / "mine"
    lay_out(mine, source)
    (mine / "00_a.ipynb").write_text("my answer")
    (mine / "notes.txt").write_text("mine")
    for name in ("00_a.ipynb", "01_b.ipynb"):
        (source / name).write_text(f"new {name}")
    (source / "02_c.ipynb").write_text("c")
    monkeypatch.setattr(copying, "notebooks_folder", lambda: source)
    cli.main(["lab", "--copy", str(mine), "--no-open"])
    assert texts(mine) == {
        "00_a.ipynb": "my answer",
        "01_b.ipynb": "new 01_b.ipynb",
        "02_c.ipynb": "c",
        "images/x.png": "x",
        "notes.txt": "mine",
    }
    said = capsys.readouterr().out
    assert "kept 00_a.ipynb, which is yours" in said and "1 new, 1 brought up to date, 1 as before, 1 kept" in said
    assert lay_out(mine, source).kept == ["00_a.ipynb"], "it is still the student's the next time"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"files": 3}', None])
def test_without_a_list_everything_there_is_kept(source, tmp_path, damage):
    mine = tmp_path / "mine"
    lay_out(mine, source)
    (mine / "00_a.ipynb").write_text("older")
    if damage is None:
        (mine / LIST).unlink()
    else:
        (mine / LIST).write_text(damage)
    assert lay_out(mine, source).kept == ["00_a.ipynb"]
    assert json.loads((mine / LIST).read_text())["files"].keys() == {"01_b.ipynb", "images/x.png"}


def test_what_is_no_plain_file_is_kept(source, tmp_path):
    mine = tmp_path / "mine"
    (mine / "00_a.ipynb").mkdir(parents=True)
    os.symlink(tmp_path / "nowhere", mine / "01_b.ipynb")
    assert lay_out(mine, source).kept == ["00_a.ipynb", "01_b.ipynb"]


def test_a_deleted_notebook_comes_back(source, tmp_path):
    lay_out(tmp_path / "mine", source)
    (tmp_path / "mine" / "01_b.ipynb").unlink()
    assert lay_out(tmp_path / "mine", source).new == ["01_b.ipynb"]


def test_folders_that_cannot_serve_get_a_sentence(source, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(VampkitError, match="choose another path|choose a folder|a file, not a folder"):
        lay_out(tmp_path / "file", source)
    for own in (source, source / "inside"):
        with pytest.raises(VampkitError, match="where the notebooks come from"):
            lay_out(own, source)


def test_without_notebooks_there_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(copying, "notebooks_folder", lambda: None)
    with pytest.raises(VampkitError, match="install a wheel"):
        lay_out(tmp_path / "mine")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_the_lab_ends_with_the_command_that_began_it(tmp_path, name):
    """In place of JupyterLab stands a program that says it is there, and leaves a file when it is asked to end."""
    (tmp_path / "jupyterlab.py").write_text(
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        "    pathlib.Path('ended').touch()\n"
        "    sys.exit(3)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    words = [sys.executable, "-m", "vampkit.cli", "lab"]
    options = dict(cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, stdout=subprocess.PIPE, text=True)
    # A run in the background ignores Ctrl-C, and its children would, too.
    options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(words, **options) as lab:
        assert any("ready" in line for line in lab.stdout)
        lab.send_signal(getattr(signal, name))
        assert lab.wait(timeout=30) == 3
    assert (tmp_path / "ended").exists()
