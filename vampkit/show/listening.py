"""Listening tests as one page that needs no network: MUSHRA-like ratings and ABX."""

from __future__ import annotations

import html
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vampkit.audio import LEVEL, Clip
from vampkit.files import written
from vampkit.show import pictures
from vampkit.show.player import asset, with_fade

ANCHORS = {"anchor 3.5 kHz": 3500.0, "anchor 7 kHz": 7000.0}
"""Low-pass filters of the reference, in Hz: the low and the mid anchor of ITU-R BS.1534-3, section 5.1."""
REFERENCE = "reference"
KINDS = ("mushra", "abx")


def listening_test(
    trials: Mapping[str, Mapping[str, Any]],
    path: str | os.PathLike,
    kind: str = "mushra",
    *,
    title: str = "Listening test",
    repeats: int = 8,
    anchors: bool = True,
    level: float | None = LEVEL,
) -> Path:
    """Write a listening test as a web page that holds its sounds and works without a network.

    In "mushra" each trial shows a reference, and in an order of chance the same reference hidden, one or two anchors,
    and the conditions; each is rated from 0 to 100. In "abx" each trial has two conditions A and B; X is one of them by
    chance, and is to be named, `repeats` times. At the end the page offers its results as CSV, which
    `vampkit.metrics.mushra_scores` and `abx_scores` read. Source: ITU-R BS.1534-3 (this page is like it, but says
    nothing of the room, the headphones or the training of listeners).

    Notebook: 12

    Parameters
    ----------
    trials : mapping of str to mapping of str to Clip or Take
        For each trial its sounds by condition. In "mushra" one is called "reference"; in "abx" there are two.
    path : str or PathLike
        An .html file.
    kind : str
        "mushra" or "abx".
    title : str
        Title of the page; it stands in the results.
    repeats : int
        How often X is asked for in each trial of "abx".
    anchors : bool
        Add the reference through low-pass filters of 3.5 and 7 kHz to each trial of "mushra".
    level : float, optional
        Loudness in LUFS to which all sounds are brought; None: as they are.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        For another kind, no trials, or a trial with too few sounds.
    TypeError
        For anything that is not sound.

    Examples
    --------
    >>> listening_test({"song": {"reference": clip, "base": a, "tuned": b}}, "test.html")
    """
    if kind not in KINDS:
        raise ValueError(f'the kind was {kind!r}, "mushra" or "abx" was expected')
    if not trials or repeats < 1:
        raise ValueError(f"{len(trials)} trials and {repeats} repeats were given, at least one of each was expected")
    data = {
        "kind": kind,
        "title": title,
        "repeats": repeats if kind == "abx" else 1,
        "trials": [_trial(name, sounds, kind, anchors, level) for name, sounds in trials.items()],
    }
    # "</" would end the script that holds the data.
    page = _PAGE.format(
        title=html.escape(title),
        style=asset("listening.css"),
        data=json.dumps(data).replace("</", "<\\/"),
        script=with_fade("listening.js"),
    )
    with written(path) as part:
        part.write_text(page, encoding="utf-8")
    return Path(path)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title><link rel="icon" href="data:,">
<style>{style}</style></head><body><main id="test"><h1>{title}</h1>
<noscript><p>This test plays sounds and collects answers, for which scripts must be allowed.</p></noscript></main>
<script type="application/json" id="data">{data}</script><script>(() => {{
{script}}})();</script></body></html>
"""


def _trial(name: str, sounds: Mapping[str, Any], kind: str, anchors: bool, level: float | None) -> dict[str, Any]:
    clips = {str(condition): _clip(sound, level) for condition, sound in sounds.items()}
    if kind == "abx" and len(clips) != 2:
        raise ValueError(f"trial {name!r} has {len(clips)} sounds, two were expected for an ABX test")
    if kind == "mushra":
        if REFERENCE not in clips or len(clips) < 2:
            raise ValueError(
                f'trial {name!r} has {", ".join(map(repr, clips)) or "no sounds"}, "reference" and at least one '
                "condition were expected"
            )
        if anchors:
            clips |= {label: low_pass(clips[REFERENCE], hertz) for label, hertz in ANCHORS.items()}
    shortest, longest = min(c.seconds for c in clips.values()), max(c.seconds for c in clips.values())
    if longest - shortest > 0.1:
        raise ValueError(
            f"the sounds of trial {name!r} last {shortest:.2f} to {longest:.2f} s, equal lengths were expected"
        )
    return {"name": str(name), "sounds": {label: pictures.uri(_flac(c), "audio/flac") for label, c in clips.items()}}


def _clip(sound: Any, level: float | None) -> Clip:
    clip = sound if isinstance(sound, Clip) else getattr(sound, "clip", sound)
    if not isinstance(clip, Clip):
        raise TypeError(f"{type(sound).__name__} was given, a Clip or a Take was expected")
    clip = clip.mono()
    return clip if level is None else clip.at_loudness(level)


def low_pass(clip: Clip, hertz: float) -> Clip:
    """Take away what lies above a frequency, with a linear-phase filter: an anchor of a listening test.

    Parameters
    ----------
    clip : Clip
        Sound [channels, samples].
    hertz : float
        Edge of the filter. From a tenth above it on, less than a thousandth is left.

    Returns
    -------
    Clip
        As long as the clip, not delayed.
    """
    from scipy.signal import firwin, kaiserord, oaconvolve

    width = 0.1 * hertz / (clip.rate / 2)
    taps, beta = kaiserord(66.0, width)
    taps |= 1  # odd, so that the delay is a whole number of samples
    kernel = firwin(taps, hertz * 1.05, window=("kaiser", beta), fs=clip.rate)
    filtered = oaconvolve(clip.samples, kernel[None], mode="same", axes=1)
    return Clip(filtered.astype(np.float32), clip.rate, f"{clip.name} below {hertz:g} Hz", clip.credit)


def _flac(clip: Clip) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.clip(clip.samples[0], -1, 1), clip.rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()
