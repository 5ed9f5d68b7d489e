"""Discriminators for the last stage of a codec: small networks that learn to tell decoded spectra from real ones.

Different sounds can have the same tokens. A decoder that is trained only on distances gives their average, which is
dull: noise and cymbals lose their texture. A discriminator can judge this texture. Ours reads complex spectra in bands,
as in DAC (arXiv 2306.06546). DAC's period discriminators, which take most of its computation, are left out.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

WINDOWS = (2048, 1024, 512)
BANDS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Borders of the bands as fractions of the spectrum. Each band has its own convolutions: bass and treble differ."""


class SpectrumDiscriminator(nn.Module):
    """Judges spectra of one window length. Each band has four convolutions over frames and bins; a last one joins them.

    `forward` turns sound [batch, samples] into scores [batch, 1, frames, positions], trained to be 1 for real and 0 for
    decoded sound, and a list of the activations of all layers.
    """

    def __init__(self, window: int, channels: int):
        super().__init__()
        self.window = window
        self.register_buffer("hann", torch.hann_window(window), persistent=False)
        bins = window // 2 + 1
        self.borders = [round(b * bins) for b in BANDS]

        def stack():
            kernels, strides = ((3, 9), (3, 9), (3, 9), (3, 3)), ((1, 2), (1, 2), (1, 2), (1, 1))
            widths = (2, *[channels] * 4)
            return nn.ModuleList(
                weight_norm(nn.Conv2d(widths[i], widths[i + 1], k, s, tuple(n // 2 for n in k)))
                for i, (k, s) in enumerate(zip(kernels, strides, strict=True))
            )

        self.bands = nn.ModuleList(stack() for _ in BANDS[1:])
        self.last = weight_norm(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, sound: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Give the scores and the activations of all layers."""
        spectrum = torch.stft(sound, self.window, self.window // 4, window=self.hann, return_complex=True)
        x = torch.view_as_real(spectrum).permute(0, 3, 2, 1)  # [batch, real and imaginary, frames, bins]
        seen, ends = [], []
        with torch.autocast("cuda", torch.bfloat16, enabled=x.is_cuda):  # the convolutions take most of a step
            for layers, (low, high) in zip(self.bands, pairwise(self.borders), strict=True):
                y = x[..., low:high]
                for layer in layers:
                    y = F.leaky_relu(layer(y), 0.1)
                    seen.append(y)
                ends.append(y)
            scores = self.last(torch.cat(ends, -1))
        return scores.float(), [y.float() for y in seen]


class Discriminators(nn.ModuleList):
    """One SpectrumDiscriminator per window length, and the losses of both sides (least squares; Mao et al. 2017)."""

    def __init__(self, channels: int):
        super().__init__(SpectrumDiscriminator(window, channels) for window in WINDOWS)

    def own_loss(self, real: Tensor, made: Tensor) -> Tensor:
        """The discriminators' loss: scores should be 1 for real and 0 for decoded sound, both [batch, samples]."""
        scores = [(d(real)[0], d(made.detach())[0]) for d in self]
        return sum((1 - r).square().mean() + m.square().mean() for r, m in scores) / len(self)

    def decoder_losses(self, real: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
        """The two losses of the decoder: scores should be 1, and the activations should be those of the real sound."""
        adversarial, features = [], []
        for d in self:
            with torch.no_grad():
                _, wanted = d(real)
            score, seen = d(made)
            adversarial.append((1 - score).square().mean())
            features += [F.l1_loss(s, w) / (w.abs().mean() + 1e-4) for s, w in zip(seen, wanted, strict=True)]
        return torch.stack(adversarial).mean(), torch.stack(features).mean()
