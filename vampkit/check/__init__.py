"""Instant checks for the exercises: one module a notebook, one function a task.

    from vampkit import check
    check.nb05.rank(my_rank)      # prints one line, returns True or False

A check never raises for a wrong answer, and says what is wrong without giving the answer away.

Modules are loaded on first use. Notebook: 03.
"""

from importlib import import_module

__all__ = ["nb03", "nb04", "nb05", "nb06", "nb07", "nb08", "nb09", "nb10", "nb12"]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"vampkit.check has no {name!r}; its modules are: {', '.join(__all__)}")
    return import_module(f"vampkit.check.{name}")


def __dir__() -> list[str]:
    return __all__
