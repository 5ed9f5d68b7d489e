"""Instant checks for the exercises: one module a notebook, one function a task.

    from vampkit import check
    check.nb05.rank(my_rank)      # prints one line, returns True or False

A check never raises for a wrong answer, and says what is wrong without giving the answer away.

Modules are loaded on first use. Notebook: 03.
"""

from vampkit import lazily

_MODULES = {
    name: name
    for name in ("nb03", "nb04", "nb05", "nb06", "nb07", "nb08", "nb09", "nb10", "nb11", "nb12", "nb13", "nb14", "nb15")
}

__getattr__, __dir__, __all__ = lazily(__name__, {}, _MODULES)
