"""The command line itself: its verbs, their help, and how errors are shown."""

from __future__ import annotations

import inspect
import os
import sys
import textwrap
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Annotated, NoReturn

import tyro
from tyro.extras import SubcommandApp

from vampkit.cli import verbs
from vampkit.errors import VampkitError
from vampkit.files.outer import MOST_SECONDS, MOST_SEED, number
from vampkit.files.written import system_sentence

VERBS = (
    *(verbs.demo, verbs.lab, verbs.doctor, verbs.vamp, verbs.again, verbs.train, verbs.finetune, verbs.convert),
    *(verbs.compose, verbs.data_fetch, verbs.data_build),
)
"""One function per verb, in the order of the help."""

EXAMPLES = {
    "lab": """
        vampkit lab --copy my-notebooks
        vampkit lab --copy my-notebooks --no-open
    """,
    "vamp": """
        vampkit vamp in.wav out.wav --prompt periodic:7+prefix:2 --takes 4 --seed 1
        vampkit vamp in.wav out.wav --prompt "beats:after=0.075,which=down & compression:4"
        vampkit vamp in.wav longer.flac --prompt continuation:30 --recommended
        vampkit vamp in.wav out.wav --prompt periodic:16 --follow rhythm:drums.wav
        vampkit vamp songs vamps --prompt paper-periodic-16
    """,
    "again": "vampkit again out-2.json in.wav same.wav",
    "train": """
        vampkit train codec --preset laptop --music DIR
        vampkit train coarse --preset laptop --music DIR --codec CODEC
        torchrun --nproc-per-node 4 -m vampkit.cli train coarse --preset gpu --store STORE
    """,
    "finetune": "vampkit finetune songs --out adapters",
    "convert": """
        vampkit convert vampnet-weights vampnet-float16 --dtype float16
        vampkit convert loras/opera opera --adapters
    """,
    "compose": "vampkit compose piece.flac --genre jazz --seed 3 --stems",
    "data build": "vampkit data build songs --out STORE --composed 400",
}
"""Examples at the end of a verb's help."""


def main(arguments: list[str] | None = None) -> None:
    """Run a verb.

    An error that the user can fix is shown as one sentence on standard error, and the exit code is 2. If the output is
    a pipe that was closed, the program ends without a message.

    Parameters
    ----------
    arguments : list of str, optional
        Words of the command line; if left out, those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:2] in (["data", "fetch"], ["data", "build"]):
        words[:2] = [" ".join(words[:2])]
    if twice := [option for option, count in Counter(_options(words)).items() if count > 1]:
        _refuse(f"{twice[0]} is given twice, once was expected; give it once, with all its values")
    try:
        app = SubcommandApp()
        for verb in VERBS:
            app.command(_unwrapped(_with_options(_checked(verb))), name=verb.__name__.replace("_", " "))
        try:
            # Required arguments are positional: `vampkit vamp IN OUT`, `vampkit train codec`, `vampkit compose OUT`.
            with _told_plainly():
                app.cli(prog="vampkit", args=words, config=(tyro.conf.PositionalRequiredArgs,))
        except SystemExit as end:
            if end.code == 0 and words[:1] and {"-h", "--help"} & set(words):
                print(_more_help(words[0]))
            raise
        finally:
            sys.stdout.flush()  # here, where a closed pipe is met with silence, not when Python ends
    except (VampkitError, ValueError, TypeError, FileNotFoundError) as error:
        _refuse(str(error))
    except MemoryError:
        _refuse("this needs more memory than there is, less was expected; take a shorter sound, or fewer takes")
    except RecursionError:
        _refuse("something is nested too deeply, less was expected; use fewer brackets")
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # discards what is left in the buffer
        raise SystemExit(141) from None
    except OSError as error:
        _refuse(system_sentence(error))


def _options(words: list[str]) -> list[str]:
    """The options among the words, without their values."""
    return [word.partition("=")[0].replace("_", "-") for word in words if word.startswith("--")]


def _refuse(sentence: str) -> NoReturn:
    """Show one sentence, on one line, and end."""
    print(f"vampkit: {' '.join(sentence.split())}", file=sys.stderr)
    raise SystemExit(2) from None


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Show warnings as sentences, and names of files that are no text without an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings():
        shown = warnings.showwarning

        def show(message, category, *where, **more) -> None:
            if category is UserWarning and "vampkit" in str(where[0]):
                print(f"vampkit: {message}", file=sys.stderr)
            else:
                shown(message, category, *where, **more)

        warnings.showwarning = show
        yield


LIMITS: dict[str, tuple[float, float]] = {
    "seconds": (0.1, MOST_SECONDS),
    "port": (0, 65_535),
    "composed": (0, 1_000_000),
    "seed": (-MOST_SEED, MOST_SEED),
    "first_seed": (0, MOST_SEED),
    "floor": (-300, 100),
    "processes": (1, 1024),
    "minutes": (0, 1_000_000),
    "stream": (0, 1024),
    "accumulate": (1, 4096),
    "audio_every": (1, 1_000_000_000),
    "steps": (1, 100_000_000),
    "rank": (1, 1024),
    "takes": (1, 9999),
}
"""Smallest and largest value of each number that a verb takes; those of takes stand in `vampkit.pipeline.SETTINGS`."""


def _checked(verb: Callable) -> Callable:
    """Check the numbers that a verb is given, before it does anything."""

    @wraps(verb)
    def call(*args, **options):
        for name, value in inspect.signature(verb).bind(*args, **options).arguments.items():
            if name in LIMITS:
                number(f"--{name.replace('_', '-')} is ", value, *LIMITS[name], optional=True)
        return verb(*args, **options)

    return call


def _unwrapped(verb: Callable) -> Callable:
    """Make one line of each description in the docstring, as the help breaks lines by itself."""
    lines: list[str] = []
    for line in inspect.cleandoc(verb.__doc__ or "").split("\n"):
        if line.startswith("    ") and lines and lines[-1].startswith("    "):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    inspect.unwrap(verb).__doc__ = "\n".join(lines)  # of the verb itself, where tyro looks
    return verb


def _with_options(verb: Callable) -> Callable:
    """Turn the `**settings` of a verb into one option for each row of `vampkit.pipeline.SETTINGS`."""
    if "settings" not in inspect.signature(verb).parameters:
        return verb
    from vampkit.pipeline.settings import SETTINGS, with_settings

    def call(*args, **options):
        return verb(*args, **options)

    call.__doc__, call.__signature__ = verb.__doc__, inspect.signature(verb, eval_str=True)
    own = ("windows", "follow")  # the first cannot be set here, the second is an option of the verb itself
    call = with_settings(call, leave_out=own)
    options = {s.name: Annotated[s.kind, tyro.conf.arg(help=s.text)] for s in SETTINGS if s.name not in own}
    rows = [p.replace(annotation=options.get(p.name, p.annotation)) for p in call.__signature__.parameters.values()]
    call.__signature__ = call.__signature__.replace(parameters=rows)
    call.__annotations__ = {p.name: p.annotation for p in rows}
    return call


def _more_help(verb: str) -> str:
    """The end of a verb's help: the list of prompts (for `vamp`), and examples."""
    parts = []
    if verb == "vamp":
        from vampkit.prompts import words_help

        parts.append("what is kept (--prompt):\n" + textwrap.indent(words_help(), "  "))
    if verb in EXAMPLES:
        parts.append("examples:\n" + textwrap.indent(textwrap.dedent(EXAMPLES[verb]).strip(), "  "))
    return "\n\n".join(parts)
