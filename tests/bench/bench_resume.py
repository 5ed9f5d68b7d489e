"""Does a training survive kill -9 at any moment? `python -m tests.bench.bench_resume [--kills N]`.

Prints what was seen; exits with 1 where a loss differs.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vampkit.train.pool import compose_pool
from vampkit.train.tokens import encode_pool
from vampkit.weights import load_codec

RUN = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
from vampkit.weights import load_codec
from vampkit.train import MASKED_PRESETS, MaskedTraining
from vampkit.train.tokens import read_excerpts
torch.set_num_threads(1)
folder, steps = Path(sys.argv[1]), int(sys.argv[2])
preset = replace(MASKED_PRESETS["coarse"]["ci"], steps=steps, check_every=50, save_seconds=0.2)
MaskedTraining(preset, load_codec("tiny"), (None, read_excerpts(folder / "t.safetensors")), Path(sys.argv[3])).run()
"""


def run(folder: Path, out: Path, steps: int) -> subprocess.Popen:
    """A training of its own in another process."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), str(steps), str(out)], stderr=subprocess.DEVNULL, env=environment
    )


def log(out: Path) -> list[dict]:
    """What a training logged, a row a step."""
    path = out / "log.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")] if path.is_file() else []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--steps", type=int, default=600)
    options = parser.parse_args()
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        encode_pool(compose_pool(range(3), folder / "pool"), load_codec("tiny"), folder / "t.safetensors")
        began = time.monotonic()
        assert run(folder, folder / "alone", options.steps).wait() == 0
        whole = time.monotonic() - began
        for kill in range(options.kills):
            before = len(log(folder / "killed"))
            process = run(folder, folder / "killed", options.steps)
            # At least one step further than the last time, then at any moment: also while a checkpoint is written.
            while len(log(folder / "killed")) <= before and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, whole / options.kills / 2))
            process.send_signal(signal.SIGKILL)
            process.wait()
            print(f"kill {kill + 1}: at step {len(log(folder / 'killed'))} of {options.steps}", flush=True)
        assert run(folder, folder / "killed", options.steps).wait() == 0
        alone, killed = log(folder / "alone"), log(folder / "killed")
    same = [a["loss"] == b["loss"] and a["step"] == b["step"] for a, b in zip(alone, killed, strict=True)]
    print(
        f"{sum(same)} of {len(alone)} losses are those of a training that was left alone, after {options.kills} kills"
    )
    raise SystemExit(not all(same))


if __name__ == "__main__":
    main()
