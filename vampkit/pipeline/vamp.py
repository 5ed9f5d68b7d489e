"""Vamp: the pipeline of codec, coarse model and coarse-to-fine model.

    clip --encode--> tokens --prompt--> mask --coarse, then fine--> tokens --decode--> clip

Long sounds are made window by window; the coarse model sees up to 10 s at once. The result is a Take.
Paper: section 3 and figure 1. Notebook: 00.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
from torch import Tensor, nn

from vampkit.audio import Clip
from vampkit.codec import Codec, Tokens
from vampkit.errors import VampkitError
from vampkit.files.outer import MOST_SEED, MOST_TAKES, number, path_of, shown
from vampkit.files.tensors import digest
from vampkit.model import MaskedTransformer
from vampkit.pipeline.devices import chosen
from vampkit.pipeline.follow import Follow, load_controls
from vampkit.pipeline.parts import Parts
from vampkit.pipeline.restore import check_restorable, restore
from vampkit.pipeline.run import Progress, Run
from vampkit.pipeline.settings import TakeSettings, take_settings, with_settings
from vampkit.pipeline.source import Kept, Sound, Source, shifted
from vampkit.pipeline.take import Take, load_record, record_of
from vampkit.prompts import Prompt
from vampkit.weights import load_adapters, load_codec, load_model
from vampkit.weights.adapters import adapter_files
from vampkit.weights.precision import lowered, resolved
from vampkit.weights.upstream import once


class Vamp:
    """A codec and two masked models for its tokens.

    Notebook: 00

    Parameters
    ----------
    codec : Codec
        Turns sound into tokens and back.
    coarse : MaskedTransformer
        The model that predicts the first codebooks.
    fine : MaskedTransformer, optional
        The coarse-to-fine model, which predicts the other codebooks from the first ones; None: takes hold only the
        codebooks of the coarse model.
    name : str
        Name of the pipeline in records.
    controls : ModuleDict, optional
        Adapters that follow controls, by the name of their model: "coarse", "fine"; None: nothing can be followed.

    Raises
    ------
    VampkitError
        If the numbers of codebooks do not fit together.
    """

    def __init__(
        self,
        codec: Codec,
        coarse: MaskedTransformer,
        fine: MaskedTransformer | None,
        name: str = "custom",
        controls: nn.ModuleDict | None = None,
    ):
        made, shape = coarse.config.codebooks, None if fine is None else fine.config
        given, all_of_it = (made, codec.codebooks) if shape is None else (shape.conditioning, shape.codebooks)
        if given != made or all_of_it != codec.codebooks or made > codec.codebooks:
            raise VampkitError(
                f"the coarse model makes {made} codebooks, the fine one is given {given} of {all_of_it}, "
                f"the codec has {codec.codebooks}; they must fit together"
            )
        entries = sorted({coarse.config.entries, coarse.config.entries if shape is None else shape.entries})
        if entries != [codec.entries] or coarse.config.conditioning:
            raise VampkitError(
                f"the models have {' and '.join(map(str, entries))} entries, the coarse one is given "
                f"{coarse.config.conditioning} codebooks, {codec.entries} and none were expected; load others"
            )
        self.codec, self.coarse, self.fine, self.name, self.controls = codec, coarse, fine, name, controls
        self.precision = "float32"

    def to(self, device: str) -> Vamp:
        """Move codec and models to a device.

        Parameters
        ----------
        device : str
            Such as "cpu" or "cuda".

        Returns
        -------
        Vamp
            The pipeline itself.
        """
        self.codec.to(device)
        for part in (self.coarse, self.fine, self.controls):
            if part is not None:
                part.to(device)
        return self

    @cached_property
    def weights_hash(self) -> str:
        """A hash of the models. Records hold it, so that a take is only made again by the same models."""
        return digest(*(model.state_dict() for model in (self.coarse, self.fine) if model is not None))

    def lowered(self, precision: str) -> Vamp:
        """Turn both models into models of lower precision, in place; see `load_vamp`.

        Parameters
        ----------
        precision : str
            "float32", "bf16", "int8" or "auto".

        Returns
        -------
        Vamp
            The pipeline itself.

        Raises
        ------
        ValueError
            For an unknown precision, or one that the device does not have.
        """
        precision = resolved(precision, self.codec.device.type)
        if precision == self.precision:
            return self
        if self.precision != "float32":
            raise ValueError(f"these models are {self.precision} already; load them anew for {precision}")
        self.precision, _ = precision, self.weights_hash  # the hash names the weights as they were stored
        for model in filter(None, (self.coarse, self.fine)):
            lowered(model, precision)
        if self.controls is not None:
            self.controls.to(next(self.coarse.parameters()).dtype)
        return self

    @property
    def licence(self) -> str:
        """The licence of the models' weights, such as "CC BY-NC-SA 4.0"; "" if they have none of their own."""
        return self.coarse.licence

    @with_settings
    def vamp(
        self, sound: Sound, prompt: Kept, *, progress: Callable[[int, int], None] | None = None, **settings
    ) -> Take:
        """Hide what the prompt does not keep, fill it in, and turn it into sound (paper, section 3.3).

        Notebook: 00

        Parameters
        ----------
        sound : Clip, Tokens, str or PathLike
            A clip of any length, tokens of this codec, or the path of a sound file.
        prompt : Prompt, str, Tensor or ndarray
            What is kept: a prompt, its words such as "periodic:7", or your own mask, bool [codebooks, frames], True =
            hidden.
        progress : callable, optional
            Called as `progress(done, total)` with the number of passes and windows that are done, and of all.
        **settings
            See `SETTINGS`.

        Returns
        -------
        Take
            Sound, tokens, and the record that makes it again.

        Raises
        ------
        TypeError, ValueError, VampkitError
            For settings, masks or tokens that do not fit.
        """
        return self.takes(sound, prompt, 1, progress=progress, **settings)[0]

    @with_settings
    def takes(
        self,
        sound: Sound,
        prompt: Kept,
        count: int,
        *,
        progress: Callable[[int, int], None] | None = None,
        **settings,
    ) -> list[Take]:
        """Make several takes in one batch. Each one equals the result of `vamp` with the seed in its record.

        Notebook: 07

        Parameters
        ----------
        sound, prompt : Clip and Prompt
            See `vamp`.
        count : int
            Number of takes, with seeds `seed`, `seed` + 1 and so on.
        progress : callable, optional
            See `vamp`.
        **settings
            See `SETTINGS`.

        Returns
        -------
        list of Take
            In order of their seeds.
        """
        return self._finish(sound, prompt, take_settings(**settings), count, called(progress))

    @with_settings
    def steps(self, sound: Sound, prompt: Kept, *, count: int = 1, **settings) -> Iterator[Progress]:
        """Make takes pass by pass. If you stop iterating, the run stops.

        Notebook: 08

        Parameters
        ----------
        sound, prompt : Clip and Prompt
            See `vamp`.
        count : int
            Number of takes. Codes and mask of each Progress are [count * items, codebooks, frames].
        **settings
            See `SETTINGS`.

        Yields
        ------
        Progress
            One per coarse pass, one per fine window, and a last one that holds the takes.
        """
        return self._steps(*self.begin(sound, prompt, take_settings(**settings), count))

    @with_settings
    def stream(self, sound: Sound, prompt: Kept, **settings) -> Iterator[Clip]:
        """Yield the sound of a take in blocks, each as soon as it is made. Joined, they equal the clip of `vamp`.

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
            A block. A loop is one single block.
        """
        source, run = self.begin(sound, prompt, take_settings(**settings))
        tokens = source.tokens
        return (Clip(b, tokens.source_rate, tokens.name, tokens.credit) for b in self.blocks(source, run))

    def again(
        self, record: dict | str | os.PathLike, sound: Sound, *, progress: Callable[[int, int], None] | None = None
    ) -> Take:
        """Make the take of a record again from the same sound.

        Notebook: 08

        Parameters
        ----------
        record : dict, str or PathLike
            The record, or its file.
        sound : Clip, Tokens, str or PathLike
            The sound that the take was made from.
        progress : callable, optional
            See `vamp`.

        Returns
        -------
        Take
            The same take.

        Raises
        ------
        VampkitError
            If the take was made by other models.
        """
        record = load_record(record)
        if "mix" in record:
            first, second = (self.again(part, sound, progress=progress) for part in record["mix"])
            return first.mix(second, Prompt.from_json(record["mask"]).mask(first.tokens))
        self.check(record)
        prompt, settings = Prompt.from_json(record["prompt"]), TakeSettings.of(record)
        return self._finish(sound, prompt, settings, 1, called(progress))[0]

    def check(self, record: dict) -> None:
        """Raise an error if the take of a record was made by other models.

        Parameters
        ----------
        record : dict
            Record of a take.

        Raises
        ------
        VampkitError
            If the record names another codec or other models.
        """
        parts = [("codec", self.codec.hash), ("weights", self.weights_hash)]
        if record.get("precision", "float32") != self.precision:
            raise VampkitError(
                f"this take was made in {record.get('precision', 'float32')}, this pipeline computes in "
                f"{self.precision}; load it with the precision of the take"
            )
        if "controls" in record:
            parts.append(("controls", "none" if self.controls is None else digest(self.controls.state_dict())))
        for what, mine in parts:
            if record[what] != mine:
                raise VampkitError(
                    f"this take was made with {what} {str(record[what])[:8]} of {shown(record['model'])}, "
                    f"this pipeline ({self.name!r}) has {mine[:8]}; load the models that made it"
                )

    def adapted(self, folder: str | os.PathLike) -> Vamp:
        """Make a copy of the pipeline with the adapters that `vampkit finetune` wrote.

        Notebook: 12

        Parameters
        ----------
        folder : str or PathLike
            A folder with coarse.safetensors, fine.safetensors or both; or with coarse.pth or c2f.pth of the reference
            code; or a single lora.pth.

        Returns
        -------
        Vamp
            A new pipeline with the same codec.

        Raises
        ------
        FileNotFoundError
            If the folder holds neither file.
        ValueError
            For a pipeline of lower precision.
        VampkitError
            For adapters of other models.
        """
        if self.precision != "float32":
            raise ValueError(f"these models are {self.precision}; give the adapters to load_vamp with the precision")
        folder = path_of(folder, "folder of adapters")
        files = adapter_files(folder, self.coarse, self.fine)
        if not files:
            raise FileNotFoundError(
                f"there are no adapters in {folder}; make some with `vampkit finetune DIR --out {folder}`"
            )
        coarse = load_adapters(files["coarse"], self.coarse) if "coarse" in files else self.coarse
        fine = load_adapters(files["fine"], self.fine) if self.fine is not None and "fine" in files else self.fine
        return Vamp(self.codec, coarse, fine, f"{self.name} with {folder.name}", self.controls)

    def begin(self, sound: Sound, prompt: Kept, settings: TakeSettings, count: int = 1) -> tuple[Source, Run]:
        """Encode the sound, apply the prompt and plan the windows. All methods that make takes start here.

        Parameters
        ----------
        sound, prompt : Clip and Prompt
            See `vamp`.
        settings : TakeSettings
            Settings of the takes.
        count : int
            Number of takes.

        Returns
        -------
        source : Source
            The encoded sound.
        run : Run
            The run, ready to be iterated over.

        Raises
        ------
        TypeError, ValueError, VampkitError
            If sound, prompt and settings do not fit together.
        """
        count = number("the number of takes is ", count, 1, MOST_TAKES, whole=True)
        number("the seed of the last take is ", settings.seed + count - 1, high=MOST_SEED, whole=True)
        source = Source.of(shifted(sound, settings.pitch_shift), self.codec, stereo=settings.stereo)
        if self.fine is None:
            source = source.first(self.coarse.config.codebooks)
        prompted = source.prompted(prompt)
        if settings.restore:
            check_restorable(source, prompted)
        follow = None
        if settings.follow:
            if self.controls is None:
                raise VampkitError(
                    f"{self.name!r} has no controls, so it cannot follow; train some with `vampkit train controls`, "
                    "and put controls.safetensors beside its models"
                )
            frames, how = prompted.tokens.frames, (settings.strength, settings.guidance)
            follow = Follow(self.controls, settings.follow, frames, *how)
        return source, Run(self.coarse, self.fine, prompted, settings, count, follow)

    def blocks(
        self, source: Source, run: Run, progress: Callable[[int, int], None] | None = None
    ) -> Iterator[np.ndarray]:
        """Do a run of one take, and yield its sound in blocks, each as soon as it is made.

        Parameters
        ----------
        source : Source
            The source of the run.
        run : Run
            A run with one take.
        progress : callable, optional
            See `vamp`.

        Yields
        ------
        ndarray
            A block [channels, samples] at the source's sample rate.
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
        """Give the record of one take of a run, as plain JSON.

        Parameters
        ----------
        run : Run
            The run.
        take : int
            Number of the take, from 0.

        Returns
        -------
        dict
            The record.
        """
        settings = replace(run.settings, seed=run.settings.seed + take)
        record = record_of(run.prompted, run.mask, settings, self.name, self.weights_hash)
        record |= {"licence": self.licence} if self.licence else {}
        record |= {"precision": self.precision} if self.precision != "float32" else {}
        return record | ({"controls": digest(run.follow.adapters.state_dict())} if run.follow else {})

    def _steps(self, source: Source, run: Run) -> Iterator[Progress]:
        """The progress of a run. The takes are added to the last Progress."""
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
        self, sound: Sound, prompt: Kept, settings: TakeSettings, count: int, progress: Callable | None
    ) -> list[Take]:
        """All takes of a run."""
        for at in self._steps(*self.begin(sound, prompt, settings, count)):
            if progress:
                progress(at.done, at.total)
        return list(at.takes)

    def __repr__(self) -> str:
        return f"Vamp({self.name!r}, {self.codec!r})"


def called(progress: Callable[[int, int], None] | None) -> Callable[[int, int], None] | None:
    """Check, before any work is done, that progress can be told. Raises TypeError otherwise."""
    if progress is not None and not callable(progress):
        raise TypeError(f"progress is {shown(progress)}, a function of (done, total) was expected; leave it out")
    return progress


def load_vamp(
    name: str | os.PathLike = "tiny",
    adapters: str | os.PathLike | None = None,
    device: str = "cpu",
    precision: str = "float32",
) -> Vamp:
    """Load a pipeline: the bundled one, the published VampNet, or one from a folder.

    Notebook: 00

    Parameters
    ----------
    name : str or PathLike
        "tiny" (bundled); "vampnet" (the paper's models, 3 GB, downloaded once; their weights are under CC BY-NC-SA
        4.0); "vampnet/NAME" (a published fine-tune, see `vampkit.weights.finetunes`); or a folder that holds codec,
        coarse and fine as .safetensors, or codec, coarse and c2f as .pth. Without fine or c2f the coarse model is used
        alone.
    adapters : str or PathLike, optional
        A folder of adapters for these models, written by `vampkit finetune`, or a lora.pth.
    device : str
        "cpu", "cuda", "mps", or "auto" (a GPU if there is one). Devices round differently, so a record gives exactly
        the same take only on the same kind of device.
    precision : str
        "float32" is exact. "bf16" halves the memory, and is faster on a GPU and on some processors, see
        `bf16_is_fast`. "int8" is the fastest on a processor with VNNI, and changes more tokens. "auto" is "bf16" where
        that is faster, else "float32". What each costs: `python -m tests.bench.bench_speed`.

    Returns
    -------
    Vamp
        The pipeline.

    Raises
    ------
    FileNotFoundError
        For an unknown name.
    ValueError
        For an unknown device or precision, or for one that is not there.
    VampkitError
        For files that do not fit together, or that cannot be fetched.
    """
    where = chosen(device)
    resolved(precision, where)  # refuses it before anything is fetched or read
    parts = Parts.of(name)
    with once():
        codec = load_codec(parts.codec)
        coarse = load_model(parts.coarse, codec)
        fine = None if parts.fine is None else load_model(parts.fine, codec)
    models = {"coarse": coarse} | ({} if fine is None else {"fine": fine})
    controls = load_controls(parts.controls, models) if parts.controls.is_file() else None
    vamp = Vamp(codec, coarse, fine, parts.name, controls)
    return (vamp if adapters is None else vamp.adapted(adapters)).to(where).lowered(precision)
