"""Files: vamp a sound file of any length into another, block by block, so that half an hour needs the memory of three
minutes.

Of the whole only the tokens are held: 5 KB a second. Notebook: 08.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from vampkit.audio import LEVEL, Clip
from vampkit.audio.blocks import FileBlocks, loudness, save_blocks
from vampkit.codec import Codec, Tokens
from vampkit.errors import VampkitError
from vampkit.pipeline.run import hidden_in_any
from vampkit.pipeline.take import Given, TakeSettings, load_record, record_of, save_record
from vampkit.pipeline.vamp import Vamp
from vampkit.prompts import Prompt

SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".opus")
"""Suffixes of what counts as a sound in a folder."""
SHORT = 1.0
"""Seconds up to which a file is read at once: the loudness of the shortest sounds needs them repeated."""


def encode_file(codec: Codec, path: str | os.PathLike) -> Tokens:
    """Tokens of a sound file, as `codec.encode(Clip.load(path))` makes them.

    Once through it for its loudness, once for its codes.

    Raises FileNotFoundError, and VampkitError for files that are no sound.
    """
    file = FileBlocks(path)
    if file.length <= SHORT * file.rate:
        return codec.encode(Clip.load(path))
    level, length = loudness(file.mono(codec.rate), codec.rate)
    gain = LEVEL - level if np.isfinite(level) else 0.0
    blocks = (block[0] * np.float32(10 ** (gain / 20)) for block in file.mono(codec.rate))
    codes = torch.cat(list(codec.encode_blocks(blocks)), -1)[0]
    return Tokens(codes, codec.hash, codec.rate, codec.hop, codec.entries, length, file.rate, (gain,), Path(path).stem)


def vamp_file(
    vamp: Vamp,
    source: str | os.PathLike,
    target: str | os.PathLike,
    prompt: Prompt,
    *,
    progress: Callable[[int, int], None] | None = None,
    **settings,
) -> Path:
    """`vamp.vamp` from file to file in bounded memory, the record beside the sound.

    What is not finished leaves no file. Returns the sound's path.

    settings: those of `vampkit.pipeline.TakeSettings`. A prompt that listens (beats, onsets) needs the whole sound in
    memory for as long as it does. Raises what `Vamp.vamp` and `Clip.load` raise.
    """
    chosen, target, file = TakeSettings.asked(prompt, settings), Path(target), FileBlocks(source)
    given = _given(vamp, file, prompt)
    if chosen.restore:
        given.untouched(given.mask, file.rate)  # refuses what cannot be put back before anything is made
    blocks = vamp.blocks(given, chosen, file.piece if chosen.restore else None, progress)
    save_blocks(blocks, given.tokens.source_rate, target)
    save_record(record_of(given, hidden_in_any(given, chosen), chosen, vamp.name, vamp.weights), target)
    return target


def again_file(
    vamp: Vamp,
    record: dict | str | os.PathLike,
    source: str | os.PathLike,
    target: str | os.PathLike,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """The take of a record, made anew from its sound file.

    A mix is made in memory. Raises VampkitError where other models made it.
    """
    record = load_record(record)
    if "mix" in record:
        return vamp.again(record, Clip.load(source), progress=progress).save(target)
    vamp.check(record)
    return vamp_file(
        vamp, source, target, Prompt.from_json(record["prompt"]), progress=progress, **vars(TakeSettings.of(record))
    )


def pairs(source: Path, target: Path, takes: int = 1) -> Iterator[tuple[Path, Path, int]]:
    """Which file becomes which, and the number of the take.

    Of each sound in a folder, NAME.wav or NAME-1.wav and so on in the target folder.

    Raises FileNotFoundError for a folder without sounds, VampkitError where a take would overwrite what it is made
    from.
    """
    sounds = sorted(p for p in source.iterdir() if p.suffix.lower() in SOUNDS) if source.is_dir() else [source]
    if not sounds:
        raise FileNotFoundError(f"there is no sound in {source}; files that end in {', '.join(SOUNDS)} were expected")
    stems = [p.stem for p in sounds]
    for sound in sounds:
        # Two sounds of one name and different kinds keep their kind in the name of what is made of them.
        name = sound.stem if stems.count(sound.stem) == 1 else sound.name.replace(".", "-")
        out = target / f"{name}.wav" if source.is_dir() else target
        for take in range(takes):
            made = out if takes == 1 else out.with_name(f"{out.stem}-{take + 1}{out.suffix}")
            if made.resolve() == sound.resolve():
                raise VampkitError(f"{made} would be written over the sound it is made from; choose another target")
            yield sound, made, take


def _given(vamp: Vamp, file: FileBlocks, prompt: Prompt) -> Given:
    tokens = encode_file(vamp.codec, file.path)
    try:
        return vamp.given(tokens, prompt)
    except ValueError:  # it may listen; with the sound it says what else is wrong
        return vamp.given(tokens, prompt, Clip.load(file.path))
