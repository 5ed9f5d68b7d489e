"""What a take keeps of its input: onsets, beats and pitch classes.

Even unrelated sounds get high values. So compare the results with those of shuffled pairs (the lower limit) and with
those of encoding and decoding the input (the upper limit).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Float

from vampkit.audio import Clip
from vampkit.prompts.beats import LibrosaBeats, onset_times

RATE = 44_100
CHROMA_HOP = 2048
ONSET_TOLERANCE = 0.05
"""Two onsets agree if they are at most this far apart, in seconds (mir_eval's default)."""
BEAT_TOLERANCE = 0.07
"""Two beats agree if they are at most this far apart, in seconds (mir_eval's default)."""


def onset_f(ref: Clip | np.ndarray, est: Clip | np.ndarray) -> float:
    """Compute the F-measure of onsets. They agree within 50 ms; each is matched at most once.

    Source: mir_eval's onset task, with librosa's onset detector.

    Notebook: 07, 11

    Parameters
    ----------
    ref : Clip or ndarray
        The reference sound, or its onsets in seconds, [onsets], such as `onset_times` finds.
    est : Clip or ndarray
        The sound to evaluate, or its onsets in seconds, [onsets].

    Returns
    -------
    float
        0 (none agree) to 1 (all agree); 1 if neither sound has onsets.
    """
    import mir_eval

    return _f_measure(ref, est, onset_times, lambda a, b: mir_eval.onset.f_measure(a, b, window=ONSET_TOLERANCE)[0])


def beat_times(clip: Clip) -> Float[np.ndarray, " beats"]:
    """Find the beats of a sound with `vampkit.beats.LibrosaBeats`.

    Notebook: 09

    Parameters
    ----------
    clip : Clip
        Any rate and number of channels.

    Returns
    -------
    ndarray
        Times in seconds, float64 [beats]; empty for silence.
    """
    return np.asarray(LibrosaBeats(opening=False).track(clip).beats)


def beat_f(ref: Clip | np.ndarray, est: Clip | np.ndarray) -> float:
    """Compute the F-measure of beats. They agree within 70 ms; each is matched at most once.

    All beats are used. (mir_eval's own `evaluate` ignores the first 5 s, which may be the whole excerpt.) Source:
    mir_eval's beat task, with librosa's tracker.

    Notebook: 09

    Parameters
    ----------
    ref : Clip or ndarray
        The reference sound, or its beats in seconds, [beats]: the true `beats` of a piece, or those of `beat_times`.
    est : Clip or ndarray
        The sound to evaluate, or its beats in seconds, [beats].

    Returns
    -------
    float
        0 (none agree) to 1 (all agree); 1 if neither sound has beats.
    """
    import mir_eval

    measure = partial(mir_eval.beat.f_measure, f_measure_threshold=BEAT_TOLERANCE)
    return _f_measure(ref, est, beat_times, measure)


def _f_measure(ref: Clip | np.ndarray, est: Clip | np.ndarray, find: Callable, measure: Callable) -> float:
    """F-measure of two lists of times. `find` gets the times of a clip; `measure` compares two non-empty lists."""
    times = [find(s) if isinstance(s, Clip) else np.asarray(s, np.float64) for s in (ref, est)]
    if not len(times[0]) or not len(times[1]):
        return float(len(times[0]) == len(times[1]))
    return float(measure(*times))


def chroma(clip: Clip) -> Float[np.ndarray, "12 frames"]:
    """Compute the energy of each pitch class (C first) in each frame, with librosa's constant-Q chroma.

    Notebook: 07, 11, a1

    Parameters
    ----------
    clip : Clip
        A clip of any rate and number of channels. It is mixed to mono and resampled to 44.1 kHz.

    Returns
    -------
    ndarray
        [12, frames], one frame per 2048 samples (46 ms). Each frame is scaled to a maximum of 1; silent frames are 0.
    """
    import librosa

    samples = clip.mono().resample(RATE).samples[0]
    if not samples.any():
        return np.zeros((12, 1 + len(samples) // CHROMA_HOP))
    with warnings.catch_warnings():
        # librosa computes low octaves at a lower rate. There a short sound has fewer samples than a window; librosa
        # pads it, and warns.
        warnings.filterwarnings("ignore", "n_fft=.* is too large for input signal")
        # The tuning is fixed, since estimated tunings of the two compared sounds could differ.
        return librosa.feature.chroma_cqt(y=samples, sr=RATE, hop_length=CHROMA_HOP, tuning=0.0)


def chroma_similarity(a: Clip | np.ndarray, b: Clip | np.ndarray) -> float:
    """Measure how much of the harmony is kept: the cosine between two chromas, averaged over frames.

    Frames that are silent in both sounds are left out. The longer sound is cut to the length of the shorter one.

    Notebook: 07, 11

    Parameters
    ----------
    a : Clip or ndarray
        A sound, or its `chroma`, [12, frames].
    b : Clip or ndarray
        A sound that is aligned with `a`, or its `chroma`, [12, frames].

    Returns
    -------
    float
        0 (no pitch class in common) to 1 (pitch classes equally strong); 1 if both are silent.
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
