"""What a codec is trained on: phase and magnitude of spectra, log-mel spectra and the waveform itself.

A mel loss alone leaves the phase free, and the sound buzzes. The complex spectrum fixes the phase; the mel term weighs
what the ear hears.
"""

from __future__ import annotations

import math
import warnings

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SCALES = ((5, 32), (10, 64), (20, 128), (40, 256), (80, 512), (160, 1024), (320, 2048))
"""(mel bands, window in samples) of DAC's mel loss."""
COMPLEX_WINDOWS = (2048, 1024, 512, 256, 128)


class SpectralLoss(nn.Module):
    """Complex-spectrum and log-mel distances of two sounds [batch, samples], each transform computed once.

    forward returns (complex, mel): the mean over windows of |X - Y| divided by the mean |X|, and the sum over scales of
    the mean difference of log10 mel spectra clamped at 1e-5 (DAC's training loss).
    """

    def __init__(self, rate: int = 44_100):
        super().__init__()
        import librosa

        # librosa warns of empty filters at the smallest windows: they are part of the definition.
        warnings.filterwarnings("ignore", "Empty filters detected")
        for bands, window in SCALES:
            self.register_buffer(f"hann{window}", torch.hann_window(window), persistent=False)
            mel = librosa.filters.mel(sr=rate, n_fft=window, n_mels=bands)
            self.register_buffer(f"mel{window}", torch.from_numpy(mel).float(), persistent=False)

    def spectrum(self, sound: Tensor, window: int) -> Tensor:
        """Complex spectrum [batch, bins, frames]."""
        return torch.stft(
            sound,
            window,
            window // 4,
            window=getattr(self, f"hann{window}"),
            center=True,
            pad_mode="reflect",
            return_complex=True,
        )

    def forward(self, reference: Tensor, estimate: Tensor) -> tuple[Tensor, Tensor]:
        """reference, estimate: [batch, samples]."""
        phase, mel = [], []
        for _, window in SCALES:
            x, y = self.spectrum(reference, window), self.spectrum(estimate, window)
            # |z| has no gradient at 0, and silence is full of zeros.
            ax, ay = x.abs(), (y.real.square() + y.imag.square() + 1e-12).sqrt()
            if window in COMPLEX_WINDOWS:
                phase.append((torch.view_as_real(x) - torch.view_as_real(y)).abs().mean() / (ax.mean() + 1e-4))
            bank = getattr(self, f"mel{window}")
            lx, ly = ((bank @ a).clamp(min=1e-5).log10() for a in (ax, ay))
            mel.append(F.l1_loss(ly, lx))
        return torch.stack(phase).mean(), torch.stack(mel).sum()


def agreement(projected: Tensor, temperature: float = 0.15) -> Tensor:
    """How hard it is to find a frame's neighbour among all frames of the batch, in nats.

    It is the logarithm of batch * frames by chance, and less where tokens are predictable.

    A noise-contrastive loss (InfoNCE): its distance from chance is a lower bound of the information that neighbouring
    frames have in common. Directions are compared, as the codebooks compare them; if few entries were used, neighbours
    would be harder to find, so entries stay in use.

    projected: [batch, codebooks, dimensions, frames], what each codebook looks up. Returns one number a codebook,
    [codebooks].
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
