"""The paper's figures on the bundled models, traps of its code, other samplers, and an autoregressive rival.

`python -m tests.bench.bench_paper [--clips N] [--out FILE]` draws N excerpts of 10 s (100 by default): composed pieces
of held-out seeds, and recordings of the valid and the test split in turn. It goes in rounds of two excerpts, all
conditions each, so that whenever it is stopped every condition has been done on the same excerpts; the traps, samplers
and rivals on every fourth round. Called again it goes on. The first call trains the rival and a masked model as long as
it (`paper_training`, some minutes). Afterwards the results go to a JSON file (`data/paper.json` is the committed
one), which notebook 11 shows and `tests/paper` judges anew. All on one thread, about a minute and a half a round.

`--summary` only writes the JSON of what is done. `--again N` makes N rows anew from their seeds and compares them.
"""

import argparse
import random
import time
from pathlib import Path

from tests.bench.paper_results import summary, written_down
from tests.bench.paper_run import Bench, beside, done_round, figures, judged
from vampkit.files import cache_folder, data_folder


def again(bench, count, seed=0):
    """Make rows anew and compare them with those written down. Returns how many agree."""
    conditions = figures(bench) | beside(bench)
    known = sorted(key for key in bench.rows if key[1] in conditions and key[1] != "original")
    agree = 0
    for number, name in random.Random(seed).sample(known, count):
        x = bench.excerpt(number)
        found = judged(x, name, conditions[name](x))
        before = bench.rows[number, name]["measures"]
        same = all(abs(found[m] - before[m]) <= 1e-3 * max(1, abs(before[m])) for m in found)
        agree += same
        print(f"{'agrees ' if same else 'DIFFERS'} excerpt {number}, {name}: {found}", flush=True)
    print(f"{agree} of {count} rows agree")
    return agree


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--folder", type=Path, default=cache_folder() / "paper", help="rows, embeddings and models")
    parser.add_argument("--music", type=Path, default=cache_folder() / "music", help="what `vampkit data fetch` filled")
    parser.add_argument("--out", type=Path, default=data_folder() / "paper.json")
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--again", type=int, default=0)
    options = parser.parse_args()
    bench = Bench(options.folder, options.music)
    if options.again:
        raise SystemExit(0 if again(bench, options.again) == options.again else 1)
    if not options.summary:
        began, rounds = time.monotonic(), -(-options.clips // 2)
        for number in range(rounds):
            done_round(bench, number)
            spent = time.monotonic() - began
            whole = spent / (number + 1) * rounds
            print(f"round {number + 1} of {rounds}: {spent / 60:.1f} min, of about {whole / 60:.0f}", flush=True)
    written_down(summary(bench), options.out)


if __name__ == "__main__":
    main()
