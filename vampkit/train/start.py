"""What small masked models start from, so that they learn in minutes. The architecture stays the paper's."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vampkit.model import MaskedTransformer, ModelConfig, relative_buckets

HEAD_START = 2.0
"""Length of every row of a new head: the largest logit that a model can give before it has learned."""


@torch.no_grad()
def start_local(model: MaskedTransformer, generator: torch.Generator) -> None:
    """Start a model so that it learns in minutes: local attention, residual outputs at zero, a head that compares.

    Heads look at near frames first (`local_bias`), and inputs of all codebooks have one size. The head works as the
    codec chooses an entry: the logit is the cosine between the entry's codebook vector and 8 numbers that the model
    makes, for every codebook in directions of its own. So what is learned of one entry holds for those near to it.

    Notebook: 03

    Parameters
    ----------
    model : MaskedTransformer
        Changed in place.
    generator : torch.Generator
        Draws the weights; on the CPU.
    """
    config = model.config
    for name, weight in model.named_parameters():
        if weight.ndim == 2 and name.startswith("transformer.layers") and "bias" not in name:
            bound = 1 / math.sqrt(weight.shape[1])
            weight.uniform_(-bound, bound, generator=generator)
    for layer in model.transformer.layers:
        layer.self_attn.fc.weight.zero_()
        layer.feed_forward.w_2.weight.zero_()
    # Raw codebooks differ in size, the last ones tenfold smaller than the first: the input weights make up for it.
    level = model.tables.square().mean((1, 2)).sqrt()
    model.embedding.special["MASK"].normal_(generator=generator).mul_(level[:, None])
    bound = 1 / math.sqrt(model.embedding.out_proj.in_channels)
    weight = model.embedding.out_proj.weight.uniform_(-bound, bound, generator=generator)
    weight.div_(level.repeat_interleave(config.latent)[None, :, None])
    model.embedding.out_proj.bias.zero_()
    places = nn.init.orthogonal_(torch.empty(config.predicted * config.latent, config.width), generator=generator)
    directions = F.normalize(model.tables[config.conditioning :], dim=-1)
    rows = torch.einsum("ped,pdw->epw", directions, places.unflatten(0, (config.predicted, -1)).to(directions))
    head = model.classifier.layers[0]
    head.weight_v.copy_(rows.flatten(0, 1)[..., None])
    head.weight_g.fill_(HEAD_START)
    head.bias.zero_()
    model.transformer.layers[0].self_attn.relative_attention_bias.weight.copy_(local_bias(config))


def local_bias(config: ModelConfig) -> Tensor:
    """A table of relative position biases with which heads look back, ahead, around and everywhere.

    The four kinds repeat for every further four heads, each time half as steep.

    Notebook: 04

    Parameters
    ----------
    config : ModelConfig
        Gives buckets, heads and the longest distance.

    Returns
    -------
    Tensor
        float32 [buckets, heads].
    """
    side = config.buckets // 2
    span = torch.arange(4 * config.max_distance)
    of = relative_buckets(-span, config.buckets, config.max_distance)
    distance = torch.tensor([float(span[of == b].min()) for b in range(side)])
    table = torch.zeros(config.buckets, config.heads)
    for head in range(config.heads):
        slope = (0.7, 0.7, 0.25, 0.03)[head % 4] * 0.5 ** (head // 4)
        table[:side, head] = table[side:, head] = -slope * distance
        if head % 4 == 0:
            table[side:, head] -= 4
            table[0, head] -= 4
        if head % 4 == 1:
            table[:side, head] -= 4
    return table
