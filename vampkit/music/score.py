"""What a piece is: notes and chords, beats and sections, all as plain data in seconds."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields

from vampkit.errors import VampkitError

FORMAT = "vampkit.piece/1"
"""Name of the JSON format; the number grows when an old reader could no longer read it."""


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
        MIDI number, 69 is a'; of drums General MIDI's drum number.
    velocity : int
        How hard it is played, 1 to 127.
    part : str
        Which part plays it: "bass", "chords", "arpeggio", "pad", "melody" or "drums".
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
        In Harte's notation, such as "A:min7".
    root : int
        Pitch class of the root; C is 0.
    tones : tuple of int
        Pitch classes of all its tones, root first.
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
        Such as "chorus"; sections of one name share their chords, rhythms and melody.
    """

    start_s: float
    duration_s: float
    name: str


@dataclass(frozen=True)
class Instrument:
    """Who plays a part, and where it stands in the mix.

    Parameters
    ----------
    part : str
        Such as "melody"; see `Note`.
    name : str
        One of `INSTRUMENTS`, or "drums".
    level_db : float
        Level against the other parts, in dB.
    pan : float
        Place from -1 (left) to 1 (right).
    """

    part: str
    name: str
    level_db: float
    pan: float


@dataclass(frozen=True)
class Mastering:
    """What was done to the mix: a compressor and a low-pass, none by default.

    Parameters
    ----------
    ratio : float
        How many dB above the threshold become one, 1 or more; 1 compresses nothing.
    threshold_db : float
        Where the compressor sets in, in dB from the mix's mean level.
    attack_s : float
        Time constant in seconds with which the compressor follows a rising level.
    release_s : float
        The same for a falling level.
    low_pass_hz : float, optional
        Cutoff of the low-pass; without it there is none.

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
    """A piece of music as data, with its truth; `render` needs nothing else.

    Parameters
    ----------
    seed : int
        What it was composed from.
    genre : str
        Name of its genre.
    seconds : float
        Its length.
    tempo : float
        Beats per minute at the start.
    meter : tuple of two int
        Beats per bar, and the note value of a beat.
    key : str
        In Harte's notation, such as "D:min".
    scale : str
        Name of the scale, such as "dorian".
    tuning : float
        Hz of the a above middle c.
    swing : float
        Place of the off-beat in its beat (in some genres half a beat), 0.5 is even.
    beats : tuple of float
        Times of the beats, in seconds.
    downbeats : tuple of float
        Those that begin a bar.
    chords : tuple of Chord
        In order of time.
    sections : tuple of Section
        In order of time.
    notes : tuple of Note
        In order of time.
    instruments : tuple of Instrument
        One for each part.
    mastering : Mastering
        What is done to the mix.

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
        """Names of the parts, drums included where there are any."""
        return tuple(i.part for i in self.instruments)

    def to_json(self) -> str:
        """The piece as JSON text, which `from_json` reads back without loss.

        Returns
        -------
        str
            In the format `vampkit.piece/1`.
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
            Equal to the one that was written.

        Raises
        ------
        VampkitError
            For anything else.
        """
        try:
            data = json.loads(text)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise VampkitError(
                f"this is no JSON ({error}), a piece in the format {FORMAT} was expected; write it with Piece.to_json"
            ) from None
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            found = data.get("format") if isinstance(data, dict) else type(data).__name__
            raise VampkitError(f"the format is {found!r}, {FORMAT!r} was expected; write the piece with Piece.to_json")
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
