"""Initializing the quantizer for a trained encoder: scaling the latents, principal directions, k-means."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LATENT_LEVEL = 0.3
"""Root mean square to which the latents are scaled. With it the commitment loss starts at about 1/5 of the loss."""


@torch.no_grad()
def scale_latents(model: nn.Module, latents: Tensor, level: float) -> None:
    """Scale the latents to a root mean square of `level` without changing the sound.

    The commitment loss grows with the square of the scale of the latents, and training without a quantizer does not
    determine this scale. The weights of the encoder's last convolution are multiplied by a factor, and those of the
    decoder's first convolution are divided by it.
    """
    factor = level / float(latents.square().mean().sqrt())
    last, first = model.encoder.block[-1], model.decoder.model[0]
    last.weight_g.mul_(factor)
    last.bias.mul_(factor)
    first.weight_g.div_(factor)


@torch.no_grad()
def start_quantizer(model: nn.Module, latents: Tensor, seed: int, rounds: int = 15) -> None:
    """Initialize each codebook on the residual that the codebooks before it leave.

    The leading principal directions of the residual become the projections. The mean is subtracted first; with a large
    mean all cosines would be alike, and a codebook would use only a few entries. Then k-means on the projected residual
    gives the entries. Points are assigned by cosine, as in DAC. An entry without points is replaced by a random point.

    latents: output of the encoder, [frames, width].
    """
    generator = torch.Generator(device="cpu").manual_seed(seed)
    residual = latents.clone()
    for quantizer in model.quantizer.quantizers:
        mean = residual.mean(0)
        size = quantizer.codebook_dim
        directions = torch.linalg.svd(torch.cov(residual.T))[0][:, :size].T
        _set_projection(quantizer.in_proj, directions, -directions @ mean)
        _set_projection(quantizer.out_proj, directions.T, mean)
        points = (residual - mean) @ directions.T
        unit = nn.functional.normalize(points)
        draw = torch.randperm(len(points), generator=generator)[: quantizer.codebook_size]
        entries = points[draw.to(points.device)].clone()
        for _ in range(rounds):
            nearest = (unit @ nn.functional.normalize(entries).T).argmax(1)
            count = torch.bincount(nearest, minlength=len(entries))
            total = torch.zeros_like(entries).index_add_(0, nearest, points)
            empty = count == 0
            entries = total / count.clamp(min=1)[:, None]
            again = torch.randint(len(points), (int(empty.sum()),), generator=generator)
            entries[empty] = points[again.to(points.device)]
        quantizer.codebook.weight.copy_(entries)
        nearest = (unit @ nn.functional.normalize(entries).T).argmax(1)
        residual = residual - (entries[nearest] @ directions + mean)


def _set_projection(layer: nn.Module, matrix: Tensor, bias: Tensor) -> None:
    layer.weight_g.copy_(matrix.norm(dim=1)[:, None, None])
    layer.weight_v.copy_(matrix[..., None])
    layer.bias.copy_(bias)
