"""How often the caption of a painted cover is read back, and how different covers of one caption are.

`python -m tests.bench.bench_painter` prints the tables of data/models/painter.md: captions whose pairs of genre and
tonic are kept for testing, and others that may have been seen. `--choose` compares settings of the loop on the captions
that are kept for choosing. Intervals (95 %) are drawn over captions.
"""

import argparse
import time
from dataclasses import replace
from itertools import product

import numpy as np

from vampkit import metrics
from vampkit.paint import PASSES, agreement, draw_captions, load_painter, paint_covers
from vampkit.paint.captions import SLOTS

GUIDANCE = (0.0, 0.5, 1.0, 2.0, 4.0)


def diversity(groups):
    """Mean difference of a pixel between two covers of one caption."""
    wide = np.stack(groups).astype(int)  # [captions, covers, rows, columns, 3]
    pairs = [(a, b) for a in range(wide.shape[1]) for b in range(a)]
    return np.mean([np.abs(wide[:, a] - wide[:, b]).mean() for a, b in pairs])


def told(name, painter, captions, groups, real, seconds=0.0):
    """Print a row of the table."""
    hits = [agreement(painter.reader.read(g), [c] * len(g)) for g, c in zip(groups, captions, strict=True)]
    whole = metrics.bootstrap([h.all(1).mean() for h in hits])
    by_word = ", ".join(f"{slot} {share:.2f}" for slot, share in zip(SLOTS, np.mean(hits, (0, 1)), strict=True))
    spread = diversity(groups) / diversity(real)
    print(f"{name:40} all five {whole}; {by_word}; diversity {spread:.2f}; {seconds:.3f} s", flush=True)


def painted(painter, captions, covers, guidance, settings=PASSES):
    """Covers of each caption, and the seconds that one took."""
    start = time.perf_counter()
    made = [painter.decode(painter.paint(c, range(covers), guidance, settings=settings)) for c in captions]
    return made, (time.perf_counter() - start) / len(captions) / covers


def by_rule(captions, covers):
    return [paint_covers([c] * covers, [10**6 + 100 * i + s for s in range(covers)]) for i, c in enumerate(captions)]


def test(painter, part, count, covers):
    captions = draw_captions(count, 1, part)
    real = by_rule(captions, covers)
    codes = [painter.encode(group) for group in real]
    print(f"\ncaptions of part {part}: {count}, {covers} covers each")
    told("painted by the rules", painter, captions, real, real)
    told("through rough tokens", painter, captions, [painter.decode(c[:, :1]) for c in codes], real)
    told("through sharp tokens", painter, captions, [painter.decode(c) for c in codes], real)
    for guidance in GUIDANCE:
        made, seconds = painted(painter, captions, covers, guidance)
        told(f"guidance {guidance:g}", painter, captions, made, real, seconds)


def choose(painter, count, covers):
    captions = draw_captions(count, 2, "valid")
    real = by_rule(captions, covers)
    print(f"captions of part valid: {count}, {covers} covers each")
    for passes, temperature, noise in product((12, 24), (0.7, 1.0), (0.0, 1.0, 4.5)):
        settings = replace(PASSES, passes=passes, temperature=temperature, mask_temperature=noise)
        made, seconds = painted(painter, captions, covers, 0.0, settings)
        told(f"{passes} passes, temperature {temperature}, noise {noise}", painter, captions, made, real, seconds)
    for guidance in GUIDANCE:
        made, seconds = painted(painter, captions, covers, guidance)
        told(f"as it is, guidance {guidance:g}", painter, captions, made, real, seconds)


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--captions", type=int, default=48)
    asked.add_argument("--covers", type=int, default=4, help="covers of each caption")
    asked.add_argument("--choose", action="store_true", help="compare settings on the captions kept for choosing")
    asked.add_argument("--path", help="another painter than the bundled one")
    asked = asked.parse_args()
    painter = load_painter(asked.path)
    if asked.choose:
        choose(painter, asked.captions, asked.covers)
    else:
        for part in ("test", "train"):
            test(painter, part, asked.captions, asked.covers)


if __name__ == "__main__":
    main()
