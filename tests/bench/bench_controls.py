"""What following controls gives: onsets, pulse and chroma of takes, with and without, beside the codec's round trip.

`python -m tests.bench.bench_controls [--clips N] [--passes N] [--controls FILE] [--music DIR]`.

Own: excerpts of 10 s, composed pieces that were held out and real music, with their own rhythm, and with rhythm and
harmony, from every 16th frame and from nothing. Transfer: the rhythm of the next excerpt on this one's prompt. Taps:
the true beats of composed pieces, each moved by a normal error of 30 ms.
"""

import argparse

import numpy as np

import vampkit as vk
from tests.bench.bench_codec import composed, real
from vampkit import load_vamp, metrics, music
from vampkit.controls import Harmony, Rhythm
from vampkit.pipeline.follow import load_controls
from vampkit.prompts import Nothing, Periodic
from vampkit.prompts.beats import onset_times

JITTER = 0.03
"""Standard deviation of a tap's error in seconds."""


def pulse(clip):
    """The peak of the mean tempogram over its mean: 1 is no pulse at all."""
    import librosa

    strength = librosa.onset.onset_strength(y=clip.mono().samples[0], sr=clip.rate)
    mean = librosa.feature.tempogram(onset_envelope=strength, sr=clip.rate).mean(1)[8:]
    return float(mean.max() / mean.mean())


def own(vamp, clips, settings):
    """Each excerpt with its own controls."""
    ways = {
        "P = 16": (Periodic(16), lambda c: []),
        "P = 16, rhythm": (Periodic(16), lambda c: [Rhythm(c)]),
        "P = 16, rhythm and harmony": (Periodic(16), lambda c: [Rhythm(c), Harmony(c)]),
        "P = 16, harmony": (Periodic(16), lambda c: [Harmony(c)]),
        "nothing": (Nothing(), lambda c: []),
        "nothing, rhythm": (Nothing(), lambda c: [Rhythm(c)]),
    }
    sounds = {"round trip": [], **{name: [] for name in ways}}
    for number, clip in enumerate(clips):
        tokens = vamp.codec.encode(clip)
        sounds["round trip"].append(vamp.codec.decode(tokens))
        for name, (prompt, controls) in ways.items():
            sounds[name].append(vamp.vamp(tokens, prompt, seed=number, follow=controls(clip), **settings).clip)
    print("| | onset F | pulse, median | chroma |\n| --- | --- | --- | --- |")
    print(f"| originals | 1 | {np.median([pulse(c) for c in clips]):.2f} | 1 |")
    for name, made in sounds.items():
        onsets = [metrics.onset_f(a, b) for a, b in zip(clips, made, strict=True)]
        chroma = [metrics.chroma_similarity(a, b) for a, b in zip(clips, made, strict=True)]
        strength = np.median([pulse(c) for c in made])
        print(f"| {name} | {metrics.bootstrap(onsets)} | {strength:.2f} | {metrics.bootstrap(chroma)} |", flush=True)


def transfer(vamp, clips, settings):
    """The rhythm of the next excerpt on the prompt of this one."""
    rows = {
        "to the followed": [],
        "to its own": [],
        "followed, round trip": [],
        "chroma, own": [],
        "chroma, followed": [],
    }
    for number, clip in enumerate(clips):
        other = clips[(number + 1) % len(clips)]
        seconds = min(clip.seconds, other.seconds)
        clip, other = clip.excerpt(0, seconds), other.excerpt(0, seconds)
        take = vamp.vamp(clip, Periodic(16), seed=number, follow=[Rhythm(other)], **settings).clip
        rows["to the followed"].append(metrics.onset_f(other, take))
        rows["to its own"].append(metrics.onset_f(clip, take))
        rows["followed, round trip"].append(metrics.onset_f(other, vamp.codec.decode(vamp.codec.encode(other))))
        rows["chroma, own"].append(metrics.chroma_similarity(clip, take))
        rows["chroma, followed"].append(metrics.chroma_similarity(other, take))
    print("\n| transfer | |\n| --- | --- |")
    for name, values in rows.items():
        print(f"| {name} | {metrics.bootstrap(values)} |")
    gain = np.subtract(rows["to the followed"], rows["to its own"])
    print(f"| to the followed less to its own | {metrics.bootstrap(gain)} |", flush=True)


def tapped(vamp, count, settings):
    """Taps on the true beats; how many of them are heard as onsets."""
    import mir_eval

    scores = {"without": [], "with": []}
    for number in range(count):
        piece = music.compose(1_000_500 + number, genre="training", seconds=10.0)
        clip = music.render(piece)
        beats = np.array([b for b in piece.beats if b < clip.seconds - 0.2])
        taps = np.sort(beats + np.random.default_rng(number).normal(0, JITTER, len(beats))).clip(0.02)
        rhythm = Rhythm.of_times(taps, clip.seconds + 0.1)
        for name, follow in (("without", []), ("with", [rhythm])):
            take = vamp.vamp(clip, Nothing(), seed=number, follow=follow, **settings).clip
            scores[name].append(mir_eval.onset.f_measure(taps, onset_times(take), window=0.07)[0])
    print("\n| taps, F within 70 ms | |\n| --- | --- |")
    for name, values in scores.items():
        print(f"| {name} | {metrics.bootstrap(values)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=30)
    parser.add_argument("--passes", type=int, default=36)
    parser.add_argument("--fine-passes", type=int, default=12)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--controls", help="adapters in place of the bundled ones")
    parser.add_argument(
        "--music", help="a split that `vampkit data fetch` filled, as valid; without it the bundled clips"
    )
    parser.add_argument("--only", choices=("own", "transfer", "taps"))
    chosen = parser.parse_args()
    vamp = load_vamp("tiny")
    if chosen.controls:
        vamp.controls = load_controls(chosen.controls, {"coarse": vamp.coarse, "fine": vamp.fine})
    settings = dict(passes=chosen.passes, fine_passes=chosen.fine_passes, strength=chosen.strength)
    if chosen.music:
        recorded = [clip for clip, _ in real(chosen.music, chosen.clips)]
    else:
        bundled = [name for name in vk.clips() if not name.startswith("composed")][: chosen.clips]
        recorded = [vk.load_clip(name).mono().excerpt(0, 10.0).at_loudness() for name in bundled]
    kinds = {"composed": [clip for clip, _ in composed(chosen.clips)], "real": recorded}
    for kind, clips in kinds.items():
        print(f"\n## {kind}, n = {len(clips)}\n", flush=True)
        if chosen.only in (None, "own"):
            own(vamp, clips, settings)
        if chosen.only in (None, "transfer"):
            transfer(vamp, clips, settings)
    if chosen.only in (None, "taps"):
        tapped(vamp, chosen.clips, settings)


if __name__ == "__main__":
    main()
