"""Where a training runs: the one place that chooses between CPU, one GPU and many.

One process uses the GPU where there is one. Many processes are started from outside, and Accelerate finds them:

    torchrun --nproc-per-node 8 -m vampkit.cli train coarse --preset paper --store STORE
    accelerate launch --multi_gpu --num_processes 8 -m vampkit.cli train coarse --preset paper --store STORE

or from a notebook, `launch(train_masked, "coarse", "gpu", processes=2)`, in a kernel that has not used a GPU
yet. All of them share one batch (DDP): the gradients are those of one process with the whole batch. On a machine
without GPU `torchrun` works too; `accelerate launch --cpu` would start one process only.

FSDP, which spreads the weights too, was not tested here, and nothing in the package needs it: the paper's models train
on one card of 24 GB. `accelerate launch --use_fsdp` wraps the model for it. It needs `optimizer="adamw"`, since Muon
works on whole matrices, and checkpoints and averages would hold each process's own part.

Notebook: 04
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

import torch

from vampkit.pipeline.devices import chosen

PEAKS = {
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "H200": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "RTX 4090": 165e12,
    "RTX 3090": 71e12,
    "V100": 125e12,
    "T4": 65e12,
}
"""Dense bf16 multiplications and additions a second of each card, as its maker states them (V100 and T4: fp16)."""


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Processes started inside use one thread each; otherwise each would take as many as there are cores."""
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    os.environ.update(dict.fromkeys(before, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def accelerator(device: str, precision: str):
    """An Accelerator for this process. precision: "auto", "bf16" or "no"."""
    from accelerate import Accelerator, PartialState
    from accelerate.state import AcceleratorState

    where = chosen(device)
    settings = {"cpu": where == "cpu", "mixed_precision": resolved_precision(precision, where)}
    shared = AcceleratorState._shared_state
    # Accelerate keeps the first training's device and precision for the whole process; a notebook may hold several
    # trainings.
    if shared and PartialState().num_processes == 1:
        before = {"cpu": PartialState().device.type == "cpu", "mixed_precision": shared["_mixed_precision"]}
        if before != settings:
            AcceleratorState._reset_state(True)
    return Accelerator(**settings)


def launch(function: Callable, *arguments, processes: int = 1) -> None:
    """Call a training function from a notebook, in several processes, one a GPU (Accelerate's `notebook_launcher`).

    Notebook: 04

    Parameters
    ----------
    function : callable
        Such as `train_masked`.
    *arguments
        Its own.
    processes : int
        How many. With more than one, nothing in this kernel may have used a GPU before.
    """
    from accelerate import notebook_launcher
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(True)  # trainings that this kernel ran on its CPU would be in the way
    notebook_launcher(function, arguments, num_processes=processes)


def resolved_precision(precision: str, device: str) -> str:
    """What "auto" means: "bf16" on a GPU and on processors that multiply it (AMX, AVX-512 BF16), "no" elsewhere."""
    if precision != "auto":
        return precision
    fast = (
        torch.cuda.is_bf16_supported()
        if device == "cuda"
        else torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    )
    return "bf16" if fast else "no"


def peak() -> float | None:
    """Dense bf16 operations a second that this process's card can do at most; None for a CPU and other cards."""
    if not torch.cuda.is_available():
        return None
    name = torch.cuda.get_device_name()
    return next((most for card, most in PEAKS.items() if card in name), None)
