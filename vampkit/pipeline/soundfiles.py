"""Sound files of any length, and folders of them, vamped in bounded memory. Notebook: 08."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from vampkit.audio.blocks import save_blocks
from vampkit.errors import VampkitError
from vampkit.pipeline.settings import TakeSettings, take_settings, with_settings
from vampkit.pipeline.take import load_record, save_record
from vampkit.pipeline.vamp import Vamp
from vampkit.prompts import Prompt

SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".opus")
"""Suffixes of what counts as a sound in a folder."""


@with_settings
def vamp_file(
    vamp: Vamp,
    source: str | os.PathLike,
    target: str | os.PathLike,
    prompt: Prompt,
    *,
    progress: Callable[[int, int], None] | None = None,
    **settings,
) -> Path:
    """Vamp from file to file in bounded memory, the record beside the sound; what is not finished leaves no file.

    Parameters
    ----------
    vamp : Vamp
        The pipeline.
    source, target : str or PathLike
        Sound files; target is wav, flac or ogg.
    prompt : Prompt
        What is kept. One that listens (beats, onsets) needs the whole sound in memory for as long as it does.
    progress : callable, optional
        See `Vamp.vamp`.
    **settings
        See `SETTINGS`.

    Returns
    -------
    Path
        Of the target.
    """
    return _to_file(vamp, source, Path(target), prompt, take_settings(**settings), progress)


def again_file(
    vamp: Vamp,
    record: dict | str | os.PathLike,
    source: str | os.PathLike,
    target: str | os.PathLike,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Make the take of a record anew from its sound file. A mix is made in memory.

    Parameters
    ----------
    vamp : Vamp
        The pipeline.
    record : dict, str or PathLike
        The record, or its file.
    source, target : str or PathLike
        Sound files.
    progress : callable, optional
        See `Vamp.vamp`.

    Returns
    -------
    Path
        Of the target.

    Raises
    ------
    VampkitError
        If other models made it.
    """
    record = load_record(record)
    if "mix" in record:
        return vamp.again(record, source, progress=progress).save(target)
    vamp.check(record)
    return _to_file(vamp, source, Path(target), Prompt.from_json(record["prompt"]), TakeSettings.of(record), progress)


def _to_file(
    vamp: Vamp,
    source: str | os.PathLike,
    target: Path,
    prompt: Prompt,
    settings: TakeSettings,
    progress: Callable | None,
) -> Path:
    sound, run = vamp.begin(source, prompt, settings)
    save_blocks(vamp.blocks(sound, run, progress), sound.tokens.source_rate, target)
    save_record(vamp.record(run), target)
    return target


def pairs(source: Path, target: Path, takes: int = 1) -> Iterator[tuple[Path, Path, int]]:
    """Which file becomes which.

    Parameters
    ----------
    source : Path
        A sound file or a folder of them.
    target : Path
        A sound file, or the folder that NAME.wav, or NAME-1.wav and so on, go to.
    takes : int
        How many of each.

    Yields
    ------
    (Path, Path, int)
        Source, target, and the number of the take, from 0.

    Raises
    ------
    FileNotFoundError
        For a folder without sounds.
    VampkitError
        If a take would overwrite what it is made from.
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
