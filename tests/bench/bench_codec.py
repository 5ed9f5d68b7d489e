"""How well the codec keeps sound, beside Opus.

`python -m tests.bench.bench_codec [--music DIR] [--out FILE]`. Prints a Markdown table.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from vampkit import metrics, music
from vampkit.files import cache_folder
from vampkit.train.pool import build_pool
from vampkit.weights import load_codec

COUNTS = (1, 2, 4, 8, 14)


def composed(count, seconds=10.0):
    """Held-out pieces of the genres trained on, at -24 LUFS, and the track each is of."""
    return [
        (music.render(music.compose(1_000_000 + i, genre="training", seconds=seconds)).at_loudness(), i)
        for i in range(count)
    ]


def real(folder, count):
    """Excerpts of 10 s at -24 LUFS spread over the artists of a split, and the track each is of."""
    pool = build_pool(folder)
    artists = sorted({item["artist"] for item in pool.items})
    places = {a: [i for i, item in enumerate(pool.items) if item["artist"] == a] for a in artists}
    chosen = []
    for n in range(count):
        own = places[artists[n % len(artists)]]
        chosen.append(own[(n // len(artists) * 37 + 11) % len(own)])
    return [(pool.excerpt(i).at_loudness(), pool.items[i]["name"]) for i in chosen]


def row(pairs, tracks):
    """Mel distance and SI-SDR of (reference, estimate) pairs, with intervals over tracks."""
    mel = metrics.bootstrap([metrics.mel_distance(a, b) for a, b in pairs], tracks)
    return mel, metrics.bootstrap([metrics.si_sdr(a, b) for a, b in pairs], tracks)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--music", type=Path, default=cache_folder() / "music" / "valid")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    codec, found = load_codec("tiny"), {}
    print("| clips | codec | mel distance | SI-SDR dB |\n| --- | --- | --- | --- |")
    for kind, clips in (("composed", composed(options.clips)), ("real", real(options.music, options.clips))):
        sounds, tracks = [c for c, _ in clips], [t for _, t in clips]
        tokens = [codec.encode(c) for c in sounds]
        ways = {f"n = {n}": [codec.decode(t, codebooks=n) for t in tokens] for n in COUNTS}
        rates = {}
        for kbps in (12, 16):
            made = [metrics.opus_round_trip(c, kbps) for c in sounds]
            rates[kbps] = np.mean([rate for _, rate in made])
            ways[f"Opus, {rates[kbps]:.1f} kbit/s"] = [c for c, _ in made]
        for name, outputs in ways.items():
            mel, sdr = row(list(zip(sounds, outputs, strict=True)), tracks)
            found[f"{kind} {name}"] = [*mel, *sdr]
            print(f"| {kind} | {name} | {mel} | {sdr} |", flush=True)
    many = [c for c, _ in composed(90) + real(options.music, 90)]
    codes = torch.cat([codec.encode(c).codes for c in many], 1)
    used = metrics.entries_used(codes)
    print(
        f"\nEntries used over {codes.shape[1]} frames, half composed, half real: "
        f"lowest codebook {float(used.min()):.1%}, mean {float(used.mean()):.1%}"
    )
    if options.out:
        options.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
