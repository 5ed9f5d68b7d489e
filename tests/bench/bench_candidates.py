"""Which codec makes the best vamps? `python -m tests.bench.bench_candidates NAME=CODEC [NAME=CODEC ...] --out FOLDER`.
Prints a Markdown table.

For each codec: reconstruction, entropy of its tokens, the same small models trained for the same few steps, and how far
their vamps (P = 7 and 16) lie from the sounds they were made of, before any codec; then the Frechet distance of each as
a ratio to the first codec's, with the interval of that ratio. A run that was stopped goes on with the models it has; a
folder of codec and models in place of a codec is judged as it is. `--only short` trains the small coarse model alone,
for each codec and for the codec of each folder, and prints how far it comes. Needs the pools of `vampkit train codec
--music DIR`.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import torch

from tests.bench.bench_codec import composed, real
from vampkit import Periodic, load_vamp, metrics
from vampkit.files import cache_folder
from vampkit.pipeline import Vamp
from vampkit.train import MASKED_PRESETS, ExcerptStore, MaskedTraining, Pool, build_pool
from vampkit.weights import load_codec

COUNTS = (1, 2, 4, 8, 14)
PERIODS = (7, 16)


def store(pool, codec, count):
    """Tokens of `count` excerpts, spread over the pool."""
    which = np.linspace(0, len(pool) - 1, count).astype(int)
    codes = torch.stack([codec.encode_samples(pool.sound[i].astype(np.float32) / 32768)[0].int() for i in which])
    return ExcerptStore(codes, pool.chances[which] / pool.chances[which].sum(), codec.hash)


def trained(codec, options, folder, kinds=("coarse", "fine")):
    """The same small models for every codec."""
    pools = build_pool(cache_folder() / "music" / "train"), Pool(cache_folder() / "pools" / options.pool)
    stores = tuple(store(pool, codec, options.train) for pool in pools)
    models = []
    for kind in kinds:
        steps = options.steps if kind == "coarse" else options.fine_steps
        preset = dataclasses.replace(MASKED_PRESETS[kind]["laptop"], steps=steps, check_every=10**9)
        training = MaskedTraining(preset, codec, stores, folder / kind, {})
        training.run()
        training.network.load_state_dict(training.average.state)
        models.append(training.network.eval())
    return models


def pipeline(codec, options, folder):
    """The codec with both of its small models."""
    return Vamp(codec, *trained(codec, options, folder))


def short(codec, clips, options, folder):
    """What the small coarse model learned.

    The tokens' entropy, its cross entropy with half hidden, and the distance below the unigram, in nats.
    """
    [model] = trained(codec, options, folder, ("coarse",))
    for kind, sounds in clips.items():
        codes = torch.stack([codec.encode(c).codes[:, :574] for c, _ in sounds])
        unigram, measured = metrics.unigram_cross_entropy(codes), metrics.masked_cross_entropy(model, codes, 0.5)
        below = [round(float(u - m), 2) for u, m in zip(unigram, measured, strict=False)]
        rows = [[round(float(x), 2) for x in values] for values in (unigram, measured)]
        yield f"{kind} | {rows[0]} | {rows[1]} | {below} | {np.mean(below):.2f}"


def judge(vamp, clips, passes):
    """One row of figures for one kind of music, and the statistics of its vamps and of the originals, by track."""
    codec, sounds, tracks = vamp.codec, [c for c, _ in clips], [t for _, t in clips]
    tokens = [codec.encode(c) for c in sounds]
    row = {}
    for n in COUNTS:
        decoded = [codec.decode(t, codebooks=n) for t in tokens]
        row[f"mel {n}"] = metrics.bootstrap(
            [metrics.mel_distance(a, b) for a, b in zip(sounds, decoded, strict=True)], tracks
        )
        row[f"dB {n}"] = metrics.bootstrap([metrics.si_sdr(a, b) for a, b in zip(sounds, decoded, strict=True)], tracks)
    codes = torch.stack([t.codes[:, :574] for t in tokens])
    unigram = metrics.unigram_cross_entropy(codes)
    row["entropy"] = [round(float(u), 2) for u in unigram]
    for name, model, part in (("coarse", vamp.coarse, slice(0, 4)), ("fine", vamp.fine, slice(4, 14))):
        measured = metrics.masked_cross_entropy(model, codes, 0.5)
        row[name] = [round(float(m), 2) for m in measured]
        row[f"{name} below"] = float((unigram[part] - measured).mean())
    made = {"originals": [metrics.logmel_statistics(c) for c in sounds]}
    for period in PERIODS:
        made[period] = [
            metrics.logmel_statistics(vamp.vamp(t, Periodic(period), seed=i, passes=passes).clip)
            for i, t in enumerate(tokens)
        ]
        row[f"Frechet {period}"] = metrics.frechet_interval(made[period], made["originals"])
        row[f"kernel {period}"] = metrics.kernel_distance(made[period], made["originals"]).estimate
    return row, made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("codecs", nargs="+")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--passes", type=int, default=36)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--fine-steps", type=int, default=250)
    parser.add_argument("--train", type=int, default=240, help="excerpts of 10 s of each kind to train the models on")
    parser.add_argument("--pool", default="training-genres-800")
    parser.add_argument("--only", choices=("short",))
    parser.add_argument("--out", type=Path, default=cache_folder() / "runs" / "candidates")
    options = parser.parse_args()
    kinds = {"composed": composed(options.clips), "real": real(cache_folder() / "music" / "valid", options.clips)}
    first = {}
    for word in options.codecs:
        name, path = word.split("=")
        if options.only == "short":
            codec = load_codec(str(Path(path) / "codec.safetensors") if Path(path).is_dir() else path)
            for row in short(codec, kinds, options, options.out / name):
                print(f"| {name} | {row} |", flush=True)
            continue
        vamp = load_vamp(path) if Path(path).is_dir() else pipeline(load_codec(path), options, options.out / name)
        for kind, clips in kinds.items():
            row, made = judge(vamp, clips, options.passes)
            against = first.setdefault(kind, made)
            row |= {f"of the first {p}": metrics.frechet_ratio(made[p], against[p], made["originals"]) for p in PERIODS}
            cells = [f"{k}: {round(v, 2) if isinstance(v, float) else v}" for k, v in row.items()]
            print(f"| {name} | {kind} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
