"""Wheel and sdist in dist/, checked: what they hold, and that the wheel works in a new environment without this tree.

python .ci/dist.py            the new environment borrows the packages of this one, so nothing is fetched
python .ci/dist.py --whole    it fetches its own, as a user's would (gigabytes on Linux with a GPU's torch)
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
MOST = 60 * 2**20  # bytes of the wheel, and of the sdist; the index takes 100 MB a file
NOT_IN_IT = re.compile(r"(^|/)(tests|\.ci|\.github|build|runs|demo|__pycache__|conftest\.py|masters)(/|$)")


def main() -> None:
    """Build, look inside, install, run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--whole", action="store_true", help="fetch all packages anew")
    whole = options.parse_args().whole
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", DIST, ROOT)
    wheel, sdist = next(DIST.glob("*.whl")), next(DIST.glob("*.tar.gz"))
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    inside(wheel, sdist)
    with tempfile.TemporaryDirectory(prefix="vampkit-dist-") as folder:
        works(wheel, Path(folder), whole)
    print(f"{wheel.name} ({wheel.stat().st_size / 2**20:.1f} MB) and {sdist.name} "
          f"({sdist.stat().st_size / 2**20:.1f} MB) are good")  # fmt: skip


def inside(wheel: Path, sdist: Path) -> None:
    """Check which files lie in the two archives."""
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {f"vampkit/{p.relative_to(ROOT / 'vampkit').as_posix()}" for p in files(ROOT / "vampkit")}
    wanted |= {
        f"vampkit/{p.relative_to(ROOT).as_posix()}" for kind in ("data", "notebooks") for p in files(ROOT / kind)
    }
    meta = {name for name in held if ".dist-info/" in name}
    assert held - meta == wanted, f"the wheel differs from the tree: {sorted((held - meta) ^ wanted)[:10]}"
    licences = {Path(name).name for name in meta if "/licenses/" in name}
    assert licences == {"LICENSE", "ATTRIBUTION.md"}, f"licences in the wheel: {licences}"
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"pyproject.toml", "README.md", "LICENSE", "vampkit/__init__.py", "data/models/coarse.safetensors"}
    assert needed <= packed and not [name for name in packed if NOT_IN_IT.search(name)]
    for path in (wheel, sdist):
        assert path.stat().st_size < MOST, f"{path.name} has {path.stat().st_size:,} bytes, at most {MOST:,} fit"


def files(folder: Path) -> list[Path]:
    """The files of a folder that git knows and a wheel holds."""
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if not NOT_IN_IT.search(name)]


def works(wheel: Path, folder: Path, whole: bool) -> None:
    """Install the wheel into a new environment, and use it from a folder that holds nothing else."""
    began = time.monotonic()
    run(sys.executable, "-m", "venv", folder / "env")
    scripts = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    if whole:
        run(python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel)
    else:
        site = next((folder / "env").glob("lib/python*/site-packages"))
        borrowed = [path for path in sys.path if path.endswith("site-packages")]
        (site / "borrowed.pth").write_text("\n".join([*borrowed, ""]), encoding="utf-8")
        run(python, "-m", "pip", "install", "-q", "--no-index", "--no-deps", wheel)
    print(f"installed in {time.monotonic() - began:.0f} s", flush=True)
    away = folder / "away"
    away.mkdir()
    for words in (
        [python, "-I", "-c", f"import vampkit; assert {str(folder / 'env')!r} in vampkit.__file__, vampkit.__file__"],
        [scripts / "vampkit", "doctor"],
        [scripts / "vampkit", "lab", "--copy", "mine", "--no-open"],
        [scripts / "vampkit", "demo", "--seconds", "2"],
    ):
        run(*words, cwd=away)
    assert len(list((away / "demo").glob("*.wav"))) == 8 and len(list((away / "mine").glob("*.ipynb"))) >= 16


def run(*words, cwd: Path = ROOT) -> None:
    """Run a command; end with its exit code if it fails. The tree is not on the path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if code := subprocess.run([str(word) for word in words], cwd=cwd, env=environment).returncode:
        raise SystemExit(code)


if __name__ == "__main__":
    main()
