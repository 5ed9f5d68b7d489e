"""Losses for training a codec: distances of complex spectra and log-mel spectra, and the agreement of neighbours.

With only a mel loss the phase is not determined, and the sound buzzes. The complex spectrum determines the phase; the
mel loss weights the spectrum as hearing does.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vampkit.metrics.reconstruction import SCALES, mel_filters

COMPLEX_WINDOWS = (2048, 1024, 512, 256, 128)


class SpectralLoss(nn.Module):
    """Distances between the complex spectra and the log-mel spectra of two sounds [batch, samples].

    `forward` returns (complex, mel). complex: the mean over windows of mean |X - Y| / mean |X|. mel: the sum over
    scales of the mean difference of log10 mel spectra, clamped at 1e-5 (DAC's training loss). Both use the same Fourier
    transforms, which are computed once.
    """

    def __init__(self, rate: int = 44_100):
        super().__init__()
        for bands, window in SCALES:
            self.register_buffer(f"hann{window}", torch.hann_window(window), persistent=False)
            self.register_buffer(f"mel{window}", mel_filters(rate, bands, window), persistent=False)

    def spectrum(self, sound: Tensor, window: int) -> Tensor:
        """Complex spectrum [batch, bins, frames]."""
        hann = getattr(self, f"hann{window}")
        return torch.stft(sound, window, window // 4, window=hann, return_complex=True)

    def forward(self, reference: Tensor, estimate: Tensor) -> tuple[Tensor, Tensor]:
        """Compute both distances. reference, estimate: [batch, samples]."""
        phase, mel = [], []
        for _, window in SCALES:
            x, y = self.spectrum(reference, window), self.spectrum(estimate, window)
            # |z| has no gradient at 0, and the spectrum of silence is 0.
            ax, ay = x.abs(), (y.real.square() + y.imag.square() + 1e-12).sqrt()
            if window in COMPLEX_WINDOWS:
                phase.append((torch.view_as_real(x) - torch.view_as_real(y)).abs().mean() / (ax.mean() + 1e-4))
            bank = getattr(self, f"mel{window}")
            lx, ly = ((bank @ a).clamp(min=1e-5).log10() for a in (ax, ay))
            mel.append(F.l1_loss(ly, lx))
        return torch.stack(phase).mean(), torch.stack(mel).sum()


def agreement(projected: Tensor, temperature: float = 0.15) -> Tensor:
    """How hard it is to find the neighbour of a frame among all frames of the batch, in nats.

    This is the contrastive loss InfoNCE. Random frames give about log(batch * frames); the more neighbouring frames
    tell about each other, the lower it is. The difference is a lower bound of their mutual information. Vectors are
    compared by their directions, as the codebooks do. If a codebook used only a few entries, the neighbours would be
    harder to find; so the loss also keeps entries in use.

    projected: [batch, codebooks, dimensions, frames], the vectors for which each codebook looks up the nearest entry.
    Returns one number per codebook, [codebooks].
    """
    batch, codebooks, _, frames = projected.shape
    unit = F.normalize(projected, dim=2).permute(1, 0, 3, 2).flatten(1, 2)  # [codebooks, batch * frames, dimensions]
    scores = unit @ unit.transpose(1, 2) / temperature
    scores = scores.masked_fill(torch.eye(batch * frames, dtype=torch.bool, device=scores.device), -torch.inf)
    index = torch.arange(batch * frames, device=scores.device).view(batch, frames)
    found = scores.log_softmax(-1)
    ahead = found[:, index[:, :-1].flatten(), index[:, 1:].flatten()]
    back = found[:, index[:, 1:].flatten(), index[:, :-1].flatten()]
    return -(ahead + back).mean(1) / 2


def signal_ratio(reference: Tensor, estimate: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio in dB, one per row of [batch, samples]."""
    x, y = (s - s.mean(-1, keepdim=True) for s in (reference, estimate))
    scale = (x * y).sum(-1, keepdim=True) / (x.square().sum(-1, keepdim=True) + 1e-8)
    target = scale * x
    return 10 / math.log(10) * (target.square().sum(-1) / ((target - y).square().sum(-1) + 1e-8) + 1e-8).log()
