"""Codec: sound to tokens and back, with the network of descript-audio-codec.

Sound of any sample rate can be encoded, also stereo. Before encoding it is resampled and scaled to one loudness;
decoding restores the original rate, loudness and length. Long sounds are encoded window by window. Each window includes
enough context on both sides that its codes are the same as if the whole sound were encoded at once.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vampkit.audio import Clip
from vampkit.audio.blocks import exactly, resample_blocks, resample_loop
from vampkit.codec.network import context_frames, settings_of, token_hash
from vampkit.codec.stereo import MOST_WIDER, arranged, channels_of, gains_of, layout, levels, squares
from vampkit.codec.tokens import Tokens
from vampkit.errors import VampkitError
from vampkit.files import write_safetensors
from vampkit.files.outer import number, shown
from vampkit.model import check_codes

FORMAT = "vampkit.codec/1"
WINDOW = 1024
"""Frames encoded or decoded at once (18 s). With the tiny codec this needs about 300 MB of memory."""


class Codec:
    """Turns clips into tokens and tokens into clips (paper, sections 3.1 and 4.2).

    Notebook: 01

    Parameters
    ----------
    model : nn.Module
        A `dac.DAC`. It is put into evaluation mode.
    name : str
        Name of the codec in records.
    """

    def __init__(self, model: torch.nn.Module, name: str = "codec"):
        self.model = model.eval().requires_grad_(False)
        self.name = name
        self.rate = int(model.sample_rate)
        self.hop = int(model.hop_length)
        self.codebooks = int(model.n_codebooks)
        self.entries = int(model.codebook_size)
        self.context = context_frames(model)
        self.hash = token_hash(model)

    @property
    def tables(self) -> Tensor:
        """The codebooks, float32 [codebooks, entries, dimensions]; the masked models use their vectors as input."""
        return torch.stack([q.codebook.weight.detach().float().cpu() for q in self.model.quantizer.quantizers])

    @property
    def device(self) -> torch.device:
        """The device that the network is on."""
        return next(self.model.parameters()).device

    def to(self, device: str | torch.device) -> Codec:
        """Move the network.

        Parameters
        ----------
        device : str or torch.device
            The device.

        Returns
        -------
        Codec
            The codec itself.
        """
        self.model.to(device)
        return self

    def encode(self, clip: Clip, stereo: str = "mix") -> Tokens:
        """Turn a clip into tokens. Before that it is scaled to -24 LUFS. Memory is bounded for any length.

        Notebook: 01

        Parameters
        ----------
        clip : Clip
            Sound of any rate and any number of channels.
        stereo : str
            "mix" encodes the mean of the channels, codes [codebooks, frames]. "items" encodes each channel as an item
            of a batch, codes [channels, codebooks, frames]. "mid-side" encodes the mean of two channels, and half their
            difference unless it is silent: codes [1 or 2, codebooks, frames]. More channels are encoded as items.

        Returns
        -------
        Tokens
            The codes, and all that is needed to decode them.

        Raises
        ------
        ValueError
            For an empty clip, or any other value of stereo.
        """
        if not isinstance(clip, Clip):
            raise TypeError(
                f"{shown(clip)} was given to encode, a Clip was expected; make one with Clip(samples, rate)"
            )
        if stereo not in ("mix", "items", "mid-side"):
            raise ValueError(
                f'stereo is {stereo!r}, "mix" (mean of the channels), "items" (one item a channel) or "mid-side" was '
                "expected"
            )
        if clip.samples.shape[1] == 0:
            raise ValueError("the clip holds 0 samples, some sound was expected; load another one")
        how = layout(stereo, clip.channels)
        source = replace(clip, samples=arranged(clip.samples, how)).resample(self.rate)
        gains = gains_of(
            [replace(source, samples=rows).loudness() for rows in levels(source.samples, how)], how, clip.channels
        )
        rows = source.samples[: len(gains)]
        codes = torch.cat(
            [self.encode_samples(x * np.float32(10 ** (gain / 20))) for x, gain in zip(rows, gains, strict=True)]
        )
        tokens = Tokens(
            codes=codes if how != "mix" else codes[0],
            codec=self.hash,
            rate=self.rate,
            hop=self.hop,
            entries=self.entries,
            length=rows.shape[1],
            source_rate=clip.rate,
            gains=gains,
            name=clip.name,
            credit=clip.credit,
            stereo="none" if how == "mix" else how,
            more=clip.samples.shape[1] - round(rows.shape[1] * clip.rate / self.rate),
        )
        return tokens if len(gains) == 1 or how != "mid-side" else self.as_wide(tokens, [squares(rows)])

    def as_wide(self, tokens: Tokens, energies: Iterable[np.ndarray]) -> Tokens:
        """Change the gain of the side, so that decoding gives it the share of the energy that it had.

        The codec loses more of a soft and noisy side than of the mid; without this some sounds would become narrower by
        up to 3 dB. The tokens are decoded once for it.

        Parameters
        ----------
        tokens : Tokens
            Mid and side.
        energies : iterable of ndarray
            [2] each: sums of squares of mid and side, for each block of the sound.

        Returns
        -------
        Tokens
            The same codes.
        """
        true = sum(energies)
        made = sum(squares(block) for block in self._levelled(tokens, [tokens.batch]))
        if not (true > 0).all() or not (made > 0).all():
            return tokens
        lost = 10 * np.log10((true / made)[1] / (true / made)[0])
        mid, side = tokens.gains
        return tokens.replace(gains=(mid, side - float(np.clip(lost, -MOST_WIDER, MOST_WIDER))))

    def encode_samples(self, samples: np.ndarray) -> Tensor:
        """Encode samples without resampling or scaling, window by window.

        Notebook: 01

        Parameters
        ----------
        samples : ndarray
            float32 [samples] at the codec's rate.

        Returns
        -------
        Tensor
            Codes, int64 [1, codebooks, frames].
        """
        return torch.cat(list(self.encode_blocks([samples])), -1)

    def encode_blocks(self, blocks: Iterable[np.ndarray]) -> Iterator[Tensor]:
        """Encode sound that comes in blocks, window by window.

        Parameters
        ----------
        blocks : iterable of ndarray
            float32 [samples] each, at the codec's rate.

        Yields
        ------
        Tensor
            Codes, int64 [1, codebooks, frames]. Joined, they are the codes of the whole sound.
        """

        def work(piece: Tensor) -> Tensor:
            return self.model.encode(piece.to(self.device))[1].cpu()

        yield from in_windows(_whole_frames(blocks, self.hop), work, WINDOW, self.context, self.hop, 1)

    def decode(self, tokens: Tokens, codebooks: int | None = None, circular: bool = False) -> Clip:
        """Turn tokens into a clip with the length, loudness and sample rate of the clip that was encoded.

        Notebook: 01

        Parameters
        ----------
        tokens : Tokens
            Tokens of this codec.
        codebooks : int, optional
            Decode with only this many codebooks, the first ones.
        circular : bool
            Decode a loop, whose end is followed by its start again.

        Returns
        -------
        Clip
            The sound.

        Raises
        ------
        VampkitError
            For tokens of another codec.
        ValueError
            For codes that the codec does not have.
        """
        if not isinstance(tokens, Tokens):
            raise TypeError(f"{shown(tokens)} was given to decode, Tokens were expected; make them with Codec.encode")
        count = tokens.codebooks if codebooks is None else number("codebooks is ", codebooks, whole=True)
        if not 1 <= count <= tokens.codebooks:
            raise ValueError(
                f"{codebooks} codebooks were asked for, these tokens hold {tokens.codebooks}; choose 1 to "
                f"{tokens.codebooks}"
            )
        blocks = list(self.decode_blocks(tokens, [tokens.batch[:, :count]], circular))
        return Clip(np.concatenate(blocks, 1), tokens.source_rate, tokens.name, tokens.credit)

    def decode_blocks(
        self, tokens: Tokens, pieces: Iterable[Tensor], circular: bool = False, eager: bool = False
    ) -> Iterator[np.ndarray]:
        """Decode codes that come in pieces.

        Parameters
        ----------
        tokens : Tokens
            Only their hop, length, gains and rates are used, not their codes.
        pieces : iterable of Tensor
            Codes, int64 [items, codebooks, frames] each.
        circular : bool
            The pieces are a loop, whose end is followed by its start again. Decoding begins after the last piece.
        eager : bool
            Yield each block as soon as the codes around it are there, instead of in windows of full size.

        Yields
        ------
        ndarray
            Samples [channels, samples]. Joined, they are the samples of `decode`.
        """
        if tokens.codec != self.hash:
            raise VampkitError(
                f"these tokens were made by codec {tokens.codec[:8]}, this codec is {self.hash[:8]} ({self.name}); "
                "decode them with "
                "the one that made them, or encode the sound again"
            )
        wanted = round(tokens.length * tokens.source_rate / self.rate)
        if circular:
            whole = np.concatenate(list(self._levelled(tokens, _around(list(pieces), self.context), eager)), -1)
            whole = channels_of(whole[:, self.context * self.hop : -self.context * self.hop], tokens)
            yield resample_loop(whole, self.rate, tokens.source_rate)[:, :wanted]
            return
        more = -(-tokens.more * self.rate // tokens.source_rate) + 1 if tokens.more > 0 else 0
        sound = exactly((channels_of(x, tokens) for x in self._levelled(tokens, pieces, eager)), tokens.length + more)
        yield from exactly(resample_blocks(sound, self.rate, tokens.source_rate), max(1, wanted + tokens.more))

    def _levelled(self, tokens: Tokens, pieces: Iterable[Tensor], eager: bool = False) -> Iterator[np.ndarray]:
        """Decode pieces of codes to one row of samples an item, with the gains undone."""
        gain = np.array([10 ** (-g / 20) for g in tokens.gains], dtype=np.float32)[:, None]
        return (block * gain for block in self._sound(pieces, eager))

    def decode_codes(self, codes: Tensor) -> np.ndarray:
        """Decode codes without undoing gain and rate, window by window.

        Notebook: 01

        Parameters
        ----------
        codes : Tensor
            int64 [batch, codebooks, frames].

        Returns
        -------
        ndarray
            Samples, float32 [batch, frames * hop].
        """
        return np.concatenate(list(self._sound([codes])), -1)

    def _sound(self, pieces: Iterable[Tensor], eager: bool = False) -> Iterator[np.ndarray]:
        def work(codes: Tensor) -> Tensor:
            check_codes(codes, self.entries)
            if codes.shape[1] > self.codebooks:
                raise ValueError(
                    f"codes of {codes.shape[1]} codebooks were given, this codec has {self.codebooks}; drop the others"
                )
            # Item by item: in a batch sums are rounded in another order, but a take must not depend on other takes.
            vectors = (self.model.quantizer.from_codes(c.to(self.device))[0] for c in codes.split(1))
            return torch.cat([self.model.decode(v)[:, 0].float().cpu() for v in vectors])

        yield from (made.numpy() for made in in_windows(pieces, work, WINDOW, self.context, 1, self.hop, eager))

    def save(self, path: str | os.PathLike, dtype: torch.dtype = torch.float16) -> Path:
        """Write settings and weights as safetensors.

        Parameters
        ----------
        path : str or PathLike
            The file to write.
        dtype : torch.dtype
            torch.float16 takes half the space of torch.float32.

        Returns
        -------
        Path
            The file.
        """
        return write_safetensors(self.model.state_dict(), path, FORMAT, settings_of(self.model), dtype=dtype)

    def __repr__(self) -> str:
        return (
            f"Codec({self.name!r}, {self.codebooks} codebooks of {self.entries}, {self.rate / self.hop:.2f} frames/s, "
            f"{math.log2(self.entries) * self.codebooks * self.rate / self.hop:.0f} bits/s)"
        )


@torch.inference_mode()
def in_windows(
    pieces: Iterable[Tensor], work: Callable, size: int, context: int, unit: int, out: int, eager: bool = False
) -> Iterator[Tensor]:
    """Apply `work` to a long sequence that comes in pieces [.., numbers], in windows with context on both sides.

    Joined, the results are the same as one call of `work` on the whole, if the context covers its receptive field.
    size: frames of a window. context: frames that it also sees on each side. unit, out: numbers per frame of the input
    and of the output. eager: after each piece, yield what can be computed, even if it is less than a window.
    """
    held, left, first = torch.zeros(0), 0, 0
    for piece in chain(pieces, [None]):
        if piece is not None:
            held = torch.cat([held, piece], -1) if held.numel() else piece
        end = left + held.shape[-1] // unit
        while first < end and (piece is None or end - context >= first + (1 if eager else size)):
            last = min(first + size, end if piece is None else end - context)
            made = work(held[..., : (min(last + context, end) - left) * unit])
            yield made[..., (first - left) * out : (last - left) * out]
            first, before = last, left
            left = max(0, first - context)
            held = held[..., (left - before) * unit :]


def _whole_frames(blocks: Iterable[np.ndarray], hop: int) -> Iterator[Tensor]:
    """The blocks as tensors [1, 1, samples], and then silence that completes the last frame."""
    length = 0
    for block in blocks:
        length += len(block)
        yield torch.from_numpy(block)[None, None]
    yield torch.zeros(1, 1, -length % hop)


def _around(pieces: list[Tensor], context: int) -> list[Tensor]:
    """A whole loop with its last `context` frames repeated before it and its first ones after it."""
    codes = torch.cat(pieces, -1)
    return [codes[..., torch.arange(-context, codes.shape[-1] + context) % codes.shape[-1]]]
