"""What the bundled models generate, beside what is near and what is far.

`python -m tests.bench.bench_generated [--clips 30] [--split valid]`.

Prompted: vamps of periodic prompts against other tracks, by Frechet and kernel distance on log-mel statistics and on
the tagger's embedding, beside the codec's round trip, the last kept frame held, noise of the unigram, and the same
models untrained; onsets and pitch classes kept, beside the held frame's. Unconditional: samples from nothing, by level,
flatness, tempo and pitch classes, beside excerpts and their tokens shuffled. Prints Markdown tables.
"""

import argparse
from pathlib import Path

import librosa
import numpy as np
import torch

from tests.bench.bench_codec import composed, real
from vampkit import Periodic, load_vamp, metrics, music
from vampkit.files import cache_folder
from vampkit.model import MaskedTransformer
from vampkit.pipeline import TakeSettings, Vamp
from vampkit.prompts import Nothing

PERIODS = (7, 16)
EMBEDDINGS = {"log-mel": metrics.logmel_statistics, "tagger": metrics.tagger_embedding}


def untrained(vamp):
    """Models of the same shape, as training begins with them."""
    torch.manual_seed(0)
    return Vamp(
        vamp.codec,
        *(MaskedTransformer(m.config, m.tables.cpu()).to(m.tables.device).eval() for m in (vamp.coarse, vamp.fine)),
    )


def held(codes, mask):
    """Each hidden frame made the last one that was kept."""
    last = torch.where(mask.all(0), -1, torch.arange(mask.shape[1])).cummax(0).values.clamp(min=0)
    return torch.where(mask, codes[:, last], codes)


def noise(counts, codes, mask, seed):
    """Hidden tokens drawn from how often each entry is used."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.stack(
        [torch.multinomial(row, codes.shape[1], replacement=True, generator=generator) for row in counts]
    )
    return torch.where(mask, drawn, codes)


def treatments(vamp, other, tokens, period, counts, settings):
    """Sounds of every way to fill what the prompt hides."""
    prompt, made = Periodic(period), {name: [] for name in ("model", "hold", "noise", "untrained")}
    for seed, t in enumerate(tokens):
        take = vamp.vamp(t, prompt, seed=seed, **settings)
        made["model"].append(take.clip)
        made["hold"].append(vamp.codec.decode(t.replace(codes=held(t.codes, take.mask))))
        made["noise"].append(vamp.codec.decode(t.replace(codes=noise(counts, t.codes, take.mask, seed))))
        made["untrained"].append(other.vamp(t, prompt, seed=seed, **settings).clip)
    return made


def prompted(vamp, kind, clips, reference, settings):
    """The table of one kind of music."""
    sounds, other = [c for c, _ in clips], untrained(vamp)
    tracks = [t for _, t in clips]
    tokens = [vamp.codec.encode(c) for c in sounds]
    counts = metrics.entry_counts(torch.cat([t.codes for t in tokens], 1)[None]).float() + 1
    far = {name: [embed(c) for c in reference] for name, embed in EMBEDDINGS.items()}
    trip = [vamp.codec.decode(t) for t in tokens]
    near = {name: [embed(c) for c in trip] for name, embed in EMBEDDINGS.items()}
    for period in PERIODS:
        made = treatments(vamp, other, tokens, period, counts, settings)
        for name, embed in EMBEDDINGS.items():
            y, width = far[name], metrics.bandwidth_of(far[name])
            points = {"round trip": near[name]} | {way: [embed(c) for c in group] for way, group in made.items()}
            for way, x in points.items():
                row = [metrics.frechet_interval(x, y), metrics.kernel_distance(x, y, width)]
                if way != "model":
                    row += [
                        metrics.frechet_ratio(points["model"], x, y),
                        metrics.kernel_difference(points["model"], x, y, width),
                    ]
                print(f"| {kind} | {period} | {name} | {way} | " + " | ".join(map(str, row)) + " |", flush=True)
        for measure in (metrics.onset_f, metrics.chroma_similarity):
            kept = {way: [measure(a, b) for a, b in zip(sounds, made[way], strict=True)] for way in ("model", "hold")}
            difference = metrics.bootstrap(np.subtract(kept["model"], kept["hold"]), tracks)
            cells = [kind, period, measure.__name__, "model, hold, difference"]
            cells += [*(metrics.bootstrap(values, tracks) for values in kept.values()), difference]
            print("| " + " | ".join(map(str, cells)) + " | |", flush=True)


def heard(clip):
    """What one hears in a clip, as four numbers.

    Lowest level of a second in dBFS, highest flatness of a second, peak of the tempogram over its mean, entropy of the
    pitch classes in bits.
    """
    samples = clip.mono().samples[0]
    seconds = samples[: len(samples) // clip.rate * clip.rate].reshape(-1, clip.rate)
    level = 20 * np.log10(np.sqrt(np.square(seconds).mean(1)) + 1e-9)
    flatness = [librosa.feature.spectral_flatness(y=s).mean() for s in seconds]
    strength = librosa.onset.onset_strength(y=samples, sr=clip.rate)
    tempo = librosa.feature.tempogram(onset_envelope=strength, sr=clip.rate).mean(1)[4:]
    classes = metrics.chroma(clip).mean(1)
    classes /= max(classes.sum(), 1e-9)
    return (
        float(level.min()),
        float(max(flatness)),
        float(tempo.max() / max(tempo.mean(), 1e-9)),
        float(-(classes * np.log2(classes + 1e-12)).sum()),
    )


def unconditional(vamp, count, excerpts, out, settings):
    """Samples in which nothing was kept, beside excerpts of both kinds of music and their tokens in shuffled order.

    excerpts: lists by kind.
    """
    tokens = {kind: [vamp.codec.encode(c) for c in clips] for kind, clips in excerpts.items()}
    lengths, groups = [t for group in tokens.values() for t in group], {"from nothing": []}
    for seed in range(count):
        groups["from nothing"].append(
            vamp.vamp(lengths[seed % len(lengths)], Nothing(), seed=seed, **settings).clip.at_loudness()
        )
        if out:
            groups["from nothing"][-1].save(out / f"from-nothing-{seed:02}.wav")
    for kind, group in tokens.items():
        order = [torch.randperm(t.frames, generator=torch.Generator().manual_seed(i)) for i, t in enumerate(group)]
        shuffled = [vamp.codec.decode(t.replace(codes=t.codes[:, o])) for t, o in zip(group, order, strict=True)]
        groups |= {f"{kind} excerpts": excerpts[kind], f"{kind}, tokens shuffled": shuffled}
    for name, clips in groups.items():
        values = np.array([heard(c) for c in clips])
        sound = f"{np.mean(values[:, 0] > -50):.0%} of {len(values)}; {np.mean(values[:, 1] < 0.3):.0%}"
        rows = [" ".join(f"{q:.2f}" for q in np.quantile(values[:, column], (0.25, 0.5, 0.75))) for column in (2, 3)]
        print(f"| {name} | {sound} | {rows[0]} | {rows[1]} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=30)
    parser.add_argument("--samples", type=int, default=50, help="from nothing, and excerpts of each kind beside them")
    parser.add_argument("--split", default="valid", choices=("valid", "test"))
    parser.add_argument("--kinds", nargs="+", default=["composed", "real"], choices=("composed", "real"))
    parser.add_argument("--only", choices=("prompted", "unconditional"))
    parser.add_argument("--out", type=Path, help="a folder for the unconditional samples")
    parser.add_argument(
        "--fine-passes", type=int, default=TakeSettings().fine.passes, help="coarse-to-fine passes of a take"
    )
    parser.add_argument(
        "--mask-temperature",
        type=float,
        default=TakeSettings().coarse.mask_temperature,
        help="noise on which tokens stay, in the coarse passes",
    )
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="where the models run")
    options = parser.parse_args()
    settings = {"fine_passes": options.fine_passes, "mask_temperature": options.mask_temperature}
    vamp, folder = load_vamp("tiny", device=options.device), cache_folder() / "music"
    if options.only != "unconditional":
        print(
            "| clips | P | embedding | what | Frechet distance | kernel distance, p | model's Frechet over it "
            "| model's kernel distance less it |"
        )
        print(f"|{' --- |' * 8}", flush=True)
        for kind in options.kinds:
            if kind == "composed":
                clips = composed(options.clips)
                others = [
                    music.render(music.compose(1_001_000 + i, genre="training", seconds=10.0)).at_loudness()
                    for i in range(options.clips)
                ]
            else:
                clips, others = (
                    real(folder / options.split, options.clips),
                    [c for c, _ in real(folder / "train", options.clips)],
                )
            prompted(vamp, kind, clips, others, settings)
    if options.only != "prompted":
        print(
            "\n| what | each second above -50 dBFS; flatness below 0.3 | tempogram peak over mean, quartiles "
            "| entropy of pitch classes, bits, quartiles |"
        )
        print("| --- | --- | --- | --- |")
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
        excerpts = {
            kind: composed(options.samples) if kind == "composed" else real(folder / options.split, options.samples)
            for kind in options.kinds
        }
        unconditional(
            vamp,
            options.samples,
            {kind: [c for c, _ in found] for kind, found in excerpts.items()},
            options.out,
            settings,
        )


if __name__ == "__main__":
    main()
