"""Sources: what takes are made from, whichever way the sound comes.

A clip, a file of any length or tokens become one thing: tokens, and where there is sound, ways to hear it and to copy
pieces of it. Of a file only the tokens are held, 5 KB per second. Notebook: 08.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vampkit.audio import LEVEL, Clip
from vampkit.audio.blocks import FileBlocks, loudness
from vampkit.codec import Codec, Tokens
from vampkit.errors import VampkitError
from vampkit.prompts import Drawn, Prompt

SHORT = 1.0
"""Seconds up to which a file is read at once: the loudness of the shortest sounds needs them repeated."""


@dataclass(frozen=True)
class Source:
    """What takes are made from.

    Parameters
    ----------
    tokens : Tokens
        What the codec made of it.
    rate : int
        Samples per second of the sound; 0 where there are only tokens.
    clip : Clip, optional
        The sound, where it is in memory.
    listen : callable, optional
        Gives the whole sound as a Clip, for prompts that listen.
    piece : callable, optional
        Gives samples `first` to `last`, [channels, samples], to restore them.
    """

    tokens: Tokens
    rate: int = 0
    clip: Clip | None = None
    listen: Callable[[], Clip] | None = None
    piece: Callable[[int, int], np.ndarray] | None = None

    @classmethod
    def of(cls, sound: Sound, codec: Codec, tokens: Tokens | None = None) -> Source:
        """Take a sound in.

        Parameters
        ----------
        sound : Clip, Tokens, Source, str or PathLike
            A clip, tokens of this codec, the path of a sound file, or a source that was made before.
        codec : Codec
            Makes the tokens.
        tokens : Tokens, optional
            Those of the clip, where they were made before.

        Returns
        -------
        Source
            The source.

        Raises
        ------
        VampkitError
            For tokens of another codec, and files that are no sound.
        """
        if isinstance(sound, Source):
            return sound
        if isinstance(sound, Tokens):
            if sound.codec != codec.hash:
                raise VampkitError(
                    f"these tokens were made by codec {sound.codec[:8]}, this pipeline uses {codec.hash[:8]}; "
                    "encode the sound again"
                )
            return cls(sound)
        if isinstance(sound, Clip):
            return cls(
                tokens or codec.encode(sound), sound.rate, sound, lambda: sound, lambda a, b: sound.samples[:, a:b]
            )
        file = FileBlocks(sound)
        return cls(_encoded(file, codec), file.rate, None, lambda: Clip.load(file.path), file.piece)

    def prompted(self, prompt: Prompt | Tensor) -> Prompted:
        """Let a prompt hide what it does not keep.

        Parameters
        ----------
        prompt : Prompt or Tensor
            A prompt, or a mask of one's own, bool [codebooks, frames], True = hidden.

        Returns
        -------
        Prompted
            Tokens to begin with, and their mask.

        Raises
        ------
        TypeError, ValueError
            For a mask of another type or shape, and where the prompt does not fit.
        """
        tokens = self.tokens
        if isinstance(prompt, Tensor):
            _check_mask(prompt, tokens)
        own = Drawn(prompt) if isinstance(prompt, Tensor) else prompt
        start, mask = self._prepared(own)
        shift = own.shift(tokens)
        kept = (~mask.any(0)).nonzero()[:, 0]
        there = kept[(kept - shift >= 0) & (kept - shift < tokens.frames)]
        moved = len(there) < len(kept) or not torch.equal(start.codes[..., there], tokens.codes[..., there - shift])
        return Prompted(start, mask, own, shift, moved)

    def _prepared(self, prompt: Prompt) -> tuple[Tokens, Tensor]:
        """Let a prompt look at the tokens; a file's sound is loaded only where it will not do without."""
        try:
            return prompt.prepare(self.tokens, self.clip)
        except ValueError:
            if self.clip is not None or self.listen is None:
                raise
            return prompt.prepare(self.tokens, self.listen())  # with the sound it says what else is wrong


@dataclass(frozen=True)
class Prompted:
    """What a prompt made of a source.

    Parameters
    ----------
    tokens : Tokens
        To begin with; of another length where the prompt changes it.
    mask : Tensor
        bool [codebooks, frames], True = hidden.
    prompt : Prompt
        What made it.
    shift : int
        Frames by which the original was moved to the right.
    moved : bool
        Whether frames that are kept are not the original's, or not at that place.
    """

    tokens: Tokens
    mask: Tensor
    prompt: Prompt
    shift: int = 0
    moved: bool = False

    @property
    def circular(self) -> bool:
        """Whether the end is to meet the start."""
        return self.prompt.circular


def _check_mask(mask: Tensor, tokens: Tokens) -> None:
    shape = (tokens.codebooks, tokens.frames)
    if mask.dtype != torch.bool:
        raise TypeError(
            f"a mask of type {mask.dtype} was given, torch.bool was expected (True hides); convert with mask.bool()"
        )
    if tuple(mask.shape) != shape:
        raise ValueError(
            f"a mask of shape {tuple(mask.shape)} was given, {shape} was expected for these tokens; "
            "make it with their shape"
        )


def _encoded(file: FileBlocks, codec: Codec) -> Tokens:
    """Tokens of a file as those of its clip: once through it for its loudness, once for its codes."""
    if file.length <= SHORT * file.rate:
        return codec.encode(Clip.load(file.path))
    level, length = loudness(file.mono(codec.rate), codec.rate)
    gain = LEVEL - level if np.isfinite(level) else 0.0
    blocks = (block[0] * np.float32(10 ** (gain / 20)) for block in file.mono(codec.rate))
    codes = torch.cat(list(codec.encode_blocks(blocks)), -1)[0]
    return Tokens(codes, codec.hash, codec.rate, codec.hop, codec.entries, length, file.rate, (gain,), file.path.stem)


Sound = Clip | Tokens | Source | str | os.PathLike
"""What can be vamped on: a clip of any length, tokens of the codec, the path of a sound file, or a source."""
