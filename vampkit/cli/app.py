"""The command line itself: its verbs, their help, and how errors are shown."""

from __future__ import annotations

import inspect
import os
import sys
import textwrap
from collections.abc import Callable
from typing import Annotated

import tyro
from tyro.extras import SubcommandApp

from vampkit.cli import verbs
from vampkit.errors import VampkitError

VERBS = (
    *(verbs.demo, verbs.lab, verbs.vamp, verbs.again, verbs.train, verbs.finetune, verbs.convert, verbs.compose),
    *(verbs.data_fetch, verbs.data_build),
)
"""One function per verb, in the order of the help."""

EXAMPLES = {
    "vamp": """
        vampkit vamp in.wav out.wav --prompt periodic:7+prefix:2 --takes 4 --seed 1
        vampkit vamp in.wav out.wav --prompt "beats:after=0.075,which=down & compression:4"
        vampkit vamp in.wav longer.flac --prompt continuation:30 --recommended
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
    "data-build": "vampkit data build songs --out STORE --composed 400",
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
        words[:2] = ["-".join(words[:2])]
    app = SubcommandApp()
    for verb in VERBS:
        app.command(_with_options(verb), name=verb.__name__.replace("_", "-"))
    try:
        try:
            # Required arguments are positional: `vampkit vamp IN OUT`, `vampkit train codec`, `vampkit compose OUT`.
            app.cli(prog="vampkit", args=words, config=(tyro.conf.PositionalRequiredArgs,))
        except SystemExit as end:
            if end.code == 0 and words[:1] and {"-h", "--help"} & set(words):
                print(_more_help(words[0]))
            raise
        finally:
            sys.stdout.flush()  # here, where a closed pipe is met with silence, not when Python ends
    except (VampkitError, ValueError, TypeError, FileNotFoundError) as error:
        print(f"vampkit: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # discards what is left in the buffer
        raise SystemExit(141) from None


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
