"""The command line: `vampkit VERB ...`. Each verb is a call of the library."""

from vampkit.cli.app import main
from vampkit.cli.verbs import quiet_lab

__all__ = ["main", "quiet_lab"]
