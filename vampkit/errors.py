"""The only exception class that vampkit defines."""


class VampkitError(Exception):
    """An error that the user can fix. The message is one sentence: what was wrong, what was expected, what to do."""
