"""What prompts keep: beats, and how many bits for which mel distance.

`python -m tests.bench.bench_prompts [--clips N] [--seconds S] [--passes N] [--music DIR]`. Prints tables.

Beats: librosa's beats in the vamp against the true ones, on composed pieces of 20 s with drums, beside the codec's
round trip and a random mask that keeps as many tokens. Compression to generation: bits kept and mel distance of every
preset over held-out excerpts, half composed, half real.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from tests.bench.bench_beats import drummed
from tests.bench.bench_codec import composed, real
from vampkit import load_vamp, metrics
from vampkit.files import cache_folder
from vampkit.prompts import PRESETS, Beats, RandomShare
from vampkit.prompts.beats import LibrosaBeats, beats_from_score


def beats(vamp, count, passes, before):
    """F of the beats of each way to keep the music, and the differences by piece."""
    scores = {
        name: [] for name in ("input", "codec round trip", "true beats", "tracked beats", "random, as many tokens")
    }
    kept = []
    for number, (piece, clip) in enumerate(drummed(count)):
        truth = np.asarray(piece.beats)
        tokens = vamp.codec.encode(clip)
        inside = within(beats_from_score(piece), tokens.seconds)
        true, tracked = (Beats(before, 0.075, beats=grid).mask(tokens) for grid in (inside, LibrosaBeats().track(clip)))
        kept.append(float((~true).float().mean()))
        masks = {
            "true beats": true,
            "tracked beats": tracked,
            "random, as many tokens": RandomShare(kept[-1], number).mask(tokens),
        }
        sounds = {"input": clip, "codec round trip": vamp.codec.decode(tokens)}
        sounds |= {name: vamp.vamp(tokens, mask, seed=number, passes=passes).clip for name, mask in masks.items()}
        for name, sound in sounds.items():
            scores[name].append(metrics.beat_f(truth, sound))
    print(f"Beat prompts keep {metrics.bootstrap(kept)} of the tokens.\n")
    print("| kept | F of the beats, 70 ms | over the round trip's mean |\n| --- | --- | --- |")
    for name, values in scores.items():
        print(f"| {name} | {metrics.bootstrap(values)} | {np.mean(values) / np.mean(scores['codec round trip']):.3f} |")
    print("\n| difference by piece | F |\n| --- | --- |")
    for a, b in (
        ("true beats", "random, as many tokens"),
        ("tracked beats", "random, as many tokens"),
        ("tracked beats", "true beats"),
    ):
        print(f"| {a} less {b} | {metrics.bootstrap(np.subtract(scores[a], scores[b]))} |", flush=True)


def within(grid, seconds):
    """The beats that lie within the sound: a piece's last one may fall on its end."""
    return type(grid)(tuple(t for t in grid.beats if t < seconds), tuple(t for t in grid.downbeats if t < seconds))


def bits(vamp, clips, passes, figure):
    """Bits kept and mel distance of each preset, and their rank correlation with an interval over tracks."""
    tracks = [track for _, track in clips]
    tokens = [vamp.codec.encode(clip) for clip, _ in clips]
    rates, distances = {}, {}
    for name, prompt in PRESETS.items():
        hidden = [heard(prompt, t, clip) for t, (clip, _) in zip(tokens, clips, strict=True)]
        takes = [
            vamp.vamp(t, mask, seed=i, passes=passes).clip
            for i, (t, mask) in enumerate(zip(tokens, hidden, strict=True))
        ]
        rates[name] = [t.bits_per_second * float((~m).float().mean()) for t, m in zip(tokens, hidden, strict=True)]
        distances[name] = [metrics.mel_distance(clip, take) for (clip, _), take in zip(clips, takes, strict=True)]
        print(f"| {name} | {np.mean(rates[name]):.0f} | {metrics.bootstrap(distances[name], tracks)} |", flush=True)
    if figure:
        intervals = {name: metrics.bootstrap(values, tracks) for name, values in distances.items()}
        drawn_figure(rates, intervals).write_html(figure)
    x, y = np.array(list(rates.values())), np.array(list(distances.values()))
    whole = rank_correlation(x.mean(1), y.mean(1))
    drawn = [correlation_of(x, y, tracks, np.random.default_rng(i)) for i in range(2000)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    print(
        f"\nRank correlation of bits and mel distance over {len(x)} presets: "
        f"{whole:.3f} [{low:.3f}, {high:.3f}], n = {len(clips)} excerpts"
    )


def drawn_figure(rates, distances):
    """Mel distance over kept bits: a point with its interval for every preset, one line a family of compressions."""
    import plotly.graph_objects as go

    families = {}
    for name in rates:
        parts = name.split("-")
        family = "-".join(parts[:3] if parts[1] == "compression" else parts[:2] if parts[0] == "paper" else parts[:1])
        families.setdefault(family, []).append(name)
    figure = go.Figure()
    for family, names in families.items():
        names.sort(key=lambda n: np.mean(rates[n]))
        found = [distances[n] for n in names]
        error = dict(
            type="data",
            array=[d.high - d.mean for d in found],
            arrayminus=[d.mean - d.low for d in found],
            thickness=1,
            width=2,
        )
        # A logarithmic axis has no 0: nothing kept is drawn at 10 bits a second, and the axis says so.
        x = [max(10, np.mean(rates[n])) for n in names]
        mode = "lines+markers" if family.startswith("paper-comp") else "markers"
        figure.add_scatter(x=x, y=[d.mean for d in found], error_y=error, text=names, mode=mode, name=family)
    figure.update_xaxes(
        type="log",
        title="kept, bits a second",
        tickvals=[10, 30, 100, 300, 1000, 3000],
        ticktext=["0", "30", "100", "300", "1000", "3000"],
    )
    return figure.update_layout(
        title="From copying to inventing", yaxis_title="mel distance to the original", width=1000, height=620
    )


def heard(prompt, tokens, clip):
    """The mask of a preset; one that finds no beat or onset in an excerpt keeps nothing of it."""
    try:
        return prompt.mask(tokens, clip)
    except ValueError as error:
        if "was found" not in str(error):
            raise
        return PRESETS["app-unconditional"].mask(tokens)


def rank_correlation(x, y):
    """Spearman's: the correlation of the ranks, ties at their mean."""
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def correlation_of(x, y, tracks, rng):
    """The rank correlation over tracks drawn with replacement."""
    names = sorted(set(map(str, tracks)))
    places = {name: [i for i, track in enumerate(tracks) if str(track) == name] for name in names}
    chosen = [i for name in rng.choice(names, len(names)) for i in places[name]]
    return rank_correlation(x[:, chosen].mean(1), y[:, chosen].mean(1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, help="pieces and excerpts; by default 48 and 60")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the excerpts, 10 s at most")
    parser.add_argument("--passes", type=int, default=36, help="of every vamp")
    parser.add_argument("--figure", type=Path, help="an HTML file for the figure of bits and distance")
    parser.add_argument(
        "--before", type=float, default=0.02, help="seconds kept before each beat, 75 ms after it; the paper has 0"
    )
    parser.add_argument("--music", type=Path, default=cache_folder() / "music" / "valid")
    parser.add_argument("--only", choices=("beats", "bits"))
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="where the models run")
    options = parser.parse_args()
    vamp = load_vamp("tiny", device=options.device)
    if options.only != "bits":
        beats(vamp, options.clips or 48, options.passes, options.before)
    if options.only != "beats":
        count = options.clips or 60
        clips = composed(count - count // 2, options.seconds)
        if options.music.is_dir():
            clips += [(clip.excerpt(0, options.seconds), track) for clip, track in real(options.music, count // 2)]
        else:
            print(f"\nThere is no music in {options.music}: composed excerpts alone.")
            clips = composed(count, options.seconds)
        print("\n| preset | bits kept a second | mel distance |\n| --- | --- | --- |")
        bits(vamp, clips, options.passes, options.figure)


if __name__ == "__main__":
    main()
