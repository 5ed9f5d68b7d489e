"""The site in build/site: notebooks, course, texts and API pages. Nothing is fetched, and a warning is an error.

python .ci/site.py [FOLDER]
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONF = ROOT / ".ci" / "site"
sys.path.insert(0, str(CONF))

from staging import stage  # noqa: E402


def main() -> None:
    """Lay the pages, let Sphinx build them, add what is no page."""
    began = time.monotonic()
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "site").resolve()
    source = out.with_name(f"{out.name}-source")
    pages = stage(source)
    shutil.rmtree(out, ignore_errors=True)
    words = ["--builder", "html", "--conf-dir", CONF, "--fail-on-warning", "--keep-going", "--quiet", "--fresh-env"]
    run("-m", "sphinx", *words, "--doctree-dir", source / ".doctrees", source, out)
    run(ROOT / ".ci" / "docs.py", out / "api", "--in-site")
    if (source / "_extra").is_dir():
        shutil.copytree(source / "_extra", out, dirs_exist_ok=True)
    for page in pages:
        if page.suffix == ".ipynb":  # to load it down: the notebook itself, not the page's copy
            shutil.copyfile(ROOT / page, out / "_sources" / page)
    shutil.rmtree(source)
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    print(f"{len(pages)} pages and the API pages in {out} ({size / 2**20:.0f} MB, {time.monotonic() - began:.0f} s)")
    print(f"open {out / 'index.html'}")


def run(*words) -> None:
    """Run a Python script or module; end with its exit code if it fails."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    if code := subprocess.run([sys.executable, *map(str, words)], env=environment, cwd=ROOT).returncode:
        raise SystemExit(code)


if __name__ == "__main__":
    main()
