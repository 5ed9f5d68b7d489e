"""Long sounds: do window borders and loop seams stand out, does the level drift, how do time and memory grow?

    python -m tests.bench.bench_long                            10 continuations of 3 minutes, 20 loops, files of 3 and
                                                                30 minutes
    python -m tests.bench.bench_long --count 1 --seconds 40     a small look

Goals: at most 15 % of the borders and seams above the 95th percentile of the interior's spectral flux; every 10 s
within 6 dB of the prefix; time linear; the peak memory of half an hour within 10 % of that of three minutes, and under
2 GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from math import sqrt
from pathlib import Path

import numpy as np

from vampkit import load_vamp, music
from vampkit.audio.blocks import save_blocks
from vampkit.pipeline.windows import SHARED, plan
from vampkit.prompts import Continuation, Loop, Periodic

PREFIX = 3.0
FIRST_SEED = 1_003_000
"""Of the composed pieces: beyond those used for training and elsewhere in the tests."""


def flux(sound: np.ndarray, hop: int, circular: bool = False) -> np.ndarray:
    """Spectral flux from frame to frame of the codec, [frames]: the mean rise of the log magnitude over frequencies."""
    lead = sound[-hop:] if circular else np.zeros(hop, sound.dtype)
    padded = np.concatenate([lead, sound])
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * hop)[::hop] * np.hanning(2 * hop)
    size = np.log1p(100 * np.abs(np.fft.rfft(frames)))
    before = np.roll(size, 1, 0)
    rise = np.maximum(size - before, 0).mean(1)
    if not circular:
        rise[0] = 0
    return rise


def interval(hits: int, n: int) -> str:
    """A proportion with Wilson's 95 % interval."""
    p, z = hits / max(n, 1), 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return f"{p:.1%} of {n} [{max(0, middle - half):.1%}, {min(1, middle + half):.1%}]"


def above(values: np.ndarray, borders: list[int], skip: int = 0) -> int:
    """Borders whose flux exceeds the 95th percentile of all other frames from `skip` on.

    Frame b holds the change from b - 1 to b.
    """
    inside = np.delete(np.arange(len(values)), borders)
    limit = np.quantile(values[inside[inside >= skip]], 0.95)
    return int((values[borders] > limit).sum())


def continuations(vamp, count: int, seconds: float, passes: int, first_seed: int = FIRST_SEED) -> None:
    hits, drift, took = {"coarse": [0, 0], "fine": [0, 0]}, [], []
    for number in range(count):
        start = music.render(music.compose(first_seed + number, seconds=PREFIX + 7)).excerpt(0, PREFIX)
        for length in (seconds / 2, seconds):
            since = time.monotonic()
            take = vamp.vamp(start, Continuation(length), seed=number, passes=passes)
            took.append((length, time.monotonic() - since))
        values, first = flux(take.clip.samples[0], take.tokens.hop), int((~take.mask.any(0)).sum())
        for stage, rows in (("coarse", slice(0, 4)), ("fine", slice(4, None))):
            borders = [w.first for w in plan(take.mask[rows].any(0), SHARED, stage)[1:] if w.first > first]
            hits[stage][0] += above(values, borders, first)
            hits[stage][1] += len(borders)
        level = start.loudness()
        drift.append(
            [take.clip.excerpt(at, 10).loudness() - level for at in np.arange(PREFIX, take.clip.seconds - 5, 10)]
        )
    for stage, (h, n) in hits.items():
        print(f"borders of {stage} windows above the 95th percentile: {interval(h, n)}")
    drift = np.array(drift)
    within = np.mean(np.abs(drift) <= 6)
    print(
        f"loudness of 10 s blocks against the prefix: {drift.min():+.1f} to {drift.max():+.1f} dB, "
        f"{within:.1%} of {drift.size} within 6 dB"
    )
    thirds = " ".join(f"{part.mean():+.1f}" for part in np.array_split(drift, 3, 1))
    print(f"mean of each third of the way: {thirds} dB", flush=True)
    for length in sorted({a for a, _ in took}):
        times = np.array([t for a, t in took if a == length])
        print(f"{length:.0f} s took {times.mean():.1f} s, {(times / length).mean():.2f} s a second")


def loops(vamp, count: int, passes: int, lead: float) -> None:
    """Seams of four-bar loops cut `lead` seconds before the bar, beside their inner bar lines, cut alike."""
    hits, borders_hit, inner = 0, [0, 0], [0, 0]
    for number in range(count):
        piece = music.compose(FIRST_SEED + 500 + number, seconds=24.0)
        clip, bars = music.render(piece), tuple(t for t in piece.downbeats if t >= 0.05)
        take = vamp.vamp(clip, Loop(bars=4, downbeats=bars, lead=lead, prompt=Periodic(13)), seed=number, passes=passes)
        values = flux(take.clip.resample(take.tokens.rate).samples[0], take.tokens.hop, circular=True)
        hits += above(values, [0])
        lines = [round((t - bars[0]) * take.tokens.frame_rate) for t in bars[1:4]]
        inner = [inner[0] + above(values, lines), inner[1] + len(lines)]
        borders = [w.first for w in plan(take.mask[:4].any(0), SHARED, "coarse", circular=True)[1:]]
        if borders:
            borders_hit[0] += above(values, borders)
            borders_hit[1] += len(borders)
    print(
        f"four-bar loops cut {lead:g} s before the bar: seams above the 95th percentile {interval(hits, count)}, "
        f"their inner bars there {interval(*inner)}"
    )
    if borders_hit[1]:
        print(f"window borders inside them: {interval(*borders_hit)}", flush=True)


def file_memory(folder: Path, minutes: tuple[float, ...]) -> None:
    """Peaks of `vampkit vamp` at 2 passes on files of so many minutes, each in a process of its own."""
    clip, peaks = music.render(music.compose(FIRST_SEED + 900, seconds=30.0)), []
    for length in minutes:
        source = folder / f"{length:g}.wav"
        save_blocks((clip.samples for _ in range(round(length * 60 / clip.seconds))), clip.rate, source)
        words = [sys.executable, "-m", "tests.bench.bench_long", "--one", str(source)]
        since = time.monotonic()
        printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        peaks.append(json.loads(printed.splitlines()[-1])["mb"])
        took = time.monotonic() - since
        print(f"a file of {length:g} minutes: peak {peaks[-1]:.0f} MB, {took:.0f} s at 2 passes", flush=True)
    print(f"the longest needs {peaks[-1] / peaks[0] - 1:+.1%} of the shortest's peak")


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--count", type=int, default=10)
    words.add_argument("--seconds", type=float, default=180.0)
    words.add_argument("--passes", type=int, default=36)
    words.add_argument("--minutes", type=float, nargs="*", default=[3.0, 30.0])
    words.add_argument("--only", choices=("continuations", "loops"))
    words.add_argument(
        "--first",
        type=int,
        default=FIRST_SEED,
        help="seed of the first piece that is continued; others than those a setting was chosen on",
    )
    words.add_argument("--one", type=Path, help="vamp one file and print the peak memory")
    words.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="where the models run")
    asked = words.parse_args()
    vamp = load_vamp("tiny", device=asked.device)
    if asked.one:
        from vampkit.pipeline.soundfiles import vamp_file

        vamp_file(vamp, asked.one, asked.one.with_suffix(".out.wav"), Periodic(7), passes=2, fine_passes=1)
        print(json.dumps({"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    if asked.only != "loops" and asked.count:
        continuations(vamp, asked.count, asked.seconds, asked.passes, asked.first)
    for lead in (0.05, 0.0) if asked.count and asked.only != "continuations" else ():
        loops(vamp, 2 * asked.count, asked.passes, lead)
    if asked.minutes and not asked.only:
        with tempfile.TemporaryDirectory() as folder:
            file_memory(Path(folder), tuple(asked.minutes))


if __name__ == "__main__":
    main()
