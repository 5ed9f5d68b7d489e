"""Whether every genre sounds as its score says.

`python -m tests.bench.bench_music [--seeds N] [--processes P]`. Prints Markdown tables, lists what fails.

The first table is about faults, the second about what tells the genres apart, with the bundled recordings as a last
row; then speed and repeatability.
"""

import argparse
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from vampkit import metrics, music
from vampkit.audio import LEVEL, Clip
from vampkit.files import data_folder

SECONDS = 10.0
BLOCK = 11_025
"""Samples of a quarter of a second."""
FAULT_HEADS = (
    "genre",
    "highest peak",
    "quietest block with a note, dB",
    "LUFS",
    "share above 4 kHz",
    "beats against between",
    "own chord against a tritone off",
    "own chord best of 12",
)
DESCRIPTIVE = ("tempo", "notes a second", "drums", "onsets a second", "tilt, dB/octave", "loud range, dB")


def described(clip):
    """Statistics of the sound alone: onsets a second, slope of the spectrum, spread of half-second levels."""
    samples = clip.mono().resample(44_100).at_loudness(LEVEL).samples[0]
    power = np.square(np.abs(np.fft.rfft(samples)))
    hertz = np.fft.rfftfreq(len(samples), 1 / 44_100)
    centers = 100 * 2 ** (np.arange(20) / 3)
    width = 2 ** (1 / 6)
    bands = [10 * np.log10(power[(hertz > c / width) & (hertz <= c * width)].mean() + 1e-9) for c in centers]
    blocks = np.sqrt(np.square(samples[: len(samples) // 22_050 * 22_050].reshape(-1, 22_050)).mean(1))
    low, high = np.quantile(20 * np.log10(blocks + 1e-5), (0.1, 0.95))
    onsets = len(metrics.onset_times(Clip(samples, 44_100))) / (len(samples) / 44_100)
    return {
        "onsets a second": onsets,
        "tilt, dB/octave": float(np.polyfit(np.log2(centers), bands, 1)[0]),
        "loud range, dB": float(high - low),
    }


def with_notes(piece, count):
    """Blocks of 0.25 s in which a note sounds for 50 ms at least.

    Only the first 0.25 s of each note count, since a note that decays may be silent at its end.
    """
    found = np.zeros(count, bool)
    for note in piece.notes:
        end = note.start_s + min(note.duration_s, 0.25)
        for block in range(int(note.start_s * 4), min(count, int(end * 4) + 1)):
            found[block] |= min(end, (block + 1) / 4) - max(note.start_s, block / 4) >= 0.05
    return found


def measured(job):
    """Of one piece: level, silence where notes should sound, beats and chords found again, and its statistics."""
    import librosa

    genre, seed = job
    piece = music.compose(seed, genre=genre, seconds=SECONDS)
    clip = music.render(piece)
    samples = clip.samples[0]
    powers = np.square(samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK)).mean(1)
    levels = 20 * np.log10(np.sqrt(powers) + 1e-9)
    sounding = with_notes(piece, len(levels))
    strength = librosa.onset.onset_strength(y=samples, sr=clip.rate, hop_length=256)

    def at(times):
        places = np.round(np.asarray(times) * clip.rate / 256).astype(int)
        return np.mean([strength[max(0, p - 4) : p + 8].max() for p in places if p < len(strength)])

    beats = np.array([b for b in piece.beats if b < SECONDS - 0.5])
    drummed = any(seat.name == "drums" for seat in piece.instruments)
    tuning = 12 * np.log2(piece.tuning / 440)
    chroma = librosa.feature.chroma_cqt(y=samples, sr=clip.rate, hop_length=2048, tuning=tuning)
    own, far, best = [], [], []
    for chord in piece.chords:
        start, end = (int(t * clip.rate / 2048) for t in (chord.start_s, chord.start_s + chord.duration_s))
        frames = chroma[:, start + 1 : end]
        if frames.size:
            tones = np.isin(np.arange(12), chord.tones).astype(float)
            fits = [frames.mean(1) @ np.roll(tones, shift) for shift in range(12)]
            own.append(fits[0])
            far.append(fits[6])
            best.append(fits[0] >= max(fits) - 1e-9)
    power = np.square(np.abs(np.fft.rfft(samples)))
    treble = power[np.fft.rfftfreq(len(samples), 1 / clip.rate) > 4_000].sum() / power.sum()
    return described(clip) | {
        "genre": genre,
        "seed": seed,
        "peak": float(np.abs(samples).max()),
        "finite": bool(np.isfinite(samples).all()),
        "quietest": float(levels[sounding].min()) if sounding.any() else 0.0,
        "loudness": clip.loudness(),
        "treble": float(treble),
        "beats": float(at(beats) / at(beats[:-1] + np.diff(beats) * 0.37)) if drummed and len(beats) > 3 else np.nan,
        "chords": float(np.mean(own) / np.mean(far)),
        "best": float(np.mean(best)),
        "tempo": piece.tempo,
        "notes a second": len(piece.notes) / SECONDS,
        "drums": float(drummed),
    }


def speed(genre):
    """Seconds of music that one core makes in a second, for a piece of 30 s."""
    began = time.process_time()
    music.render(music.compose(2_000_500, genre=genre, seconds=30.0))
    return 30.0 / (time.process_time() - began)


def elsewhere(genre):
    """Whether another process writes the same score, and how far its sound is off."""
    code = (
        "import sys; from vampkit import music; p = music.compose(2000600, genre=sys.argv[1], seconds=4.0);"
        "sys.stdout.write(p.to_json() + '|' + music.render(p).samples.tobytes().hex())"
    )
    done = subprocess.run([sys.executable, "-c", code, genre], capture_output=True, text=True, check=True)
    score, sound = done.stdout.split("|")
    piece = music.compose(2_000_600, genre=genre, seconds=4.0)
    there = np.frombuffer(bytes.fromhex(sound), np.float32)
    return score == piece.to_json(), float(np.abs(there - music.render(piece).samples[0]).max())


def explained(rows, name):
    """Share of a statistic's variance that lies between the genres (eta squared)."""
    values, genres = np.array([r[name] for r in rows]), np.array([r["genre"] for r in rows])
    within = sum(((values[genres == g] - values[genres == g].mean()) ** 2).sum() for g in set(genres))
    return 1 - within / ((values - values.mean()) ** 2).sum()


def named_again(rows):
    """Share of pieces whose genre has the nearest mean statistics; a piece does not count in its genre's mean."""
    table = np.array([[r[name] for name in DESCRIPTIVE] for r in rows])
    table = (table - table.mean(0)) / table.std(0)
    genres = np.array([r["genre"] for r in rows])
    right = []
    for i, row in enumerate(table):
        others = np.arange(len(table)) != i
        means = [table[others & (genres == g)].mean(0) for g in music.GENRES]
        right.append(music.GENRES[int(np.argmin([((row - m) ** 2).sum() for m in means]))] == genres[i])
    return metrics.bootstrap(np.array(right, float))


def print_table(heads, lines):
    print("\n| " + " | ".join(heads) + " |\n" + "| --- " * len(heads) + "|")
    for line in lines:
        print("| " + " | ".join(line) + " |")


def fault_lines(rows):
    for genre in music.GENRES:
        own = [r for r in rows if r["genre"] == genre]
        beats = [r["beats"] for r in own if np.isfinite(r["beats"])]
        yield [
            genre,
            f"{max(r['peak'] for r in own):.2f}",
            f"{min(r['quietest'] for r in own):.0f}",
            str(metrics.bootstrap([r["loudness"] for r in own])),
            f"{np.median([r['treble'] for r in own]):.3f}",
            str(metrics.bootstrap(beats)) if len(beats) > 1 else "no drums",
            str(metrics.bootstrap([r["chords"] for r in own])),
            f"{np.mean([r['best'] for r in own]):.0%}",
        ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    jobs = [(genre, 2_000_000 + seed) for genre in music.GENRES for seed in range(options.seeds)]
    with ProcessPoolExecutor(options.processes) as pool:
        rows = list(pool.map(measured, jobs, chunksize=5))
        speeds = list(pool.map(speed, music.GENRES))
        repeated = list(pool.map(elsewhere, music.GENRES))
    print_table(FAULT_HEADS, fault_lines(rows))
    for row in rows:
        faults = {"clips": row["peak"] > 0.99, "not finite": not row["finite"], "silent": row["quietest"] < -60}
        wrong = ", ".join(name for name, bad in faults.items() if bad)
        if wrong:
            measures = f"peak {row['peak']:.2f}, quietest {row['quietest']:.0f} dB"
            print(f"{row['genre']} {row['seed']}: {wrong} ({measures})")
    lines = [
        [g, *(f"{np.mean([r[name] for r in rows if r['genre'] == g]):.1f}" for name in DESCRIPTIVE)]
        for g in music.GENRES
    ]
    lines.append(["between genres", *(f"{explained(rows, name):.0%}" for name in DESCRIPTIVE)])
    real = [described(Clip.load(path)) for path in sorted((data_folder() / "clips").glob("[01]*.ogg"))]
    means = [f"{np.mean([r[name] for r in real]):.1f}" if name in real[0] else "" for name in DESCRIPTIVE]
    lines.append([f"{len(real)} recordings", *means])
    print_table(("genre", *DESCRIPTIVE), lines)
    print(f"\nGenre named again from these statistics: {named_again(rows)}; chance {1 / len(music.GENRES):.2f}")
    slowest = music.GENRES[int(np.argmin(speeds))]
    print(
        f"Times real time on one core, 30 s pieces: median {np.median(speeds):.0f}, "
        f"slowest {min(speeds):.0f} ({slowest})"
    )
    same, off = sum(equal for equal, _ in repeated), max(distance for _, distance in repeated)
    print(f"Scores of another process equal: {same} of {len(repeated)}; sounds off by at most {off:.1g}")


if __name__ == "__main__":
    main()
