"""A piece as plain data: notes, chords, beats and sections, with times in seconds."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields

from vampkit.errors import VampkitError
from vampkit.files.texts import of_format

FORMAT = "vampkit.piece/1"
"""Name of the JSON format. The number is raised when older versions can no longer read it."""


@dataclass(frozen=True)
class Note:
    """One note of a part.

    Parameters
    ----------
    start_s : float
        Where it starts, in seconds.
    duration_s : float
        How long it is held, in seconds.
    pitch : int
        MIDI pitch, 69 is A4 (440 Hz). For drums it is the drum number of General MIDI.
    velocity : int
        How hard the note is played, 1 to 127.
    part : str
        The part that plays it: "bass", "chords", "arpeggio", "pad", "melody" or "drums".
    """

    start_s: float
    duration_s: float
    pitch: int
    velocity: int
    part: str


@dataclass(frozen=True)
class Chord:
    """One chord of the harmony.

    Parameters
    ----------
    start_s : float
        Where it starts, in seconds.
    duration_s : float
        How long it lasts, in seconds.
    label : str
        Name of the chord in Harte's notation, such as "A:min7".
    root : int
        Pitch class of the root; C is 0.
    tones : tuple of int
        Pitch classes of its tones, the root first.
    """

    start_s: float
    duration_s: float
    label: str
    root: int
    tones: tuple[int, ...]


@dataclass(frozen=True)
class Section:
    """One section of the form.

    Parameters
    ----------
    start_s : float
        Where it starts, in seconds.
    duration_s : float
        How long it lasts, in seconds.
    name : str
        Name, such as "chorus". Sections with the same name have the same chords, rhythms and melody.
    """

    start_s: float
    duration_s: float
    name: str


@dataclass(frozen=True)
class Instrument:
    """The instrument of a part, and its place in the mix.

    Parameters
    ----------
    part : str
        Name of the part, such as "melody"; see `Note`.
    name : str
        One of `INSTRUMENTS`, or "drums".
    level_db : float
        Level relative to the other parts, in dB.
    pan : float
        Position from -1 (left) to 1 (right).
    """

    part: str
    name: str
    level_db: float
    pan: float


@dataclass(frozen=True)
class Mastering:
    """Processing of the mix: a compressor and a low-pass. By default there is none.

    Parameters
    ----------
    ratio : float
        Compression ratio: this many dB above the threshold become 1 dB. At least 1, which means no compression.
    threshold_db : float
        Threshold of the compressor, in dB relative to the mean level of the mix.
    attack_s : float
        Time constant in seconds with which the compressor follows a rising level.
    release_s : float
        The same for a falling level.
    low_pass_hz : float, optional
        Cutoff of the low-pass; None: no low-pass.

    Raises
    ------
    ValueError
        For a ratio below 1, a time or a cutoff that is not above 0.
    """

    ratio: float = 1.0
    threshold_db: float = 0.0
    attack_s: float = 0.01
    release_s: float = 0.1
    low_pass_hz: float | None = None

    def __post_init__(self):
        positive = (self.attack_s, self.release_s, 1.0 if self.low_pass_hz is None else self.low_pass_hz)
        if not (self.ratio >= 1 and all(value > 0 for value in positive)):
            raise ValueError(
                f"{self} was given, a ratio of at least 1, times and a cutoff above 0 were expected; mend what is not"
            )


@dataclass(frozen=True)
class Piece:
    """A piece of music as data, with its annotations. `render` needs nothing else.

    Parameters
    ----------
    seed : int
        The seed from which it was composed.
    genre : str
        Name of its genre.
    seconds : float
        Length of the piece.
    tempo : float
        Beats per minute at the start.
    meter : tuple of two int
        Beats per bar, and the note value of a beat.
    key : str
        The key in Harte's notation, such as "D:min".
    scale : str
        Name of the scale, such as "dorian".
    tuning : float
        Frequency of A4 in Hz.
    swing : float
        Place of the off-beat in its beat (in some genres in half a beat), 0.5 is even.
    beats : tuple of float
        Times of the beats, in seconds.
    downbeats : tuple of float
        Times of the downbeats, in seconds.
    chords : tuple of Chord
        The chords, sorted by time.
    sections : tuple of Section
        The sections, sorted by time.
    notes : tuple of Note
        The notes, sorted by time.
    instruments : tuple of Instrument
        The instruments, one for each part.
    mastering : Mastering
        Processing of the mix.

    Raises
    ------
    ValueError
        For a length that is not above 0, or notes of a part that has no instrument.
    """

    seed: int
    genre: str
    seconds: float
    tempo: float
    meter: tuple[int, int]
    key: str
    scale: str
    tuning: float
    swing: float
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]
    chords: tuple[Chord, ...]
    sections: tuple[Section, ...]
    notes: tuple[Note, ...]
    instruments: tuple[Instrument, ...]
    mastering: Mastering = Mastering()

    def __post_init__(self):
        if not (isinstance(self.seconds, (int, float)) and math.isfinite(self.seconds) and self.seconds > 0):
            raise ValueError(
                f"a piece of {self.seconds!r} s was given, a positive length was expected; give seconds above 0"
            )
        parts = {i.part for i in self.instruments}
        lost = {n.part for n in self.notes} - parts
        if lost:
            raise ValueError(
                f"notes belong to the parts {sorted(lost)}, the piece has {sorted(parts)}; "
                "add an Instrument for each part"
            )

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, including drums if there are any."""
        return tuple(i.part for i in self.instruments)

    def to_json(self) -> str:
        """Write the piece as JSON text, from which `from_json` makes an equal piece.

        Returns
        -------
        str
            JSON in the format `vampkit.piece/1`.
        """
        return json.dumps({"format": FORMAT, **asdict(self)}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Piece:
        """Read what `to_json` wrote.

        Parameters
        ----------
        text : str
            JSON in the format `vampkit.piece/1`.

        Returns
        -------
        Piece
            A piece equal to the one that was written.

        Raises
        ------
        VampkitError
            For any other text.
        """
        data = of_format(text, FORMAT, "piece")
        try:
            values = {f.name: data[f.name] for f in fields(cls) if f.name != "mastering"}
            values["mastering"] = Mastering(**data.get("mastering", {}))
            values["chords"] = [Chord(**{**row, "tones": tuple(row["tones"])}) for row in values["chords"]]
            for name, kind in {"sections": Section, "notes": Note, "instruments": Instrument}.items():
                values[name] = [kind(**row) for row in values[name]]
            return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
        except (KeyError, TypeError) as error:
            raise VampkitError(
                f"the piece lacks something or holds too much ({error}); write it with Piece.to_json"
            ) from None
