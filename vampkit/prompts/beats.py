"""Where the beats are: trackers that listen, annotations that know, and taps that correct both.

Whatever yields a BeatGrid serves a beat-driven prompt: `Beats(beats=tracker.track(clip))`. Notebook: 09.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from jaxtyping import Float

from vampkit.errors import VampkitError

if TYPE_CHECKING:
    import jams

    from vampkit.audio import Clip

RATE = 44_100
HOP = 512
SAME = 0.05
"""Seconds within which a beat and a downbeat are one."""
BIAS = 0.018
"""Seconds by which librosa's tracker is late.

Mean, and median, over 1795 beats of 48 composed pieces with drums (`python -m tests.bench.bench_beats`).
"""


@dataclass(frozen=True)
class BeatGrid:
    """Beats and downbeats in seconds, each in order of time.

    guessed: the downbeats are a guess, as trackers of beats alone do not hear bars.

    Raises TypeError and ValueError for times that are no numbers, negative, or out of order.
    Notebook: 09.
    """

    beats: tuple[float, ...]
    downbeats: tuple[float, ...] = ()
    guessed: bool = False

    def __post_init__(self):
        for name in ("beats", "downbeats"):
            object.__setattr__(self, name, times_of(getattr(self, name), name))

    @property
    def upbeats(self) -> tuple[float, ...]:
        """The beats that are no downbeats."""
        down = np.asarray(self.downbeats)
        return tuple(t for t in self.beats if not (len(down) and np.abs(down - t).min() < SAME))

    @property
    def tempo(self) -> float:
        """Beats a minute, by the median distance; nan below two beats."""
        return 60 / float(np.median(np.diff(self.beats))) if len(self.beats) > 1 else math.nan

    def times(self, which: str = "all", every: int = 1) -> tuple[float, ...]:
        """Each `every`-th of "all" beats, the "down"beats or the "up"beats, from the first on."""
        if which not in ("all", "down", "up"):
            raise ValueError(f'which is {which!r}, "all", "down" or "up" was expected')
        if every < 1:
            raise ValueError(f"every {every}-th beat was asked for, 1 or more was expected")
        chosen = {"all": sorted(self.upbeats + self.downbeats), "down": self.downbeats, "up": self.upbeats}[which]
        return tuple(chosen)[::every]


class BeatTracker(Protocol):
    """What finds beats in sound."""

    def track(self, clip: Clip) -> BeatGrid:
        """The beats of a clip; an empty grid where there are none."""


def times_of(times: Iterable[float], what: str = "times") -> tuple[float, ...]:
    """Seconds as a tuple of floats.

    Raises TypeError and ValueError for what is no number, negative, or out of order.
    """
    try:
        found = tuple(float(t) for t in times)
    except (TypeError, ValueError):
        raise TypeError(f"{what} hold {times!r}, numbers of seconds in order of time were expected") from None
    if not all(math.isfinite(t) and t >= 0 for t in found):
        raise ValueError(
            f"{what} hold {[t for t in found if not (math.isfinite(t) and t >= 0)][0]} s, 0 or more was expected"
        )
    for before, after in zip(found, found[1:], strict=False):
        if after <= before:
            raise ValueError(f"{what} are out of order: {after} s comes after {before} s; sort them, each once")
    return found


def onset_times(clip: Clip, backtrack: bool = False) -> Float[np.ndarray, " onsets"]:
    """Seconds at which notes begin, by librosa's detector on the mono sound at 44.1 kHz; none in silence. Notebook: 09.

    backtrack: the lull before each attack in place of its peak, as the reference's onset prompt has it.
    """
    import librosa

    samples = _samples(clip)
    return (
        np.zeros(0)
        if samples is None
        else np.unique(
            librosa.onset.onset_detect(y=samples, sr=RATE, hop_length=HOP, units="time", backtrack=backtrack)
        )
    )


@dataclass(frozen=True)
class LibrosaBeats:
    """Ellis' dynamic programming as librosa has it, with its lateness (`BIAS`) taken off; downbeats are guessed.

    tempo: beats a minute that are likeliest, spread: standard deviation in octaves around them (log-normal prior).
    octave: 1 tracks at double the tempo it finds, -1 at half, 2 and -2 twice over: for music that is counted otherwise
    than it hears.
    meter: beats a bar for the guess of the downbeats.
    Source: Ellis 2007, "Beat tracking by dynamic programming". Notebook: 09.
    """

    tempo: float = 120.0
    spread: float = 1.0
    octave: int = 0
    meter: int = 4

    def __post_init__(self):
        if not (self.tempo > 0 and self.spread > 0 and self.meter >= 1):
            raise ValueError(
                f"tempo {self.tempo}, spread {self.spread} and meter {self.meter} were given, positive numbers were expected"
            )
        if self.octave not in (-2, -1, 0, 1, 2):
            raise ValueError(f"octave is {self.octave!r}, a whole number from -2 to 2 was expected")

    def track(self, clip: Clip) -> BeatGrid:
        """Beats, and a guess of the downbeats.

        An empty grid in silence and in what is shorter than eight hops (93 ms).
        """
        import librosa

        samples = _samples(clip)
        if samples is None:
            return BeatGrid(())
        strength = librosa.onset.onset_strength(y=samples, sr=RATE, hop_length=HOP)
        if not strength.any():
            return BeatGrid(())
        places = dict(onset_envelope=strength, sr=RATE, hop_length=HOP)
        tempo = float(librosa.feature.tempo(**places, start_bpm=self.tempo, std_bpm=self.spread)[0])
        times = librosa.beat.beat_track(**places, bpm=tempo * 2.0**self.octave, trim=False, units="time")[1] - BIAS
        beats = tuple(times[(times >= 0) & (times <= clip.seconds)].tolist())
        return BeatGrid(beats, guess_downbeats(beats, clip, self.meter), guessed=True)


def guess_downbeats(beats: Iterable[float], clip: Clip | None = None, meter: int = 4) -> tuple[float, ...]:
    """A guess: every `meter`-th beat, from the one on whose like the bass attacks and the harmony changes most.

    Without a clip, from the first.

    Right in 45 of 45 held-out composed pieces in four with drums, true beats given (`tests.bench.bench_beats`); another
    meter must be said. Notebook: 09.
    """
    beats = times_of(beats, "beats")
    if meter < 1:
        raise ValueError(f"a meter of {meter} beats was given, 1 or more was expected")
    samples = None if clip is None else _samples(clip)
    if samples is None or len(beats) <= meter:
        return beats[::meter]
    import librosa

    settings = dict(y=samples, sr=RATE, hop_length=HOP, n_fft=4096)
    bass = librosa.onset.onset_strength(**settings, n_mels=6, fmin=20, fmax=200)
    chroma = librosa.feature.chroma_stft(**settings, tuning=0.0)
    at = librosa.time_to_frames(np.asarray(beats), sr=RATE, hop_length=HOP).clip(0, chroma.shape[1] - 1)
    attack = np.array([bass[max(0, f - 1) : f + 5].max(initial=0.0) for f in at])
    harmony = np.stack(
        [chroma[:, a : max(b, a + 1)].mean(1) for a, b in zip(at, [*at[1:], chroma.shape[1]], strict=True)]
    )
    harmony /= np.linalg.norm(harmony, axis=1, keepdims=True) + 1e-9
    change = np.concatenate([[0.0], 1 - (harmony[1:] * harmony[:-1]).sum(1)])
    evidence = sum((x - x.mean()) / (x.std() + 1e-9) for x in (attack, change))
    return beats[int(np.argmax([evidence[phase::meter].mean() for phase in range(meter)])) :: meter]


def beats_from_score(piece) -> BeatGrid:
    """The true beats of a composed piece (`vampkit.music.Piece`)."""
    return BeatGrid(piece.beats, piece.downbeats)


def beats_from_csv(path: str | os.PathLike) -> BeatGrid:
    """Beats of a text file.

    A time in seconds a line, and its place in the bar (1 is a downbeat) where known; comma, semicolon, tab or blank
    between.

    Raises FileNotFoundError, VampkitError for other contents.
    """
    path = _file(path)
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines()):
        cells = (
            next(csv.reader([line.replace(";", ",").replace("\t", ",")]), [])
            if any(c in line for c in ",;\t")
            else line.split()
        )
        cells = [c.strip() for c in cells if c.strip()]
        if not cells or cells[0].startswith("#"):
            continue
        try:
            rows.append((float(cells[0]), float(cells[1]) if len(cells) > 1 else None))
        except ValueError:
            if number:  # the first line may name the columns
                raise VampkitError(
                    f"line {number + 1} of {path.name} is {line!r}, a time in seconds and perhaps a place in the bar was expected"
                ) from None
    return _placed(rows, path.name)


def beats_from_jams(source: str | os.PathLike | jams.JAMS) -> BeatGrid:
    """Beats of a JAMS file, or of one in memory: namespaces beat (its value is the place in the bar) or beat_position.

    Raises FileNotFoundError, VampkitError for a file without beats.
    """
    import jams

    name = "the JAMS object"
    if not isinstance(source, jams.JAMS):
        path = _file(source)
        name = path.name
        try:
            source = jams.load(str(path), validate=False)
        except Exception as error:  # whatever its parser stumbles over
            raise VampkitError(
                f"{path.name} is no JAMS file ({type(error).__name__}), one with beats was expected"
            ) from None
    for space in ("beat", "beat_position"):
        for annotation in source.search(namespace=f"^{space}$"):
            places = [
                row.value.get("position") if isinstance(row.value, dict) else row.value for row in annotation.data
            ]
            return _placed([(float(row.time), place) for row, place in zip(annotation.data, places, strict=True)], name)
    raise VampkitError(f"{name} has no beats, an annotation of namespace beat or beat_position was expected")


def beats_from_mirdata(track) -> BeatGrid:
    """Beats of a track of a mirdata dataset (extra `mirdata`), whose positions 1 are downbeats.

    Raises VampkitError where it has none.
    """
    beats = getattr(track, "beats", None)
    if beats is None:
        raise VampkitError(
            f"the track {getattr(track, 'track_id', '')!r} has no beats; choose a dataset with annotated beats"
        )
    places = beats.positions if getattr(beats, "positions", None) is not None else [None] * len(beats.times)
    return _placed(list(zip([float(t) for t in beats.times], places, strict=True)), "the track")


class BeatThis:
    """The tracker beat_this (Foscarin et al.

    2024) with a checkpoint on this machine: beats, and downbeats that it hears. Extra `beats`.

    checkpoint: path of its .ckpt file; nothing is downloaded. device: where it runs. Raises FileNotFoundError without
    the file, VampkitError without the extra. Tested with a stand-in, not with its published weights. Notebook: 09.
    """

    def __init__(self, checkpoint: str | os.PathLike, device: str = "cpu"):
        path = _file(checkpoint)
        try:
            from beat_this.inference import Audio2Beats
        except ImportError:
            raise VampkitError("beat_this is not installed, it tracks the beats here; install vampkit[beats]") from None
        self._model = Audio2Beats(checkpoint_path=str(path), device=device, dbn=False)

    def track(self, clip: Clip) -> BeatGrid:
        """Beats and downbeats, both heard; an empty grid in silence."""
        if _samples(clip) is None:
            return BeatGrid(())
        beats, downbeats = self._model(clip.mono().samples[0], clip.rate)
        return BeatGrid(tuple(np.unique(beats).tolist()), tuple(np.unique(downbeats).tolist()))


def _samples(clip: Clip) -> Float[np.ndarray, " samples"] | None:
    """Mono at 44.1 kHz, None where there is nothing to hear."""
    samples = clip.mono().resample(RATE).samples[0]
    return samples if len(samples) >= HOP * 8 and samples.any() else None


def _file(path: str | os.PathLike) -> Path:
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file at {path}; check the name and the folder")
    return path


def _placed(rows: list[tuple[float, float | None]], name: str) -> BeatGrid:
    """A grid of times with their places in the bar."""
    if not rows:
        raise VampkitError(f"{name} holds no beats, at least one was expected")
    rows = sorted((time, place) for time, place in rows)
    try:
        down = [time for time, place in rows if place is not None and float(place) == 1]
        return BeatGrid(tuple(time for time, _ in rows), tuple(down))
    except (TypeError, ValueError) as error:
        raise VampkitError(f"the beats of {name} do not fit: {error}") from None
