"""Outputs of notebooks: made in place by `python -m tests.outputs notebooks/*.ipynb`, and compared by nbval.

Processors round differently, and one sampled token that falls the other way changes the rest of a take. So
notebooks run with `ARITHMETIC`, which has all x86 processors use the same instructions. What they then make of one
vamp is a fingerprint. A notebook holds the fingerprint of the machine that made its outputs. Where it is the same,
outputs are compared strictly. Elsewhere (another kind of processor) the words are, and numbers may differ a little.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ARITHMETIC = {
    "OMP_NUM_THREADS": "2",
    "MKL_CBWR": "COMPATIBLE",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}
"""Environment of the kernels. MKL's COMPATIBLE is the one setting that rounds alike on processors of all makers."""

TOLERANCE = 0.15
"""Largest difference of two numbers as a share of the larger one, on a machine with another fingerprint."""

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")


def hashed() -> str:
    """Fingerprint of this process: a hash of the tokens, the last logits and the sound of one vamp, to the bit."""
    import torch

    import vampkit as vk

    vamp = vk.load_vamp("tiny")
    take = vamp.vamp(vk.load_clip(vk.clips()[0]).excerpt(0, 4), vk.Periodic(7), seed=0)
    codes = take.tokens.codes[:, : vamp.coarse.config.codebooks]
    logits = vamp.coarse(codes, torch.arange(codes.shape[-1]).expand_as(codes) % 2 == 0)
    digest = hashlib.sha256()
    for values in (codes, logits.detach(), torch.as_tensor(take.clip.samples)):
        digest.update(values.numpy().tobytes())
    return digest.hexdigest()[:16]


@cache
def fingerprint() -> str:
    """Fingerprint of this machine under `ARITHMETIC`."""
    call = [sys.executable, "-m", "tests.outputs", "--hash"]
    done = subprocess.run(call, cwd=ROOT, env=os.environ | ARITHMETIC, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def agree(found: str, wanted: str) -> bool:
    """Whether two texts have equal words, and numbers that differ by `TOLERANCE` or two last units at most."""
    if _words(found) != _words(wanted):
        return False
    return all(_close(*pair) for pair in zip(NUMBER.findall(found), NUMBER.findall(wanted), strict=True))


def _words(text: str) -> list[str]:
    return NUMBER.sub(lambda match: "#" + "0" * _decimals(match[0]), text).split()


def _decimals(number: str) -> int:
    return len(number.partition(".")[2])


def _close(a: str, b: str) -> bool:
    unit = 2.001 * 10.0 ** -_decimals(b) if _decimals(b) else 0.0
    return abs(float(a) - float(b)) <= max(TOLERANCE * max(abs(float(a)), abs(float(b))), unit)


def settled(test: list[dict], ref: list[dict]) -> list[dict]:
    """Outputs `test` of a cell, in the words of `ref` where the two agree."""
    return [_alike(*pair) for pair in zip(test, ref, strict=True)] if len(test) == len(ref) else test


def _alike(test, ref):
    if isinstance(test, str) and isinstance(ref, str):
        return ref if agree(test, ref) else test
    if isinstance(test, dict) and isinstance(ref, dict):
        return type(test)({key: _alike(value, ref.get(key)) for key, value in test.items()})
    return test


def make(path: Path) -> None:
    """Run a notebook from top to bottom and save it with its outputs, streams joined, and with the fingerprint."""
    call = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--inplace", str(path)]
    state = "--ExecutePreprocessor.store_widget_state=False"  # it is large, and a page shows the pictures
    timing = "--ExecutePreprocessor.record_timing=False"
    subprocess.run([*call, "--execute", state, timing], env=os.environ | ARITHMETIC, check=True)
    subprocess.run([*call, "--coalesce-streams"], check=True)
    notebook = json.loads(path.read_text())
    notebook["metadata"]["vampkit"] = {"arithmetic": fingerprint()}
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--hash"]:
        print(hashed())
    else:
        for name in sys.argv[1:]:
            make(Path(name))
