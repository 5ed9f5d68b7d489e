"""Choosing a device by name."""

from __future__ import annotations

import torch

from vampkit.files.outer import shown

DEVICES = ("auto", "cpu", "cuda")


def chosen(device: str = "auto") -> str:
    """Choose the device.

    Notebook: 04

    Parameters
    ----------
    device : str
        "cpu", "cuda" or "auto". "auto" is "cuda" if torch finds such a GPU, else "cpu".

    Returns
    -------
    str
        "cpu" or "cuda".

    Raises
    ------
    ValueError
        For another word, or for "cuda" without a GPU.
    """
    if not isinstance(device, str) or device not in DEVICES:
        raise ValueError(f"the device {shown(device)} was asked for, one of {', '.join(DEVICES)} was expected")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "torch sees no GPU here; choose the device cpu, or install the build of torch that fits the card"
        )
    return "cpu" if device == "cpu" or not torch.cuda.is_available() else "cuda"
