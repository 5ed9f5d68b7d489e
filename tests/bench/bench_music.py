"""Whether every genre sounds as its score says: `python -m tests.bench.bench_music [--seeds N] [--processes P]`. Prints a Markdown table, lists what fails."""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from vampkit import metrics, music

SECONDS = 10.0
BLOCK = 11_025
"""Samples of a quarter of a second."""


def measured(job):
    """What one piece shows: level, silence where notes should sound, beats and chords found again, and the composer's speed."""
    import librosa

    genre, seed = job
    began = time.process_time()
    piece = music.compose(seed, genre=genre, seconds=SECONDS)
    clip = music.render(piece)
    spent = time.process_time() - began
    samples = clip.samples[0]
    levels = 20 * np.log10(np.sqrt(np.square(samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK)).mean(1)) + 1e-9)
    sounding = np.zeros(len(levels), bool)
    for note in piece.notes:  # held for at least a block: what decays sooner may be silent at its end
        sounding[int(note.start_s * 4) : int((note.start_s + min(note.duration_s, 0.25)) * 4)] = True
    strength = librosa.onset.onset_strength(y=samples, sr=clip.rate, hop_length=256)

    def at(times):
        places = np.round(np.asarray(times) * clip.rate / 256).astype(int)
        return np.mean([strength[max(0, p - 4) : p + 8].max() for p in places if p < len(strength)])

    beats = np.array([b for b in piece.beats if b < SECONDS - 0.5])
    drummed = any(seat.name == "drums" for seat in piece.instruments)
    chroma = librosa.feature.chroma_cqt(y=samples, sr=clip.rate, hop_length=2048, tuning=12 * np.log2(piece.tuning / 440))
    own, far = [], []
    for chord in piece.chords:
        frames = chroma[:, int(chord.start_s * clip.rate / 2048) + 1 : int((chord.start_s + chord.duration_s) * clip.rate / 2048)]
        if frames.size:
            tones = np.isin(np.arange(12), chord.tones).astype(float)
            own.append(frames.mean(1) @ tones)
            far.append(frames.mean(1) @ np.roll(tones, 6))
    power = np.square(np.abs(np.fft.rfft(samples)))
    treble = power[np.fft.rfftfreq(len(samples), 1 / clip.rate) > 4_000].sum() / power.sum()
    return {
        "genre": genre, "seed": seed, "peak": float(np.abs(samples).max()), "finite": bool(np.isfinite(samples).all()),
        "quietest": float(levels[sounding].min()) if sounding.any() else 0.0, "loudness": clip.loudness(), "treble": float(treble),
        "beats": float(at(beats) / at(beats[:-1] + np.diff(beats) * 0.37)) if drummed and len(beats) > 3 else np.nan,
        "chords": float(np.mean(own) / np.mean(far)), "speed": SECONDS / spent,
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    jobs = [(genre, 2_000_000 + seed) for genre in music.GENRES for seed in range(options.seeds)]
    with ProcessPoolExecutor(options.processes) as pool:
        rows = list(pool.map(measured, jobs, chunksize=5))
    heads = ("genre", "highest peak", "quietest block with a note, dB", "LUFS", "share above 4 kHz", "beats against between", "own chord against a tritone off")
    print("| " + " | ".join((*heads, "times real time")) + " |\n" + "| --- " * (len(heads) + 1) + "|")
    for genre in music.GENRES:
        own = [r for r in rows if r["genre"] == genre]
        beats = [r["beats"] for r in own if np.isfinite(r["beats"])]
        print(
            f"| {genre} | {max(r['peak'] for r in own):.2f} | {min(r['quietest'] for r in own):.0f} | {metrics.bootstrap([r['loudness'] for r in own])} | "
            f"{np.median([r['treble'] for r in own]):.3f} | {metrics.bootstrap(beats) if beats else 'no drums'} | "
            f"{metrics.bootstrap([r['chords'] for r in own])} | {np.median([r['speed'] for r in own]):.0f} |"
        )
    for row in rows:
        wrong = [k for k, bad in {"clips": row["peak"] > 0.99, "not finite": not row["finite"], "silent": row["quietest"] < -60}.items() if bad]
        if wrong:
            print(f"{row['genre']} {row['seed']}: {', '.join(wrong)} (peak {row['peak']:.2f}, quietest {row['quietest']:.0f} dB)")


if __name__ == "__main__":
    main()
