"""The masked transformer that paints: the blocks of `vampkit.model`, with places on a grid and words in front.

    codes and mask [B, K, T] -> vectors [B, T, D] -> words before them [B, 5 + T, D] -> blocks -> logits [B, P, T, V]

T counts the places of a square grid row by row. `vampkit.sampling.sample` asks this model as it asks the one for music.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from vampkit.model import Block, Classifier, Embedding, ModelConfig, RMSNorm
from vampkit.paint.captions import SLOTS, WORDS, Caption

SIDE = 8
"""Tokens along a side of the grid."""
NOTHING = Caption()
"""The caption that says nothing."""


class CoverModel(nn.Module):
    """Predicts the hidden tokens of a cover from the others and from the words of its caption.

    Three things differ from `vampkit.model.MaskedTransformer`: five words stand before the tokens, a place has a row
    and a column, and the relative bias has two axes.

    Notebook: 15

    Parameters
    ----------
    config : ModelConfig
        The shape of the model. Its buckets are not used: on a grid this small every distance has a bias of its own.
    tables : Tensor
        The codebooks, float32 [codebooks, entries, latent]. They are not trained and not saved.
    """

    def __init__(self, config: ModelConfig, tables: Tensor):
        super().__init__()
        self.config = config
        self.register_buffer("tables", tables.detach().clone().float(), persistent=False)
        self.embedding = Embedding(config)
        self.words = nn.Embedding(len(WORDS), config.width)
        self.slots = nn.Parameter(torch.zeros(len(SLOTS), config.width))
        self.row, self.column = (nn.Parameter(0.02 * torch.randn(SIDE, config.width)) for _ in range(2))
        self.layers = nn.ModuleList([Block(config, first=False) for _ in range(config.layers)])
        self.norm = RMSNorm(config.width)
        self.classifier = Classifier(config)
        steps = torch.arange(1 - SIDE, SIDE).abs()
        fall = torch.linspace(0, 1, config.heads)[:, None, None]  # some heads begin by looking near, some everywhere
        self.near = nn.Parameter(-fall * (steps[:, None] + steps).float())
        self.to_words = nn.Parameter(torch.zeros(config.heads, len(SLOTS)))

    def forward(
        self,
        codes: Int[Tensor, "batch codebooks places"],
        mask: Bool[Tensor, "batch codebooks places"],
        words: Int[Tensor, "batch slots"],
        hidden_only: bool = False,
    ) -> Float[Tensor, "batch predicted places entries"] | Float[Tensor, "hidden entries"]:
        """Compute the logits of the predicted codebooks.

        Parameters
        ----------
        codes : Int[Tensor, "batch codebooks places"]
            Values at hidden places are ignored.
        mask : Bool[Tensor, "batch codebooks places"]
            True = hidden.
        words : Int[Tensor, "batch slots"]
            The words of each caption as numbers, 0 where nothing is said.
        hidden_only : bool
            Compute only the logits of the hidden tokens, in the order of codes[mask].

        Returns
        -------
        Tensor
            [batch, predicted, places, entries], or [hidden tokens, entries].
        """
        places = (self.row[:, None] + self.column).flatten(0, 1)
        tokens = self.embedding(codes, mask, self.tables) + places
        x = torch.cat([self.words(words) + self.slots, tokens], 1)
        bias = self.bias()
        for layer in self.layers:
            x = layer(x, bias)
        x = self.norm(x[:, len(SLOTS) :])
        if hidden_only:
            return self.classifier.at(x, mask[:, self.config.conditioning :])
        return self.classifier(x)

    def bias(self) -> Float[Tensor, "1 heads queries keys"]:
        """Look up the bias of each pair of places: by the step between two tokens, by the slot for a word.

        Returns
        -------
        Tensor
            float32 [1, heads, 5 + places, 5 + places]. A word looks at everything alike.
        """
        place = torch.arange(SIDE * SIDE)
        down, right = (axis[None] - axis[:, None] + SIDE - 1 for axis in (place // SIDE, place % SIDE))
        tokens = torch.cat([self.to_words[:, None].expand(-1, len(place), -1), self.near[:, down, right]], 2)
        return nn.functional.pad(tokens, (0, 0, len(SLOTS), 0))[None]

    def told(self, caption: Caption, guidance: float = 0.0, away: Caption = NOTHING) -> Told:
        """Tell the model a caption, so that `sample` can ask it.

        Parameters
        ----------
        caption : Caption
            What the cover is to show.
        guidance : float
            How far logits are pushed away from those of the other caption; 0: not at all.
        away : Caption
            The other caption. The default says nothing.

        Returns
        -------
        Told
            A model in the sense of `vampkit.sampling`.
        """
        return Told(self, caption, guidance, away)


class Told(nn.Module):
    """A `CoverModel` that was told a caption. It is called as every masked transformer is: with codes and a mask.

    With guidance g its logits are (1 + g) times those with the caption, less g times those with the other one.

    Notebook: 15

    Parameters
    ----------
    model : CoverModel
        The model.
    caption : Caption
        What the cover is to show.
    guidance : float
        How far logits are pushed away from those of the other caption; 0: not at all.
    away : Caption
        The other caption. The default says nothing.

    Raises
    ------
    ValueError
        For a negative guidance.
    """

    def __init__(self, model: CoverModel, caption: Caption, guidance: float = 0.0, away: Caption = NOTHING):
        super().__init__()
        if guidance < 0:
            raise ValueError(f"the guidance is {guidance}, 0 or more was expected; 0 turns it off")
        self.model, self.caption, self.guidance, self.away = model, caption, guidance, away
        self.config = model.config

    def forward(
        self,
        codes: Int[Tensor, "batch codebooks places"],
        mask: Bool[Tensor, "batch codebooks places"],
        hidden_only: bool = False,
        circular: bool = False,
    ) -> Float[Tensor, "batch predicted places entries"] | Float[Tensor, "hidden entries"]:
        """Compute the guided logits, as `CoverModel` does. A picture has edges: `circular` is refused."""
        if circular:
            raise ValueError("circular was asked for, but a picture has edges; leave it out")
        said = self.model(codes, mask, numbers([self.caption] * len(codes)), hidden_only)
        if not self.guidance:
            return said
        unsaid = self.model(codes, mask, numbers([self.away] * len(codes)), hidden_only)
        return (1 + self.guidance) * said - self.guidance * unsaid


def numbers(captions: Sequence[Caption]) -> Int[Tensor, "captions slots"]:
    """Turn captions into numbers of words.

    Parameters
    ----------
    captions : sequence of Caption
        The captions.

    Returns
    -------
    Tensor
        int64 [captions, 5].
    """
    return torch.tensor([caption.numbers for caption in captions])
