"""The project file, the conda file and the code agree with each other and with the rules of the house."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LINT_IMPORTS = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"


def test_conda_file_installs_the_project_and_nothing_twice():
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with the extra `dev`")
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    plain = [d for d in conda["dependencies"] if isinstance(d, str)]
    pip = next(d["pip"] for d in conda["dependencies"] if isinstance(d, dict))
    assert conda["channels"] == ["conda-forge"] and pip == ["-e .[dev]"]
    assert {re.split(r"[=<>]", d)[0] for d in plain} == {"python", "pip", "ffmpeg"}
    version = next(d for d in plain if d.startswith("python")).split("=")[-1]
    from packaging.specifiers import SpecifierSet

    assert version in SpecifierSet(PROJECT["requires-python"]) and "dev" in PROJECT["optional-dependencies"]


def test_constraints_fit_the_project():
    from packaging.requirements import Requirement

    wanted = {Requirement(r).name.lower().replace("_", "-"): Requirement(r) for r in PROJECT["dependencies"]}
    pins = [line.split("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()]
    pinned = dict(pin.split("==") for pin in pins if pin)
    pinned = {k.lower().replace("_", "-"): v.split(";")[0].strip() for k, v in pinned.items()}
    checked = [
        name for name, r in wanted.items() if name in pinned and r.specifier.contains(pinned[name], prereleases=True)
    ]
    assert "torch" in checked and len(checked) == sum(name in pinned for name in wanted)


EXTRA = {
    re.split(r"[<>=\[ ]", r)[0]
    for name, rows in PROJECT["optional-dependencies"].items()
    if name != "dev"
    for r in rows
} | {"otter"}  # otter-grader


def test_every_import_is_declared():
    """What the package imports is the standard library, a dependency of the core, or guarded by an extra."""
    names = {re.split(r"[<>=\[ ]", r)[0].lower().replace("-", "_") for r in PROJECT["dependencies"]}
    known = (
        names
        | {"dac", "torchaudio", "IPython", "vampkit", "traitlets", "PIL", "sklearn", "nbconvert"}
        | set(sys.stdlib_module_names)
    )
    for path in (ROOT / "vampkit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            roots = [a.name.split(".")[0] for a in node.names] if isinstance(node, ast.Import) else []
            roots += (
                [node.module.split(".")[0]]
                if isinstance(node, ast.ImportFrom) and node.module and not node.level
                else []
            )
            roots = [r for r in roots if not (r in EXTRA and node.col_offset)]  # imported where it is used
            assert set(roots) <= known, f"{path.name} imports {set(roots) - known}"


def test_rooms_import_downwards():
    """The layers of pyproject.toml, held by import-linter."""
    done = subprocess.run([sys.executable, "-c", LINT_IMPORTS], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_a_wrong_import_is_found(tmp_path):
    """The model must not know the widgets: a copy of the package in which it does breaks the contract."""
    copy = tmp_path / "vampkit"
    shutil.copytree(ROOT / "vampkit", copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    model = copy / "model.py"
    model.write_text("import vampkit.widgets\n" + model.read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1 and "vampkit.model -> vampkit.widgets" in done.stdout, done.stdout


def test_importing_is_quick_to_its_point_and_silent():
    """`import vampkit` loads neither torch nor dac nor Jupyter, and opens no connection."""
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise RuntimeError('a connection was opened')\n"
        "socket.socket.connect = refuse\n"
        "import vampkit as vk\n"
        "print([m for m in ('torch', 'dac', 'librosa', 'IPython', 'plotly') if m in sys.modules])\n"
        "vk.Clip, vk.Periodic, vk.masks\n"
        "print([m for m in ('dac', 'librosa', 'IPython', 'plotly') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]


def test_all_public_names_load():
    import vampkit

    for name in vampkit.__all__:
        assert getattr(vampkit, name) is not None
    with pytest.raises(AttributeError, match="its names are"):
        vampkit.nothing_of_that_name  # noqa: B018


def test_files_keep_to_the_house():
    files = [
        ROOT / f for f in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    ]
    files = [f for f in files if f.is_file()]
    if not files:
        pytest.skip("not a git checkout: the list of files is git's")
    assert sum(f.stat().st_size for f in files) < 36 * 2**20
    for file in files:
        assert file.stat().st_size <= 12 * 2**20, file
        if file.suffix in {".py", ".md", ".toml", ".yml", ".js", ".ipynb"}:
            text = file.read_text(errors="replace")
            assert not re.search(r"(?<![\w.])/(?:work|home|root)/\w", text), (
                f"{file.name} names a folder of one machine"
            )
        if file.suffix == ".py" and "tests" not in file.relative_to(ROOT).parts:
            assert lines_of_code(text) <= 350, f"{file.name} has {lines_of_code(text)} lines of code"


def lines_of_code(text: str) -> int:
    """Lines that are neither blank nor comments nor docstrings, which NumPy form makes long."""
    strings = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)]
    described = {line for n in strings for line in range(n.lineno, n.end_lineno + 1)}
    rows = enumerate(text.splitlines(), 1)
    return sum(1 for n, row in rows if row.strip() and not row.strip().startswith("#") and n not in described)


def test_models_have_cards_that_say_what_they_must():
    for name in ("codec", "coarse", "fine", "tagger", "controls", "painter"):
        head, card = (ROOT / "data" / "models" / f"{name}.md").read_text().split("\n---\n")  # the head is for the hub
        lines = card.splitlines()
        assert len(lines) <= 50 and max(map(len, lines)) <= 120, f"{name}.md is more than one screen"
        for word in ("CC BY-SA 4.0", "vampkit train", "core", "seeds"):
            assert word in card, f"{name}.md does not mention {word}"


def test_cards_have_the_head_that_the_hub_reads():
    from huggingface_hub import ModelCard

    for path in sorted((ROOT / "data" / "models").glob("*.safetensors")):
        head = ModelCard.load(path.with_suffix(".md")).data
        assert (head.license, head.library_name) == ("cc-by-sa-4.0", "vampkit"), path.name
        assert head.tags and head.pipeline_tag in ("audio-to-audio", "audio-classification", "text-to-image")


def test_one_version_stands_everywhere():
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with the extra `dev`")
    import vampkit

    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == vampkit.__version__ and cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "license", "preferred-citation"} <= set(cited)
    assert re.search(rf"^## (Unreleased|{re.escape(vampkit.__version__)}\b)", (ROOT / "CHANGELOG.md").read_text(), re.M)


def test_ways_in_name_files_that_are_there():
    """Binder, the dev container and the Docker image build from what the repository holds."""
    assert (ROOT / ".binder" / "runtime.txt").read_text().strip() == "python-3.11"
    post = ROOT / ".binder" / "postBuild"
    assert os.access(post, os.X_OK) and "-c constraints.txt -e ." in post.read_text()
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert (ROOT / container["postCreateCommand"].split()[-1]).is_file()
    image = (ROOT / ".ci" / "Dockerfile").read_text()
    assert "constraints.txt" in image and "vampkit lab --copy" in image
    extras = re.findall(r'"\.\[(\w+)\]"', image)
    assert extras and set(extras) <= set(PROJECT["optional-dependencies"])


def test_committed_notebooks_hold_sound_of_free_clips_only():
    """Sound saved in notebooks comes from clips 01 to 05 and composed pieces."""
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        source = "".join("".join(c["source"]) for c in json.loads(path.read_text())["cells"])
        assert not re.search(r'load_clip\("(0[6-9]|1[0-2])', source), path.name


def test_ruff_finds_nothing_in_code_and_notebooks():
    found = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--output-format", "concise", str(ROOT)], capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout
