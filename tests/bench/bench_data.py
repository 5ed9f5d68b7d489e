"""How fast are training crops read? `python -m tests.bench.bench_data [--minutes M]`.

Prints crops of [14, 575] a second from a token store, and memory.
"""

import argparse
import json
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from vampkit.files import write_safetensors
from vampkit.train import store
from vampkit.train.store import TokenStore

CROPS, FRAMES = 5000, 575


def made_up(folder: Path, minutes: int) -> None:
    """A store of random codes in tracks of 4 minutes, written as `build_store` writes them."""
    rate, hop, frames = 44_100, 768, 4 * 60 * 44_100 // 768
    settings = {
        "format": store.FORMAT,
        "codec": "0" * 16,
        "codebooks": 14,
        "hop": hop,
        "rate": rate,
        "floor": -45.0,
        "shard": store.SHARD,
    }
    (folder / "store.json").write_text(json.dumps(settings))
    generator = torch.Generator().manual_seed(0)
    numbers = list(range(minutes // 4))
    for shard in range(-(-len(numbers) // store.SHARD)):
        own = numbers[shard * store.SHARD : (shard + 1) * store.SHARD]
        codes = {str(n): torch.randint(0, 1024, (14, frames), generator=generator).to(torch.uint16) for n in own}
        write_safetensors(codes, folder / f"shard-{shard:05}.safetensors", store.FORMAT, {})
        rows = [
            {"number": n, "name": str(n), "artist": f"artist{n // 10}", "frames": frames, "salient": [[0, frames]]}
            for n in own
        ]
        (folder / f"shard-{shard:05}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def own_memory() -> float:
    """MiB that this process holds for itself, without pages of files, which the system can take back."""
    rows = Path("/proc/self/status").read_text().splitlines()
    return int(next(row for row in rows if row.startswith("RssAnon")).split()[1]) / 1024


def read(folder: Path, worker: int) -> tuple[float, float, float]:
    """Seconds on the clock and of computing for CROPS crops, each with a generator of its own, and MiB of memory."""
    torch.set_num_threads(1)
    tokens = TokenStore(folder)
    tokens.crops(1, 14, FRAMES, np.random.default_rng(0))
    before, began, worked = own_memory(), time.perf_counter(), time.process_time()
    for number in range(worker * CROPS, (worker + 1) * CROPS):
        tokens.crops(1, 14, FRAMES, np.random.default_rng((0, number)))
    return time.perf_counter() - began, time.process_time() - worked, own_memory() - before


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=int, default=3000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        made_up(Path(name), options.minutes)
        size = sum(p.stat().st_size for p in Path(name).glob("*.safetensors")) / 2**20
        with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
            rows = list(pool.map(read, [Path(name)] * options.processes, range(options.processes)))
    wall, worked, memory = (max(row[i] for row in rows) for i in range(3))
    count = CROPS * options.processes
    print(
        f"{count} crops of [14, {FRAMES}] from {size:.0f} MiB of tokens by {options.processes} processes, one core each"
    )
    print(
        f"{count / wall:.0f} crops a second on the clock, {count / worked:.0f} of computing time; "
        f"{memory:.0f} MiB of memory a process"
    )


if __name__ == "__main__":
    main()
