"""Instant checks for the exercises: one module a notebook, one function a task.

    from vampkit import check
    check.nb05.rank(my_rank)      # prints one line, returns True or False

A check never raises for a wrong answer, and says what is wrong without giving the answer away. Each is loaded on first
use.
"""

from importlib import import_module, util

__all__ = ["nb03", "nb04", "nb05", "nb06", "nb07", "nb08", "nb09", "nb10", "nb12"]


def __getattr__(name: str):
    if not (name.startswith("nb") and util.find_spec(f"{__name__}.{name}")):
        raise AttributeError(f"vampkit.check has no {name!r}; its modules are: {', '.join(__all__)}")
    return import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return __all__
