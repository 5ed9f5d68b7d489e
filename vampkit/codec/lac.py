"""The decoder of LAC, the codec of the published VampNet. Encoder and quantizer are those of `dac.DAC`.

Each stage makes the sound longer and then refines it with three stacks of convolutions side by side, whose outputs are
averaged. The parameters are named as in the reference code. Source: `lac`. Notebook: 03.
"""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vampkit.codec.descript import dac

KERNELS = (3, 7, 11)
"""Kernel sizes of the three stacks of a stage."""
DILATIONS = (1, 3, 5)
"""Dilations of the first convolution in the three parts of a stack."""


class Decoder(nn.Module):
    """Latents to sound.

    Parameters
    ----------
    latent : int
        Channels of the latents.
    channels : int
        Channels after the first convolution; each stage halves them.
    rates : list of int
        Factor by which each stage makes the sound longer.
    """

    def __init__(self, latent: int, channels: int, rates: list[int]):
        super().__init__()
        self.hop = 1
        layers: list[nn.Module] = [dac.nn.layers.WNConv1d(latent, channels, kernel_size=7, padding=3)]
        for rate in rates:
            layers.append(Stage(channels, channels // 2, rate))
            channels, self.hop = channels // 2, self.hop * rate
        last = dac.nn.layers.WNConv1d(channels, 1, kernel_size=7, padding=3)
        self.model = nn.Sequential(*layers, dac.nn.layers.Snake1d(channels), last, nn.Tanh())

    def forward(self, z: Float[Tensor, "batch latent frames"]) -> Float[Tensor, "batch 1 samples"]:
        """Make frames * hop samples. Odd rates make some too many or too few, which are cut off or filled with 0."""
        sound, samples = self.model(z), z.shape[-1] * self.hop
        return F.pad(sound, (0, samples - sound.shape[-1]))


class Stage(nn.Module):
    """A transposed convolution, then the mean of three stacks."""

    def __init__(self, inputs: int, outputs: int, rate: int):
        super().__init__()
        longer = dac.nn.layers.WNConvTranspose1d(inputs, outputs, kernel_size=2 * rate, stride=rate, padding=rate // 2)
        self.block = nn.Sequential(dac.nn.layers.Snake1d(inputs), longer, Stacks(outputs))

    def forward(self, x: Float[Tensor, "batch inputs steps"]) -> Float[Tensor, "batch outputs longer"]:
        """Make the sound longer by the stage's rate."""
        return self.block(x)


class Stacks(nn.Module):
    """The mean of three stacks with different kernels."""

    def __init__(self, channels: int):
        super().__init__()
        self.mrf_blocks = nn.ModuleList([Stack(channels, kernel) for kernel in KERNELS])

    def forward(self, x: Float[Tensor, "batch channels steps"]) -> Float[Tensor, "batch channels steps"]:
        """Average the stacks."""
        total = self.mrf_blocks[0](x)
        for stack in self.mrf_blocks[1:]:
            total = total + stack(x)
        return total / len(self.mrf_blocks)


class Stack(nn.Module):
    """Three residual parts with growing dilation."""

    def __init__(self, channels: int, kernel: int):
        super().__init__()
        self.block = nn.Sequential(*(Part(channels, kernel, dilation) for dilation in DILATIONS))

    def forward(self, x: Float[Tensor, "batch channels steps"]) -> Float[Tensor, "batch channels steps"]:
        """Run the parts one after another."""
        return self.block(x)


class Part(nn.Module):
    """x + convolution(snake(dilated convolution(snake(x))))."""

    def __init__(self, channels: int, kernel: int, dilation: int):
        super().__init__()

        def convolution(apart: int) -> nn.Module:
            padding = (kernel - 1) * apart // 2
            return dac.nn.layers.WNConv1d(channels, channels, kernel_size=kernel, dilation=apart, padding=padding)

        snakes = (dac.nn.layers.Snake1d(channels) for _ in range(2))
        self.layer = nn.Sequential(next(snakes), convolution(dilation), next(snakes), convolution(1))

    def forward(self, x: Float[Tensor, "batch channels steps"]) -> Float[Tensor, "batch channels steps"]:
        """Add what the two convolutions make."""
        return x + self.layer(x)


def reach(rates: list[int]) -> float:
    """How many frames a sample of the decoder's output sees to each side.

    Parameters
    ----------
    rates : list of int
        Rates of the stages, as in `Decoder`.

    Returns
    -------
    float
        Frames.
    """
    widest = sum((max(KERNELS) - 1) * (apart + 1) / 2 for apart in DILATIONS)
    frames, step = 3.0, 1.0
    for rate in rates:
        frames += step  # the transposed convolution sees the frame before and the one after
        step /= rate
        frames += step * widest
    return frames + 3 * step


def build_lac(decoder_dim: int = 1536, **settings) -> nn.Module:
    """Make an untrained LAC: a `dac.DAC` with another decoder, and other paddings in the encoder if a rate is odd.

    Parameters
    ----------
    decoder_dim : int
        Channels after the decoder's first convolution.
    **settings : object
        Other arguments of `dac.DAC`.

    Returns
    -------
    nn.Module
        The network.
    """
    model = dac.DAC(**settings, decoder_dim=2 ** len(settings["decoder_rates"]))  # its decoder goes away again
    model.decoder_dim = decoder_dim
    model.decoder = Decoder(model.latent_dim, decoder_dim, model.decoder_rates)
    for module in model.encoder.modules():
        if isinstance(module, nn.Conv1d) and module.stride[0] > 1:
            module.padding = (module.stride[0] // 2,)
    return model
