"""Sources: what takes are made from.

A clip, a sound file of any length, or tokens become one kind of object. It holds tokens and, if there is sound,
functions that read all or a part of it. Of a file only the tokens are kept in memory, 5 KB per second. Notebook: 08.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from vampkit import masks
from vampkit.audio import Clip
from vampkit.audio.blocks import FileBlocks, loudness
from vampkit.codec import Codec, Tokens
from vampkit.codec.stereo import arranged, gains_of, layout, levels, measured, squares
from vampkit.errors import VampkitError
from vampkit.files.outer import shown
from vampkit.model import check_mask
from vampkit.prompts import Drawn, Prompt, parse

SHORT = 1.0
"""Files up to this many seconds are read at once, since `Clip.loudness` repeats very short sounds to measure them."""


@dataclass(frozen=True)
class Source:
    """What takes are made from.

    Parameters
    ----------
    tokens : Tokens
        Tokens of the sound.
    rate : int
        Sample rate of the sound; 0 if there are only tokens.
    clip : Clip, optional
        The sound, if it is in memory.
    listen : callable, optional
        Gives the whole sound as a Clip, for prompts that analyse it (beats, onsets).
    piece : callable, optional
        `piece(first, last)` gives samples first to last - 1, [channels, samples], for `restore`.
    """

    tokens: Tokens
    rate: int = 0
    clip: Clip | None = None
    listen: Callable[[], Clip] | None = None
    piece: Callable[[int, int], np.ndarray] | None = None

    @classmethod
    def of(cls, sound: Sound, codec: Codec, tokens: Tokens | None = None, stereo: str = "mid-side") -> Source:
        """Make a source from a sound.

        Parameters
        ----------
        sound : Clip, Tokens, Source, str or PathLike
            A clip, tokens of this codec, the path of a sound file, or a source, which is returned unchanged.
        codec : Codec
            Encodes the sound.
        tokens : Tokens, optional
            Tokens of the clip, if it was encoded before.
        stereo : str
            How channels are encoded, see `Codec.encode`.

        Returns
        -------
        Source
            The source.

        Raises
        ------
        TypeError
            For anything else.
        VampkitError
            For tokens of another codec, or a file that is not a sound.
        """
        if isinstance(sound, Source):
            return sound
        if isinstance(sound, Tokens):
            _check_tokens(sound, codec)
            return cls(sound)
        if isinstance(sound, Clip):
            own = codec.encode(sound, stereo) if tokens is None else tokens
            return cls(own, sound.rate, sound, lambda: sound, lambda a, b: sound.samples[:, a:b])
        if not isinstance(sound, (str, os.PathLike)):
            hint = "make a clip of an array with Clip(samples, rate)" if hasattr(sound, "__len__") else "give one"
            raise TypeError(
                f"{shown(sound)} was given to make a take of, a Clip, Tokens or the path of a sound file was expected; "
                f"{hint}"
            )
        file = FileBlocks(sound)
        return cls(_encoded(file, codec, stereo), file.rate, None, lambda: Clip.load(file.path), file.piece)

    def first(self, codebooks: int) -> Source:
        """Keep only the first codebooks, for a pipeline without a coarse-to-fine model.

        Parameters
        ----------
        codebooks : int
            How many.

        Returns
        -------
        Source
            The same sound with fewer tokens.
        """
        return replace(self, tokens=self.tokens.replace(codes=self.tokens.codes[..., :codebooks, :]))

    def prompted(self, prompt: Kept) -> Prompted:
        """Apply a prompt to the source.

        Parameters
        ----------
        prompt : Prompt, str, Tensor or ndarray
            A prompt, its words (see `vampkit.prompts.parse`), or your own mask, bool [codebooks, frames], True =
            hidden.

        Returns
        -------
        Prompted
            The tokens to start from, and their mask.

        Raises
        ------
        TypeError, ValueError
            For a mask of another type or shape, or a prompt that does not fit the sound.
        """
        tokens, own = self.tokens, as_prompt(prompt, self.tokens)
        start, mask = self._prepared(own)
        shift = own.shift(tokens)
        kept = (~mask.any(0)).nonzero()[:, 0]
        there = kept[(kept - shift >= 0) & (kept - shift < tokens.frames)]
        moved = len(there) < len(kept) or not torch.equal(start.codes[..., there], tokens.codes[..., there - shift])
        return Prompted(start, mask, own, shift, moved)

    def _prepared(self, prompt: Prompt) -> tuple[Tokens, Tensor]:
        """Apply the prompt to the tokens. The sound of a file is loaded only if the prompt fails without it."""
        try:
            return prompt.prepare(self.tokens, self.clip)
        except ValueError:
            if self.clip is not None or self.listen is None:
                raise
            return prompt.prepare(self.tokens, self.listen())  # if something else was wrong, this raises it again


@dataclass(frozen=True)
class Prompted:
    """The result of applying a prompt to a source.

    Parameters
    ----------
    tokens : Tokens
        The tokens to start from. Some prompts change their number.
    mask : Tensor
        bool [codebooks, frames], True = hidden.
    prompt : Prompt
        The prompt.
    shift : int
        How many frames the original was moved to the right.
    moved : bool
        True if some kept frames are not the original's frames, moved by `shift`. Then `restore` is impossible.
    """

    tokens: Tokens
    mask: Tensor
    prompt: Prompt
    shift: int = 0
    moved: bool = False

    @property
    def circular(self) -> bool:
        """Whether the result is a loop."""
        return self.prompt.circular


Kept = Prompt | str | Tensor | np.ndarray | list
"""What says what is kept: a prompt, its words, or a mask."""


def as_prompt(given: Kept, tokens: Tokens) -> Prompt:
    """Make a prompt of what was given as one.

    Parameters
    ----------
    given : Prompt, str, Tensor, ndarray or list
        A prompt, its words, or a mask of booleans [codebooks, frames], True = hidden.
    tokens : Tokens
        The tokens that a mask must fit.

    Returns
    -------
    Prompt
        The prompt.

    Raises
    ------
    TypeError, ValueError
        For anything else.
    """
    if isinstance(given, Prompt):
        return given
    if isinstance(given, str):
        return parse(given)
    if isinstance(given, Tensor):
        check_mask(given)
    elif not isinstance(given, (np.ndarray, list, tuple)):
        raise TypeError(
            f"{shown(given)} was given as a prompt, a Prompt, its words such as 'periodic:7', or a mask was expected; "
            "make one, such as Periodic(7)"
        )
    drawn, shape = Drawn(given), (tokens.codebooks, tokens.frames)
    mask = masks.from_base64(str(drawn.drawing))
    if tuple(mask.shape) != shape:
        raise ValueError(
            f"a mask of shape {tuple(mask.shape)} was given, {shape} was expected for these tokens; "
            "make it with their shape"
        )
    return drawn


def _check_tokens(tokens: Tokens, codec: Codec) -> None:
    """Raise VampkitError for tokens that a codec did not make."""
    if tokens.codec != codec.hash:
        raise VampkitError(
            f"these tokens were made by codec {shown(tokens.codec)[1:9]}, this pipeline uses {codec.hash[:8]}; "
            "encode the sound again"
        )
    have = (tokens.codebooks, tokens.entries, tokens.rate, tokens.hop)
    if have != (codec.codebooks, codec.entries, codec.rate, codec.hop):
        raise VampkitError(
            f"these tokens have {tokens.codebooks} codebooks of {tokens.entries} and {tokens.hop} samples a frame, "
            f"{codec.codebooks} of {codec.entries} and {codec.hop} were expected; encode the sound again"
        )


def _encoded(file: FileBlocks, codec: Codec, stereo: str) -> Tokens:
    """Encode a file block by block, with the same result as for its clip.

    The file is read once to measure its loudness, and once for each row that is encoded.
    """
    if file.length <= SHORT * file.rate:
        return codec.encode(Clip.load(file.path), stereo)
    how = layout(stereo, file.channels)

    def rows() -> Iterator[np.ndarray]:
        return file.rows(codec.rate, lambda block: arranged(block, how))

    found = [loudness((levels(r, how)[n] for r in rows()), codec.rate) for n in range(measured(how))]
    length, gains = found[0][1], gains_of([level for level, _ in found], how, file.channels)
    codes = []
    for n, gain in enumerate(gains):
        blocks = (r[n] * np.float32(10 ** (gain / 20)) for r in rows())
        codes.append(torch.cat(list(codec.encode_blocks(blocks)), -1))
    tokens = Tokens(
        codes=torch.cat(codes) if how != "mix" else codes[0][0],
        codec=codec.hash,
        rate=codec.rate,
        hop=codec.hop,
        entries=codec.entries,
        length=length,
        source_rate=file.rate,
        gains=gains,
        name=file.path.stem,
        stereo="none" if how == "mix" else how,
        more=file.length - round(length * file.rate / codec.rate),
    )
    return codec.as_wide(tokens, (squares(r) for r in rows())) if len(gains) == 2 and how == "mid-side" else tokens


def shifted(sound: Sound, semitones: float) -> Sound:
    """Shift the pitch of a sound; its length stays.

    Parameters
    ----------
    sound : Clip, Tokens, Source, str or PathLike
        A clip or a sound file, which is loaded whole; or anything if it is not to be shifted.
    semitones : float
        How far; 0 returns the sound unchanged.

    Returns
    -------
    Clip, Tokens, Source, str or PathLike
        The shifted clip.

    Raises
    ------
    ValueError
        For tokens, which cannot be shifted.
    """
    if not semitones:
        return sound
    if isinstance(sound, Source):
        sound = sound.clip or (sound.listen() if sound.listen else sound.tokens)
    if isinstance(sound, Tokens):
        raise ValueError("pitch_shift was asked for, and only tokens were given, whose pitch is fixed; give the clip")
    import librosa

    clip = sound if isinstance(sound, Clip) else Clip.load(sound)
    moved = librosa.effects.pitch_shift(clip.samples, sr=clip.rate, n_steps=semitones)
    return replace(clip, samples=moved.astype(np.float32))


Sound = Clip | Tokens | Source | str | os.PathLike
"""What a take can be made from: a clip of any length, tokens of the codec, the path of a sound file, or a source."""
