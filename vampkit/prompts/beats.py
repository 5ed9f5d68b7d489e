"""Where the beats are: from beat trackers, from annotations, or from your own taps.

All of these give a BeatGrid, which the prompt `Beats` can use: `Beats(beats=tracker.track(clip))`. Notebook: 09.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from vampkit.audio import Clip, opens_with_attack
from vampkit.errors import VampkitError
from vampkit.files.texts import existing
from vampkit.prompts.values import one_of, times_of

if TYPE_CHECKING:
    import jams

RATE = 44_100
HOP = 512
WHICH = ("all", "down", "up")
SAME = 0.05
"""A beat and a downbeat that are less than this apart, in seconds, count as one."""
LEAD = 16
"""Hops of silence in front of a sound that opens with an attack."""
BIAS = 0.018
"""How late the beats of librosa's tracker are on average, in seconds (`python -m tests.bench.bench_beats`)."""


@dataclass(frozen=True)
class BeatGrid:
    """Beats and downbeats of a sound.

    Notebook: 09

    Parameters
    ----------
    beats : iterable of float
        Times of the beats in seconds, sorted.
    downbeats : iterable of float
        Times of the downbeats, the first beats of the bars, in seconds, sorted.
    guessed : bool
        Whether the downbeats are a guess, since many trackers find beats but not bars.

    Raises
    ------
    TypeError
        For times that are not numbers.
    ValueError
        For times that are negative or out of order.
    """

    beats: Iterable[float]
    downbeats: Iterable[float] = ()
    guessed: bool = False

    def __post_init__(self):
        for name in ("beats", "downbeats"):
            object.__setattr__(self, name, times_of(getattr(self, name), name))

    @property
    def upbeats(self) -> tuple[float, ...]:
        """The beats that are not downbeats."""
        down = np.asarray(self.downbeats)
        return tuple(t for t in self.beats if not (len(down) and np.abs(down - t).min() < SAME))

    @property
    def tempo(self) -> float:
        """Beats per minute, from the median distance of the beats; nan if there are fewer than two."""
        return 60 / float(np.median(np.diff(np.asarray(self.beats)))) if len(self.beats) > 1 else math.nan

    def times(self, which: str = "all", every: int = 1) -> tuple[float, ...]:
        """Choose some of the beats.

        Parameters
        ----------
        which : str
            "all" beats, the "down"beats, or the "up"beats (all that are not downbeats).
        every : int
            Choose every n-th of these, starting with the first.

        Returns
        -------
        tuple of float
            Seconds.

        Raises
        ------
        ValueError
            For another word, or an n below 1.
        """
        one_of("which", which, WHICH)
        if every < 1:
            raise ValueError(f"every {every}-th beat was asked for, 1 or more was expected")
        chosen = {"all": sorted(self.upbeats + self.downbeats), "down": self.downbeats, "up": self.upbeats}[which]
        return tuple(chosen)[::every]


def onset_times(clip: Clip, backtrack: bool = False, opening: bool = False) -> Float[np.ndarray, " onsets"]:
    """Find the onsets, where notes begin, with librosa's detector on the mono sound at 44.1 kHz.

    Notebook: 09, a1

    Parameters
    ----------
    clip : Clip
        The sound.
    backtrack : bool
        Give the minimum of energy before each attack instead of its peak, as in the onset prompt of the reference code.
    opening : bool
        Find an attack at the very start, too, as prompts do. Measures leave it out, since a take that begins with sound
        would have an onset there whatever it plays.

    Returns
    -------
    np.ndarray
        float [onsets], times in seconds; empty for silence.
    """
    import librosa

    samples, lead = _samples(clip, opening)
    if samples is None:
        return np.zeros(0)
    found = librosa.onset.onset_detect(y=samples, sr=RATE, hop_length=HOP, units="time", backtrack=backtrack)
    return np.unique(np.maximum(found - lead, 0))


@dataclass(frozen=True)
class LibrosaBeats:
    """Librosa's beat tracker, corrected for its mean delay (`BIAS`). The downbeats are guessed.

    The method is Ellis 2007, "Beat tracking by dynamic programming".

    Notebook: 09, a1

    Parameters
    ----------
    tempo : float
        The likeliest tempo in beats per minute.
    spread : float
        How much the tempo may differ from it: the standard deviation, in octaves, of a log-normal prior.
    octave : int
        Multiplies the tempo that librosa finds by 2 to the power of this: 1 doubles it, -1 halves it. For music that is
        counted faster or slower than librosa finds.
    meter : int
        Beats per bar, for the guess of the downbeats.
    opening : bool
        Hear an attack at the very start, see `onset_times`.

    Raises
    ------
    ValueError
        For numbers that are not positive, or an octave outside -2 to 2.
    """

    tempo: float = 120.0
    spread: float = 1.0
    octave: int = 0
    meter: int = 4
    opening: bool = True

    def __post_init__(self):
        if not (self.tempo > 0 and self.spread > 0 and self.meter >= 1):
            raise ValueError(
                f"tempo {self.tempo}, spread {self.spread} and meter {self.meter} were given, "
                "positive numbers were expected"
            )
        if self.octave not in (-2, -1, 0, 1, 2):
            raise ValueError(f"octave is {self.octave!r}, a whole number from -2 to 2 was expected")

    def track(self, clip: Clip) -> BeatGrid:
        """Find the beats of a clip, and guess the downbeats.

        Parameters
        ----------
        clip : Clip
            The sound.

        Returns
        -------
        BeatGrid
            The beats. The grid is empty for silence, and for a sound shorter than eight hops (93 ms).
        """
        import librosa

        samples, lead = _samples(clip, self.opening)
        if samples is None:
            return BeatGrid(())
        strength = librosa.onset.onset_strength(y=samples, sr=RATE, hop_length=HOP)
        if not strength.any():
            return BeatGrid(())
        places = dict(onset_envelope=strength, sr=RATE, hop_length=HOP)
        tempo = float(librosa.feature.tempo(**places, start_bpm=self.tempo, std_bpm=self.spread)[0])
        found = librosa.beat.beat_track(**places, bpm=tempo * 2.0**self.octave, trim=False, units="time")[1]
        times = found - lead - BIAS
        if lead:  # the attack at the start is a beat at 0, even where it is heard a little early
            times = np.where(np.abs(times) < SAME, np.maximum(times, 0), times)
        beats = tuple(times[(times >= 0) & (times <= clip.seconds)].tolist())
        return BeatGrid(beats, _downbeats(beats, samples, lead, self.meter), guessed=True)


def guess_downbeats(beats: Iterable[float], clip: Clip | None = None, meter: int = 4) -> tuple[float, ...]:
    """Guess the downbeats: every `meter`-th beat, starting at the beat that fits best.

    There are `meter` beats on which the first bar can start. The guess is the one for which bass attacks and chord
    changes on the downbeats are strongest. The meter itself is not guessed. `python -m tests.bench.bench_beats`
    measures how often the guess is right.

    Notebook: 09

    Parameters
    ----------
    beats : iterable of float
        Times of the beats in seconds, sorted.
    clip : Clip, optional
        The sound. Without it the first beat is taken as a downbeat.
    meter : int
        Beats per bar.

    Returns
    -------
    tuple of float
        Times of the downbeats in seconds.

    Raises
    ------
    ValueError
        For a meter below 1, or times that are negative or out of order.
    """
    beats = times_of(beats, "beats")
    if meter < 1:
        raise ValueError(f"a meter of {meter} beats was given, 1 or more was expected")
    return _downbeats(beats, *((None, 0.0) if clip is None else _samples(clip)), meter)


def _downbeats(beats: tuple[float, ...], samples: np.ndarray | None, lead: float, meter: int) -> tuple[float, ...]:
    """`guess_downbeats` with what `_samples` gives."""
    if samples is None or len(beats) <= meter:
        return beats[::meter]
    import librosa

    settings = dict(y=samples, sr=RATE, hop_length=HOP, n_fft=4096)
    bass = librosa.onset.onset_strength(**settings, n_mels=6, fmin=20, fmax=200)
    chroma = librosa.feature.chroma_stft(**settings, tuning=0.0)
    at = librosa.time_to_frames(np.asarray(beats) + lead, sr=RATE, hop_length=HOP).clip(0, chroma.shape[1] - 1)
    attack = np.array([bass[max(0, f - 1) : f + 5].max(initial=0.0) for f in at])
    spans = zip(at, [*at[1:], chroma.shape[1]], strict=True)
    harmony = np.stack([chroma[:, a : max(b, a + 1)].mean(1) for a, b in spans])
    harmony /= np.linalg.norm(harmony, axis=1, keepdims=True) + 1e-9
    change = np.concatenate([[0.0], 1 - (harmony[1:] * harmony[:-1]).sum(1)])
    evidence = sum((x - x.mean()) / (x.std() + 1e-9) for x in (attack, change))
    return beats[int(np.argmax([evidence[phase::meter].mean() for phase in range(meter)])) :: meter]


def beats_from_score(piece) -> BeatGrid:
    """Take the true beats of a composed piece.

    Notebook: 09

    Parameters
    ----------
    piece : vampkit.music.Piece
        The piece.

    Returns
    -------
    BeatGrid
        Its beats and downbeats.
    """
    return BeatGrid(piece.beats, piece.downbeats)


def beats_from_csv(path: str | os.PathLike) -> BeatGrid:
    """Read beats from a text file with one beat per line.

    Parameters
    ----------
    path : str or PathLike
        The file. Each line has a time in seconds and, if known, the beat's place in the bar (1 is a downbeat),
        separated by comma, semicolon, tab or blank. The first line may name the columns; # begins a comment.

    Returns
    -------
    BeatGrid
        The beats.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    VampkitError
        For other contents.
    """
    path = existing(path)
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines()):
        marked = any(mark in line for mark in ",;\t")
        cells = next(csv.reader([line.replace(";", ",").replace("\t", ",")]), []) if marked else line.split()
        cells = [c.strip() for c in cells if c.strip()]
        if not cells or cells[0].startswith("#"):
            continue
        try:
            rows.append((float(cells[0]), float(cells[1]) if len(cells) > 1 else None))
        except ValueError:
            if number:  # the first line may name the columns
                raise VampkitError(
                    f"line {number + 1} of {path.name} is {line!r}, "
                    "a time in seconds and perhaps a place in the bar was expected"
                ) from None
    return _placed(rows, path.name)


def beats_from_jams(source: str | os.PathLike | jams.JAMS) -> BeatGrid:
    """Read beats from a JAMS file or a JAMS object.

    Parameters
    ----------
    source : str or PathLike or jams.JAMS
        The file, with an annotation of namespace beat (its value is the place in the bar) or beat_position.

    Returns
    -------
    BeatGrid
        The beats.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    VampkitError
        For a file without beats.
    """
    import jams

    name = "the JAMS object"
    if not isinstance(source, jams.JAMS):
        path = existing(source)
        name = path.name
        try:
            source = jams.load(str(path), validate=False)
        except Exception as error:  # the parser raises many kinds of errors
            raise VampkitError(
                f"{path.name} is no JAMS file ({type(error).__name__}), one with beats was expected"
            ) from None
    for space in ("beat", "beat_position"):
        for annotation in source.search(namespace=f"^{space}$"):
            values = [row.value for row in annotation.data]
            places = [value.get("position") if isinstance(value, dict) else value for value in values]
            return _placed([(float(row.time), place) for row, place in zip(annotation.data, places, strict=True)], name)
    raise VampkitError(f"{name} has no beats, an annotation of namespace beat or beat_position was expected")


def beats_from_mirdata(track) -> BeatGrid:
    """Take the beats of a track of a mirdata dataset (extra `mirdata`). Beats at position 1 are downbeats.

    Parameters
    ----------
    track : mirdata.core.Track
        The track.

    Returns
    -------
    BeatGrid
        The beats.

    Raises
    ------
    VampkitError
        If the track has no beats.
    """
    beats = getattr(track, "beats", None)
    if beats is None:
        raise VampkitError(
            f"the track {getattr(track, 'track_id', '')!r} has no beats; choose a dataset with annotated beats"
        )
    places = beats.positions if getattr(beats, "positions", None) is not None else [None] * len(beats.times)
    return _placed(list(zip([float(t) for t in beats.times], places, strict=True)), "the track")


class BeatThis:
    """The tracker beat_this (Foscarin et al. 2024), which also finds downbeats. Needs the extra `beats`.

    Nothing is downloaded. This class is tested with a stand-in for the tracker, not with its published weights.

    Notebook: 09

    Parameters
    ----------
    checkpoint : str or PathLike
        The tracker's .ckpt file on this machine.
    device : str
        Device that the tracker runs on.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    VampkitError
        If the extra is not installed.
    """

    def __init__(self, checkpoint: str | os.PathLike, device: str = "cpu"):
        path = existing(checkpoint)
        try:
            from beat_this.inference import Audio2Beats
        except ImportError:
            raise VampkitError("beat_this is not installed, it tracks the beats here; install vampkit[beats]") from None
        self._model = Audio2Beats(checkpoint_path=str(path), device=device, dbn=False)

    def track(self, clip: Clip) -> BeatGrid:
        """Find the beats and downbeats of a clip.

        Parameters
        ----------
        clip : Clip
            The sound.

        Returns
        -------
        BeatGrid
            The beats; an empty grid for silence.
        """
        if _samples(clip)[0] is None:
            return BeatGrid(())
        beats, downbeats = self._model(clip.mono().samples[0], clip.rate)
        return BeatGrid(tuple(np.unique(beats).tolist()), tuple(np.unique(downbeats).tolist()))


def _samples(clip: Clip, opening: bool = True) -> tuple[Float[np.ndarray, " samples"] | None, float]:
    """The samples, mono at 44.1 kHz, and how many seconds of silence were put in front of them.

    That is done where the sound opens with an attack and this is asked for, so that librosa can hear it. None for
    silence or a sound shorter than eight hops.
    """
    samples = clip.mono().resample(RATE).samples[0]
    if len(samples) < HOP * 8 or not samples.any():
        return None, 0.0
    lead = LEAD if opening and opens_with_attack(samples, RATE) else 0
    return np.pad(samples, (lead * HOP, 0)), lead * HOP / RATE


def _placed(rows: list[tuple], name: str) -> BeatGrid:
    """Make a grid from rows (time, place in the bar). The place is None if it is not known."""
    if not rows:
        raise VampkitError(f"{name} holds no beats, at least one was expected")
    rows = sorted((time, place) for time, place in rows)
    try:
        down = [time for time, place in rows if place is not None and float(place) == 1]
        return BeatGrid(tuple(time for time, _ in rows), tuple(down))
    except (TypeError, ValueError) as error:
        raise VampkitError(f"the beats of {name} do not fit: {error}") from None
