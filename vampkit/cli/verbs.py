"""`vampkit ...`: one line a verb, each a call of the library."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from vampkit.errors import VampkitError


def quiet_lab() -> dict[str, str]:
    """Environment in which JupyterLab neither asks to fetch news nor looks for updates when it starts.

    It reads `labconfig/default_setting_overrides.json` there, beside its other settings; what the user sets in
    JupyterLab stands above it.
    """
    folders = [str(Path(__file__).parent), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    return {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, folders))}


def demo(out: Path = Path("demo"), clip: str = "03", seconds: float = 10.0, seed: int = 0) -> None:
    """Vamp on a bundled clip in four ways; sounds, a summary and a picture land in OUT."""
    from vampkit.cli.demo import run

    run(out, clip, seconds, seed)


def lab(port: int = 8888) -> None:
    """Open the notebooks in JupyterLab."""
    import subprocess

    folder = Path(__file__).resolve().parents[2] / "notebooks"
    where = folder if folder.is_dir() else Path.cwd()
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={where}", f"--port={port}"]
    raise SystemExit(subprocess.run(words, env=os.environ | quiet_lab()).returncode)


def vamp(
    source: Path,
    target: Path,
    prompt: str = "periodic:7",
    takes: int = 1,
    seed: int = 0,
    passes: int = 36,
    temperature: float = 1.0,
    mask_temperature: float | None = None,
    feedback: int = 1,
    restore: bool = False,
    model: str = "tiny",
    adapters: Path | None = None,
    device: Literal["auto", "cpu", "cuda"] = "cpu",
) -> None:
    """Vamp a sound file of any length, or each one of a folder, into another.

    The record of each take lies beside it as JSON.

    TAKES: variations OUT-1.wav, OUT-2.wav and so on, with SEED, SEED + 1 ...; Ctrl-C leaves those that are finished.
    MASK-TEMPERATURE: noise on which tokens stay from pass to pass (left out: the prompt's own, 10.5, more for
    continuations). FEEDBACK: make it so often, the output each time the next input. RESTORE: put the original back
    where nothing is hidden. ADAPTERS: what `vampkit finetune` left. DEVICE: cuda is faster, and makes other takes than
    cpu, as it rounds otherwise; auto is cuda where there is one.

    PROMPT says what is kept. A word, its values behind a colon, in order or by name: compression:1 (first codebooks),
    periodic:7,width=3,offset=0, prefix:3, suffix:3, inpaint:2,4 (a gap), random:0.8 (share hidden), share:0.2 (share
    kept), beats, beats:after=0.075,which=down,every=2, beats:beats=0.5/1/1.5, onsets:after=0.05, everything, nothing,
    drawn:MASK.npy, json:PROMPT.json.

    New length: outpaint:1,5 (before, after), continuation:30,prefix=3, loop:seconds=4(periodic:7),
    loop:bars=4,start=2(periodic:7), stretch:2.

    Around another: dropout:0.2,seed=3(periodic:7), on:0,1(prefix:3) (codebooks from 0).

    Presets: paper-periodic-16, paper-inpaint-1s, paper-beats, paper-compression-4-p8, app-small-beat and others.

    Joined by + (either keeps), & (both keep, binds closer), ~ (the opposite) and brackets.
    """
    from vampkit.pipeline import load_vamp
    from vampkit.pipeline.soundfiles import pairs, vamp_file
    from vampkit.prompts import parse

    if takes < 1:
        raise ValueError(f"{takes} takes were asked for, at least 1 was expected")
    chosen, models = parse(prompt), load_vamp(model, adapters, device)
    settings = dict(passes=passes, temperature=temperature, feedback=feedback, restore=restore)
    settings |= {} if mask_temperature is None else {"mask_temperature": mask_temperature}
    for sound, made, take in pairs(source, target, takes):
        with _bar(made.name) as progress:
            vamp_file(models, sound, made, chosen, progress=progress, seed=seed + take, **settings)
        print(made, flush=True)


def again(
    record: Path,
    source: Path,
    target: Path,
    model: str = "tiny",
    adapters: Path | None = None,
    device: Literal["auto", "cpu", "cuda"] = "cpu",
) -> None:
    """Make a take anew from its RECORD (the JSON beside it) and the sound it was made from, on the DEVICE it was made
    on."""
    from vampkit.pipeline import load_vamp
    from vampkit.pipeline.soundfiles import again_file

    with _bar(target.name) as progress:
        again_file(load_vamp(model, adapters, device), record, source, target, progress=progress)
    print(target)


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar, on a terminal, as a function of (done, total)."""
    from tqdm.auto import tqdm

    with tqdm(desc=name, disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def data_fetch(target: Path | None = None, sets: str = "core", splits: str = "train,valid,test") -> None:
    """Fetch freely licensed music to train on (Debian and Ubuntu)."""
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
    """Turn folders of sound, and COMPOSED pieces of our own, into a store of tokens to train on.

    The same command goes on after a stop.

    MIRDATA: datasets as name=folder, their annotations kept.
    """
    from vampkit.train import build_store

    if wrong := [word for word in mirdata if "=" not in word]:
        raise ValueError(f"mirdata is given {wrong[0]!r}, name=folder was expected")
    named = dict(word.split("=", 1) for word in mirdata)
    store = build_store(
        sources,
        out,
        codec,
        composed=composed,
        first_seed=first_seed,
        mirdata=named,
        seconds=seconds,
        floor=floor,
        processes=processes,
    )
    minutes = sum(row["frames"] for row in store.tracks) * store.settings["hop"] / store.settings["rate"] / 60
    print(f"{len(store)} tracks, {minutes:.1f} minutes, in {out}; {len(store.skipped)} skipped")
    for row in store.skipped:
        print(f"skipped {row['source']}: {row['error']}")


def train(
    what: Literal["codec", "coarse", "fine", "tagger"],
    preset: Literal["ci", "laptop", "bundled", "gpu", "paper"] = "laptop",
    out: Path | None = None,
    music: Path | None = None,
    codec: str = "tiny",
    composed: int = 400,
    minutes: float | None = None,
    store: Path | None = None,
    valid_store: Path | None = None,
    stream: int = 0,
    start: str | None = None,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    accumulate: int = 1,
    compile: bool = False,
    tensorboard: bool = False,
    audio_every: int | None = None,
    processes: int = 1,
) -> None:
    """Train a codec, a masked model or the tagger, going on from what is in OUT.

    MUSIC: what `vampkit data fetch` filled; without it, composed music alone. COMPOSED: number of composed pieces;
    PROCESSES: how many compose them. STORE, VALID_STORE: what `vampkit data build` made, for masked models. STREAM:
    number of processes that compose, render and encode while a masked model trains, in place of COMPOSED pieces made
    before; on many cores they feed a GPU. START: a codec or a model to go on from. DEVICE: a GPU where there is one;
    several by `torchrun --nproc-per-node N -m vampkit.cli train ...`. ACCUMULATE: parts in which a batch is taken where
    memory is short. COMPILE: torch.compile. TENSORBOARD: curves in OUT/tensorboard. AUDIO-EVERY: steps between sounds
    written to OUT/audio; these four are for masked models. The tagger hears composed music of its own and takes PRESET,
    OUT and MINUTES only.
    """
    options = dict(accumulate=accumulate, compile=compile, tensorboard=tensorboard) | (
        {} if audio_every is None else {"audio_every": audio_every}
    )
    if what in ("codec", "tagger") and (accumulate != 1 or compile or tensorboard or audio_every is not None):
        raise ValueError(
            f"--accumulate, --compile, --tensorboard and --audio-every are for masked models; leave them out for the {what}"
        )
    if what == "tagger":
        if music or store or valid_store or stream or start:
            raise ValueError(
                "the tagger is trained on composed music of its own; leave --music, --store, --valid-store, --stream and --start out"
            )
        from vampkit.train import train_tagger

        path = train_tagger(preset, out, minutes)
    elif what == "codec":
        if store or valid_store or stream:
            raise ValueError("a codec is trained on sound, --music was expected in place of --store and --stream")
        from vampkit.pipeline.devices import chosen
        from vampkit.train import train_codec

        path = train_codec(preset, out, music, composed, minutes, chosen(device), start, processes)
    else:
        from vampkit.train import train_masked

        path = train_masked(
            what,
            preset,
            codec,
            out,
            music,
            composed,
            minutes,
            device,
            store,
            valid_store,
            stream,
            start,
            processes,
            **options,
        )
    print(path if path else "time is up; the same command goes on from here")


def finetune(
    folder: Path,
    out: Path | None = None,
    model: str = "tiny",
    steps: int = 600,
    rank: int = 8,
    seed: int = 0,
    minutes: float | None = None,
    device: Literal["auto", "cpu", "cuda"] = "auto",
) -> None:
    """Teach the models the style of a FOLDER of music, as adapters of half a megabyte in OUT, and measure it on music
    of the folder that was held out.

    `vampkit vamp IN OUT --adapters DIR` uses them. Needs the extra peft. MINUTES: for each of the two models; the same
    command goes on.
    """
    from vampkit.train import AdapterPreset
    from vampkit.train import finetune as run

    made = run(
        folder, out, model, settings=AdapterPreset(steps=steps, rank=rank, seed=seed), minutes=minutes, device=device
    )
    if made is None:
        print("time is up; the same command goes on from here")
        return
    for kind, gain in made.gain.items():
        print(f"{kind}: {made.before[kind].mean:.2f} nats before, {made.after[kind].mean:.2f} after; gain {gain}")
    print(f"measured on {', '.join(made.held_out)}; adapters in {made.folder}")


def compose(
    target: Path,
    seed: int = 0,
    genre: str | None = None,
    seconds: float = 30.0,
    stereo: bool = False,
    stems: bool = False,
    soundfont: Path | None = None,
) -> None:
    """Compose a piece and write its sound (flac, wav or ogg by the name), and its truth (beats, chords, notes) beside
    it as JAMS.

    STEMS: a file for every part too, named after it; together they are the mix. SOUNDFONT: an sf2 or sf3 file that
    plays the notes.
    """
    from vampkit import music

    piece = music.compose(seed, genre=genre, seconds=seconds)
    music.render(piece, stereo=stereo, soundfont=soundfont).save(target)
    music.save_jams(piece, target.with_suffix(".jams"))
    for part, clip in music.render(piece, stereo=stereo, stems=True, soundfont=soundfont).items() if stems else ():
        clip.save(target.with_name(f"{target.stem}-{part}{target.suffix}"))
    print(target)


def main(arguments: list[str] | None = None) -> None:
    """Run a verb. What a user can mend is one sentence on standard error, and exit code 2."""
    import tyro
    from tyro.extras import SubcommandApp

    app = SubcommandApp()
    for verb in (demo, lab, vamp, again, train, finetune, compose, data_fetch, data_build):
        app.command(verb, name=verb.__name__.replace("_", "-"))
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:2] in (["data", "fetch"], ["data", "build"]):
        words[:2] = ["-".join(words[:2])]
    # `vampkit vamp IN OUT`, `vampkit train codec`, `vampkit compose OUT`: what must be given is given by place.
    try:
        app.cli(prog="vampkit", args=words, config=(tyro.conf.PositionalRequiredArgs,))
    except (VampkitError, ValueError, TypeError, FileNotFoundError) as error:
        print(f"vampkit: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
