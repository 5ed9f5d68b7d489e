"""The command line: `vampkit ...`, one line a verb, each a call of the library."""

from vampkit.cli.verbs import main, quiet_lab

__all__ = ["main", "quiet_lab"]
