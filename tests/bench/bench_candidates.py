"""Which codec makes the best vamps? `python -m tests.bench.bench_candidates NAME=CODEC [NAME=CODEC ...] --out FOLDER`. Prints a Markdown table.

For each codec: reconstruction, entropy of its tokens, the same small coarse model trained for the same few steps, and how far its vamps (coarse codebooks
alone, P = 7 and 16) lie from the sounds they were made of, before any codec. Needs the pools of `vampkit train codec --music DIR`.
"""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import torch

from tests.bench.bench_codec import composed, real
from vampkit import Periodic, metrics
from vampkit.codec import load_codec
from vampkit.fetch import cache_folder
from vampkit.sampling import sample
from vampkit.train.masked import PRESETS, MaskedTraining
from vampkit.train.pool import Pool
from vampkit.train.tokens import Store

COUNTS = (1, 2, 4, 8, 14)
PERIODS = (7, 16)


def store(pool, codec, count):
    """Tokens of `count` excerpts, spread over the pool."""
    which = np.linspace(0, len(pool) - 1, count).astype(int)
    codes = torch.stack([codec.encode_samples(pool.sound[i].astype(np.float32) / 32768)[0].int() for i in which])
    return Store(codes, pool.chances[which] / pool.chances[which].sum(), codec.hash)


def coarse_model(codec, options, folder):
    """The same small coarse model for every codec."""
    stores = [store(Pool(cache_folder() / "pools" / name), codec, options.train) for name in ("train", options.pool)]
    preset = dataclasses.replace(PRESETS["coarse"]["laptop"], steps=options.steps, check_every=10**9)
    training = MaskedTraining(preset, codec, tuple(stores), folder, {})
    training.run()
    model = training.network
    model.load_state_dict(training.average.state)
    return model.eval()


def vamps(codec, model, tokens, period, passes):
    """Sounds of the coarse codebooks alone, hidden but for every `period`-th frame and filled in again."""
    made = []
    for seed, t in enumerate(tokens):
        codes, mask = t.codes[None, :4], Periodic(period).mask(t)[None, :4]
        *_, last = sample(model, codes, mask, seeds=[seed], passes=passes)
        made.append(codec.decode(t.replace(codes=last.codes[0])))
    return made


def judge(codec, model, clips, passes):
    """One row of figures for one kind of music."""
    sounds, tracks = [c for c, _ in clips], [t for _, t in clips]
    tokens = [codec.encode(c) for c in sounds]
    row = {}
    for n in COUNTS:
        decoded = [codec.decode(t, codebooks=n) for t in tokens]
        row[f"mel {n}"] = metrics.bootstrap([metrics.mel_distance(a, b) for a, b in zip(sounds, decoded, strict=True)], tracks)
        row[f"dB {n}"] = metrics.bootstrap([metrics.si_sdr(a, b) for a, b in zip(sounds, decoded, strict=True)], tracks)
    codes = torch.stack([t.codes[:, :574] for t in tokens])
    unigram, measured = metrics.unigram_cross_entropy(codes), metrics.masked_cross_entropy(model, codes, 0.5)
    row |= {"entropy": [round(float(u), 2) for u in unigram], "cross entropy": [round(float(m), 2) for m in measured]}
    row["below"] = float((unigram[:4] - measured).mean())
    originals = [metrics.logmel_statistics(c) for c in sounds]
    for period in PERIODS:
        made = [metrics.logmel_statistics(c) for c in vamps(codec, model, tokens, period, passes)]
        row[f"Frechet {period}"] = metrics.frechet_interval(made, originals)
        row[f"kernel {period}"] = metrics.kernel_distance(made, originals).estimate
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("codecs", nargs="+")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--passes", type=int, default=36)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--train", type=int, default=240, help="excerpts of 10 s of each kind to train the coarse model on")
    parser.add_argument("--pool", default="training-genres-800")
    parser.add_argument("--out", type=Path, default=cache_folder() / "runs" / "candidates")
    options = parser.parse_args()
    kinds = {"composed": composed(options.clips), "real": real(cache_folder() / "music" / "valid", options.clips)}
    for word in options.codecs:
        name, path = word.split("=")
        codec = load_codec(path)
        model = coarse_model(codec, options, options.out / name)
        for kind, clips in kinds.items():
            row = judge(codec, model, clips, options.passes)
            (options.out / f"{name}-{kind}.json").write_text(json.dumps(row))
            print(f"| {name} | {kind} | " + " | ".join(f"{k}: {v if not isinstance(v, float) else round(v, 2)}" for k, v in row.items()) + " |", flush=True)


if __name__ == "__main__":
    main()
