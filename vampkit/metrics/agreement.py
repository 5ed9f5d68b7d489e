"""What a vamp keeps of its input: when notes begin, where the beats are, and which pitch classes sound.

All are high by chance. Compare them with those of shuffled pairs, and with the codec's round trip as the ceiling.
"""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float

from vampkit.audio import Clip
from vampkit.prompts.beats import LibrosaBeats, onset_times

RATE = 44_100
CHROMA_HOP = 2048
TOLERANCE = 0.05
"""Seconds within which two onsets count as one (the usual 50 ms)."""
BEAT_TOLERANCE = 0.07
"""The same for beats."""


def onset_f(ref: Clip | np.ndarray, est: Clip | np.ndarray) -> float:
    """F-measure of onsets within 50 ms, each matched once, from 0 to 1; 1 where neither has any.

    ref, est: clips, or what `onset_times` found in them.
    Source: mir_eval's onset task, with librosa's onset detector. Notebook: 11.
    """
    import mir_eval

    times = [onset_times(s) if isinstance(s, Clip) else np.asarray(s, np.float64) for s in (ref, est)]
    if not len(times[0]) or not len(times[1]):
        return float(len(times[0]) == len(times[1]))
    return float(mir_eval.onset.f_measure(*times, window=TOLERANCE)[0])


def beat_times(clip: Clip) -> Float[np.ndarray, " beats"]:
    """Seconds of the beats that `vampkit.beats.LibrosaBeats` hears in the sound; none in silence. Notebook: 09."""
    return np.asarray(LibrosaBeats().track(clip).beats)


def beat_f(ref: Clip | np.ndarray, est: Clip | np.ndarray) -> float:
    """F-measure of beats within 70 ms, each matched once, from 0 to 1; 1 where neither has any.

    ref, est: clips, or times in seconds: a piece's true `beats`, or what `beat_times` found.
    No beat is left out at the start: mir_eval's own `evaluate` drops the first 5 s, which may be all of an excerpt.
    Source: mir_eval's beat task, with librosa's tracker. Notebook: 09.
    """
    import mir_eval

    times = [beat_times(s) if isinstance(s, Clip) else np.asarray(s, np.float64) for s in (ref, est)]
    if not len(times[0]) or not len(times[1]):
        return float(len(times[0]) == len(times[1]))
    return float(mir_eval.beat.f_measure(*times, f_measure_threshold=BEAT_TOLERANCE))


def chroma(clip: Clip) -> Float[np.ndarray, "12 frames"]:
    """Energy by pitch class, C first, in frames of 46 ms of the mono sound at 44.1 kHz (librosa's constant-Q chroma).

    The highest class of a frame is 1; a silent frame is all zeros. Notebook: 11.
    """
    import librosa

    samples = clip.mono().resample(RATE).samples[0]
    if not samples.any():
        return np.zeros((12, 1 + len(samples) // CHROMA_HOP))
    with warnings.catch_warnings():
        # The lowest octaves are read at a fraction of the rate, where a sound of few seconds is shorter than a window:
        # it is padded.
        warnings.filterwarnings("ignore", "n_fft=.* is too large for input signal")
        # A fixed tuning: an estimated one could differ between the two sounds that are to be compared.
        return librosa.feature.chroma_cqt(y=samples, sr=RATE, hop_length=CHROMA_HOP, tuning=0.0)


def chroma_similarity(a: Clip | np.ndarray, b: Clip | np.ndarray) -> float:
    """Mean over frames of the cosine between two chromas, from 0 to 1.

    Frames silent in both are left out; 1 if all are.

    a, b: clips in step with each other, or what `chroma` made of them; the longer one is cut.
    Source: the usual measure of harmony kept (vampkit's notebook on the paper's figures). Notebook: 11.
    """
    x, y = (chroma(s) if isinstance(s, Clip) else np.asarray(s) for s in (a, b))
    count = min(x.shape[1], y.shape[1])
    x, y = x[:, :count], y[:, :count]
    lengths = np.linalg.norm(x, axis=0), np.linalg.norm(y, axis=0)
    sounding = (lengths[0] > 0) | (lengths[1] > 0)
    if not sounding.any():
        return 1.0
    cosines = (x * y).sum(0) / np.maximum(lengths[0] * lengths[1], 1e-12)
    return float(cosines[sounding].mean())
