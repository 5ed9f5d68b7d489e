"""What is measured of each sound of notebook 11, once."""

import time

import librosa
import numpy as np

from vampkit import metrics
from vampkit.metrics.embedding import HOP, RATE

EMBEDDINGS = {"log-mel": metrics.logmel_statistics, "tagger": metrics.tagger_embedding}
BETWEEN = 3
"""Columns of a log-mel spectrum (12 ms each) on either side of a border that are compared."""


class Heard:
    """An original, with what is compared again and again."""

    def __init__(self, clip):
        self.clip = clip
        self.onsets, self.beats = metrics.onset_times(clip), metrics.beat_times(clip)


def measured(original, clip, tempo=False):
    """Numbers by name. original: a `Heard` of the same length. tempo: also what is said of beats."""
    row = {
        "paper mel": metrics.paper_mel_error(original.clip, clip),
        "mel": metrics.mel_distance(original.clip, clip),
        "onset F": metrics.onset_f(original.onsets, metrics.onset_times(clip)),
    }
    if tempo:
        row |= {"beat F": metrics.beat_f(original.beats, metrics.beat_times(clip)), "pulse": pulse(clip)}
    return row


def pulse(clip):
    """The peak of the mean tempogram over its mean: high where the tempo is steady and clear."""
    strength = librosa.onset.onset_strength(y=clip.mono().samples[0], sr=clip.rate)
    tempo = librosa.feature.tempogram(onset_envelope=strength, sr=clip.rate).mean(1)[4:]
    return float(tempo.max() / max(tempo.mean(), 1e-9))


def jump(clip, second):
    """How far the spectrum jumps at a border, in log10 of the magnitude, the mean over bands."""
    columns = metrics.log_mel(clip, None)
    at = round(second * RATE / HOP)
    before, after = columns[:, at - BETWEEN : at].mean(1), columns[:, at : at + BETWEEN].mean(1)
    return float(np.abs(after - before).mean())


def embedded(clip):
    """The windows of a sound on each embedding, float32."""
    return {name: embed(clip).astype(np.float32) for name, embed in EMBEDDINGS.items()}


class Clock:
    """Seconds of work of one thread, which other programs on the machine do not change much."""

    def __enter__(self):
        self.began = time.process_time()
        return self

    def __exit__(self, *_):
        self.seconds = time.process_time() - self.began
