"""What `vampkit doctor` looks at: whether this machine has what the notebooks need, and what to do where it has not."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from vampkit.files import cache_folder, data_folder

WEIGHTS = ("codec", "coarse", "fine", "tagger", "controls", "painter")
ROOM, LITTLE = 2 * 2**30, 200 * 2**20  # bytes free: enough for all but training, and too little to work with
AGAIN = "install again: in a clone `make .venv/.done`, elsewhere `pip install --force-reinstall vampkit`"


@dataclass(frozen=True)
class Finding:
    """What was found about one thing.

    Parameters
    ----------
    state : str
        "ok", "note" (it works, and this is good to know) or "wrong" (something will not work).
    fact : str
        What was found.
    advice : str
        What to do; empty where nothing needs to be done.
    """

    state: Literal["ok", "note", "wrong"]
    fact: str
    advice: str = ""


def run(checks: dict[str, Callable[[], Finding]] | None = None) -> dict[str, Finding]:
    """Look at everything, and print a line for each as it is found. A check that breaks is itself a finding.

    checks: what is looked at, by name; None: `CHECKS`.
    """
    found = {}
    for name, check in (CHECKS if checks is None else checks).items():
        try:
            found[name] = check()
        except Exception as error:  # any package may be broken in any way; that is what is looked for
            what = f"{type(error).__name__}: {error}".split("\n")[0]
            found[name] = Finding("wrong", f"could not be used: {what}", AGAIN)
        finding = found[name]
        print(f"{finding.state:6} {name:10} {finding.fact}", flush=True)
        if finding.advice:
            print(f"{'':17} what to do: {finding.advice}", flush=True)
    return found


def python() -> Finding:
    """Whether the version of Python is one that the package supports, and the package is installed for it."""
    from packaging.specifiers import SpecifierSet

    version, where = platform.python_version(), Path(sys.executable)
    try:
        wanted = metadata.metadata("vampkit")["Requires-Python"]
    except metadata.PackageNotFoundError:
        return Finding("wrong", f"vampkit is not installed for {where}", "run `python3 vampkit/bootstrap.py`")
    if not SpecifierSet(wanted).contains(version, prereleases=True):
        return Finding("wrong", f"{version}, {wanted} was expected", "install Python 3.11, 3.12 or 3.13")
    return Finding("ok", f"{version}, {platform.system()} on {platform.machine()}")


def packages() -> Finding:
    """Whether every package that vampkit needs is there, in a version that it knows."""
    from packaging.requirements import Requirement

    wanted = [Requirement(row) for row in metadata.requires("vampkit") or []]
    wanted = [row for row in wanted if row.marker is None or row.marker.evaluate({"extra": ""})]
    wrong = []
    for row in wanted:
        try:
            version = metadata.version(row.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{row.name} is missing")
            continue
        if not row.specifier.contains(version, prereleases=True):
            wrong.append(f"{row.name} is {version}, {row.specifier} was expected")
    if wrong:
        return Finding("wrong", "; ".join(wrong), AGAIN)
    return Finding("ok", f"vampkit {metadata.version('vampkit')}, its {len(wanted)} packages fit")


def torch() -> Finding:
    """Whether torch computes, and on which devices."""
    import torch as library

    product = library.arange(6.0).reshape(2, 3) @ library.ones(3, 1)
    if product.flatten().tolist() != [3.0, 12.0]:
        return Finding("wrong", f"torch {library.__version__} computes wrong products", AGAIN)
    devices = ["cpu"]
    devices += ["cuda"] if library.cuda.is_available() else []
    devices += ["mps (untested)"] if library.backends.mps.is_available() else []
    return Finding("ok", f"torch {library.__version__} on {', '.join(devices)}; {library.get_num_threads()} threads")


def weights() -> Finding:
    """Whether the bundled models and clips are there and whole."""
    from safetensors import SafetensorError, safe_open

    from vampkit.audio import clips

    folder, wrong = data_folder() / "models", []
    for name in WEIGHTS:
        path = folder / f"{name}.safetensors"
        if not path.is_file():
            wrong.append(f"{path.name} is missing")
            continue
        try:
            with safe_open(path, "pt") as file:
                file.metadata()
        except (SafetensorError, OSError):
            wrong.append(f"{path.name} is damaged ({path.stat().st_size:,} bytes)")
    if not clips():
        wrong.append("no clip is there")
    if wrong:
        return Finding("wrong", f"in {folder}: {'; '.join(wrong)}", "take a whole clone or the wheel once more")
    return Finding("ok", f"{len(WEIGHTS)} bundled models and {len(clips())} clips")


def sound() -> Finding:
    """Whether a second of a clip goes through the codec and comes back."""
    import numpy as np

    from vampkit.audio import load_clip
    from vampkit.weights import load_codec

    clip, codec, began = load_clip("01").mono().excerpt(0, 1), load_codec(), time.monotonic()
    back = codec.decode(codec.encode(clip))
    if back.samples.shape != clip.samples.shape or not np.isfinite(back.samples).all() or not back.samples.any():
        return Finding("wrong", "a second of sound came back from the codec silent or broken", AGAIN)
    return Finding("ok", f"a second of a clip through the codec in {time.monotonic() - began:.1f} s")


def hearing() -> Finding:
    """Whether there is something that plays sound. The browser plays it, so it may be another machine's."""
    elsewhere = "sound plays in the browser: open the lab from a machine with loudspeakers, or save takes as files"
    if platform.system() != "Linux":
        return Finding("ok", "left to the browser")
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    servers = [runtime / "pulse" / "native", runtime / "pipewire-0", Path("/mnt/wslg/PulseServer")]
    if os.environ.get("PULSE_SERVER") or any(path.exists() for path in servers):
        return Finding("ok", "a sound server is running")
    if any(Path("/dev/snd").glob("pcm*p")):
        return Finding("ok", "there is a sound card")
    return Finding("note", "this machine has no sound card and no sound server", elsewhere)


def browser() -> Finding:
    """Whether a browser can be opened here."""
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        advice = "open the address that the lab prints in a browser of your own; from afar, through `ssh -L 8888:...`"
        return Finding("note", "no browser is known here", advice)
    return Finding("ok", getattr(found, "name", "") or type(found).__name__)


def lab() -> Finding:
    """Whether JupyterLab's kernel is this Python, and the notebooks are there."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    from vampkit.cli.copying import notebooks_folder

    try:
        start = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return Finding(
            "wrong", "Jupyter knows no kernel called python3", "run `python -m ipykernel install --sys-prefix`"
        )
    program = Path(shutil.which(start) or start)
    if not start.startswith("python") and program.parent != Path(sys.executable).parent:  # a bare name means this one
        advice = (
            f"remove that kernel (`jupyter kernelspec list`), or run `{sys.executable} -m ipykernel install --user`"
        )
        return Finding("wrong", f"the kernel python3 starts {start}, another Python", advice)
    version = metadata.version("jupyterlab")
    folder = notebooks_folder()
    if folder is None:
        return Finding("note", f"JupyterLab {version}; no notebooks lie beside the package", "take them from a clone")
    return Finding("ok", f"JupyterLab {version}; {len(list(folder.glob('*.ipynb')))} notebooks")


def disk() -> Finding:
    """Whether there is room where the notebooks, the cache and temporary files are written."""
    places = {"here": Path.cwd(), "for the cache": cache_folder(), "for temporary files": Path(tempfile.gettempdir())}
    free = {name: shutil.disk_usage(_existing(path)).free for name, path in places.items()}
    name, least = min(free.items(), key=lambda row: row[1])
    fact = f"{least / 2**30:.1f} GB free {name}"
    if least < LITTLE:
        return Finding("wrong", fact, f"make room: at least {LITTLE / 2**30:.1f} GB")
    if least < ROOM:
        return Finding("note", fact, "enough for the notebooks; fetched music and training want more")
    return Finding("ok", fact)


def _existing(path: Path) -> Path:
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())


CHECKS: dict[str, Callable[[], Finding]] = {
    "python": python,
    "packages": packages,
    "torch": torch,
    "weights": weights,
    "sound": sound,
    "hearing": hearing,
    "browser": browser,
    "lab": lab,
    "disk": disk,
}
"""What is looked at, in this order."""
