"""Progress bars: live while the work runs, a line of text in the saved notebook."""

from __future__ import annotations

from typing import Any


def progress_bar(items=None, **settings: Any):
    """Make a bar of tqdm. In a notebook it is replaced by its name and length when the work ends.

    A saved page would otherwise keep the bar as it was first shown: at 0 %, or blank. The text is the same at the start
    and at the end, so that nbval can compare it.

    Parameters
    ----------
    items : iterable, optional
        What the bar counts; None: `update` is called by hand.
    **settings
        Of `tqdm.tqdm`: total, initial, desc, disable and others.

    Returns
    -------
    tqdm
        The bar.
    """
    from tqdm.auto import tqdm
    from tqdm.notebook import tqdm_notebook

    if not issubclass(tqdm, tqdm_notebook):
        return tqdm(items, **settings)
    bar = tqdm(items, display=False, **settings)
    if bar.disable:
        return bar
    from tqdm.notebook import display  # IPython's own; tqdm has it where IPython is installed

    text = {"text/plain": f"{bar.desc}: {bar.total}" if bar.total else bar.desc}
    handle = display(bar.container._repr_mimebundle_() | text, raw=True, display_id=True)
    bar.displayed = True
    close = bar.close
    closed: list[bool] = []

    def end() -> None:
        if not closed:
            closed.append(True)
            close()
            handle.update(text, raw=True)
            bar.container.close()

    bar.close = end
    return bar
