"""Hidden states and attention of a masked model, read by hooks; the model itself is left as it is.

A hook is a function that PyTorch calls when a layer has computed something. Notebook: 13.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from vampkit.model import MaskedTransformer, check_codes, check_mask


def hidden_states(
    model: MaskedTransformer,
    codes: Int[Tensor, "batch codebooks frames"],
    mask: Bool[Tensor, "batch codebooks frames"],
) -> Float[Tensor, "layers batch frames width"]:
    """Read what each layer of a model passes on.

    Notebook: 13

    Parameters
    ----------
    model : MaskedTransformer
        The model.
    codes : Int[Tensor, "batch codebooks frames"]
        Values at hidden places are ignored.
    mask : Bool[Tensor, "batch codebooks frames"]
        True = hidden.

    Returns
    -------
    Tensor
        float32 [layers + 1, batch, frames, width]: number 0 is the embedding of the codes, number n the output of
        block n.

    Raises
    ------
    TypeError, ValueError
        For codes or a mask of another type or shape.
    """
    check_codes(codes, model.config.entries)
    check_mask(mask)
    found: list[Tensor] = []
    with ExitStack() as stack:
        for layer in layers_of(model):
            hook = layer.register_forward_hook(lambda _layer, _given, made: found.append(made))
            stack.callback(hook.remove)
        _run(model, codes, mask)
    return torch.stack(found).float()


def attention(
    model: MaskedTransformer,
    codes: Int[Tensor, "batch codebooks frames"],
    mask: Bool[Tensor, "batch codebooks frames"],
) -> Float[Tensor, "layers batch heads frames frames"]:
    """Compute how strongly each frame looks at each other one, in every head.

    Notebook: 13

    Parameters
    ----------
    model : MaskedTransformer
        The model.
    codes : Int[Tensor, "batch codebooks frames"]
        Values at hidden places are ignored.
    mask : Bool[Tensor, "batch codebooks frames"]
        True = hidden.

    Returns
    -------
    Tensor
        float32 [layers, batch, heads, frames, frames]: row by row, the weights of all frames; they add up to 1.
    """
    found: list[Tensor] = []

    def weigh(layer, given) -> None:
        x, bias = given
        q, k = (w(x).unflatten(-1, (layer.config.heads, -1)).transpose(1, 2) for w in (layer.w_qs, layer.w_ks))
        found.append((q @ k.transpose(2, 3) / q.shape[-1] ** 0.5 + bias).softmax(-1))

    with ExitStack() as stack:
        for block in model.transformer.layers:
            hook = block.self_attn.register_forward_pre_hook(weigh)
            stack.callback(hook.remove)
        _run(model, codes, mask)
    return torch.stack(found).float()


@torch.no_grad()
def _run(model: MaskedTransformer, codes: Tensor, mask: Tensor) -> None:
    """Compute the blocks alone: the logits, half of the work, are not needed."""
    model.transformer(model.embedding(codes, mask, model.tables))


def layers_of(model: MaskedTransformer) -> list[nn.Module]:
    """The parts of a model whose outputs are its hidden states.

    Notebook: 13

    Parameters
    ----------
    model : MaskedTransformer
        The model.

    Returns
    -------
    list of Module
        The embedding, then the blocks.
    """
    return [model.embedding, *model.transformer.layers]


@contextmanager
def steered(model: MaskedTransformer, layer: int, push: Tensor) -> Iterator[MaskedTransformer]:
    """Add a vector to every frame of a layer, as long as the `with` block lasts.

    Notebook: 13

    Parameters
    ----------
    model : MaskedTransformer
        The model. Whatever runs it meanwhile, such as a `Vamp`, is steered too.
    layer : int
        Whose output is changed: 0 is the embedding, n is block n.
    push : Tensor
        What is added, float32 [width] or [frames, width].

    Yields
    ------
    MaskedTransformer
        The same model.

    Raises
    ------
    ValueError
        For a layer that there is not, or a vector of another width.

    Examples
    --------
    >>> with steered(vamp.coarse, 3, push):
    ...     take = vamp.vamp(clip, prompt)
    """
    layers = layers_of(model)
    if not 0 <= layer < len(layers):
        raise ValueError(f"layer {layer} was asked for, 0 to {len(layers) - 1} was expected")
    if push.shape[-1] != model.config.width:
        raise ValueError(
            f"a vector of width {push.shape[-1]} was given, {model.config.width}, that of the model, was expected"
        )
    hook = layers[layer].register_forward_hook(lambda _layer, _given, made: made + push.to(made))
    try:
        yield model
    finally:
        hook.remove()


def untrained(model: MaskedTransformer, seed: int = 0) -> MaskedTransformer:
    """Make a network of the same shape with random weights, which has learned nothing.

    Notebook: 13

    Parameters
    ----------
    model : MaskedTransformer
        The model whose shape and codebooks are used.
    seed : int
        Seed of the weights.

    Returns
    -------
    MaskedTransformer
        In evaluation mode, without gradients.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = MaskedTransformer(model.config, model.tables)
    return made.eval().requires_grad_(False).to(model.tables.device)


def hidden_share(model: MaskedTransformer, frames: int, share: float, seed: int) -> Bool[Tensor, "1 codebooks frames"]:
    """Hide a share of the tokens that a model predicts, each by chance.

    Notebook: 13

    Parameters
    ----------
    model : MaskedTransformer
        The model. Codebooks that are only given to it are not hidden.
    frames : int
        Number of frames.
    share : float
        Share of the tokens, 0 to 1.
    seed : int
        Seed of the places.

    Returns
    -------
    Tensor
        bool [1, codebooks, frames], True = hidden.
    """
    config = model.config
    mask = torch.rand(1, config.codebooks, frames, generator=torch.Generator().manual_seed(seed)) < share
    mask[:, : config.conditioning] = False
    return mask
