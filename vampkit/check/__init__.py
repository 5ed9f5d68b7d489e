"""Instant checks for the exercises: one module a notebook or a homework, one function a task.

    from vampkit import check
    check.nb05.rank(my_rank)      # prints one line, draws yours beside the target, returns True or False

A check never raises for a wrong answer, and says what is wrong. Those of a homework (`hw1` to `hw6`) have hidden cases
as well, which a grader draws, and refuse the library's own function for what is asked.

Modules are loaded on first use. Notebook: 03.
"""

from vampkit import lazily

_MODULES = {
    name: name
    for name in (
        *(f"nb{number:02}" for number in range(16)),
        *("hw1", "hw2", "hw3", "hw4", "hw5", "hw6", "projects"),
    )
}

__getattr__, __dir__, __all__ = lazily(__name__, {}, _MODULES)
