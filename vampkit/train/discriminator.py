"""Discriminators for the last stage of a codec: small networks that learn to tell a decoded spectrum from a real one.

A decoder trained on distances alone plays the average of all sounds that its tokens allow, and an average is dull:
noise and cymbals lose their grain. A discriminator sees the whole texture at once. This one reads complex spectra in
bands, as DAC's does (arXiv 2306.06546), without the period discriminators, which are most of DAC's cost.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

WINDOWS = (2048, 1024, 512)
BANDS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Borders of the bands as fractions of the spectrum; each has its own convolutions, as treble and bass differ."""


class SpectrumDiscriminator(nn.Module):
    """Judges spectra of one window length, by five convolutions over frames and bins in each band.

    forward: sound [batch, samples] to (scores [batch, 1, frames, positions], above 0.5 for real; the activations on the
    way).
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
        """See the class."""
        spectrum = torch.stft(sound, self.window, self.window // 4, window=self.hann, return_complex=True)
        x = torch.view_as_real(spectrum).permute(0, 3, 2, 1)  # [batch, real and imaginary, frames, bins]
        seen, ends = [], []
        with torch.autocast("cuda", torch.bfloat16, enabled=x.is_cuda):  # they are most of a step
            for layers, (low, high) in zip(self.bands, pairwise(self.borders), strict=True):
                y = x[..., low:high]
                for layer in layers:
                    y = F.leaky_relu(layer(y), 0.1)
                    seen.append(y)
                ends.append(y)
            scores = self.last(torch.cat(ends, -1))
        return scores.float(), [y.float() for y in seen]


class Discriminators(nn.ModuleList):
    """One SpectrumDiscriminator a window of WINDOWS, and the losses of both sides (least squares; Mao et al. 2017)."""

    def __init__(self, channels: int):
        super().__init__(SpectrumDiscriminator(window, channels) for window in WINDOWS)

    def own_loss(self, real: Tensor, made: Tensor) -> Tensor:
        """What the discriminators learn from: 1 for real sound, 0 for decoded sound; both [batch, samples]."""
        scores = [(d(real)[0], d(made.detach())[0]) for d in self]
        return sum((1 - r).square().mean() + m.square().mean() for r, m in scores) / len(self)

    def decoder_losses(self, real: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
        """What the decoder learns from: an adversarial loss, and a distance of activations relative to their size."""
        adversarial, features = [], []
        for d in self:
            with torch.no_grad():
                _, wanted = d(real)
            score, seen = d(made)
            adversarial.append((1 - score).square().mean())
            features += [F.l1_loss(s, w) / (w.abs().mean() + 1e-4) for s, w in zip(seen, wanted, strict=True)]
        return torch.stack(adversarial).mean(), torch.stack(features).mean()
