"""The one exception of our own."""


class VampkitError(Exception):
    """Something a user can mend. The message is one sentence: what was wrong, what was expected, what to do."""
