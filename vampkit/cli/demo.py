"""The demo: a clip, the same clip through the codec, and six takes of it, as sounds, a summary and a picture."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from vampkit import __version__
from vampkit.audio import Clip, load_clip
from vampkit.controls import Rhythm
from vampkit.errors import VampkitError
from vampkit.files import written
from vampkit.files.texts import write_text
from vampkit.pipeline import load_vamp
from vampkit.prompts import Compression, Periodic, Prefix, Prompt, Suffix

CLIP = "03"
FOLLOW = "follow"
"""Name of the take that follows the rhythm of the clip."""


def prompts(seconds: float) -> dict[str, Prompt]:
    """The prompts for a sound of this length. The last two are alike: "follow" also follows the sound's rhythm.

    Prefix and suffix keep 3 s, or a third of a sound that is shorter than 9 s.
    """
    kept = min(3.0, round(seconds / 3, 2))
    dense = {"compression": Compression(1), "periodic": Periodic(7), "prefix": Prefix(kept), "suffix": Suffix(kept)}
    return dense | {"sparse": Periodic(16), FOLLOW: Periodic(16)}


def run(out: str | os.PathLike = "demo", clip: str | Clip = CLIP, seconds: float = 10.0, seed: int = 0) -> dict:
    """Write input.wav, codec.wav, one WAV per prompt with its record, summary.json and demo.png into `out`.

    Returns the summary. clip: name of a bundled clip, or a clip. seconds: how much of it is used. seed: seed of the
    takes. Notebook: 00.
    """
    began, out = time.monotonic(), Path(out)
    if out.exists() and not (out / "summary.json").exists() and (not out.is_dir() or any(out.iterdir())):
        raise VampkitError(f"{out} is there already and holds no demo, a new folder was expected; choose another one")
    sound = (load_clip(clip) if isinstance(clip, str) else clip).mono()
    sound = sound.excerpt(0, min(seconds, sound.seconds))
    vamp = load_vamp("tiny")
    tokens = vamp.codec.encode(sound)
    rows, masks = [], {}

    def keep(name: str, made: Clip, since: float, hidden: float, kept: float) -> None:
        made.save(out / f"{name}.wav")
        row = {
            "name": name,
            "seconds": round(made.seconds, 2),
            "peak_dbfs": round(made.peak(), 1),
            "loudness_lufs": round(made.loudness(), 1),
            "hidden": round(hidden, 3),
            "kept_bits_per_second": round(kept),
            "took_s": round(time.monotonic() - since, 1),
        }
        rows.append(row)
        line = "{name:12} {seconds:6.2f} s  peak {peak_dbfs:6.1f} dBFS  {loudness_lufs:6.1f} LUFS  "
        line += "hidden {hidden:5.1%}  kept {kept_bits_per_second:5d} bit/s"
        print((line + "  in {took_s:4.1f} s").format(**row), flush=True)

    keep("input", sound, time.monotonic(), 0.0, 16 * sound.rate)
    since = time.monotonic()
    keep("codec", vamp.codec.decode(tokens), since, 0.0, tokens.bits_per_second)
    for name, prompt in prompts(sound.seconds).items():
        since = time.monotonic()
        take = vamp.vamp(tokens, prompt, seed=seed, follow=[Rhythm(sound)] if name == FOLLOW else [])
        take.save(out / f"{name}.wav")
        masks[name] = take.mask
        keep(name, take.clip, since, take.record["hidden"], prompt.bits_per_second(tokens))
    heads = {"clip": sound.name, "credit": sound.credit, "model": vamp.name, "codec": vamp.codec.hash, "seed": seed}
    summary = {"vampkit": __version__} | heads | {"rows": rows, "took_s": round(time.monotonic() - began, 1)}
    write_text(out / "summary.json", json.dumps(summary, indent=1))
    picture({row["name"]: Clip.load(out / f"{row['name']}.wav") for row in rows}, masks, out / "demo.png")
    print(
        f"{sound.credit}. All in {out}/: sounds, summary.json and demo.png. From the first line to the last sound: "
        f"{summary['took_s']} s."
    )
    return summary


def picture(sounds: dict[str, Clip], masks: dict, path: Path) -> Path:
    """Draw each sound's mel spectrogram, and below it what the prompt hid (dark) and kept (light)."""
    import librosa
    import numpy as np
    from matplotlib.figure import Figure

    across, down = 4, -(-len(sounds) // 4)
    figure = Figure(figsize=(4.5 * across, 3.4 * down), layout="constrained")
    axes = figure.subplots(2 * down, across, height_ratios=(3, 1) * down, squeeze=False)
    for place, (name, sound) in enumerate(sounds.items()):
        upper, lower = axes[2 * (place // across) : 2 * (place // across) + 2, place % across]
        power = librosa.feature.melspectrogram(y=sound.samples[0], sr=sound.rate, n_mels=96, hop_length=1024)
        span = (0, sound.seconds)
        look = dict(aspect="auto", vmin=-60, vmax=20, cmap="magma")
        upper.imshow(librosa.power_to_db(power, ref=1.0), origin="lower", extent=(*span, 0, 96), **look)
        upper.set(title=name, xticks=[], yticks=[], ylabel="mel bands" if place % across == 0 else "")
        grid = masks[name].numpy().astype(float) if name in masks else np.zeros((14, 1))
        # Pixels and frames differ in width. Without smoothing, some single kept frames would not be seen.
        look = dict(aspect="auto", vmin=0, vmax=1, cmap="cividis_r", interpolation="hanning")
        lower.imshow(grid, extent=(*span, 14.5, 0.5), **look)
        last, first = place + across >= len(sounds), place % across == 0
        lower.set(xlabel="seconds" if last else "", ylabel="codebook" if first else "")
    with written(path) as part:
        figure.savefig(part, dpi=100, format="png")
    return path
