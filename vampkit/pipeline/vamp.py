"""Vamp: codec, coarse model and coarse-to-fine model in a row.

    clip --encode--> tokens --prompt--> mask --coarse, then fine--> tokens --decode--> clip

Sounds of any length are made window by window; up to 10 s the coarse model sees the whole. What comes out is a Take.
Paper: section 3 and figure 1. Notebook: 00.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
from torch import Tensor

from vampkit.audio import Clip
from vampkit.codec import Codec, Tokens
from vampkit.errors import VampkitError
from vampkit.model import MaskedTransformer
from vampkit.pipeline.devices import chosen
from vampkit.pipeline.restore import check_restorable, restore
from vampkit.pipeline.run import Progress, Run
from vampkit.pipeline.settings import TakeSettings, take_settings, with_settings
from vampkit.pipeline.source import Sound, Source
from vampkit.pipeline.take import Take, load_record, record_of
from vampkit.prompts import Prompt
from vampkit.weights import load_adapters, load_codec, load_model


class Vamp:
    """A codec and two masked models that speak its tokens.

    Notebook: 00

    Parameters
    ----------
    codec : Codec
        Sound to tokens and back.
    coarse : MaskedTransformer
        The model of the first codebooks.
    fine : MaskedTransformer
        The model of the other codebooks given those.
    name : str
        What to call it in records.

    Raises
    ------
    VampkitError
        If they do not fit together.
    """

    def __init__(self, codec: Codec, coarse: MaskedTransformer, fine: MaskedTransformer, name: str = "custom"):
        made, given, all_of_it = coarse.config.codebooks, fine.config.conditioning, fine.config.codebooks
        if given != made or all_of_it != codec.codebooks:
            raise VampkitError(
                f"the coarse model makes {made} codebooks, the fine one is given {given} of {all_of_it}, "
                f"the codec has {codec.codebooks}; they must fit together"
            )
        self.codec, self.coarse, self.fine, self.name = codec, coarse, fine, name

    def to(self, device: str) -> Vamp:
        """Move codec and models.

        Parameters
        ----------
        device : str
            Such as "cpu" or "cuda".

        Returns
        -------
        Vamp
            The pipeline itself.
        """
        for part in (self.codec, self.coarse, self.fine):
            part.to(device)
        return self

    @cached_property
    def weights_hash(self) -> str:
        """A hash of both models, by which a record knows them again."""
        digest = hashlib.sha256()
        for model in (self.coarse, self.fine):
            for name, value in sorted(model.state_dict().items()):
                digest.update(name.encode() + value.detach().float().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    @with_settings
    def vamp(
        self,
        sound: Sound,
        prompt: Prompt | Tensor,
        *,
        progress: Callable[[int, int], None] | None = None,
        **settings,
    ) -> Take:
        """Hide what the prompt does not keep, fill it in, and turn it into sound (paper, section 3.3).

        Notebook: 00

        Parameters
        ----------
        sound : Clip, Tokens, str or PathLike
            A clip of any length, tokens of this codec, or the path of a sound file.
        prompt : Prompt or Tensor
            What is kept; or a mask of one's own, bool [codebooks, frames], True = hidden.
        progress : callable, optional
            Called with how many passes and windows are done, and how many there are.
        **settings
            See `SETTINGS`.

        Returns
        -------
        Take
            Sound, tokens, and the record that makes it again.

        Raises
        ------
        TypeError, ValueError, VampkitError
            For settings, masks and tokens that do not fit.
        """
        return self.takes(sound, prompt, 1, progress=progress, **settings)[0]

    @with_settings
    def takes(
        self,
        sound: Sound,
        prompt: Prompt | Tensor,
        count: int,
        *,
        progress: Callable[[int, int], None] | None = None,
        **settings,
    ) -> list[Take]:
        """Make variations in one batch; each equals `vamp` with its own seed, as its record says.

        Notebook: 07

        Parameters
        ----------
        sound, prompt : Clip and Prompt
            See `vamp`.
        count : int
            How many, with seeds `seed`, `seed` + 1 and so on.
        progress : callable, optional
            See `vamp`.
        **settings
            See `SETTINGS`.

        Returns
        -------
        list of Take
            In order of their seeds.
        """
        return self._finish(sound, prompt, take_settings(**settings), count, progress)

    @with_settings
    def steps(self, sound: Sound, prompt: Prompt | Tensor, *, count: int = 1, **settings) -> Iterator[Progress]:
        """Make takes pass by pass; who stops iterating stops the run.

        Notebook: 08

        Parameters
        ----------
        sound, prompt : Clip and Prompt
            See `vamp`.
        count : int
            How many takes; codes and mask of each Progress are [count * items, codebooks, frames].
        **settings
            See `SETTINGS`.

        Yields
        ------
        Progress
            One a coarse pass, one a fine window, and a last one that holds the takes.
        """
        return self._steps(*self.begin(sound, prompt, take_settings(**settings), count))

    @with_settings
    def stream(self, sound: Sound, prompt: Prompt | Tensor, **settings) -> Iterator[Clip]:
        """Give the take's sound in blocks, each as soon as it is made; joined they are `vamp`'s clip.

        Notebook: 08

        Parameters
        ----------
        sound, prompt : Clip and Prompt
            See `vamp`.
        **settings
            See `SETTINGS`.

        Yields
        ------
        Clip
            A block; loops come whole.
        """
        source, run = self.begin(sound, prompt, take_settings(**settings))
        tokens = source.tokens
        return (Clip(b, tokens.source_rate, tokens.name, tokens.credit) for b in self.blocks(source, run))

    def again(
        self,
        record: dict | str | os.PathLike,
        sound: Sound,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> Take:
        """Make the take of a record anew from the same sound.

        Notebook: 08

        Parameters
        ----------
        record : dict, str or PathLike
            The record, or its file.
        sound : Clip, Tokens, str or PathLike
            What it was made from.
        progress : callable, optional
            See `vamp`.

        Returns
        -------
        Take
            The same take.

        Raises
        ------
        VampkitError
            If other models made it.
        """
        record = load_record(record)
        if "mix" in record:
            first, second = (self.again(part, sound, progress=progress) for part in record["mix"])
            return first.mix(second, Prompt.from_json(record["mask"]).mask(first.tokens))
        self.check(record)
        return self._finish(sound, Prompt.from_json(record["prompt"]), TakeSettings.of(record), 1, progress)[0]

    def check(self, record: dict) -> None:
        """Refuse the record of a take that other models made.

        Parameters
        ----------
        record : dict
            Of a take.

        Raises
        ------
        VampkitError
            If its codec or its models are not these.
        """
        for what, mine in (("codec", self.codec.hash), ("weights", self.weights_hash)):
            if record[what] != mine:
                raise VampkitError(
                    f"this take was made with {what} {record[what][:8]} of {record['model']!r}, "
                    f"this pipeline ({self.name!r}) has {mine[:8]}; load the models that made it"
                )

    def adapted(self, folder: str | os.PathLike) -> Vamp:
        """A pipeline with the adapters that `vampkit finetune` left in a folder; this one stays as it is.

        Notebook: 12

        Parameters
        ----------
        folder : str or PathLike
            Holds coarse.safetensors, fine.safetensors or both.

        Returns
        -------
        Vamp
            A new pipeline with the same codec.

        Raises
        ------
        FileNotFoundError
            If it holds neither.
        VampkitError
            For adapters of other models.
        """
        folder = Path(folder)
        files = {stage: folder / f"{stage}.safetensors" for stage in ("coarse", "fine")}
        if not any(path.is_file() for path in files.values()):
            raise FileNotFoundError(
                f"there are no adapters in {folder}; make some with `vampkit finetune DIR --out {folder}`"
            )
        coarse, fine = (
            load_adapters(p, getattr(self, s)) if p.is_file() else getattr(self, s) for s, p in files.items()
        )
        return Vamp(self.codec, coarse, fine, f"{self.name} with {folder.name}")

    def begin(
        self, sound: Sound, prompt: Prompt | Tensor, settings: TakeSettings, count: int = 1
    ) -> tuple[Source, Run]:
        """Take the sound in, let the prompt hide, and plan the windows: the one way into all that makes takes.

        Parameters
        ----------
        sound, prompt : Clip and Prompt
            See `vamp`.
        settings : TakeSettings
            Of the take.
        count : int
            How many takes.

        Returns
        -------
        source : Source
            What takes are made from.
        run : Run
            Ready to be iterated.

        Raises
        ------
        TypeError, ValueError, VampkitError
            For what does not fit together.
        """
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"{count!r} takes were asked for, a whole number of at least 1 was expected")
        source = Source.of(sound, self.codec)
        prompted = source.prompted(prompt)
        if settings.restore:
            check_restorable(source, prompted)
        return source, Run(self.coarse, self.fine, prompted, settings, count)

    def blocks(
        self, source: Source, run: Run, progress: Callable[[int, int], None] | None = None
    ) -> Iterator[np.ndarray]:
        """Do a run of one take, and give its sound in blocks, each as soon as it is made.

        Parameters
        ----------
        source : Source
            What the run was made from.
        run : Run
            Of one take.
        progress : callable, optional
            See `vamp`.

        Yields
        ------
        ndarray
            [channels, samples] at the source's rate.
        """

        def pieces() -> Iterator[Tensor]:
            first = 0
            for at in run:
                if progress:
                    progress(at.done, at.total)
                if at.settled > first:
                    yield at.base[..., first : at.settled]
                    first = at.settled

        prompted = run.prompted
        made = self.codec.decode_blocks(prompted.tokens, pieces(), prompted.circular, eager=True)
        yield from restore(made, source, prompted, run.mask) if run.settings.restore else made

    def record(self, run: Run, take: int = 0) -> dict:
        """Plain JSON that makes a take of a run again.

        Parameters
        ----------
        run : Run
            The run.
        take : int
            Which of its takes, from 0.

        Returns
        -------
        dict
            The record.
        """
        settings = replace(run.settings, seed=run.settings.seed + take)
        return record_of(run.prompted, run.mask, settings, self.name, self.weights_hash)

    def _steps(self, source: Source, run: Run) -> Iterator[Progress]:
        """A run's progress, the last one with its takes."""
        for at in run:
            if at.done < at.total:
                yield at
        batch = run.prompted.tokens.codes.ndim == 3
        per_take = at.base.split(len(run.prompted.tokens.batch))
        takes = [self._take(source, run, n, codes if batch else codes[0]) for n, codes in enumerate(per_take)]
        yield replace(at, takes=tuple(takes))

    def _take(self, source: Source, run: Run, number: int, codes: Tensor) -> Take:
        prompted = run.prompted
        tokens = prompted.tokens.replace(codes=codes)

        def decode(tokens: Tokens) -> Clip:
            return self.codec.decode(tokens, circular=prompted.circular)

        clip = decode(tokens)
        if run.settings.restore:
            blocks = restore([clip.samples], source, prompted, run.mask)
            clip = replace(clip, samples=np.concatenate(list(blocks), 1))
        return Take(clip, tokens, prompted.tokens, run.mask, self.record(run, number), decode)

    def _finish(
        self, sound: Sound, prompt: Prompt | Tensor, settings: TakeSettings, count: int, progress: Callable | None
    ) -> list[Take]:
        """All takes of a run."""
        for at in self._steps(*self.begin(sound, prompt, settings, count)):
            if progress:
                progress(at.done, at.total)
        return list(at.takes)

    def __repr__(self) -> str:
        return f"Vamp({self.name!r}, {self.codec!r})"


def load_vamp(name: str | os.PathLike = "tiny", adapters: str | os.PathLike | None = None, device: str = "cpu") -> Vamp:
    """Load a pipeline: the bundled one, or one of a folder.

    Notebook: 00

    Parameters
    ----------
    name : str or PathLike
        "tiny" (bundled), or a folder that holds codec.safetensors, coarse.safetensors and fine.safetensors.
    adapters : str or PathLike, optional
        A folder that `vampkit finetune` filled, for these models.
    device : str
        "cpu", "cuda", or "auto" (a GPU where there is one). Another processor rounds otherwise, so a record makes its
        take again exactly on the kind of device it was made on.

    Returns
    -------
    Vamp
        The pipeline.

    Raises
    ------
    FileNotFoundError
        For another name.
    ValueError
        For another device, or a GPU that is not there.
    """
    where, folder = chosen(device), Path(name)
    bundled = str(name) == "tiny"
    if not bundled and not folder.is_dir():
        raise FileNotFoundError(
            f'there is no model called {str(name)!r}; "tiny" or a folder with codec, coarse and fine weights was '
            "expected"
        )
    parts = ("codec", "coarse", "fine")
    names = ("tiny", *parts[1:]) if bundled else tuple(folder / f"{part}.safetensors" for part in parts)
    codec = load_codec(names[0])
    coarse, fine = (load_model(name, codec) for name in names[1:])
    vamp = Vamp(codec, coarse, fine, "tiny" if bundled else folder.name)
    return (vamp if adapters is None else vamp.adapted(adapters)).to(where)
