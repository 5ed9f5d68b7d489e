"""Where a training runs: on the CPU, on one GPU, or on several. No other module chooses this.

One process uses the GPU if there is one. Several processes are started with one of these commands, and Accelerate
connects them:

    torchrun --nproc-per-node 8 -m vampkit.cli train coarse --preset paper --store STORE
    accelerate launch --multi_gpu --num_processes 8 -m vampkit.cli train coarse --preset paper --store STORE

In a notebook, call `launch(train_masked, "coarse", "gpu", processes=2)`, in a kernel that has not used a GPU yet. The
processes share one batch (DDP), so the gradients are the same as those of one process with the whole batch. `torchrun`
also works on a machine without a GPU; `accelerate launch --cpu` would start only one process.

FSDP, which also distributes the weights, is not tested. It is not needed: the paper's models can be trained on one GPU
with 24 GB. `accelerate launch --use_fsdp` would use it. It needs `optimizer="adamw"`, since Muon works on whole
matrices. Also, each process would store only its own part of the weights in checkpoints and averages.

Notebook: 04
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process

import torch

from vampkit.arithmetic import bf16_is_fast
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
"""Operations per second of each GPU in dense bf16 (V100 and T4: fp16), as stated by the manufacturer."""


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Let processes that are started inside use one thread each. By default each would use one thread per core."""
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    os.environ.update(dict.fromkeys(before, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def spread(function: Callable, items: Iterable, processes: int) -> Iterator:
    """Call a function for each item, in this process or in several. Yields the results in order.

    If this process is killed, the others end too.
    """
    if processes == 1:
        yield from map(function, items)
        return
    # Spawned, not forked: torch's threads do not survive a fork.
    context = get_context("spawn")
    with single_threaded(), ProcessPoolExecutor(processes, context, _end_with_parent) as workers:
        yield from workers.map(function, items)


def _end_with_parent() -> None:
    """Let this worker end when the process that started it is killed. By itself it would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def accelerator(device: str, precision: str):
    """An Accelerator for this process. precision: "auto", "bf16" or "no"."""
    from accelerate import Accelerator, PartialState
    from accelerate.state import AcceleratorState

    where = chosen(device)
    settings = {"cpu": where == "cpu", "mixed_precision": resolved_precision(precision, where)}
    shared = AcceleratorState._shared_state
    # Accelerate keeps the device and precision of the first training, but a notebook may run several trainings.
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
        The function, such as `train_masked`.
    *arguments
        Arguments of the function.
    processes : int
        Number of processes. If more than one, nothing in this kernel may have used a GPU before.
    """
    from accelerate import notebook_launcher
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(True)  # forget earlier trainings on the CPU in this kernel
    notebook_launcher(function, arguments, num_processes=processes)


def resolved_precision(precision: str, device: str) -> str:
    """Replace "auto": by "bf16" if the GPU can compute in it, or if the CPU is faster in it, else by "no"."""
    if precision != "auto":
        return precision
    fast = torch.cuda.is_bf16_supported() if device == "cuda" else bf16_is_fast()
    return "bf16" if fast else "no"


def peak() -> float | None:
    """Peak of dense bf16 operations per second of this process's GPU; None for a CPU or a GPU not in `PEAKS`."""
    if not torch.cuda.is_available():
        return None
    name = torch.cuda.get_device_name()
    return next((most for card, most in PEAKS.items() if card in name), None)
