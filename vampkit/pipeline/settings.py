"""Settings of a take: one table of what can be set, flat where it is called, nested where it is kept.

`SETTINGS` is the one source of names, defaults and descriptions. `with_settings` puts them into the signature and the
docstring of every function that takes them; the command line, the panel and the studio read the same table.

Notebook: 05.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import Any, Literal, TypeVar

from vampkit.pipeline.windows import SHARED, Windows
from vampkit.sampling import ANNEALINGS, Settings
from vampkit.schedules import SCHEDULES

FINE = Settings(passes=12, mask_temperature=0.0)
"""The coarse-to-fine run: 12 passes lie nearer to the music than 4, more bring little (data/models/LOG.md).

The reference code keeps the noise of the coarse run; the bundled models are a little better without it.
"""


@dataclass(frozen=True)
class TakeSettings:
    """All that decides a take beside its sound, its prompt and the models; `take_settings` makes it from flat names.

    Notebook: 05

    Parameters
    ----------
    seed : int
        One seed gives one take.
    coarse : Settings
        The run of the coarse model.
    fine : Settings
        The run of the coarse-to-fine model.
    feedback : int
        How often the take is made, the output each time the next input.
    roll : int
        Frames by which the mask moves on each time, so that other frames are made anew.
    restore : bool
        Put the original's samples back where nothing is hidden.
    windows : Windows
        How long sounds are cut.

    Raises
    ------
    ValueError
        For less than one round of feedback.
    """

    seed: int = 0
    coarse: Settings = Settings()
    fine: Settings = FINE
    feedback: int = 1
    roll: int = 1
    restore: bool = False
    windows: Windows = SHARED

    def __post_init__(self):
        if isinstance(self.feedback, bool) or not isinstance(self.feedback, int) or self.feedback < 1:
            raise ValueError(f"feedback is {self.feedback!r}, a whole number of at least 1 was expected")

    @classmethod
    def of(cls, record: dict) -> TakeSettings:
        """Read the settings in a take's record.

        Parameters
        ----------
        record : dict
            Plain JSON, as `Take.record`.

        Returns
        -------
        TakeSettings
            The settings.
        """
        nested = {"coarse": Settings, "fine": Settings, "windows": Windows}
        given = {f.name: record[f.name] for f in fields(cls)}
        return cls(**given | {name: kind(**given[name]) for name, kind in nested.items()})

    def flat(self) -> dict[str, Any]:
        """Give the settings by the names that `take_settings` takes.

        Returns
        -------
        dict
            Each name of `SETTINGS` and its value.
        """
        return {s.name: s.of(self) for s in SETTINGS}


@dataclass(frozen=True)
class Setting:
    """One setting: its name where it is called, and its place in `TakeSettings`.

    Parameters
    ----------
    name : str
        Its name.
    kind : type
        What it takes.
    text : str
        What it does, with its unit. Neighbours with the same text share a line of the docstrings.
    places : tuple of str
        Where it goes, such as "coarse.passes".
    most : float, optional
        The largest value that a slider offers.
    """

    name: str
    kind: Any
    text: str
    places: tuple[str, ...]
    most: float | None = None

    @property
    def default(self) -> Any:
        """What it is where nothing is said."""
        return None if self.name == "fine_passes" else self.of(TakeSettings())

    def of(self, settings: TakeSettings) -> Any:
        """Look its value up.

        Parameters
        ----------
        settings : TakeSettings
            Of a take.

        Returns
        -------
        object
            The value.
        """
        stage, _, name = self.places[0].rpartition(".")
        return getattr(getattr(settings, stage) if stage else settings, name)


_LIMITS = "Limits on what the coarse run may draw (likeliest entries, probability); None turns one off."

SETTINGS: tuple[Setting, ...] = (
    Setting("seed", int, "One seed gives one take.", ("seed",)),
    Setting("passes", int, "How often the coarse model is asked.", ("coarse.passes",), most=128),
    Setting(
        "fine_passes",
        int | None,
        "How often the coarse-to-fine model is asked; None: a third of passes, at least 1.",
        ("fine.passes",),
        most=128,
    ),
    Setting(
        "temperature",
        float,
        "Of the tokens that both runs draw: bolder above 1, safer below.",
        ("coarse.temperature", "fine.temperature"),
        most=3,
    ),
    Setting(
        "mask_temperature",
        float,
        "Of the noise on which tokens stay from pass to pass, coarse run; see Prompt.recommended.",
        ("coarse.mask_temperature",),
        most=100,
    ),
    Setting("fine_mask_temperature", float, "The same in the fine run.", ("fine.mask_temperature",), most=100),
    Setting(
        "schedule",
        Literal[tuple(SCHEDULES)],
        f"Mask ratio over the passes of both runs: {', '.join(SCHEDULES)}.",
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
        "cutoff",
        float,
        "Fraction of the passes of both runs after which the likeliest token is taken, not a drawn one.",
        ("coarse.cutoff", "fine.cutoff"),
        most=1,
    ),
    Setting(
        "feedback", int, "How often the take is made, the output each time the next input.", ("feedback",), most=16
    ),
    Setting("roll", int, "Frames by which the mask moves on each time.", ("roll",)),
    Setting("restore", bool, "Put the original's samples back where nothing is hidden.", ("restore",)),
    Setting("windows", Windows, "How long sounds are cut, sizes in frames (57.42 a second).", ("windows",)),
)
"""All that can be set of a take, in the order of the signatures."""


def take_settings(**settings: Any) -> TakeSettings:
    """Nest flat settings.

    Parameters
    ----------
    **settings : object
        Names of `SETTINGS` and their values.

    Returns
    -------
    TakeSettings
        The settings of a take.

    Raises
    ------
    TypeError
        For a name that is no setting.
    ValueError
        For a value out of its range.
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
        Its docstring has a Parameters section with a row `**settings`, which the rows of the table replace.
    leave_out : tuple of str
        Settings that the function does not offer.
    changes : bool
        The function changes settings: what is not given stays as it is, so `...` is shown instead of the defaults.

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
    """Rows of a NumPy Parameters section for all settings.

    Returns
    -------
    list of str
        Two or three lines a setting, neighbours with one text together.
    """
    lines = []
    for text, rows in groupby(SETTINGS, key=lambda s: s.text):
        alike = list(rows)
        kinds = " or ".join(dict.fromkeys(_words(s.kind) for s in alike))
        lines.append(f"{', '.join(s.name for s in alike)} : {kinds}")
        lines += textwrap.wrap(text, 112, initial_indent="    ", subsequent_indent="    ")
    return lines


def _words(kind: Any) -> str:
    """A type as docstrings name it."""
    if getattr(kind, "__origin__", None) is Literal:
        return "str"
    return kind.__name__ if isinstance(kind, type) else str(kind).replace(" | None", ", optional")
