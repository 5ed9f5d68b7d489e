"""What the tagger tells, and whether embeddings order degradations.

`python -m tests.bench.bench_tagger [--pieces N] [--excerpts N] [--tagger FILE]`.

Held-out composed pieces only (seeds of 1,000,000 and more). Prints Markdown.
"""

import argparse

import numpy as np
import torch

from tests.degradations import DEGRADATIONS
from vampkit import metrics, music
from vampkit.audio import LEVEL
from vampkit.files import cache_folder
from vampkit.metrics.tagger import STEP, TEMPI, WINDOW, load_tagger
from vampkit.train.tagger import TAGGER_PRESETS, compose_spectra
from vampkit.weights import load_codec


def average_precision(scores, truth):
    """Mean over the true items of the fraction of true ones among those scored at least as high."""
    order = np.argsort(-scores)
    hits = truth[order]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits > 0].mean())


def tagged(pieces, tagger, folder):
    """Accuracy of genre and tempo class by piece, the mean over its windows, and average precision by instrument."""
    spectra = compose_spectra(
        range(music.HELD_OUT_SEEDS, music.HELD_OUT_SEEDS + pieces), folder, TAGGER_PRESETS["laptop"].seconds
    )
    genre, tempo, scores = [], [], []
    with torch.inference_mode():
        for spectrum in spectra.spectra.float():
            answers = tagger(spectrum.unfold(1, WINDOW, STEP).transpose(0, 1))
            genre.append(int(answers[0].softmax(-1).mean(0).argmax()))
            tempo.append(int(answers[2].softmax(-1).mean(0).argmax()))
            scores.append(answers[1].sigmoid().mean(0).numpy())
    right = (np.array(genre) == spectra.genre.numpy()) * 1.0
    off = np.abs(np.array(tempo) - spectra.tempo.numpy())
    scores, truth = np.array(scores), spectra.playing.any(-1).numpy()
    common = truth.sum(0) >= 5
    precision = [average_precision(scores[:, i], truth[:, i]) for i in np.flatnonzero(common)]
    commonest = [np.bincount(classes).max() / pieces for classes in (spectra.genre, spectra.tempo)]
    exact, near = (metrics.bootstrap((off < most) * 1.0) for most in (1, 2))
    print(f"Genre of {len(tagger.genres)}: {metrics.bootstrap(right)}; the commonest alone {commonest[0]:.2f}")
    print(
        f"Tempo class of {len(TEMPI) + 1}: {exact}; right or next to it {near}; the commonest alone {commonest[1]:.2f}"
    )
    print(
        f"Instruments in 5 pieces or more, mean average precision: {metrics.bootstrap(precision)} instruments; "
        f"by chance {truth[:, common].mean():.2f}"
    )


def degraded(count, tagger):
    """Kernel and Frechet distance of each degradation from as many other pieces, by embedding."""
    codec = load_codec("tiny")
    embeddings = {
        "tagger": lambda c: metrics.tagger_embedding(c, tagger),
        "log-mel statistics": metrics.logmel_statistics,
        "codec latents": lambda c: metrics.codec_latents(c, codec),
    }
    starts = (1_600_000, 1_700_000)
    sets = [
        [music.render(music.compose(first + i, genre="training", seconds=6.0)).at_loudness(LEVEL) for i in range(count)]
        for first in starts
    ]
    print("\n| degradation | " + " | ".join(f"{name}: KAD | {name}: Frechet" for name in embeddings) + " |")
    print("| --- " + "| --- " * (2 * len(embeddings)) + "|")
    references = {name: [embed(clip) for clip in sets[1]] for name, embed in embeddings.items()}
    widths = {name: metrics.bandwidth_of(reference) for name, reference in references.items()}
    for how, change in DEGRADATIONS.items():
        changed, cells = [change(clip) for clip in sets[0]], []
        for name, embed in embeddings.items():
            here = [embed(clip) for clip in changed]
            cells += [
                str(metrics.kernel_distance(here, references[name], widths[name])),
                str(metrics.frechet_interval(here, references[name])),
            ]
        print(f"| {how} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pieces", type=int, default=56)
    parser.add_argument("--excerpts", type=int, default=60)
    parser.add_argument("--tagger")
    parser.add_argument("--spectra", default=cache_folder() / "runs" / "tagger-laptop" / "spectra")
    options = parser.parse_args()
    tagger = load_tagger(options.tagger)
    if options.pieces:
        tagged(options.pieces, tagger, options.spectra)
    if options.excerpts:
        degraded(options.excerpts, tagger)


if __name__ == "__main__":
    main()
