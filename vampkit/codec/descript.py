"""The only place that imports descript-audio-codec.

The codec package asks for torchaudio, whose published wheel cannot be loaded beside a CPU build of torch: it raises
OSError, which neither dac nor transformers nor peft expects. We never use it. So: try it once; if it does not load,
lend dac an empty module for the moment of its import, then mark torchaudio as absent, so that every later import sees a
plain ModuleNotFoundError.
"""

import importlib.machinery
import shutil
import sys
import types
import warnings

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _torchaudio_loads() -> bool:
    try:
        import torchaudio  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


def _import_dac() -> types.ModuleType:
    loads = _torchaudio_loads()
    if not loads:
        for name in [n for n in sys.modules if n.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        stand_in = types.ModuleType("torchaudio")
        vars(stand_in).update(__version__="0", __path__=[])
        stand_in.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None, is_package=True)
        sys.modules["torchaudio"] = stand_in
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import dac
            import dac.model.dac  # noqa: F401
            import dac.nn.layers  # noqa: F401
    finally:
        if not loads:
            sys.modules["torchaudio"] = None  # type: ignore[assignment]
    return dac


dac = _import_dac()
_dac_snake = dac.nn.layers.snake


def snake(x: Tensor, alpha: Tensor) -> Tensor:
    """The activation of dac, x + sin(alpha x)^2 / alpha, to the same bits.

    Where no gradient is wanted it fills one tensor in place of five.
    """
    if torch.is_grad_enabled():
        return _dac_snake(x, alpha)
    y = alpha * x
    return y.sin_().square_().mul_((alpha + 1e-9).reciprocal()).add_(x)


dac.nn.layers.snake = snake


def fuse_snake() -> bool:
    """Compile dac's activation into one loop from here on, also where gradients are wanted; for training a codec.

    Elementwise work is 40 % of a training step. False where neither a C++ compiler nor a GPU is at hand.
    """
    if shutil.which("c++") is None and not torch.cuda.is_available():
        return False
    torch._dynamo.config.recompile_limit = 64
    dac.nn.layers.snake = torch.compile(_plain_snake, dynamic=True)
    return True


def _plain_snake(x: Tensor, alpha: Tensor) -> Tensor:
    return x + (alpha + 1e-9).reciprocal() * torch.sin(alpha * x).square()


FEW = 64
"""Channels up to which `Conv1d` is not slower than torch's own."""


class Conv1d(nn.Conv1d):
    """A convolution that, on a CPU and without gradients, keeps the channels of one moment side by side in memory.

    With the few channels of a small codec that is faster, most of all where it is dilated; the result is the same but
    for rounding.
    """

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if torch.is_grad_enabled() or x.device.type != "cpu" or self.in_channels > FEW:
            return super()._conv_forward(x, weight, bias)
        x, weight = (t[:, :, None].contiguous(memory_format=torch.channels_last) for t in (x, weight))
        return F.conv2d(x, weight, bias, (1, *self.stride), (0, *self.padding), (1, *self.dilation), self.groups)[
            :, :, 0
        ]


def quick(model: nn.Module) -> nn.Module:
    """The same dac model, its convolutions exchanged for `Conv1d`; weights and their names stay."""
    for module in model.modules():
        if type(module) is nn.Conv1d:
            module.__class__ = Conv1d
    return model
