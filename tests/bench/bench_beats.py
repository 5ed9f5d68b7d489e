"""How late and how good librosa's beats are, and how often the downbeats are guessed right.

`python -m tests.bench.bench_beats [--clips N]`. Prints Markdown tables.
"""

import argparse

import numpy as np

from vampkit import metrics, music
from vampkit.metrics.agreement import BEAT_TOLERANCE
from vampkit.prompts.beats import BIAS, LibrosaBeats, guess_downbeats


def drummed(count, first=1_000_000, seconds=20.0):
    """Composed pieces with drums and their sound, by the seeds from `first` on."""
    made, seed = [], first
    while len(made) < count:
        piece, seed = music.compose(seed, seconds=seconds), seed + 1
        if "drums" in piece.parts:
            made.append((piece, music.render(piece)))
    return made


def errors(truth, found):
    """Seconds by which found beats are late, of those within 70 ms of a true one."""
    truth = np.asarray(truth)
    late = [t - truth[np.abs(truth - t).argmin()] for t in found]
    return [e for e in late if abs(e) < BEAT_TOLERANCE]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument(
        "--first", type=int, default=500_000, help="seed of the first piece; from 1000000 on they are held out"
    )
    options = parser.parse_args()
    late, scores, right = [], [], []
    for piece, clip in drummed(options.clips, options.first):
        found = np.asarray(LibrosaBeats().track(clip).beats)
        late += errors(piece.beats, found + BIAS)
        scores.append(metrics.beat_f(np.asarray(piece.beats), found))
        if piece.meter[0] == 4:
            guess = guess_downbeats([t for t in piece.beats if t < clip.seconds], clip)
            right.append(guess[0] in piece.downbeats)
    print("| what | value |\n| --- | --- |")
    mean, median = np.mean(late) * 1000, np.median(late) * 1000
    print(f"| beats late, before the correction | mean {mean:.1f} ms, median {median:.1f} ms, n {len(late)} beats |")
    print(f"| F of the beats, 70 ms | {metrics.bootstrap(scores)} |")
    print(f"| downbeats guessed right, true beats given, meter 4 | {sum(right)} of {len(right)} |")


if __name__ == "__main__":
    main()
