"""Vamp: codec, coarse model and coarse-to-fine model in a row; Take: what came out, and all that is needed to make it again.

    clip --encode--> tokens --prompt--> mask --coarse, then fine--> tokens --decode--> clip

Paper: section 3 and figure 1. Notebook: 00.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vampkit.audio import Clip
from vampkit.codec import Codec, load_codec
from vampkit.errors import VampkitError
from vampkit.model import MaskedTransformer
from vampkit.prompts import Prompt
from vampkit.sampling import Step, sample
from vampkit.tokens import Tokens
from vampkit.weights import load_model

PASSES = 36
"""Coarse passes: the paper's best (section 4.3)."""
FINE_PASSES = 4
"""Coarse-to-fine passes: more gained nothing with the tiny models."""
MASK_TEMPERATURE = 10.5
"""Noise on the confidences (vampnet d1; the paper's footnote 5 recommends values above 6)."""
FINE_WINDOW = 172
"""Frames that coarse-to-fine sees at once: the 3 s it was trained on."""


@dataclass(frozen=True)
class Take:
    """One result of `Vamp.vamp`.

    clip: the sound. tokens, original: codes made and codes given, [K, T] or [B, K, T]. mask: what was hidden, bool [K, T].
    record: settings that make it again, plain JSON.
    """

    clip: Clip
    tokens: Tokens
    original: Tokens
    mask: Tensor
    record: dict

    def save(self, path: str | os.PathLike) -> Path:
        """Write the sound, and its record beside it as .json. Returns the sound's path."""
        path = self.clip.save(path)
        part = path.with_suffix(".json.part")
        part.write_text(json.dumps(self.record, indent=1), encoding="utf-8")
        part.replace(path.with_suffix(".json"))
        return path


class Vamp:
    """A codec and two masked models that speak its tokens.

    codec: sound to tokens and back. coarse: the model of the first codebooks. fine: the model of the others given those.
    Raises VampkitError where they do not fit together.
    """

    def __init__(self, codec: Codec, coarse: MaskedTransformer, fine: MaskedTransformer, name: str = "custom"):
        if fine.config.conditioning != coarse.config.codebooks or fine.config.codebooks != codec.codebooks:
            raise VampkitError(
                f"the coarse model makes {coarse.config.codebooks} codebooks, the fine one is given {fine.config.conditioning} of {fine.config.codebooks}, "
                f"the codec has {codec.codebooks}; they must fit together"
            )
        self.codec, self.coarse, self.fine, self.name = codec, coarse, fine, name

    def hidden(self, tokens: Tokens, prompt: Prompt | Tensor) -> Tensor:
        """What a prompt hides of these tokens, bool [K, T]. A mask of one's own is checked and passed on.

        Raises TypeError and ValueError for a mask of another type or shape.
        """
        mask = prompt if isinstance(prompt, Tensor) else prompt.mask(tokens)
        shape = (tokens.codebooks, tokens.frames)
        if mask.dtype != torch.bool:
            raise TypeError(f"a mask of type {mask.dtype} was given, torch.bool was expected (True hides); convert with mask.bool()")
        if tuple(mask.shape) != shape:
            raise ValueError(f"a mask of shape {tuple(mask.shape)} was given, {shape} was expected for these tokens; make it with their shape")
        return mask

    def coarse_steps(self, codes: Tensor, mask: Tensor, **settings) -> Iterator[Step]:
        """The coarse passes over codes and mask [batch, codebooks, frames], one Step each (paper, section 3.3)."""
        count = self.coarse.config.codebooks
        yield from sample(self.coarse, codes[:, :count], mask[:, :count], **settings)

    def fine_steps(self, codes: Tensor, mask: Tensor, *, seeds: list[int], **settings) -> Iterator[Tensor]:
        """Coarse-to-fine over windows of 3 s, yielding all codes [batch, codebooks, frames] after each window.

        The last window starts earlier instead of being padded, and keeps what the one before it made.
        """
        codes, mask, frames = codes.clone(), mask.clone(), codes.shape[-1]
        mask[:, : self.fine.config.conditioning] = False
        for number, first in enumerate(range(0, frames, FINE_WINDOW)):
            left, right = max(0, min(first, frames - FINE_WINDOW)), min(first + FINE_WINDOW, frames)
            window = slice(left, right)
            if mask[..., window].any():
                run = sample(self.fine, codes[..., window], mask[..., window], seeds=[s * 100_003 + number + 1 for s in seeds], **settings)
                *_, last = run
                codes[..., window] = last.codes
            mask[..., window] = False
            yield codes

    def vamp(
        self,
        sound: Clip | Tokens,
        prompt: Prompt | Tensor,
        *,
        seed: int = 0,
        passes: int = PASSES,
        fine_passes: int = FINE_PASSES,
        temperature: float = 1.0,
        mask_temperature: float = MASK_TEMPERATURE,
        top_p: float | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Take:
        """Hide what the prompt does not keep, fill it in, and turn it into sound.

        sound: a clip, or tokens of this codec. prompt: a prompt, or a mask [K, T] of one's own. seed: one seed gives one take.
        passes, fine_passes: of the coarse and the fine model. temperature: of the tokens. mask_temperature: noise on which tokens stay.
        progress: called with (passes done, passes in all).
        Raises ValueError for zero passes and masks of another shape, VampkitError for tokens of another codec.
        Paper: section 3.3. Notebook: 00.
        """
        tokens = self.codec.encode(sound) if isinstance(sound, Clip) else sound
        if tokens.codec != self.codec.hash:
            raise VampkitError(f"these tokens were made by codec {tokens.codec[:8]}, this pipeline uses {self.codec.hash[:8]}; encode the sound again")
        mask = self.hidden(tokens, prompt)
        codes = tokens.batch.clone()
        masks = mask[None].expand(codes.shape[0], -1, -1)
        seeds = [seed * 1009 + item for item in range(codes.shape[0])]
        windows = -(-tokens.frames // FINE_WINDOW)
        total, coarse = passes + windows, self.coarse.config.codebooks
        for step in self.coarse_steps(codes, masks, passes=passes, temperature=temperature, mask_temperature=mask_temperature, top_p=top_p, seeds=seeds):
            if progress:
                progress(step.index + 1, total)
        codes[:, :coarse] = step.codes
        for number, made in enumerate(
            self.fine_steps(codes, masks, seeds=seeds, passes=fine_passes, temperature=temperature, mask_temperature=mask_temperature)
        ):
            codes = made
            if progress:
                progress(passes + number + 1, total)
        result = tokens.replace(codes=codes if tokens.codes.ndim == 3 else codes[0])
        record = {
            "format": "vampkit.take/1",
            "model": self.name,
            "codec": self.codec.hash,
            "source": tokens.name,
            "credit": tokens.credit,
            "prompt": repr(prompt) if not isinstance(prompt, Tensor) else "mask",
            "seed": seed,
            "passes": passes,
            "fine_passes": fine_passes,
            "temperature": temperature,
            "mask_temperature": mask_temperature,
            "top_p": top_p,
            "hidden": round(float(mask.float().mean()), 6),
        }
        return Take(self.codec.decode(result), result, tokens, mask, record)

    def __repr__(self) -> str:
        return f"Vamp({self.name!r}, {self.codec!r})"


def load_vamp(name: str | os.PathLike = "tiny") -> Vamp:
    """The bundled pipeline ("tiny"), or a folder that holds codec.safetensors, coarse.safetensors and c2f.safetensors.

    Raises FileNotFoundError for another name. Notebook: 00.
    """
    if str(name) == "tiny":
        codec = load_codec("tiny")
        return Vamp(codec, load_model("coarse", codec), load_model("c2f", codec), "tiny")
    folder = Path(name)
    if not folder.is_dir():
        raise FileNotFoundError(f'there is no model called {str(name)!r}; "tiny" or a folder with codec, coarse and c2f weights was expected')
    codec = load_codec(folder / "codec.safetensors")
    return Vamp(codec, load_model(folder / "coarse.safetensors", codec), load_model(folder / "c2f.safetensors", codec), folder.name)
