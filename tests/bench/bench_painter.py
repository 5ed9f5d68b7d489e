"""How often the caption of a painted cover is read back, and how different covers of one caption are.

`python -m tests.bench.bench_painter` prints the tables of data/models/painter.md. Captions: pairs of genre and tonic
that the painter never saw together, or pairs that it saw.
"""

import argparse
import time

import numpy as np

from vampkit import metrics
from vampkit.paint import agreement, draw_captions, load_painter, paint_covers
from vampkit.paint.captions import SLOTS


def diversity(groups):
    """Mean difference of a pixel between two covers of one caption."""
    wide = np.stack(groups).astype(int)  # [captions, covers, rows, columns, 3]
    pairs = [(a, b) for a in range(wide.shape[1]) for b in range(a)]
    return np.mean([np.abs(wide[:, a] - wide[:, b]).mean() for a, b in pairs])


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--captions", type=int, default=40)
    asked.add_argument("--covers", type=int, default=4, help="covers of each caption")
    asked = asked.parse_args()
    painter, seeds = load_painter(), range(asked.covers)
    for held_out in (True, False):
        captions = draw_captions(asked.captions, 1, held_out)
        real = [paint_covers([c] * asked.covers, [10**6 + 100 * i + s for s in seeds]) for i, c in enumerate(captions)]
        codes = [painter.encode(group) for group in real]
        groups = {
            "painted by the rules": real,
            "rough tokens": [painter.decode(c[:, :1]) for c in codes],
            "sharp tokens": [painter.decode(c) for c in codes],
        }
        seconds = {}
        for guidance in (0.0, 0.5, 1.0, 2.0, 4.0):
            start = time.perf_counter()
            groups[f"guidance {guidance:g}"] = [painter.decode(painter.paint(c, seeds, guidance)) for c in captions]
            seconds[f"guidance {guidance:g}"] = (time.perf_counter() - start) / asked.captions / asked.covers
        print(f"\n{'pairs never seen' if held_out else 'pairs seen'}, {asked.covers} covers a caption")
        for name, made in groups.items():
            hits = [agreement(painter.reader.read(g), [c] * len(g)) for g, c in zip(made, captions, strict=True)]
            whole = metrics.bootstrap([h.all(1).mean() for h in hits])
            by_word = ", ".join(f"{slot} {share:.2f}" for slot, share in zip(SLOTS, np.mean(hits, (0, 1)), strict=True))
            spread = diversity(made) / diversity(real)
            print(f"{name:22} all five {whole}; {by_word}; diversity {spread:.2f}; {seconds.get(name, 0):.3f} s")


if __name__ == "__main__":
    main()
