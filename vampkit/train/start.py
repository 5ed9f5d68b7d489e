"""Initial weights with which small masked models learn in minutes. The architecture is still the paper's."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vampkit.model import MaskedTransformer, ModelConfig, relative_buckets

HEAD_START = 2.0
"""The magnitude `weight_g` of each row of a new head. It limits the logits at the start of the training."""


@torch.no_grad()
def start_local(model: MaskedTransformer, generator: torch.Generator) -> None:
    """Initialize a model so that it learns in minutes.

    Attention begins with near frames (`local_bias`), the outputs of all blocks begin at zero, and the inputs from all
    codebooks have the same scale.

    The head (the classifier) begins as a comparison, like that with which the codec chooses an entry. For each codebook
    the hidden state is projected to 8 numbers (the size of a codebook vector), in directions of its own. The logit of
    an entry is the product of these numbers and the entry's normalized codebook vector. So what the model learns about
    one entry also holds for similar entries.

    Notebook: 03

    Parameters
    ----------
    model : MaskedTransformer
        The model; its weights are changed in place.
    generator : torch.Generator
        Source of the random weights, on the CPU.
    """
    config = model.config
    for name, weight in model.named_parameters():
        if weight.ndim == 2 and name.startswith("transformer.layers") and "bias" not in name:
            bound = 1 / math.sqrt(weight.shape[1])
            weight.uniform_(-bound, bound, generator=generator)
    for layer in model.transformer.layers:
        layer.self_attn.fc.weight.zero_()
        layer.feed_forward.w_2.weight.zero_()
    # Vectors of the last codebooks are about ten times smaller than those of the first. The input weights correct this.
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
    """Make a table of relative position biases for four kinds of heads: looking back, ahead, around, and everywhere.

    The kinds repeat every four heads, each time with half the slope.

    Notebook: 04

    Parameters
    ----------
    config : ModelConfig
        Its buckets, heads and max_distance are used.

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
