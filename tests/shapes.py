"""The shapes in signatures, checked at every call while tests run: `Int[Tensor, "batch codebooks frames"]` and so on.

Other types are left alone: what a user may get wrong is refused by sentences of our own, which tests read.
"""

import typing

from beartype import beartype
from jaxtyping import AbstractArray


def checked(function):
    """Check arguments and results that are arrays; jaxtyping calls this for each function of the rooms it hooks."""
    hints = {name: hint for name, hint in function.__annotations__.items() if _has_shape(hint)}
    if not hints:
        return function
    function.__annotations__ = hints
    return beartype(function)


def _has_shape(hint) -> bool:
    if isinstance(hint, str):
        return "Tensor, " in hint or "ndarray, " in hint
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(_has_shape(part) for part in typing.get_args(hint))
