"""Settings of a take: one table of all settings. Functions take them flat; `TakeSettings` stores them nested.

`SETTINGS` is the only place that holds names and descriptions. `with_settings` puts them into the signature and the
docstring of every function that takes settings. The command line, the panel and the studio read the same table.

Notebook: 05.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from dataclasses import fields as dataclass_fields
from itertools import groupby
from typing import Any, Literal, TypeVar, get_args, get_origin

from vampkit.controls import Control
from vampkit.errors import VampkitError
from vampkit.files.outer import (
    MOST_FRAMES,
    MOST_PASSES,
    MOST_ROUNDS,
    MOST_SEED,
    fields,
    flag,
    number,
    shown,
    word,
)
from vampkit.pipeline.windows import SHARED, Windows
from vampkit.sampling import ANNEALINGS, Settings
from vampkit.schedules import SCHEDULES

FINE = Settings(passes=12, mask_temperature=0.0)
"""Default settings of the coarse-to-fine run.

12 passes give results closer to the music than 4; more passes help little (data/models/LOG.md). The reference code uses
the same noise as in the coarse run; the bundled models are a little better without noise.
"""


HOTTEST = 1e4
"""The highest temperature; from far below that on, all tokens are equally likely."""
LATER = ("follow", "strength", "guidance", "stereo", "pitch_shift", "typical_min_tokens")
"""Settings that a record may lack: those of following if nothing was followed, and what older takes did not know."""
HINT = "give the .json that was written beside a take"


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
        How many frames the mask moves after each round. 0: each round keeps the same frames, as the reference code
        does. Otherwise each round generates other frames, and in the end what the prompt kept may be gone.
    pitch_shift : float
        Semitones by which the sound is shifted before it is encoded, -24 to 24.
    restore : bool
        Put the original samples back where nothing is hidden.
    windows : Windows
        Sizes of the windows into which long sounds are cut.
    follow : tuple of Control
        What the models follow, at most one control of a kind; empty: nothing.
    strength : float
        How strongly it follows: 0 not at all, 1 as the adapters were trained.
    guidance : float
        Weight of what following changes in the coarse model. 1 as it is; above 1 it follows more firmly, and the model
        is called twice a pass, once without what it follows.
    stereo : str
        What becomes of two channels: "mid-side" or "items" keep them, "mix" makes one of them, see `Codec.encode`.

    Raises
    ------
    TypeError, ValueError
        For a value of another type, or outside the range that `SETTINGS` gives. Numbers of NumPy become plain ones.
    """

    seed: int = 0
    coarse: Settings = Settings()
    fine: Settings = FINE
    feedback: int = 1
    roll: int = 0
    pitch_shift: float = 0.0
    restore: bool = False
    windows: Windows = SHARED
    follow: tuple[Control, ...] = ()
    strength: float = 1.0
    guidance: float = 1.0
    stereo: str = "mid-side"

    def __post_init__(self):
        for stage in ("coarse", "fine"):
            object.__setattr__(self, stage, _checked_stage(stage, getattr(self, stage)))
        for setting in SETTINGS:
            if "." not in setting.places[0]:
                object.__setattr__(self, setting.name, setting.checked(getattr(self, setting.name)))

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
            The settings. A record that says nothing of stereo is of an older take, which was mixed.

        Raises
        ------
        VampkitError
            For a record that lacks settings, or holds others.
        """
        nested = {"coarse": Settings, "fine": Settings, "windows": Windows}
        own = [field.name for field in dataclass_fields(cls)]
        fields("the record", record, [name for name in own if name not in LATER], hint=HINT)
        given = {"stereo": "mix"} | {name: record[name] for name in own if name in record}
        if not isinstance(record.get("follow", ()), list | tuple):
            raise VampkitError(f"the record's follow is {shown(record['follow'])}, a list was expected; {HINT}")
        given["follow"] = tuple(Control.from_json(control) for control in record.get("follow", ()))
        for name, kind in nested.items():
            names = [field.name for field in dataclass_fields(kind)]
            required = [field for field in names if field not in LATER]
            given[name] = fields(f"the record's {name}", given[name], required, names, HINT)
        try:
            for stage in ("coarse", "fine"):
                word("count is ", given[stage]["count"], ("item", "batch"))
                given[stage] = _checked_fields(stage, given[stage])
            return cls(**given | {name: kind(**given[name]) for name, kind in nested.items()})
        except (TypeError, ValueError) as error:
            raise VampkitError(f"the settings of the record do not fit: {error}") from None

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
            del found["follow"], found["strength"], found["guidance"]
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
    low, high : float, optional
        The smallest and the largest value.
    """

    name: str
    kind: Any
    text: str
    places: tuple[str, ...]
    most: float | None = None
    low: float | None = None
    high: float | None = None

    def checked(self, value: Any, lead: str = "") -> Any:
        """Check a value. This is the one place where settings are checked; `sampling.Settings` adds what it needs.

        Parameters
        ----------
        value : object
            The value.
        lead : str
            The sentence of an error up to the value; if empty, "NAME is ".

        Returns
        -------
        object
            The value in plain Python.

        Raises
        ------
        TypeError, ValueError
            For another type, or a value outside the range.
        """
        lead, kinds = lead or f"{self.name} is ", get_args(self.kind)
        if self.kind is bool:
            return flag(lead, value)
        if self.kind is Windows:
            if not isinstance(value, Windows):
                raise TypeError(f"{lead}{shown(value)}, Windows(...) was expected; leave it out for the usual ones")
            return value
        if self.name == "follow":
            return _controls(value)
        if get_origin(self.kind) is Literal:
            return word(lead, value, kinds)
        optional = type(None) in kinds
        hint = "None turns it off" if optional and self.name != "fine_passes" else ""
        whole = int in (self.kind, *kinds)
        return number(lead, value, self.low, self.high, whole=whole, optional=optional, hint=hint)

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
    Setting(
        "seed",
        int,
        "Seed of the random numbers; the same seed gives the same take.",
        ("seed",),
        low=-MOST_SEED,
        high=MOST_SEED,
    ),
    Setting(
        "passes", int, "How often the coarse model is called.", ("coarse.passes",), most=128, low=1, high=MOST_PASSES
    ),
    Setting(
        "fine_passes",
        int | None,
        "How often the coarse-to-fine model is called; None: a third of passes, at least 1.",
        ("fine.passes",),
        most=128,
        low=1,
        high=MOST_PASSES,
    ),
    Setting(
        "temperature",
        float,
        "Sampling temperature of the tokens, both runs: bolder above 1, safer below.",
        ("coarse.temperature", "fine.temperature"),
        most=3,
        low=0,
        high=HOTTEST,
    ),
    Setting(
        "mask_temperature",
        float,
        "Scale of the noise on the confidences, which decide what stays, coarse run; see Prompt.recommended.",
        ("coarse.mask_temperature",),
        most=100,
        low=0,
        high=HOTTEST,
    ),
    Setting(
        "fine_mask_temperature",
        float,
        "The same in the fine run.",
        ("fine.mask_temperature",),
        most=100,
        low=0,
        high=HOTTEST,
    ),
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
    Setting("top_k", int | None, _LIMITS, ("coarse.top_k",), most=1024, low=1, high=2**31),
    Setting("top_p", float | None, _LIMITS, ("coarse.top_p",), most=1, low=0, high=1),
    Setting("min_p", float | None, _LIMITS, ("coarse.min_p",), most=1, low=0, high=1),
    Setting("typical", float | None, _LIMITS, ("coarse.typical",), most=1, low=0, high=1),
    Setting(
        "typical_min_tokens",
        int,
        "The smallest number of tokens that typical leaves, coarse run.",
        ("coarse.typical_min_tokens",),
        most=1024,
        low=1,
        high=2**31,
    ),
    Setting(
        "cutoff",
        float,
        "After this fraction of the passes, the likeliest token is taken instead of a random one, both runs.",
        ("coarse.cutoff", "fine.cutoff"),
        most=1,
        low=-1e3,
        high=1e3,
    ),
    Setting(
        "feedback",
        int,
        "Rounds; each starts from the output of the one before.",
        ("feedback",),
        most=16,
        low=1,
        high=MOST_ROUNDS,
    ),
    Setting(
        "roll",
        int,
        "How many frames the mask moves after each round of feedback; 0 keeps the same frames in each round.",
        ("roll",),
        low=-MOST_FRAMES,
        high=MOST_FRAMES,
    ),
    Setting(
        "pitch_shift",
        float,
        "Semitones by which the sound is shifted before it is encoded; needs sound, not tokens.",
        ("pitch_shift",),
        most=12,
        low=-24,
        high=24,
    ),
    Setting("restore", bool, "Put the original samples back where nothing is hidden.", ("restore",)),
    Setting("windows", Windows, "Sizes of the windows into which long sounds are cut, in frames.", ("windows",)),
    Setting(
        "follow",
        tuple[Control, ...],
        "Controls that the models follow, such as [Rhythm(clip)]; at most one of a kind.",
        ("follow",),
    ),
    Setting(
        "strength",
        float,
        "How strongly it follows: 0 not at all, 1 as trained.",
        ("strength",),
        most=3,
        low=0,
        high=100,
    ),
    Setting(
        "guidance",
        float,
        "Weight of what following changes; above 1 it follows more firmly, and a pass takes twice as long.",
        ("guidance",),
        most=3,
        low=0,
        high=100,
    ),
    Setting(
        "stereo",
        Literal["mid-side", "items", "mix"],
        "What becomes of two channels: mid-side or items keep them, mix makes one of them.",
        ("stereo",),
    ),
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
    settings = {name: table[name].checked(value, _lead(name)) for name, value in settings.items()}
    if settings.get("fine_passes") is None:
        usual = Settings().passes
        settings["fine_passes"] = max(1, round(settings.get("passes", usual) * FINE.passes / usual))
    parts: dict[str, dict[str, Any]] = {"": {}, "coarse": {}, "fine": {}}
    for name, value in settings.items():
        for place in table[name].places:
            stage, _, field = place.rpartition(".")
            parts[stage][field] = value
    return TakeSettings(coarse=Settings(**parts["coarse"]), fine=replace(FINE, **parts["fine"]), **parts[""])


def _lead(name: str) -> str:
    """The sentence of an error up to the value of a setting."""
    return f"in the fine run, {name.removeprefix('fine_')} is " if name.startswith("fine_") else f"{name} is "


def _checked_stage(stage: str, given: Any) -> Settings:
    """Check the settings of one of the two runs, by the rows that set the coarse run."""
    if not isinstance(given, Settings):
        raise TypeError(f"{stage} is {shown(given)}, Settings(...) was expected; leave it out for the usual ones")
    return Settings(**_checked_fields(stage, {f.name: getattr(given, f.name) for f in dataclass_fields(given)}))


def _checked_fields(stage: str, values: dict[str, Any]) -> dict[str, Any]:
    """Check the fields of `Settings`, by the rows that set the coarse run."""
    rows = {row.places[0].removeprefix("coarse."): row for row in SETTINGS if row.places[0].startswith("coarse.")}
    where = "in the fine run, " if stage == "fine" else ""
    return values | {
        name: row.checked(values[name], f"{where}{name} is ") for name, row in rows.items() if name in values
    }


def _controls(given: Any) -> tuple[Control, ...]:
    """Check what is followed: a control, or several."""
    found = (given,) if isinstance(given, Control) else given
    if not isinstance(found, list | tuple) or not all(isinstance(control, Control) for control in found):
        raise TypeError(
            f"follow is {shown(given)}, controls such as [Rhythm(clip)] were expected; make them from a Clip"
        )
    return tuple(found)


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
    lines[place : place + 2] = described(leave_out)
    function.__doc__ = "\n".join(lines)
    return function


def described(leave_out: tuple[str, ...] = ()) -> list[str]:
    """Write the rows of a NumPy Parameters section for all settings.

    Parameters
    ----------
    leave_out : tuple of str
        Settings without a row.

    Returns
    -------
    list of str
        Two or three lines per setting; adjacent settings with the same text share a row.
    """
    lines = []
    for text, rows in groupby((s for s in SETTINGS if s.name not in leave_out), key=lambda s: s.text):
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
