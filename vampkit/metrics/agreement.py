"""What a vamp keeps of its input: when notes begin, where the beats are, and which pitch classes sound.

All of these are high by chance. Compare them with those of shuffled pairs (the floor) and with those of the codec's
round trip (the ceiling).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from vampkit.audio import Clip
from vampkit.prompts.beats import LibrosaBeats, onset_times

RATE = 44_100
CHROMA_HOP = 2048
ONSET_TOLERANCE = 0.05
"""Seconds within which two onsets count as one (mir_eval's default)."""
BEAT_TOLERANCE = 0.07
"""The same for beats."""


def onset_f(ref: Clip | np.ndarray, est: Clip | np.ndarray) -> float:
    """F-measure of onsets within 50 ms, each matched once.

    Source: mir_eval's onset task, with librosa's onset detector.

    Notebook: 07, 11

    Parameters
    ----------
    ref : Clip or ndarray
        The sound to compare with, or its onsets in seconds, [onsets], as `onset_times` finds them.
    est : Clip or ndarray
        The sound to judge, or its onsets in seconds, [onsets].

    Returns
    -------
    float
        0 (none agree) to 1 (all agree); 1 where neither sound has any.
    """
    import mir_eval

    return _f_measure(ref, est, onset_times, lambda a, b: mir_eval.onset.f_measure(a, b, window=ONSET_TOLERANCE)[0])


def beat_times(clip: Clip) -> Float[np.ndarray, " beats"]:
    """Beats that `vampkit.beats.LibrosaBeats` hears in a sound.

    Notebook: 09

    Parameters
    ----------
    clip : Clip
        Any rate and number of channels.

    Returns
    -------
    ndarray
        Seconds, float64 [beats]; empty for silence.
    """
    return np.asarray(LibrosaBeats().track(clip).beats)


def beat_f(ref: Clip | np.ndarray, est: Clip | np.ndarray) -> float:
    """F-measure of beats within 70 ms, each matched once.

    No beat is left out at the start: mir_eval's own `evaluate` drops the first 5 s, which may be all of an excerpt.
    Source: mir_eval's beat task, with librosa's tracker.

    Notebook: 09

    Parameters
    ----------
    ref : Clip or ndarray
        The sound to compare with, or its beats in seconds, [beats]: a piece's true `beats`, or what `beat_times` found.
    est : Clip or ndarray
        The sound to judge, or its beats in seconds, [beats].

    Returns
    -------
    float
        0 (none agree) to 1 (all agree); 1 where neither sound has any.
    """
    import mir_eval

    return _f_measure(
        ref, est, beat_times, lambda a, b: mir_eval.beat.f_measure(a, b, f_measure_threshold=BEAT_TOLERANCE)
    )


def _f_measure(ref: Clip | np.ndarray, est: Clip | np.ndarray, find: Callable, measure: Callable) -> float:
    """F-measure of two lists of times; `find` makes them of clips, `measure` compares lists that are not empty."""
    times = [find(s) if isinstance(s, Clip) else np.asarray(s, np.float64) for s in (ref, est)]
    if not len(times[0]) or not len(times[1]):
        return float(len(times[0]) == len(times[1]))
    return float(measure(*times))


def chroma(clip: Clip) -> Float[np.ndarray, "12 frames"]:
    """Energy by pitch class, C first, frame by frame (librosa's constant-Q chroma).

    Notebook: 07, 11, a1

    Parameters
    ----------
    clip : Clip
        Any rate and number of channels; it is mixed down and read at 44.1 kHz.

    Returns
    -------
    ndarray
        [12, frames], a frame every 2048 samples (46 ms). The strongest class of a frame is 1; a silent frame is 0.
    """
    import librosa

    samples = clip.mono().resample(RATE).samples[0]
    if not samples.any():
        return np.zeros((12, 1 + len(samples) // CHROMA_HOP))
    with warnings.catch_warnings():
        # Low octaves are read at a fraction of the rate, where a short sound has fewer samples than a window: librosa
        # pads it, and warns.
        warnings.filterwarnings("ignore", "n_fft=.* is too large for input signal")
        # A fixed tuning: an estimated one could differ between the two sounds that are to be compared.
        return librosa.feature.chroma_cqt(y=samples, sr=RATE, hop_length=CHROMA_HOP, tuning=0.0)


def chroma_similarity(a: Clip | np.ndarray, b: Clip | np.ndarray) -> float:
    """Mean over frames of the cosine between two chromas: how much of the harmony is kept.

    Frames that are silent in both are left out. The longer sound is cut to the shorter one.

    Notebook: 07, 11

    Parameters
    ----------
    a : Clip or ndarray
        A sound, or its `chroma`, [12, frames].
    b : Clip or ndarray
        A sound in step with `a`, or its `chroma`, [12, frames].

    Returns
    -------
    float
        0 (no pitch class in common) to 1 (the same balance of classes); 1 where both are silent.
    """
    x, y = (chroma(s) if isinstance(s, Clip) else np.asarray(s) for s in (a, b))
    count = min(x.shape[1], y.shape[1])
    x, y = x[:, :count], y[:, :count]
    norms = np.linalg.norm(x, axis=0), np.linalg.norm(y, axis=0)
    sounding = (norms[0] > 0) | (norms[1] > 0)
    if not sounding.any():
        return 1.0
    cosines = (x * y).sum(0) / np.maximum(norms[0] * norms[1], 1e-12)
    return float(cosines[sounding].mean())
