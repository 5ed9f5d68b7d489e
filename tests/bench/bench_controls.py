"""What following controls gives: onsets, pulse, chroma and distances of takes, with and without, beside the round trip.

`python -m tests.bench.bench_controls [--clips N] [--split valid|test] [--kinds composed real] [--only ...]`.

own: excerpts of 10 s, held-out composed pieces and real music, from every 7th and 16th frame and from nothing, with
their own rhythm, and with rhythm and harmony; Frechet and kernel distances to other tracks with their rhythm and
without. transfer: the rhythm of the next excerpt on this one's prompt. taps: the true beats of composed pieces, each
moved by a normal error of 30 ms. drums: the drums of composed pieces alone, followed from nothing; also the pulse of
what was made, beside that of excerpts and of their tokens in shuffled order. Real music is what `vampkit data fetch`
stored; `--kinds bundled` takes the bundled recordings.
"""

import argparse

import numpy as np
import torch

import vampkit as vk
from tests.bench.bench_codec import real
from tests.bench.bench_generated import EMBEDDINGS, heard
from vampkit import load_vamp, metrics, music
from vampkit.controls import Harmony, Rhythm
from vampkit.files import cache_folder
from vampkit.pipeline import TakeSettings
from vampkit.pipeline.follow import load_controls
from vampkit.prompts import Nothing, Periodic
from vampkit.prompts.beats import onset_times

JITTER = 0.03
"""Standard deviation of a tap's error in seconds."""
FIRST = {"valid": 1_000_000, "test": 1_003_000}
"""First seed of the composed pieces of a split."""
PARTS = ("own", "transfer", "taps", "drums")
WAYS = {
    "P = 7": (Periodic(7), ()),
    "P = 7, rhythm": (Periodic(7), (Rhythm,)),
    "P = 16": (Periodic(16), ()),
    "P = 16, rhythm": (Periodic(16), (Rhythm,)),
    "P = 16, rhythm and harmony": (Periodic(16), (Rhythm, Harmony)),
    "nothing": (Nothing(), ()),
    "nothing, rhythm": (Nothing(), (Rhythm,)),
}


def pulse(clip):
    """The peak of the mean tempogram over its mean: 1 is no pulse at all."""
    return heard(clip)[2]


def ratio(values, base, middle=np.mean):
    """Mean of values over that of base, with a 95 % interval over paired draws of the clips."""
    values, base = np.asarray(values), np.asarray(base)
    draws = np.random.default_rng(0).integers(len(values), size=(2000, len(values)))
    low, high = np.quantile(middle(values[draws], 1) / middle(base[draws], 1), (0.025, 0.975))
    return f"{middle(values) / middle(base):.2f} [{low:.2f}, {high:.2f}]"


def composed(count, split, seconds=10.0):
    """Held-out pieces with their sound at -24 LUFS."""
    pieces = [music.compose(FIRST[split] + i, genre="training", seconds=seconds) for i in range(count)]
    return [(piece, music.render(piece).at_loudness()) for piece in pieces]


def own(vamp, kind, clips, others, ways, settings):
    """Each excerpt with its own controls. others: tracks to which the distances are measured. ways: names in WAYS."""
    sounds = {"round trip": [], **{name: [] for name in ways}}
    for number, clip in enumerate(clips):
        tokens = vamp.codec.encode(clip)
        sounds["round trip"].append(vamp.codec.decode(tokens))
        for name in ways:
            prompt, kinds = WAYS[name]
            follow = [kind(clip) for kind in kinds]
            sounds[name].append(vamp.vamp(tokens, prompt, seed=number, follow=follow, **settings).clip)
    print(f"\n| {kind} | onset F | of the round trip's | pulse, median | of the round trip's | chroma |")
    print(f"|{' --- |' * 6}")
    print(f"| originals | 1 | | {np.median([pulse(c) for c in clips]):.2f} | | 1 |")
    onsets, pulses = {}, {}
    for name, made in sounds.items():
        onsets[name] = [metrics.onset_f(a, b) for a, b in zip(clips, made, strict=True)]
        pulses[name] = [pulse(c) for c in made]
        chroma = [metrics.chroma_similarity(a, b) for a, b in zip(clips, made, strict=True)]
        row = [metrics.bootstrap(onsets[name]), ratio(onsets[name], onsets["round trip"])]
        row += [f"{np.median(pulses[name]):.2f}", ratio(pulses[name], pulses["round trip"], np.median)]
        print(f"| {name} | " + " | ".join(map(str, [*row, metrics.bootstrap(chroma)])) + " |", flush=True)
    print(f"\n| {kind}, with its rhythm and without | Frechet, ratio | kernel, difference |\n| --- | --- | --- |")
    for embedding, embed in EMBEDDINGS.items():
        far = [embed(c) for c in others]
        for period in [p for p in ("P = 7", "P = 16") if {p, f"{p}, rhythm"} <= set(ways)]:
            told, plain = ([embed(c) for c in sounds[name]] for name in (f"{period}, rhythm", period))
            row = metrics.frechet_ratio(told, plain, far), metrics.kernel_difference(told, plain, far)
            print(f"| {embedding}, {period} | {row[0]} | {row[1]} |", flush=True)


def transfer(vamp, kind, clips, settings):
    """The rhythm of the next excerpt on the prompt of this one."""
    names = ("to the followed", "to its own", "followed, round trip", "chroma, own", "chroma, followed")
    rows = {name: [] for name in names}
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
    print(f"\n| {kind}, transfer | |\n| --- | --- |")
    for name, values in rows.items():
        print(f"| {name} | {metrics.bootstrap(values)} |")
    print(f"| to the followed, of its round trip's | {ratio(rows[names[0]], rows[names[2]])} |")
    for first, second in ((names[0], names[1]), (names[3], names[4])):
        print(f"| {first}, less: {second} | {metrics.bootstrap(np.subtract(rows[first], rows[second]))} |", flush=True)


def heard_times(times, clip):
    """F of times against the onsets of a clip, within 70 ms."""
    import mir_eval

    return mir_eval.onset.f_measure(np.asarray(times), onset_times(clip), window=0.07)[0]


def tapped(vamp, found, settings):
    """Taps on the true beats; how many of them are heard as onsets."""
    scores = {"without": [], "with": []}
    for number, (piece, clip) in enumerate(found):
        beats = np.array([b for b in piece.beats if b < clip.seconds - 0.2])
        taps = np.sort(beats + np.random.default_rng(number).normal(0, JITTER, len(beats))).clip(0.02)
        rhythm = Rhythm.of_times(taps, clip.seconds + 0.1)
        for name, follow in (("without", []), ("with", [rhythm])):
            take = vamp.vamp(clip, Nothing(), seed=number, follow=follow, **settings).clip
            scores[name].append(heard_times(taps, take))
    print("\n| taps, F within 70 ms | |\n| --- | --- |")
    for name, values in scores.items():
        print(f"| {name} | {metrics.bootstrap(values)} |", flush=True)


def drummed(vamp, count, split, settings):
    """The drums of pieces, followed from nothing."""
    scores, groups = {"without": [], "with": [], "round trip of the drums": []}, {}
    for number, (piece, clip) in enumerate(composed(3 * count, split)):
        drums = music.render(piece, stems=True).get("drums")
        if drums is None or drums.loudness() < -50 or len(scores["with"]) == count:
            continue
        drums, tokens = drums.at_loudness(), vamp.codec.encode(clip)
        strokes = onset_times(drums)
        order = torch.randperm(tokens.frames, generator=torch.Generator().manual_seed(number))
        made = {
            "without": vamp.vamp(tokens, Nothing(), seed=number, **settings).clip,
            "with": vamp.vamp(tokens, Nothing(), seed=number, follow=[Rhythm(drums)], **settings).clip,
            "round trip of the drums": vamp.codec.decode(vamp.codec.encode(drums)),
        }
        for name, sound in made.items():
            scores[name].append(heard_times(strokes, sound))
        shuffled = vamp.codec.decode(tokens.replace(codes=tokens.codes[:, order]))
        for name, sound in {**made, "excerpts": clip, "tokens shuffled": shuffled}.items():
            groups.setdefault(name, []).append(pulse(sound))
    print("\n| drums alone, from nothing | F of the strokes within 70 ms |\n| --- | --- |")
    for name, values in scores.items():
        print(f"| {name} | {metrics.bootstrap(values)} |")
    print("\n| | pulse, quartiles |\n| --- | --- |")
    for name, values in groups.items():
        print(f"| {name} | {' '.join(f'{q:.2f}' for q in np.quantile(values, (0.25, 0.5, 0.75)))} |", flush=True)


def excerpts(kind, count, split):
    """Excerpts of 10 s, and other tracks to measure distances to."""
    if kind == "composed":
        far = [music.render(music.compose(1_001_000 + i, genre="training", seconds=10.0)) for i in range(count)]
        return [clip for _, clip in composed(count, split)], [clip.at_loudness() for clip in far]
    folder = cache_folder() / "music"
    others = [clip for clip, _ in real(folder / "train", count)]
    if kind == "real":
        return [clip for clip, _ in real(folder / split, count)], others
    names = [name for name in vk.clips() if not name.startswith("composed")][:count]
    return [vk.load_clip(name).mono().excerpt(0, 10.0).at_loudness() for name in names], others


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=30)
    parser.add_argument("--split", choices=("valid", "test"), default="valid")
    parser.add_argument("--kinds", nargs="+", default=["composed", "real"], choices=("composed", "real", "bundled"))
    parser.add_argument("--passes", type=int, default=36)
    parser.add_argument("--fine-passes", type=int, default=12)
    parser.add_argument("--strength", type=float, default=TakeSettings().strength)
    parser.add_argument("--guidance", type=float, default=TakeSettings().guidance)
    parser.add_argument("--controls", help="adapters in place of the bundled ones")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS), help="rows of the table of own")
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=PARTS)
    chosen = parser.parse_args()
    vamp = load_vamp("tiny")
    if chosen.controls:
        vamp.controls = load_controls(chosen.controls, {"coarse": vamp.coarse, "fine": vamp.fine})
    settings = dict(passes=chosen.passes, fine_passes=chosen.fine_passes, strength=chosen.strength)
    settings |= dict(guidance=chosen.guidance)
    for kind in chosen.kinds:
        clips, others = excerpts(kind, chosen.clips, chosen.split)
        if "own" in chosen.only:
            own(vamp, kind, clips, others, chosen.ways, settings)
        if "transfer" in chosen.only:
            transfer(vamp, kind, clips, settings)
    if "taps" in chosen.only:
        tapped(vamp, composed(chosen.clips, chosen.split), settings)
    if "drums" in chosen.only:
        drummed(vamp, chosen.clips, chosen.split, settings)


if __name__ == "__main__":
    main()
