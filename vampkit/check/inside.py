"""What runs inside the grader's sandbox: otter-grader on one notebook, with a limit for each of its cells.

Called by `vampkit.check.grading` as `python -m vampkit.check.inside NOTEBOOK AUTOGRADER FOLDER SECONDS`.
"""

from __future__ import annotations

import sys


def main(notebook: str, autograder: str, folder: str, seconds: str) -> None:
    """Run every cell, an endless one for at most so many seconds, then the tests; results.json lands in the folder."""
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
