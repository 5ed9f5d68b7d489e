"""The verbs of the command line. Each calls the library. `--help` shows their signatures and docstrings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from vampkit.errors import VampkitError
from vampkit.files.outer import named
from vampkit.files.written import alone, writable

if TYPE_CHECKING:
    from vampkit.cli.copying import Laid

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["float32", "bf16", "int8", "auto"]


def demo(out: Path = Path("demo"), clip: str = "03", seconds: float = 10.0, seed: int = 0) -> None:
    """Make six takes of a bundled clip; one follows its rhythm.

    Parameters
    ----------
    out : Path
        Folder for the sounds, a summary and a picture.
    clip : str
        A bundled clip; the start of its name is enough.
    seconds : float
        How many seconds of it are used.
    seed : int
        Seed of the takes.
    """
    from vampkit.cli.demo import run

    run(out, clip, seconds, seed)


def lab(port: int = 8888, copy: Path | None = None, open: bool = True) -> None:
    """Open the notebooks in JupyterLab.

    Parameters
    ----------
    port : int
        Port that JupyterLab listens on. Only this machine can reach it, with the token that the lab prints.
    copy : Path, optional
        A folder of your own. The notebooks are copied there and opened there; run again, it brings the copies up to
        date. What you changed is never written over. Without it, the lab edits the notebooks in place.
    open : bool
        Open the lab; --no-open only copies.
    """
    import signal
    import subprocess

    from vampkit.cli.copying import lay_out, notebooks_folder

    if copy is not None:
        where = copy
        _tell(lay_out(copy), copy)
    else:
        where = notebooks_folder() or Path.cwd()
        print(f"the lab edits the notebooks in {where}; `vampkit lab --copy DIR` leaves them as they are", flush=True)
    if not open:
        return
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={where}", f"--port={port}", "--ip=localhost"]
    process = subprocess.Popen(words, env=os.environ | quiet_lab())
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())  # the lab ends with the command that began it
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        code = process.wait()
    raise SystemExit(code)


def _tell(laid: Laid, folder: Path) -> None:
    """Say what became of the files in a folder of one's own."""
    counts = {"new": laid.new, "brought up to date": laid.updated, "as before": laid.same, "kept": laid.kept}
    print(f"{named(folder)}: " + ", ".join(f"{len(names)} {what}" for what, names in counts.items() if names))
    for name in laid.kept:
        print(f"kept {name}, which is yours; to get ours as well, rename yours and run this again", flush=True)


def doctor() -> None:
    """Say what this machine lacks for the notebooks, if anything."""
    from vampkit.cli.doctor import run

    wrong = [name for name, finding in run().items() if finding.state == "wrong"]
    print(f"wrong: {', '.join(wrong)}" if wrong else "nothing is wrong", flush=True)
    raise SystemExit(1 if wrong else 0)


def quiet_lab() -> dict[str, str]:
    """Make environment variables with which JupyterLab does not ask about news or look for updates when it starts.

    With them it also reads `labconfig/default_setting_overrides.json` in this folder. What the user sets in JupyterLab
    takes precedence.

    Returns
    -------
    dict
        Names and values of the variables.
    """
    folders = [str(Path(__file__).parent), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    return {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, folders))}


def vamp(
    source: Annotated[Path, arg(metavar="IN")],
    target: Annotated[Path, arg(metavar="OUT")],
    prompt: str = "periodic:7",
    follow: tuple[str, ...] = (),
    takes: int = 1,
    recommended: bool = False,
    model: str = "tiny",
    adapters: Path | None = None,
    device: Device = "cpu",
    precision: Precision = "float32",
    **settings,
) -> None:
    """Make takes of a sound file, or of each one in a folder.

    Parameters
    ----------
    source : Path
        A sound file of any length, or a folder of them.
    target : Path
        A wav, flac or ogg file; a folder if IN is one. The record of each take is written next to it as JSON. Takes
        that are there are replaced, other files never. With a folder, the same command goes on where it stopped.
    prompt : str
        What is kept, see below.
    follow : tuple of str
        What is followed, such as rhythm:drums.wav or harmony:song.wav; rhythm, harmony or loudness, each at most once.
    takes : int
        Number of takes: OUT-1.wav, OUT-2.wav and so on, with seeds SEED, SEED + 1 and so on. Ctrl-C keeps the finished
        ones.
    recommended : bool
        Use the settings that the prompt recommends.
    model : str
        "tiny", "vampnet" (the published models, downloaded once), "vampnet/NAME", or a folder of weights.
    adapters : Path, optional
        A folder that `vampkit finetune` wrote, or a lora.pth.
    device : str
        cuda is faster, but rounds differently, so its takes differ from those of cpu. auto is cuda if there is a GPU.
        mps has not been tested.
    precision : str
        bf16 and int8 are faster where the processor has them, and change some tokens; auto is bf16 where it is fast.
    **settings
        See `SETTINGS`.
    """
    from vampkit.controls.kinds import from_word
    from vampkit.pipeline import load_vamp, take_settings, vamp_file
    from vampkit.pipeline.soundfiles import finished, pairs
    from vampkit.pipeline.take import own_target
    from vampkit.prompts import parse

    chosen, seed = parse(prompt), settings.pop("seed")
    plan = [(sound, own_target(made, sound), take) for sound, made, take in pairs(source, target, takes)]
    settings["follow"] = tuple(from_word(word) for word in follow)
    if not follow and (idle := [name for name in ("strength", "guidance") if settings[name] != 1]):
        raise ValueError(f"--{idle[0]} is given, but nothing is followed; add --follow rhythm:FILE, or leave it out")
    better = {name: value for name, value in chosen.recommended.items() if settings[name] != value}
    if recommended:
        settings |= better
    elif better:
        words = " ".join(f"--{name.replace('_', '-')} {value:g}" for name, value in better.items())
        print(f"this prompt recommends {words}; --recommended uses it", file=sys.stderr)
    for take in range(takes):
        take_settings(seed=seed + take, **settings)  # raises an error before the models are loaded
    models, many, failed = load_vamp(model, adapters, device, precision), len(plan) > takes, {}
    if there := sum(made.exists() for _, made, _ in plan):
        what = "1 take is there already and is" if there == 1 else f"{there} takes are there already and are"
        print(f"{what} replaced{' if the settings are others' if many else ''}", file=sys.stderr)
    with alone(target) if many else nullcontext():
        for sound, made, take in plan:
            try:
                if not (many and finished(models, sound, made, chosen, take_settings(seed=seed + take, **settings))):
                    with _bar(made.name) as progress:
                        vamp_file(models, sound, made, chosen, progress=progress, seed=seed + take, **settings)
                print(made, flush=True)
            except (VampkitError, ValueError, TypeError, OSError) as error:
                if not many:
                    raise
                reason = str(error).removeprefix(f"{named(sound)} ")
                failed[made] = f"failed: {named(sound)}: {reason}"
    for line in dict.fromkeys(failed.values()):
        print(line, file=sys.stderr)
    if failed:
        raise VampkitError(
            f"{len(failed)} of {len(plan)} takes were not made, all were expected; mend what failed and run the same "
            "command again, it goes on from there"
        )


def again(
    record: Annotated[Path, arg(metavar="RECORD")],
    source: Annotated[Path, arg(metavar="IN")],
    target: Annotated[Path, arg(metavar="OUT")],
    model: str = "tiny",
    adapters: Path | None = None,
    device: Device = "cpu",
    precision: Precision = "float32",
) -> None:
    """Make a take again from its record.

    Parameters
    ----------
    record : Path
        The JSON file next to the take.
    source : Path
        The sound that the take was made from.
    target : Path
        A wav, flac or ogg file.
    model : str
        "tiny", "vampnet" (the published models, downloaded once), "vampnet/NAME", or a folder of weights.
    adapters : Path, optional
        A folder that `vampkit finetune` wrote, or a lora.pth.
    device : str
        The kind of device that the take was made on.
    precision : str
        The precision that the take was made in.
    """
    from vampkit.pipeline import again_file, load_vamp

    with _bar(target.name) as progress:
        again_file(load_vamp(model, adapters, device, precision), record, source, target, progress=progress)
    print(target)


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar if the output is a terminal. Yields a function of (done, total) that moves it."""
    from tqdm.auto import tqdm

    with tqdm(desc=name, disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def data_fetch(target: Path | None = None, sets: str = "core", splits: str = "train,valid,test") -> None:
    """Fetch freely licensed music to train on (Debian, Ubuntu).

    Parameters
    ----------
    target : Path, optional
        Folder for the music; if left out, a folder in the cache.
    sets : str
        Sets of the list of tracks to fetch, joined by commas.
    splits : str
        Splits of the list of tracks to fetch, joined by commas.
    """
    from vampkit.train import fetch_music

    fetch_music(target, tuple(sets.split(",")), tuple(splits.split(",")))


def data_build(
    sources: Positional[tuple[Path, ...]] = (),
    out: Path = Path("tokens"),
    codec: str = "tiny",
    composed: int = 0,
    first_seed: int = 0,
    seconds: float = 30.0,
    floor: float = -45.0,
    processes: int = 1,
    mirdata: tuple[str, ...] = (),
) -> None:
    """Turn sound into a store of tokens to train on.

    Parameters
    ----------
    sources : tuple of Path
        Folders of sound. If the command is stopped, run it again to continue.
    out : Path
        Folder for the store.
    codec : str
        Name or path of the codec.
    composed : int
        Number of pieces to add from the package's own composer.
    first_seed : int
        Seed of the first of these pieces; the others follow.
    seconds : float
        Length of each of these pieces.
    floor : float
        Blocks of 3 s with a loudness below this, in LUFS, are left out.
    processes : int
        Number of processes that encode.
    mirdata : tuple of str
        mirdata datasets as name=folder. Their annotations are kept.
    """
    from vampkit.train import build_store

    if wrong := [word for word in mirdata if "=" not in word]:
        raise ValueError(f"mirdata is given {wrong[0]!r}, name=folder was expected")
    homes = dict(word.split("=", 1) for word in mirdata)
    pieces = dict(composed=composed, first_seed=first_seed, seconds=seconds)
    store = build_store(sources, out, codec, **pieces, mirdata=homes, floor=floor, processes=processes)
    minutes = sum(row["frames"] for row in store.tracks) * store.settings["hop"] / store.settings["rate"] / 60
    print(f"{len(store)} tracks, {minutes:.1f} minutes, in {out}; {len(store.skipped)} skipped")
    for row in store.skipped:
        print(f"skipped {row['source']}: {row['error']}")


def train(
    what: Literal["codec", "coarse", "fine", "tagger", "controls", "painter"],
    preset: Literal["ci", "laptop", "guided", "bundled", "gpu", "paper"] = "laptop",
    out: Path | None = None,
    music: Path | None = None,
    codec: str = "tiny",
    composed: int = 400,
    minutes: float | None = None,
    store: Path | None = None,
    valid_store: Path | None = None,
    stream: int = 0,
    start: str | None = None,
    device: Device = "auto",
    accumulate: int = 1,
    compile: bool = False,
    tensorboard: bool = False,
    audio_every: int | None = None,
    processes: int = 1,
) -> None:
    """Train a codec, a model, the tagger, controls or painter.

    Parameters
    ----------
    what : str
        What to train. The tagger is trained on its own composed music and takes only PRESET, OUT and MINUTES; controls
        take PRESET, OUT, MUSIC, COMPOSED, MINUTES, START and DEVICE. The painter takes PRESET and OUT.
    preset : str
        Size of the model and length of the training. guided: controls that are there already (--start) learn to do by
        one call what guidance does by two.
    out : Path, optional
        Folder of the run; if left out, a folder in the cache. A run that is there is continued.
    music : Path, optional
        Folder that `vampkit data fetch` filled; without it, only composed music is used.
    codec : str
        Name or path of the codec whose tokens a masked model learns.
    composed : int
        Number of composed pieces.
    minutes : float, optional
        Stop after this time. Run the same command again to continue.
    store : Path, optional
        Store that `vampkit data build` made, used instead of music (masked models).
    valid_store : Path, optional
        Such a store for validation.
    stream : int
        Number of processes that compose new music during training, instead of pieces made before (masked models). A GPU
        needs many.
    start : str, optional
        A codec, a model or adapters to start from.
    device : str
        auto is a GPU if there is one. For several GPUs: `torchrun --nproc-per-node N -m vampkit.cli train ...`.
    accumulate : int
        Number of parts into which a batch is split to save memory (masked models).
    compile : bool
        Use torch.compile (masked models).
    tensorboard : bool
        Write curves to OUT/tensorboard (masked models).
    audio_every : int, optional
        Write sounds to OUT/audio every so many steps (masked models).
    processes : int
        Number of processes that compose the pieces before training.
    """
    if what in ("codec", "tagger", "controls", "painter") and (
        accumulate != 1 or compile or tensorboard or audio_every is not None
    ):
        raise ValueError(
            "--accumulate, --compile, --tensorboard and --audio-every are for masked models; leave them out for the "
            f"{what}"
        )
    if what == "tagger":
        if music or store or valid_store or stream or start:
            raise ValueError(
                "the tagger is trained on composed music of its own; leave --music, --store, --valid-store, --stream "
                "and --start out"
            )
        from vampkit.train import train_tagger

        path = train_tagger(preset, out, minutes)
    elif what == "painter":
        if music or store or valid_store or stream or start or minutes is not None or processes != 1:
            raise ValueError(
                "the painter is trained on covers of its own in one go; leave --music, --store, --valid-store, "
                "--stream, --start, --minutes and --processes out"
            )
        from vampkit.train import train_painter

        path = train_painter(preset, out)
    elif what == "controls":
        if store or valid_store or stream:
            raise ValueError(
                "controls are trained on sound, of which curves are taken; leave --store, --valid-store and "
                "--stream out"
            )
        from vampkit.train import train_controls

        path = train_controls(preset, "tiny", out, music, composed, minutes, device, start)
    elif what == "codec":
        if store or valid_store or stream:
            raise ValueError("a codec is trained on sound, --music was expected in place of --store and --stream")
        from vampkit.pipeline.devices import chosen
        from vampkit.train import train_codec

        path = train_codec(preset, out, music, composed, minutes, chosen(device), start, processes)
    else:
        from vampkit.train import train_masked

        options = dict(accumulate=accumulate, compile=compile, tensorboard=tensorboard)
        options |= {} if audio_every is None else {"audio_every": audio_every}
        data = (music, composed, minutes, device, store, valid_store, stream, start, processes)
        path = train_masked(what, preset, codec, out, *data, **options)
    print(path if path else "time is up; the same command goes on from here")


def finetune(
    folder: Annotated[Path, arg(metavar="FOLDER")],
    out: Path | None = None,
    model: str = "tiny",
    steps: int = 600,
    rank: int = 8,
    seed: int = 0,
    minutes: float | None = None,
    device: Device = "auto",
) -> None:
    """Teach the models the style of a folder of music.

    Parameters
    ----------
    folder : Path
        A folder with some minutes of music. A part of it is held out to measure the gain.
    out : Path, optional
        Folder for the adapters (half a megabyte), for `vampkit vamp IN OUT --adapters DIR`. Needs the extra peft.
    model : str
        "tiny", or a folder of weights.
    steps : int
        Training steps of each of the two models.
    rank : int
        Rank of the adapters.
    seed : int
        Seed of the training.
    minutes : float, optional
        Time limit for each of the two models. Run the same command again to continue.
    device : str
        auto is a GPU if there is one.
    """
    from vampkit.train import AdapterPreset
    from vampkit.train import finetune as run

    settings = AdapterPreset(steps=steps, rank=rank, seed=seed)
    made = run(folder, out, model, settings=settings, minutes=minutes, device=device)
    if made is None:
        print("time is up; the same command goes on from here")
        return
    for kind, gain in made.gain.items():
        print(f"{kind}: {made.before[kind].mean:.2f} nats before, {made.after[kind].mean:.2f} after; gain {gain}")
    print(f"measured on {', '.join(made.held_out)}; adapters in {made.folder}")


def convert(
    source: Annotated[Path, arg(metavar="IN")],
    target: Annotated[Path, arg(metavar="OUT")],
    dtype: Literal["float32", "float16", "bf16"] = "float32",
    adapters: bool = False,
    codec: Path | None = None,
) -> None:
    """Turn files of VampNet's reference code into safetensors.

    Parameters
    ----------
    source : Path
        A folder with codec.pth, coarse.pth and c2f.pth, or one of these files.
    target : Path
        A folder, or a .safetensors file for a single file.
    dtype : str
        float32 is exact; float16 and bf16 take half the space.
    adapters : bool
        Write the adapters (LoRA) into files of their own, in OUT/adapters, instead of adding them to the weights.
    codec : Path, optional
        The codec of a single model, if it does not lie beside it.
    """
    from vampkit.weights import convert as run

    for path in run(source, target, dtype, adapters, codec):
        print(path)


def compose(
    target: Annotated[Path, arg(metavar="OUT")],
    seed: int = 0,
    genre: str | None = None,
    seconds: float = 30.0,
    stereo: bool = False,
    stems: bool = False,
    soundfont: Path | None = None,
) -> None:
    """Compose a piece, with its annotations as JAMS.

    Parameters
    ----------
    target : Path
        A flac, wav or ogg file. Beats, chords and notes are written next to it, as .jams. A piece that is there is
        replaced, other files never.
    seed : int
        The same seed gives the same piece.
    genre : str, optional
        pop, rock, house, bossa, waltz, blues, funk, reggae, drum and bass, hip-hop, ambient, jazz, minimal, salsa,
        baroque or folk; if left out, the seed chooses one of the first five.
    seconds : float
        Length of the piece.
    stereo : bool
        Write two channels.
    stems : bool
        Also write one file for each part, with the part's name. Their sum is the mix.
    soundfont : Path, optional
        An sf2 or sf3 file that plays the notes.
    """
    from vampkit import music
    from vampkit.audio.blocks import sound_target

    truth = writable(sound_target(target).with_suffix(".jams"))
    piece = music.compose(seed, genre=genre, seconds=seconds)
    parts = [*piece.parts, "air"] if stems else []
    files = [target, *(target.with_name(f"{target.stem}-{part}{target.suffix}") for part in parts)]
    _only_composed(truth, [sound_target(file) for file in files])
    mix = music.render(piece, stereo=stereo, soundfont=soundfont)
    clips = music.render(piece, stereo=stereo, stems=True, soundfont=soundfont) if stems else {}
    music.save_jams(piece, truth)  # only now, so that it is never beside another piece's sound
    mix.save(target)
    for part, clip in clips.items():
        clip.save(target.with_name(f"{target.stem}-{part}{target.suffix}"))
    print(target)


def _only_composed(truth: Path, files: list[Path]) -> None:
    """Raise VampkitError if a file is there that this verb did not write; its own lie beside their annotations."""
    if not (there := [file for file in (truth, *files) if os.path.lexists(file)]):
        return
    from vampkit import music

    try:
        music.load_jams(truth)
    except (VampkitError, FileNotFoundError):
        raise VampkitError(
            f"{named(there[0])} is there already and was not composed here, a new name was expected; choose another "
            "name, or move that file away"
        ) from None
