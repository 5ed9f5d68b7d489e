"""Build .venv in a fresh clone: `python3 vampkit/bootstrap.py`. It needs only the standard library.

The script runs under any Python 3 and looks for the newest one that vampkit supports. On Linux the newest torch brings
gigabytes of CUDA libraries. So three ways to install are tried in this order: uv, which picks the build of torch that
fits this machine; pip, which first installs the torch version of constraints.txt; plain pip.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ("3.13", "3.12", "3.11")
PATIENCE = {"UV_HTTP_TIMEOUT": "10", "UV_HTTP_CONNECT_TIMEOUT": "5", "UV_HTTP_RETRIES": "0"}
"""Seconds that uv waits for a host. They are few, so that pip takes over soon if uv cannot reach it."""

IMPORTS = "import torch, vampkit.codec; print('vampkit', vampkit.__version__, 'with torch', torch.__version__)"
PROBE = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"


def version_of(command):
    """The version, such as "3.12", of a Python; None if the command fails or cannot make virtual environments."""
    try:
        done = subprocess.run([*command, "-c", PROBE], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def find_python(probe=version_of):
    """The command of the newest supported Python on this machine, as a list. Raises SystemExit if there is none."""
    names = [["python" + version] for version in SUPPORTED]
    names += [["py", "-" + version] for version in SUPPORTED] if os.name == "nt" else []
    found = {}
    for command in [*names, [sys.executable], ["python3"], ["python"]]:
        version = probe(command)
        if version in SUPPORTED:
            found.setdefault(version, command)
            if version == SUPPORTED[0]:
                break
    for version in SUPPORTED:
        if version in found:
            return found[version]
    raise SystemExit(
        "vampkit needs Python 3.11, 3.12 or 3.13 with its venv module, and none was found; install one (on Debian and "
        "Ubuntu: apt install python3-venv)"
    )


def pinned(name, constraints):
    """The line of constraints.txt that pins a package, such as "torch==2.13.0"."""
    for line in constraints.read_text(encoding="utf-8").splitlines():
        if line.split("==")[0].strip().lower() == name:
            return line.strip()
    raise SystemExit("constraints.txt does not pin %s; take it from a whole clone" % name)


def ways(python, root):
    """The ways to install, best first. Each is a name and a list of commands that must all succeed."""
    pip = [python, "-m", "pip", "install"]
    project, constrained = ["-e", str(root) + "[dev]"], ["-c", str(root / "constraints.txt")]
    torch = [*pip, pinned("torch", root / "constraints.txt")]
    uv = [python, "-m", "uv", "pip", "install", "--python", python, "--torch-backend=auto", *constrained, *project]
    return [
        ("uv", [[*pip, "--timeout", "15", "--retries", "1", "uv"], uv]),
        ("pip, torch first", [torch, [*pip, *constrained, *project]]),
        ("pip", [[*pip, *project]]),
    ]


def run(command):
    """Run one command and show its output. Returns whether it succeeded."""
    print("$ " + " ".join(command), flush=True)
    try:
        return subprocess.run(command, env={**os.environ, **PATIENCE}).returncode == 0
    except OSError as error:
        print(error, flush=True)
        return False


def install(python, root=ROOT, run=run):
    """Install the project by the first way that works, and return its name. Raises SystemExit if none works."""
    for name, commands in ways(python, root):
        print("installing with %s" % name, flush=True)
        if all(run(command) for command in commands):
            return name
        print("%s did not work here" % name, flush=True)
    raise SystemExit(
        "vampkit could not be installed; the lines above say why, most often there is no network or no space; mend "
        "that and try again"
    )


def main(root=ROOT):
    """Make or repair .venv. The file .venv/.done is written only after success."""
    folder = root / ".venv"
    stamp = folder / ".done"
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    if stamp.exists():
        stamp.unlink()
    if version_of([python]) not in SUPPORTED:
        base = find_python()
        shutil.rmtree(str(folder), ignore_errors=True)
        if not run([*base, "-m", "venv", str(folder)]):
            raise SystemExit("the virtual environment %s could not be made; the lines above say why" % folder)
    way = install(python, root)
    if not run([python, "-c", IMPORTS]):
        raise SystemExit("vampkit was installed but cannot be imported; remove .venv and try again")
    stamp.write_text(way + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
