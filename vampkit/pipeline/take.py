"""Takes: what one is asked for with, how far it is, what came out, and the sound around it put back.

Paper: section 3.3. Notebook: 00, 05, 08.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vampkit.audio import Clip
from vampkit.codec import Tokens
from vampkit.errors import VampkitError
from vampkit.pipeline.windows import SHARED, Windows
from vampkit.prompts import Drawn, Prompt

FORMAT = "vampkit.take/1"
PASSES = 36
"""Coarse passes: the paper's best (section 4.3)."""
FINE_PASSES = 12
"""Coarse-to-fine passes of a take of PASSES coarse ones.

A take of more or fewer has as large a share of them, a third. Vamps of P = 16 with 12 lie nearer to the music than with
4 (0.88 of the Frechet distance on composed pieces, 0.95 on recordings); 24 bring little more (data/models/fine.md)."""
MASK_TEMPERATURE = 10.5
FINE_MASK_TEMPERATURE = 0.0
"""The same in the coarse-to-fine passes, where the reference keeps 10.5.

With the tiny models the surest tokens first lay a little nearer to the music: Frechet distance of P = 16 vamps of 16
composed pieces 8.0 in place of 8.3, of 16 excerpts of the valid split 11.2 with either."""
FADE = 0.01
"""Seconds over which a restored original turns into generated sound, on the generated side."""


@dataclass(frozen=True)
class TakeSettings:
    """All that decides a take beside its sound, its prompt and the models.

    seed: one seed gives one take. passes, fine_passes: of the coarse and of the fine model; the second is a third of
    the first where none is said.
    temperature: of the tokens.
    mask_temperature, fine_mask_temperature: noise on which tokens stay, in the coarse and in the fine passes; in a take
    the first is the prompt's own where none is said.
    top_p, top_k, min_p, typical, annealing: of the coarse passes, see vampkit.sampling.Settings; cutoff: of both.
    feedback: how often it is made, the output each time the next input. roll: frames by which the mask moves on each
    time, so that other frames are made anew; what comes in at the start is hidden as the first frame was, or as the end
    was in a loop. restore: put the original back wherever nothing is hidden.
    windows: how long sounds are cut.

    Raises ValueError for fewer than one pass.
    """

    seed: int = 0
    passes: int = PASSES
    fine_passes: int | None = None
    temperature: float = 1.0
    mask_temperature: float = MASK_TEMPERATURE
    fine_mask_temperature: float = FINE_MASK_TEMPERATURE
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    typical: float | None = None
    annealing: str = "linear"
    cutoff: float = 1.0
    feedback: int = 1
    roll: int = 1
    restore: bool = False
    windows: Windows = SHARED

    def __post_init__(self):
        _at_least_one(self.passes, "passes")
        if self.fine_passes is None:
            object.__setattr__(self, "fine_passes", max(1, round(self.passes * FINE_PASSES / PASSES)))
        _at_least_one(self.fine_passes, "fine passes")
        _at_least_one(self.feedback, "feedback passes")

    @classmethod
    def asked(cls, prompt: Prompt | Tensor, settings: dict) -> TakeSettings:
        """What was asked for with a prompt or a mask of one's own.

        The noise on the confidences is the prompt's where none was said.
        """
        usual = (
            prompt.recommended.get("mask_temperature", MASK_TEMPERATURE)
            if isinstance(prompt, Prompt)
            else MASK_TEMPERATURE
        )
        return cls(**{"mask_temperature": usual} | settings)

    @classmethod
    def of(cls, record: dict) -> TakeSettings:
        """The settings in a take's record."""
        given = {f.name: record[f.name] for f in fields(cls) if f.name in record}
        given.setdefault(
            "fine_mask_temperature", record.get("mask_temperature", MASK_TEMPERATURE)
        )  # one number was both in older records
        return cls(**{**given, "windows": Windows(**given.get("windows", {}))})

    @property
    def coarse(self) -> dict:
        """Settings of the coarse passes, for `sample`."""
        chosen = {name: getattr(self, name) for name in ("top_p", "top_k", "min_p", "typical", "annealing", "cutoff")}
        usual = {f.name: f.default for f in fields(self)}
        shared = {"passes": self.passes, "temperature": self.temperature, "mask_temperature": self.mask_temperature}
        return shared | {name: value for name, value in chosen.items() if value != usual[name]}

    @property
    def fine(self) -> dict:
        """Settings of the coarse-to-fine passes: no limits on what may be drawn, as in the reference (vampnet d8)."""
        return {
            "passes": self.fine_passes,
            "temperature": self.temperature,
            "mask_temperature": self.fine_mask_temperature,
            "cutoff": self.cutoff,
        }


def _at_least_one(value: int, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{value!r} {what} were asked for, a whole number of at least 1 was expected")


@dataclass(frozen=True)
class Given:
    """What a prompt made of a sound.

    Tokens to begin with, the mask [codebooks, frames] of what is hidden, and where the original lies.

    circular: its end is to meet its start. shift: frames by which the original was moved to the right. moved: whether
    kept frames are the original's at all.
    """

    tokens: Tokens
    mask: Tensor
    prompt: dict
    python: str
    circular: bool = False
    shift: int = 0
    moved: bool = False

    def untouched(self, mask: Tensor, rate: int) -> list[tuple[int, int]]:
        """Spans of samples, from and to, at a sample rate, in whose frames mask [codebooks, frames] hides nothing.

        Raises ValueError where the prompt moved what it keeps to other places.
        """
        if self.moved:
            raise ValueError(
                f"{self.python} moves what it keeps, so the original cannot be put back; leave restore out"
            )
        kept = torch.nn.functional.pad((~mask.any(0)).int(), (1, 1)).diff()
        spans = zip((kept == 1).nonzero()[:, 0].tolist(), (kept == -1).nonzero()[:, 0].tolist(), strict=True)
        samples = self.tokens.hop * rate / self.tokens.rate
        return [(round(a * samples), round(b * samples)) for a, b in spans]


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    done, total: passes and windows done, of how many. stage: "coarse" or "fine". settled: frames from the start on that
    will not change any more.
    takes: what came out, in the last one only.
    """

    done: int
    total: int
    stage: str
    settled: int
    base: Tensor = field(repr=False)
    left: Tensor = field(repr=False)
    seen: tuple[Tensor, Tensor, Tensor] | None = field(default=None, repr=False)
    takes: tuple[Take, ...] = ()

    @property
    def codes(self) -> Tensor:
        """Codes so far, [batch, codebooks, frames]; what they hold where still hidden does not count."""
        return self._with(self.base, 0)

    @property
    def mask(self) -> Tensor:
        """What is still hidden, bool [batch, codebooks, frames]."""
        return self._with(self.left.expand(self.base.shape), 1)

    @property
    def take(self) -> Take | None:
        """What came out, in the last one only."""
        return self.takes[0] if self.takes else None

    def _with(self, whole: Tensor, which: int) -> Tensor:
        whole = whole.clone()
        if self.seen:
            place, rows = self.seen[0], self.seen[1 + which]
            whole[:, : rows.shape[1], place] = rows
        return whole


@dataclass(frozen=True)
class Take:
    """One result of `Vamp.vamp`.

    clip: the sound. tokens, original: codes made and codes it began with, both [K, T] or [B, K, T]. mask: what was
    hidden, bool [K, T].
    record: settings that make it again, plain JSON.
    """

    clip: Clip
    tokens: Tokens
    original: Tokens
    mask: Tensor
    record: dict
    decode: Callable[[Tokens], Clip] | None = field(default=None, repr=False, compare=False)

    def save(self, path: str | os.PathLike) -> Path:
        """Write the sound, and its record beside it as .json. Returns the sound's path."""
        path = self.clip.save(path)
        save_record(self.record, path)
        return path

    def mix(self, other: Take, mask: Tensor) -> Take:
        """This take with the tokens of another where the mask, bool [codebooks, frames], is True.

        Raises TypeError and ValueError for takes and masks that do not fit. Notebook: 08.
        """
        if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
            raise TypeError(
                f"a mask of type {getattr(mask, 'dtype', type(mask).__name__)} was given, torch.bool was expected (True takes the other's tokens)"
            )
        if (
            other.tokens.codec != self.tokens.codec
            or other.tokens.codes.shape != self.tokens.codes.shape
            or mask.shape != self.mask.shape
        ):
            raise ValueError(
                f"takes of {tuple(self.tokens.codes.shape)} and {tuple(other.tokens.codes.shape)} tokens and a mask of {tuple(mask.shape)} were given; "
                "two takes of one sound and a mask [codebooks, frames] of their length were expected"
            )
        tokens = self.tokens.replace(codes=torch.where(mask, other.tokens.codes, self.tokens.codes))
        record = {"format": FORMAT, "mix": [self.record, other.record], "mask": Drawn(mask).to_json()}
        return replace(
            self, clip=self.decode(tokens), tokens=tokens, mask=torch.where(mask, other.mask, self.mask), record=record
        )


def record_of(given: Given, mask: Tensor, settings: TakeSettings, model: str, weights: str) -> dict:
    """Plain JSON that makes a take again: models, prompt and settings. python: the prompt as code, to read."""
    tokens = given.tokens
    return {
        "format": FORMAT,
        "model": model,
        "weights": weights,
        "codec": tokens.codec,
        "source": tokens.name,
        "credit": tokens.credit,
        "prompt": given.prompt,
        "python": given.python,
        **asdict(settings),
        "hidden": round(float(mask.float().mean()), 6),
    }


def save_record(record: dict, path: Path) -> None:
    """Write a record as .json beside the sound at path; beside first, then renamed."""
    part = path.with_suffix(".json.part")
    part.write_text(json.dumps(record, indent=1), encoding="utf-8")
    part.replace(path.with_suffix(".json"))


def load_record(record: dict | str | os.PathLike) -> dict:
    """A take's record, given as itself or as the path of its file.

    Raises FileNotFoundError, and VampkitError for anything else.
    """
    if not isinstance(record, dict):
        path = Path(record)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file at {path}; the .json beside a take was expected")
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise VampkitError(f"{path.name} is no JSON ({error}); the .json beside a take was expected") from None
    found = record.get("format") if isinstance(record, dict) else type(record).__name__
    if found != FORMAT:
        raise VampkitError(f"the format is {found!r}, {FORMAT!r} was expected; give the record of a take")
    return record


def rolled(mask: Tensor, frames: int, circular: bool) -> Tensor:
    """A mask [codebooks, frames] moved to the right; what comes in is as the first frame was, or around the circle."""
    if circular or not frames:
        return mask.roll(frames, -1)
    place = (torch.arange(mask.shape[-1]) - frames).clamp(0, mask.shape[-1] - 1)
    return mask[..., place]


def restored(
    blocks: Iterable[np.ndarray], original: Callable[[int, int], np.ndarray], spans: list[tuple[int, int]], fade: int
) -> Iterator[np.ndarray]:
    """Blocks [channels, samples] of a take, one after another, with the original put back in spans of samples.

    original: gives its samples [channels, samples] from one place to another. fade: samples beside a span over which it
    gives way: there the difference between original and take, mirrored at the border, is added and fades out. So
    nothing of the original that was hidden is heard, and no step either.
    """
    held, start, out, near = None, 0, 0, 0
    for block in chain(blocks, [None]):
        if block is not None:
            held = block if held is None else np.concatenate([held, block], 1)
        if held is None:
            return
        end = start + held.shape[1]
        upto = end if block is None else end - 2 * fade
        if upto <= out:
            continue
        while near < len(spans) and spans[near][1] + fade <= out:
            near += 1
        yield _put_back(held, start, out, upto, original, spans[near:], fade)
        drop = max(0, upto - 2 * fade - start)
        held, start, out = held[:, drop:], start + drop, upto


def _put_back(
    held: np.ndarray, start: int, out: int, upto: int, original: Callable, spans: list[tuple[int, int]], fade: int
) -> np.ndarray:
    """Samples out to upto of `restored`; held [channels, samples] begins at start."""
    result, exact, end = held[:, out - start : upto - start], [], start + held.shape[1]
    for a, b in spans:
        a, b = max(a, 0), min(b, end)
        if a - fade >= upto or a >= b:
            break
        low, high = max(a, start, out - 2 * fade), min(b, upto + 2 * fade)
        true = original(low, high)
        high = low + true.shape[1]  # resampling may have made the take a sample longer than the original
        b = min(b, high)
        if true.shape[0] > result.shape[0]:
            result, held = (np.repeat(x, true.shape[0], 0) for x in (result, held))
        else:
            result = result.copy() if not exact else result
        difference = true - held[:, low - start : high - start]
        k = np.arange(fade)
        weight = (1 - (k + 1) / (fade + 1)).astype(np.float32)
        for place, source in ((b + k, b - 1 - k), (a - 1 - k, a + k)):
            ok = (place >= out) & (place < upto) & (source >= low) & (source < high)
            result[:, place[ok] - out] += weight[ok] * difference[:, source[ok] - low]
        first, last = max(a, out), min(b, upto)
        if first < last:
            exact.append((first, true[:, first - low : last - low]))
    for first, true in exact:
        result[:, first - out : first - out + true.shape[1]] = true
    return result
