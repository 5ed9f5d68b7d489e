"""Choosing a device by name."""

from __future__ import annotations

import torch

from vampkit.files.outer import shown

DEVICES = ("auto", "cpu", "cuda", "mps")


def chosen(device: str = "auto") -> str:
    """Choose the device.

    Notebook: 04

    Parameters
    ----------
    device : str
        "cpu", "cuda", "mps" (Apple's GPU, with which vampkit has not been tested) or "auto". "auto" is "cuda" if torch
        finds such a GPU, else "mps" if it finds that, else "cpu".

    Returns
    -------
    str
        "cpu", "cuda" or "mps".

    Raises
    ------
    ValueError
        For another word, or for a GPU that is not there.
    """
    if not isinstance(device, str) or device not in DEVICES:
        raise ValueError(f"the device {shown(device)} was asked for, one of {', '.join(DEVICES)} was expected")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "torch sees no GPU here; choose the device cpu, or install the build of torch that fits the card"
        )
    if device == "mps" and not torch.backends.mps.is_available():
        raise ValueError("torch sees no Apple GPU here; choose the device cpu, or a torch of macOS 14 or later")
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
