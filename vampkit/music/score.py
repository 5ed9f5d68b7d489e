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
    """One note: start and duration in seconds, MIDI pitch (drums.

    General MIDI drum number), velocity 1 to 127, part.
    """

    start_s: float
    duration_s: float
    pitch: int
    velocity: int
    part: str


@dataclass(frozen=True)
class Chord:
    """One chord: start and duration in seconds, Harte label ("A:min7"), root and all tones as pitch classes (C is
    0)."""

    start_s: float
    duration_s: float
    label: str
    root: int
    tones: tuple[int, ...]


@dataclass(frozen=True)
class Section:
    """One section of the form: start and duration in seconds, name. Sections of one name share their material."""

    start_s: float
    duration_s: float
    name: str


@dataclass(frozen=True)
class Instrument:
    """Who plays a part: instrument name (or "drums"), level in dB against the other parts, place from -1 (left) to
    1."""

    part: str
    name: str
    level_db: float
    pan: float


@dataclass(frozen=True)
class Mastering:
    """What was done to the mix.

    A compressor (ratio 1: none; its threshold in dB from the mix's own level) and a low-pass (None: none).
    """

    ratio: float = 1.0
    threshold_db: float = 0.0
    attack_s: float = 0.01
    release_s: float = 0.1
    low_pass_hz: float | None = None

    def __post_init__(self):
        if not (
            self.ratio >= 1
            and self.attack_s > 0
            and self.release_s > 0
            and (self.low_pass_hz is None or self.low_pass_hz > 0)
        ):
            raise ValueError(
                f"{self} was given, a ratio of at least 1, times and a cutoff above 0 were expected; mend what is not"
            )


@dataclass(frozen=True)
class Piece:
    """A piece of music, complete: `render` needs nothing else.

    tempo: beats a minute at the start. meter: (beats a bar, note value of a beat). key: Harte label ("D:min").
    scale: name of the scale. tuning: Hz of the a above middle c. swing: share of a beat (or half a beat) before the
    off-beat, 0.5 is even.
    beats, downbeats: seconds. notes, chords, sections: in order of time. mastering: what was done to the mix; pieces
    written before had none of it.

    Notebook: 00.
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
                f"notes belong to the parts {sorted(lost)}, the piece has {sorted(parts)}; add an Instrument for each part"
            )

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, drums included where there are any."""
        return tuple(i.part for i in self.instruments)

    def to_json(self) -> str:
        """The piece as JSON text in the format `vampkit.piece/1`; `from_json` reads it back without loss."""
        return json.dumps({"format": FORMAT, **asdict(self)}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Piece:
        """Read what `to_json` wrote. Raises VampkitError where it is something else."""
        try:
            data = json.loads(text)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise VampkitError(
                f"this is no JSON ({error}), a piece in the format {FORMAT} was expected; write it with Piece.to_json"
            ) from None
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            found = data.get("format") if isinstance(data, dict) else type(data).__name__
            raise VampkitError(f"the format is {found!r}, {FORMAT!r} was expected; write the piece with Piece.to_json")
        rows = {"chords": Chord, "sections": Section, "notes": Note, "instruments": Instrument}
        try:
            values = {f.name: data[f.name] for f in fields(cls) if f.name != "mastering"}
            values["mastering"] = Mastering(**data.get("mastering", {}))
            for name, kind in rows.items():
                values[name] = tuple(
                    kind(**{**row, "tones": tuple(row["tones"])}) if kind is Chord else kind(**row)
                    for row in values[name]
                )
            return cls(**{**values, **{name: tuple(values[name]) for name in ("meter", "beats", "downbeats")}})
        except (KeyError, TypeError) as error:
            raise VampkitError(
                f"the piece lacks something or holds too much ({error}); write it with Piece.to_json"
            ) from None
