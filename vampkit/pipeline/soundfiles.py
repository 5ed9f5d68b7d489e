"""Making takes from sound files of any length, or folders of them, with bounded memory. Notebook: 08."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from vampkit.audio.blocks import save_blocks
from vampkit.errors import VampkitError
from vampkit.files.outer import named, shown
from vampkit.files.written import same_file, usable
from vampkit.pipeline.settings import TakeSettings, take_settings, with_settings
from vampkit.pipeline.source import Kept
from vampkit.pipeline.take import load_record, own_target, save_record
from vampkit.pipeline.vamp import Vamp, called
from vampkit.prompts import Prompt

SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".opus")
"""Files in a folder count as sounds if they have one of these suffixes."""


@with_settings
def vamp_file(
    vamp: Vamp,
    source: str | os.PathLike,
    target: str | os.PathLike,
    prompt: Kept,
    *,
    progress: Callable[[int, int], None] | None = None,
    **settings,
) -> Path:
    """Make a take from a sound file and write it to another, with bounded memory. An unfinished file is removed.

    The take's record is written next to the target, as .json.

    Parameters
    ----------
    vamp : Vamp
        The pipeline.
    source, target : str or PathLike
        Sound files; the target is wav, flac or ogg.
    prompt : Prompt, str or mask
        What is kept, see `Vamp.vamp`. Prompts that analyse the sound (beats, onsets) load all of it into memory.
    progress : callable, optional
        See `Vamp.vamp`.
    **settings
        See `SETTINGS`.

    Returns
    -------
    Path
        The target.
    """
    return _to_file(vamp, source, target, prompt, take_settings(**settings), called(progress))


def again_file(
    vamp: Vamp,
    record: dict | str | os.PathLike,
    source: str | os.PathLike,
    target: str | os.PathLike,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Make the take of a record again from its sound file. A mix of takes is made in memory.

    A sound of another name than the record's is taken too, with a warning.

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
        The target.

    Raises
    ------
    VampkitError
        If the take was made by other models.
    """
    record = load_record(record)
    if record["source"] != (name := Path(source).stem):
        warnings.warn(
            f"this take was made from {shown(record['source'])}, not from {shown(name)}; with another sound it becomes "
            "another take",
            stacklevel=1,
        )
    if "mix" in record:
        own_target(target, source)
        return vamp.again(record, source, progress=progress).save(target)
    vamp.check(record)
    prompt, settings = Prompt.from_json(record["prompt"]), TakeSettings.of(record)
    return _to_file(vamp, source, target, prompt, settings, called(progress))


def _to_file(
    vamp: Vamp,
    source: str | os.PathLike,
    target: str | os.PathLike,
    prompt: Kept,
    settings: TakeSettings,
    progress: Callable | None,
) -> Path:
    path = own_target(target, source)
    sound, run = vamp.begin(source, prompt, settings)
    blocks, rate = vamp.blocks(sound, run, progress), sound.tokens.source_rate
    return save_blocks(blocks, rate, path, lambda: save_record(vamp.record(run), path))


def finished(vamp: Vamp, source: Path, target: Path, prompt: Prompt, settings: TakeSettings) -> bool:
    """Whether a take that would be made is there already, so that a run over a folder can go on where it stopped.

    Parameters
    ----------
    vamp : Vamp
        The pipeline.
    source, target : Path
        Sound files.
    prompt : Prompt
        What is kept.
    settings : TakeSettings
        Settings of the take.

    Returns
    -------
    bool
        True if the target has a record of the same models, prompt and settings, and is newer than its source.
    """
    try:
        record = load_record(target.with_suffix(".json"))
        vamp.check(record)
        same = record["prompt"] == prompt.to_json() and TakeSettings.of(record) == settings
        made = target.stat().st_mtime_ns
        older = (source, target.with_suffix(".json"))
        return (
            same
            and ("controls" in record) == bool(settings.follow)
            and all(path.stat().st_mtime_ns <= made for path in older)
        )
    except (VampkitError, OSError, KeyError):
        return False


def pairs(source: Path, target: Path, takes: int = 1) -> Iterator[tuple[Path, Path, int]]:
    """List the takes to make: from which file, and to which file.

    Parameters
    ----------
    source : Path
        A sound file or a folder of them.
    target : Path
        A sound file, or the folder for the files NAME.wav, or NAME-1.wav, NAME-2.wav and so on for several takes.
    takes : int
        Number of takes per source.

    Yields
    ------
    (Path, Path, int)
        Source, target, and the number of the take, from 0.

    Raises
    ------
    FileNotFoundError
        For a folder without sounds.
    ValueError
        For one sound and a folder to write to.
    VampkitError
        If a take would overwrite what it is made from.
    """
    with usable(source):
        folder = source.is_dir()
        sounds = sorted(p for p in source.iterdir() if p.suffix.lower() in SOUNDS) if folder else [source]
        if not folder and target.is_dir():
            example = named(target / f"{source.stem}-vamp.wav")
            raise ValueError(
                f"{named(target)} is a folder, a file was expected for one sound; name it, such as {example}"
            )
    if not sounds:
        raise FileNotFoundError(
            f"there is no sound in {named(source)}; files that end in {', '.join(SOUNDS)} were expected"
        )
    stems = [p.stem for p in sounds]
    for sound in sounds:
        # If two sounds differ only in their suffix, the names of their takes include the suffix.
        name = sound.stem if stems.count(sound.stem) == 1 else sound.name.replace(".", "-")
        out = target / f"{name}.wav" if folder else target
        for take in range(takes):
            made = out if takes == 1 else out.with_name(f"{out.stem}-{take + 1}{out.suffix}")
            if same_file(made, sound):
                raise VampkitError(
                    f"{named(made)} would be written over the sound it is made from; choose another target"
                )
            yield sound, made, take
