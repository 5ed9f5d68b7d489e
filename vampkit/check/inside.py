"""What runs inside the grader's sandbox: otter-grader on one notebook, with a limit for each of its cells.

Called by `vampkit.check.grading` as `python -m vampkit.check.inside NOTEBOOK AUTOGRADER FOLDER SECONDS MEMORY FILE`.
"""

from __future__ import annotations

import os
import sys

GIBIBYTE = 2**30


def limit(memory: float, file: float) -> None:
    """Limit this process and all that it starts: GiB of address space, and of a file. Only where there are limits."""
    if os.name != "posix":
        return
    import resource

    for what, amount in (
        (resource.RLIMIT_AS, int(memory * GIBIBYTE)),
        (resource.RLIMIT_FSIZE, int(file * GIBIBYTE)),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (amount, amount))


def main(notebook: str, autograder: str, folder: str, seconds: str, memory: str, file: str) -> None:
    """Run every cell, an endless one for at most so many seconds, then the tests; results.json lands in the folder."""
    limit(float(memory), float(file))
    import nbconvert.preprocessors
    from otter.run import main as run
    from traitlets import Bool, Integer

    class Limited(nbconvert.preprocessors.ExecutePreprocessor):
        timeout = Integer(int(seconds))
        interrupt_on_timeout = Bool(True)

    # otter-grader has no setting for it: it takes the class from this module when it runs a notebook.
    nbconvert.preprocessors.ExecutePreprocessor = Limited
    run(notebook, autograder=autograder, output_dir=folder, no_logo=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
