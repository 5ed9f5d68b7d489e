"""Vamp: codec, coarse model and coarse-to-fine model in a row.

    clip --encode--> tokens --prompt--> mask --coarse, then fine--> tokens --decode--> clip

Sounds of any length are made window by window (vampkit/windows.py); up to 10 s the coarse model sees the whole. What
comes out is a Take (vampkit/takes.py). Paper: section 3 and figure 1. Notebook: 00.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vampkit.audio import Clip
from vampkit.codec import Codec, Tokens
from vampkit.errors import VampkitError
from vampkit.model import MaskedTransformer
from vampkit.pipeline import devices
from vampkit.pipeline.run import generate, hidden_in_any
from vampkit.pipeline.take import FADE, Given, Progress, Take, TakeSettings, load_record, record_of, restored
from vampkit.prompts import Drawn, Prompt
from vampkit.sampling import Step, sample
from vampkit.weights import load_adapters, load_codec, load_model
from vampkit.weights.models import BUNDLED


class Vamp:
    """A codec and two masked models that speak its tokens.

    codec: sound to tokens and back. coarse: the model of the first codebooks. fine: the model of the others given
    those. Raises VampkitError where they do not fit together.
    """

    def __init__(self, codec: Codec, coarse: MaskedTransformer, fine: MaskedTransformer, name: str = "custom"):
        if fine.config.conditioning != coarse.config.codebooks or fine.config.codebooks != codec.codebooks:
            raise VampkitError(
                f"the coarse model makes {coarse.config.codebooks} codebooks, the fine one is given {fine.config.conditioning} of {fine.config.codebooks}, "
                f"the codec has {codec.codebooks}; they must fit together"
            )
        self.codec, self.coarse, self.fine, self.name = codec, coarse, fine, name

    def to(self, device: str) -> Vamp:
        """Move codec and models; returns the pipeline."""
        for part in (self.codec, self.coarse, self.fine):
            part.to(device)
        return self

    @cached_property
    def weights(self) -> str:
        """A hash of both models, by which a record knows them again."""
        digest = hashlib.sha256()
        for model in (self.coarse, self.fine):
            for name, value in sorted(model.state_dict().items()):
                digest.update(name.encode() + value.detach().float().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    def vamp(
        self,
        sound: Clip | Tokens,
        prompt: Prompt | Tensor,
        *,
        progress: Callable[[int, int], None] | None = None,
        **settings,
    ) -> Take:
        """Hide what the prompt does not keep, fill it in, and turn it into sound.

        sound: a clip of any length, or tokens of this codec. prompt: a prompt, or a mask [K, T] of one's own.
        progress: called with (passes and windows done, how many in all).
        settings: seed=0, passes=36, fine_passes=12 (a third of passes), temperature=1.0, mask_temperature=10.5 (40
        where the prompt goes on beyond
            the sound), fine_mask_temperature=0.0, top_p=None and all others of `vampkit.pipeline.TakeSettings`.
        Raises ValueError for zero passes and masks of another shape, TypeError for settings of another name,
        VampkitError for tokens of another codec. Paper: section 3.3. Notebook: 00.
        """
        return self.takes(sound, prompt, 1, progress=progress, **settings)[0]

    def takes(
        self,
        sound: Clip | Tokens,
        prompt: Prompt | Tensor,
        count: int,
        *,
        progress: Callable[[int, int], None] | None = None,
        **settings,
    ) -> list[Take]:
        """`count` variations in one batch.

        Each equals `vamp` with its own seed: `seed`, `seed` + 1 and so on, as its record says. Notebook: 08.
        """
        told = 0
        for at in self.steps(sound, prompt, count=count, **settings):
            if progress and at.done > told:
                told = at.done
                progress(at.done, at.total)
        return list(at.takes)

    def steps(self, sound: Clip | Tokens, prompt: Prompt | Tensor, *, count: int = 1, **settings) -> Iterator[Progress]:
        """The same pass by pass.

        One Progress a coarse pass, one a fine window, and a last one that holds the takes. Who stops iterating stops
        the run.

        codes and mask in it are [count * items, K, T]. Notebook: 05.
        """
        chosen, given = TakeSettings.asked(prompt, settings), self.given(sound, prompt)
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"{count!r} takes were asked for, a whole number of at least 1 was expected")
        original = self._original(sound, given, chosen)
        return self._steps(given, chosen, count, original)

    def stream(self, sound: Clip | Tokens, prompt: Prompt | Tensor, **settings) -> Iterator[Clip]:
        """The take's sound in blocks, each as soon as it is made.

        Joined they are `vamp`'s clip. Loops come whole. Notebook: 08.
        """
        chosen, given = TakeSettings.asked(prompt, settings), self.given(sound, prompt)
        original = self._original(sound, given, chosen)
        tokens = given.tokens
        return (
            Clip(block, tokens.source_rate, tokens.name, tokens.credit)
            for block in self.blocks(given, chosen, original)
        )

    def again(
        self,
        record: dict | str | os.PathLike,
        sound: Clip | Tokens,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> Take:
        """The take of a record, given as a dict or as its file, made anew from the same sound.

        Raises VampkitError where the record was made with other models. Notebook: 08.
        """
        record = load_record(record)
        if "mix" in record:
            first, second = (self.again(part, sound, progress=progress) for part in record["mix"])
            return first.mix(second, Prompt.from_json(record["mask"]).mask(first.tokens))
        self.check(record)
        return self.vamp(sound, Prompt.from_json(record["prompt"]), progress=progress, **vars(TakeSettings.of(record)))

    def check(self, record: dict) -> None:
        """Refuse the record of a take that other models made."""
        for what, mine in (("codec", self.codec.hash), ("weights", self.weights)):
            if record[what] != mine:
                raise VampkitError(
                    f"this take was made with {what} {record[what][:8]} of {record['model']!r}, this pipeline ({self.name!r}) has {mine[:8]}; "
                    "load the models that made it"
                )

    def given(self, sound: Clip | Tokens, prompt: Prompt | Tensor, clip: Clip | None = None) -> Given:
        """Tokens to begin with, and what a prompt hides of them; a mask of one's own is checked and passed on.

        clip: the sound of tokens, for prompts that listen. Raises TypeError and ValueError for a mask of another type
        or shape.
        """
        clip = sound if isinstance(sound, Clip) else clip
        tokens = self.codec.encode(sound) if isinstance(sound, Clip) else sound
        if tokens.codec != self.codec.hash:
            raise VampkitError(
                f"these tokens were made by codec {tokens.codec[:8]}, this pipeline uses {self.codec.hash[:8]}; encode the sound again"
            )
        if isinstance(prompt, Tensor):
            shape = (tokens.codebooks, tokens.frames)
            if prompt.dtype != torch.bool:
                raise TypeError(
                    f"a mask of type {prompt.dtype} was given, torch.bool was expected (True hides); convert with mask.bool()"
                )
            if tuple(prompt.shape) != shape:
                raise ValueError(
                    f"a mask of shape {tuple(prompt.shape)} was given, {shape} was expected for these tokens; make it with their shape"
                )
            prompt = Drawn(prompt)
        made, mask = prompt.prepare(tokens, clip)
        shift = prompt.shift(tokens)
        kept = (~mask.any(0)).nonzero()[:, 0]
        there = kept[(kept - shift >= 0) & (kept - shift < tokens.frames)]
        moved = len(there) < len(kept) or not torch.equal(made.codes[..., there], tokens.codes[..., there - shift])
        return Given(made, mask, prompt.to_json(), repr(prompt), prompt.circular, shift, moved)

    def coarse_steps(self, codes: Tensor, mask: Tensor, **settings) -> Iterator[Step]:
        """The coarse passes over codes and mask [batch, codebooks, frames] in one window, one Step each (paper, section
        3.3). Notebook: 05."""
        count = self.coarse.config.codebooks
        yield from sample(self.coarse, codes[:, :count], mask[:, :count], **settings)

    def blocks(
        self,
        given: Given,
        settings: TakeSettings,
        original: Callable | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[np.ndarray]:
        """The sound of a take in blocks [channels, samples], each as soon as it is made.

        original: see `vampkit.pipeline.take.restored`.
        """

        def pieces() -> Iterator[Tensor]:
            first = 0
            for at in generate(self.coarse, self.fine, given, settings):
                if progress:
                    progress(at.done, at.total)
                if at.settled > first:
                    yield at.base[..., first : at.settled]
                    first = at.settled

        made = self.codec.decode_blocks(given.tokens, pieces(), given.circular, eager=True)
        yield from self._restored(made, given, settings, original)

    def _steps(self, given: Given, settings: TakeSettings, count: int, original: Callable | None) -> Iterator[Progress]:
        for at in generate(self.coarse, self.fine, given, settings, count):
            if at.done < at.total:
                yield at
        mask, takes = hidden_in_any(given, settings), []
        for number, codes in enumerate(at.base.chunk(count)):
            tokens = given.tokens.replace(codes=codes if given.tokens.codes.ndim == 3 else codes[0])
            own = replace(settings, seed=settings.seed + number)
            clip = self._decode(tokens, given, own, original)
            record = record_of(given, mask, own, self.name, self.weights)
            takes.append(
                Take(clip, tokens, given.tokens, mask, record, lambda t: self.codec.decode(t, circular=given.circular))
            )
        yield replace(at, takes=tuple(takes))

    def _decode(self, tokens: Tokens, given: Given, settings: TakeSettings, original: Callable | None) -> Clip:
        clip = self.codec.decode(tokens, circular=given.circular)
        return replace(clip, samples=np.concatenate(list(self._restored([clip.samples], given, settings, original)), 1))

    def _original(self, sound: Clip | Tokens, given: Given, settings: TakeSettings) -> Callable | None:
        if not settings.restore:
            return None
        if not isinstance(sound, Clip):
            raise ValueError("restore puts the original's sound back, and only tokens were given; give the clip")
        given.untouched(given.mask, sound.rate)  # refuses what cannot be put back before anything is made
        return lambda first, last: sound.samples[:, first:last]

    def _restored(
        self, blocks, given: Given, settings: TakeSettings, original: Callable | None
    ) -> Iterator[np.ndarray]:
        """Blocks with the original put back where the settings ask for it.

        original: its samples from one place to another, in its own time.
        """
        if not settings.restore:
            return iter(blocks)
        rate, tokens = given.tokens.source_rate, given.tokens
        shift = round(given.shift * tokens.hop * rate / tokens.rate)
        spans = given.untouched(hidden_in_any(given, settings), rate)
        return restored(blocks, lambda a, b: original(a - shift, b - shift), spans, round(FADE * rate))

    def __repr__(self) -> str:
        return f"Vamp({self.name!r}, {self.codec!r})"


def load_vamp(name: str | os.PathLike = "tiny", adapters: str | os.PathLike | None = None, device: str = "cpu") -> Vamp:
    """The bundled pipeline ("tiny"), or a folder that holds codec.safetensors, coarse.safetensors and fine.safetensors.

    adapters: a folder that `vampkit finetune` filled, for these models. device: "cpu", "cuda", or "auto" (a GPU where
    there is one); another processor rounds otherwise, so a record makes its take again exactly on the kind of device it
    was made on. Raises FileNotFoundError for another name, ValueError for another device or a GPU that is not there.
    Notebook: 00.
    """
    if device != "cpu":
        return load_vamp(name, adapters).to(devices.chosen(device))
    if adapters is not None:
        return adapt(load_vamp(name), adapters)
    if str(name) == "tiny":
        codec = load_codec("tiny")
        return Vamp(codec, load_model("coarse", codec), load_model("fine", codec), "tiny")
    folder = Path(name)
    if not folder.is_dir():
        raise FileNotFoundError(
            f'there is no model called {str(name)!r}; "tiny" or a folder with codec, coarse and fine weights was expected'
        )
    codec = load_codec(folder / "codec.safetensors")
    return Vamp(
        codec,
        load_model(folder / "coarse.safetensors", codec),
        load_model(folder / "fine.safetensors", codec),
        folder.name,
    )


def adapt(vamp: Vamp, folder: str | os.PathLike) -> Vamp:
    """A pipeline with the adapters that `vampkit finetune` left in a folder; the one given stays as it is.

    folder: holds coarse.safetensors, fine.safetensors or both. Raises FileNotFoundError where it holds neither,
    VampkitError for adapters of other models. Notebook: 12.
    """
    folder = Path(folder)
    found = {kind: folder / f"{kind}.safetensors" for kind in BUNDLED if (folder / f"{kind}.safetensors").is_file()}
    if not found:
        raise FileNotFoundError(
            f"there are no adapters in {folder}; make some with `vampkit finetune DIR --out {folder}`"
        )
    coarse, fine = (
        load_adapters(found[kind], model) if kind in found else model
        for kind, model in (("coarse", vamp.coarse), ("fine", vamp.fine))
    )
    return Vamp(vamp.codec, coarse, fine, f"{vamp.name} with {folder.name}")
