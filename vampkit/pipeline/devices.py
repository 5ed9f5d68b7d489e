"""Which device was asked for, by name."""

from __future__ import annotations

import torch

DEVICES = ("auto", "cpu", "cuda")


def chosen(device: str = "auto") -> str:
    """Settle on a device.

    Notebook: 04

    Parameters
    ----------
    device : str
        "auto" becomes "cuda" where torch sees such a GPU, "cpu" elsewhere.

    Returns
    -------
    str
        "cpu" or "cuda".

    Raises
    ------
    ValueError
        For another word, or a GPU that is not there.
    """
    if device not in DEVICES:
        raise ValueError(f"the device {device!r} was asked for, one of {', '.join(DEVICES)} was expected")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "torch sees no GPU here; choose the device cpu, or install the build of torch that fits the card"
        )
    return "cpu" if device == "cpu" or not torch.cuda.is_available() else "cuda"
