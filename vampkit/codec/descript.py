"""The only place that imports descript-audio-codec.

descript-audio-codec (`dac`) imports torchaudio, but vampkit never uses it. The published wheel of torchaudio cannot be
loaded together with a CPU build of torch: it raises OSError, which dac, transformers and peft do not expect. So we try
to import torchaudio once. If that fails, dac is imported with an empty module in its place. Then torchaudio is marked
as absent, so that every later import of it raises a plain ModuleNotFoundError.
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
    """The activation of dac, x + sin(alpha x)^2 / alpha, with exactly the same result.

    Without gradients it works in place, so it allocates one tensor instead of five.
    """
    if torch.is_grad_enabled():
        return _dac_snake(x, alpha)
    y = alpha * x
    return y.sin_().square_().mul_((alpha + 1e-9).reciprocal()).add_(x)


dac.nn.layers.snake = snake


def fuse_snake() -> bool:
    """From now on use a compiled version of dac's activation, also with gradients. For training a codec.

    Elementwise operations take 40 % of a training step. Returns False if there is neither a C++ compiler nor a GPU.
    """
    if shutil.which("c++") is None and not torch.cuda.is_available():
        return False
    torch._dynamo.config.recompile_limit = 64
    dac.nn.layers.snake = torch.compile(_plain_snake, dynamic=True)
    return True


def _plain_snake(x: Tensor, alpha: Tensor) -> Tensor:
    return x + (alpha + 1e-9).reciprocal() * torch.sin(alpha * x).square()


FEW = 64
"""Up to this many channels, `Conv1d` is not slower than torch's own class."""


class Conv1d(nn.Conv1d):
    """A convolution that uses the channels-last memory layout on a CPU without gradients.

    With the few channels of a small codec this is faster, above all for dilated convolutions. The result is the same
    except for rounding.
    """

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if torch.is_grad_enabled() or x.device.type != "cpu" or self.in_channels > FEW:
            return super()._conv_forward(x, weight, bias)
        x, weight = (t[:, :, None].contiguous(memory_format=torch.channels_last) for t in (x, weight))
        y = F.conv2d(x, weight, bias, (1, *self.stride), (0, *self.padding), (1, *self.dilation), self.groups)
        return y[:, :, 0]


def quick(model: nn.Module) -> nn.Module:
    """Turn the convolutions of a dac model into `Conv1d`, in place. The weights and their names stay the same."""
    for module in model.modules():
        if type(module) is nn.Conv1d:
            module.__class__ = Conv1d
    return model
