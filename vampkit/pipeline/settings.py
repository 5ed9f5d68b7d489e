"""Settings of a take: one table of all settings. Functions take them flat; `TakeSettings` stores them nested.

`SETTINGS` is the only place that holds names and descriptions. `with_settings` puts them into the signature and the
docstring of every function that takes settings. The command line, the panel and the studio read the same table.

Notebook: 05.
"""

from __future__ import annotations

import inspect
import math
import textwrap
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from itertools import groupby
from typing import Any, Literal, TypeVar

from vampkit.controls import Control
from vampkit.pipeline.windows import SHARED, Windows
from vampkit.sampling import ANNEALINGS, Settings
from vampkit.schedules import SCHEDULES

FINE = Settings(passes=12, mask_temperature=0.0)
"""Default settings of the coarse-to-fine run.

12 passes give results closer to the music than 4; more passes help little (data/models/LOG.md). The reference code uses
the same noise as in the coarse run; the bundled models are a little better without noise.
"""


@dataclass(frozen=True)
class TakeSettings:
    """The settings of a take. With the sound, the prompt and the models they determine the result.

    `take_settings` makes this object from flat names.

    Notebook: 05

    Parameters
    ----------
    seed : int
        Seed of the random numbers; the same seed gives the same take.
    coarse : Settings
        Sampling settings of the coarse model.
    fine : Settings
        Sampling settings of the coarse-to-fine model.
    feedback : int
        Number of rounds; each round starts from the output of the one before.
    roll : int
        How many frames the mask moves after each round, so that each round generates other frames.
    pitch_shift : float
        Semitones by which the sound is shifted before it is encoded, -24 to 24.
    restore : bool
        Put the original samples back where nothing is hidden.
    windows : Windows
        Sizes of the windows into which long sounds are cut.
    follow : tuple of Control
        What the coarse model follows, at most one control of a kind; empty: nothing.
    strength : float
        How strongly it follows: 0 not at all, 1 as the adapters were trained.

    Raises
    ------
    ValueError
        For feedback below 1, a strength below 0, or a pitch shift of more than two octaves.
    """

    seed: int = 0
    coarse: Settings = Settings()
    fine: Settings = FINE
    feedback: int = 1
    roll: int = 1
    pitch_shift: float = 0.0
    restore: bool = False
    windows: Windows = SHARED
    follow: tuple[Control, ...] = ()
    strength: float = 1.0

    def __post_init__(self):
        given = (self.follow,) if isinstance(self.follow, Control) else tuple(self.follow)
        object.__setattr__(self, "follow", given)
        if isinstance(self.strength, bool) or not (math.isfinite(self.strength) and self.strength >= 0):
            raise ValueError(f"strength is {self.strength!r}, a number of at least 0 was expected")
        shift = self.pitch_shift
        if isinstance(shift, bool) or not isinstance(shift, (int, float)) or not abs(shift) <= 24:
            raise ValueError(f"pitch_shift is {shift!r}, a number of semitones from -24 to 24 was expected")
        if isinstance(self.feedback, bool) or not isinstance(self.feedback, int) or self.feedback < 1:
            raise ValueError(f"feedback is {self.feedback!r}, a whole number of at least 1 was expected")

    @classmethod
    def of(cls, record: dict) -> TakeSettings:
        """Read the settings from the record of a take.

        Parameters
        ----------
        record : dict
            The record, see `Take.record`.

        Returns
        -------
        TakeSettings
            The settings.
        """
        nested = {"coarse": Settings, "fine": Settings, "windows": Windows}
        given = {f.name: record[f.name] for f in fields(cls) if f.name in record}
        given["follow"] = tuple(Control.from_json(control) for control in record.get("follow", ()))
        return cls(**given | {name: kind(**given[name]) for name, kind in nested.items()})

    def record(self) -> dict[str, Any]:
        """Give the settings as plain JSON. Where nothing is followed, nothing is said about it.

        Returns
        -------
        dict
            What `of` reads.
        """
        found = asdict(replace(self, follow=()))
        if not self.pitch_shift:
            del found["pitch_shift"]
        if not self.follow:
            del found["follow"], found["strength"]
            return found
        return found | {"follow": [control.to_json() for control in self.follow]}

    def flat(self) -> dict[str, Any]:
        """Give the settings as a flat dict, with the names that `take_settings` takes.

        Returns
        -------
        dict
            Each name of `SETTINGS` and its value.
        """
        return {s.name: s.of(self) for s in SETTINGS}


@dataclass(frozen=True)
class Setting:
    """One setting: its name as an argument, and its place in `TakeSettings`.

    Parameters
    ----------
    name : str
        Name of the argument.
    kind : type
        Type of the value.
    text : str
        What the setting does, with its unit. Adjacent settings with the same text share one row in docstrings.
    places : tuple of str
        The fields of `TakeSettings` that it sets, such as "coarse.passes".
    most : float, optional
        The largest value of its slider.
    """

    name: str
    kind: Any
    text: str
    places: tuple[str, ...]
    most: float | None = None

    @property
    def default(self) -> Any:
        """Its default value."""
        return None if self.name == "fine_passes" else self.of(TakeSettings())

    def of(self, settings: TakeSettings) -> Any:
        """Look up its value.

        Parameters
        ----------
        settings : TakeSettings
            The settings of a take.

        Returns
        -------
        object
            The value.
        """
        stage, _, name = self.places[0].rpartition(".")
        return getattr(getattr(settings, stage) if stage else settings, name)


_LIMITS = "Limits on the tokens that the coarse run may draw, see vampkit.sampling; None turns a limit off."

SETTINGS: tuple[Setting, ...] = (
    Setting("seed", int, "Seed of the random numbers; the same seed gives the same take.", ("seed",)),
    Setting("passes", int, "How often the coarse model is called.", ("coarse.passes",), most=128),
    Setting(
        "fine_passes",
        int | None,
        "How often the coarse-to-fine model is called; None: a third of passes, at least 1.",
        ("fine.passes",),
        most=128,
    ),
    Setting(
        "temperature",
        float,
        "Sampling temperature of the tokens, both runs: bolder above 1, safer below.",
        ("coarse.temperature", "fine.temperature"),
        most=3,
    ),
    Setting(
        "mask_temperature",
        float,
        "Scale of the noise on the confidences, which decide what stays, coarse run; see Prompt.recommended.",
        ("coarse.mask_temperature",),
        most=100,
    ),
    Setting("fine_mask_temperature", float, "The same in the fine run.", ("fine.mask_temperature",), most=100),
    Setting(
        "schedule",
        Literal[tuple(SCHEDULES)],
        f"How the mask ratio falls over the passes, both runs: {', '.join(SCHEDULES)}.",
        ("coarse.schedule", "fine.schedule"),
    ),
    Setting(
        "annealing",
        Literal[tuple(ANNEALINGS)],
        f"How the coarse run's noise falls over its passes: {', '.join(ANNEALINGS)}.",
        ("coarse.annealing",),
    ),
    Setting("top_k", int | None, _LIMITS, ("coarse.top_k",), most=1024),
    Setting("top_p", float | None, _LIMITS, ("coarse.top_p",), most=1),
    Setting("min_p", float | None, _LIMITS, ("coarse.min_p",), most=1),
    Setting("typical", float | None, _LIMITS, ("coarse.typical",), most=1),
    Setting(
        "typical_min_tokens",
        int,
        "The smallest number of tokens that typical leaves, coarse run.",
        ("coarse.typical_min_tokens",),
        most=1024,
    ),
    Setting(
        "cutoff",
        float,
        "After this fraction of the passes, the likeliest token is taken instead of a random one, both runs.",
        ("coarse.cutoff", "fine.cutoff"),
        most=1,
    ),
    Setting("feedback", int, "Rounds; each starts from the output of the one before.", ("feedback",), most=16),
    Setting("roll", int, "How many frames the mask moves after each round of feedback.", ("roll",)),
    Setting(
        "pitch_shift",
        float,
        "Semitones by which the sound is shifted before it is encoded; needs sound, not tokens.",
        ("pitch_shift",),
        most=12,
    ),
    Setting("restore", bool, "Put the original samples back where nothing is hidden.", ("restore",)),
    Setting("windows", Windows, "Sizes of the windows into which long sounds are cut, in frames.", ("windows",)),
    Setting(
        "follow",
        tuple[Control, ...],
        "Controls that the coarse model follows, such as [Rhythm(clip)]; at most one of a kind.",
        ("follow",),
    ),
    Setting("strength", float, "How strongly it follows: 0 not at all, 1 as trained.", ("strength",), most=3),
)
"""All settings of a take, in the order in which signatures show them."""


def take_settings(**settings: Any) -> TakeSettings:
    """Make a `TakeSettings` from flat settings.

    Parameters
    ----------
    **settings : object
        Settings by their names in `SETTINGS`. All others keep their defaults.

    Returns
    -------
    TakeSettings
        The settings of a take.

    Raises
    ------
    TypeError
        For a name that is not a setting.
    ValueError
        For a value outside its range.
    """
    table = {s.name: s for s in SETTINGS}
    if strange := [name for name in settings if name not in table]:
        raise TypeError(f"there is no setting {strange[0]!r}; the settings are: {', '.join(table)}")
    if settings.get("fine_passes") is None:
        usual = Settings().passes
        passes = settings.get("passes", usual)
        settings["fine_passes"] = max(1, round(passes * FINE.passes / usual)) if isinstance(passes, int) else usual
    parts: dict[str, dict[str, Any]] = {"": {}, "coarse": {}, "fine": {}}
    for name, value in settings.items():
        for place in table[name].places:
            stage, _, field = place.rpartition(".")
            parts[stage][field] = value
    coarse = Settings(**parts["coarse"])
    try:
        fine = replace(FINE, **parts["fine"])
    except ValueError as error:
        raise ValueError(f"in the fine run, {error}") from None
    return TakeSettings(coarse=coarse, fine=fine, **parts[""])


Call = TypeVar("Call", bound=Callable)


def with_settings(function: Call, leave_out: tuple[str, ...] = (), changes: bool = False) -> Call:
    """Show the settings, with their defaults, in the signature and docstring of a function that takes `**settings`.

    Parameters
    ----------
    function : callable
        Its docstring must have a row `**settings` in the Parameters section. The rows of `SETTINGS` replace it.
    leave_out : tuple of str
        Settings that the function does not offer.
    changes : bool
        The function changes existing settings. A setting that is not given keeps its value, so the signature shows
        `...` instead of the default.

    Returns
    -------
    callable
        The same function.
    """
    own = inspect.signature(function)
    kept = [p for p in own.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    rows = [
        inspect.Parameter(
            s.name, inspect.Parameter.KEYWORD_ONLY, default=... if changes else s.default, annotation=s.kind
        )
        for s in SETTINGS
        if s.name not in leave_out
    ]
    function.__signature__ = own.replace(parameters=kept + rows)  # type: ignore[attr-defined]
    lines = inspect.cleandoc(function.__doc__ or "").split("\n")
    place = next(i for i, line in enumerate(lines) if line.startswith("**settings"))
    lines[place : place + 2] = described()
    function.__doc__ = "\n".join(lines)
    return function


def described() -> list[str]:
    """Write the rows of a NumPy Parameters section for all settings.

    Returns
    -------
    list of str
        Two or three lines per setting; adjacent settings with the same text share a row.
    """
    lines = []
    for text, rows in groupby(SETTINGS, key=lambda s: s.text):
        alike = list(rows)
        kinds = " or ".join(dict.fromkeys(_words(s.kind) for s in alike))
        lines.append(f"{', '.join(s.name for s in alike)} : {kinds}")
        lines += textwrap.wrap(text, 112, initial_indent="    ", subsequent_indent="    ")
    return lines


def _words(kind: Any) -> str:
    """The name of a type in docstrings."""
    if getattr(kind, "__origin__", None) is Literal:
        return "str"
    if kind == tuple[Control, ...]:
        return "sequence of Control"
    return kind.__name__ if isinstance(kind, type) else str(kind).replace(" | None", ", optional")
