"""`vampkit ...`: one line a verb, each a call of the library."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from vampkit.errors import VampkitError

QUIET_LAB = ("--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")
"""Without these JupyterLab's server fetches news (after asking) and looks for updates (without asking) when it starts."""


def demo(out: Path = Path("demo"), clip: str = "03", seconds: float = 10.0, seed: int = 0) -> None:
    """Vamp on a bundled clip in four ways; sounds, a summary and a picture land in OUT."""
    from vampkit.demo import run

    run(out, clip, seconds, seed)


def lab(port: int = 8888) -> None:
    """Open the notebooks in JupyterLab."""
    import subprocess

    folder = Path(__file__).resolve().parent.parent / "notebooks"
    where = folder if folder.is_dir() else Path.cwd()
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={where}", f"--port={port}", *QUIET_LAB]
    raise SystemExit(subprocess.run(words).returncode)


def vamp(
    source: Path,
    target: Path,
    prompt: str = "periodic:7",
    seed: int = 0,
    passes: int = 36,
    temperature: float = 1.0,
    model: str = "tiny",
) -> None:
    """Vamp a sound file into another, its record beside it.

    PROMPT: periodic:7, compression:1, prefix:3, suffix:3, nothing; joined by + (either keeps) or & (both keep).
    """
    from tqdm.auto import tqdm

    from vampkit.audio import Clip
    from vampkit.pipeline import load_vamp

    chosen, sound = parse_prompt(prompt), Clip.load(source)
    with tqdm(desc="passes", disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        take = load_vamp(model).vamp(sound, chosen, seed=seed, passes=passes, temperature=temperature, progress=progress)
    print(take.save(target))


def data_fetch(target: Path | None = None, sets: str = "core", splits: str = "train,valid,test") -> None:
    """Fetch freely licensed music to train on (Debian and Ubuntu)."""
    from vampkit.train.fetch import fetch

    fetch(target, tuple(sets.split(",")), tuple(splits.split(",")))


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
    """Turn folders of sound, and COMPOSED pieces of our own, into a store of tokens to train on; the same command goes on after a stop.

    MIRDATA: datasets as name=folder, their annotations kept.
    """
    from vampkit.train.store import build_store

    if wrong := [word for word in mirdata if "=" not in word]:
        raise ValueError(f"mirdata is given {wrong[0]!r}, name=folder was expected")
    named = dict(word.split("=", 1) for word in mirdata)
    store = build_store(sources, out, codec, composed=composed, first_seed=first_seed, mirdata=named, seconds=seconds, floor=floor, processes=processes)
    minutes = sum(row["frames"] for row in store.tracks) * store.settings["hop"] / store.settings["rate"] / 60
    print(f"{len(store)} tracks, {minutes:.1f} minutes, in {out}; {len(store.skipped)} skipped")
    for row in store.skipped:
        print(f"skipped {row['source']}: {row['error']}")


def train(
    what: Literal["codec", "coarse", "c2f"],
    preset: Literal["ci", "laptop", "gpu"] = "laptop",
    out: Path | None = None,
    music: Path | None = None,
    codec: str = "tiny",
    composed: int = 400,
    minutes: float | None = None,
    store: Path | None = None,
    valid_store: Path | None = None,
) -> None:
    """Train a codec or a masked model, going on from what is in OUT.

    MUSIC: what `vampkit data fetch` filled; without it, composed music alone. STORE, VALID_STORE: what `vampkit data build` made, for masked models.
    """
    if what == "codec":
        if store or valid_store:
            raise ValueError("a codec is trained on sound, --music was expected in place of --store")
        from vampkit.train.codec import train as run

        path = run(preset, out, music, composed, minutes)
    else:
        from vampkit.train.masked import train as run_masked

        path = run_masked(what, preset, codec, out, music, composed, minutes, store=store, valid_store=valid_store)
    print(path if path else "time is up; the same command goes on from here")


def compose(
    target: Path, seed: int = 0, genre: str | None = None, seconds: float = 30.0, stereo: bool = False, stems: bool = False, soundfont: Path | None = None
) -> None:
    """Compose a piece and write its sound (flac, wav or ogg by the name), and its truth (beats, chords, notes) beside it as JAMS.

    STEMS: a file for every part too, named after it; together they are the mix. SOUNDFONT: an sf2 or sf3 file that plays the notes.
    """
    from vampkit import music

    piece = music.compose(seed, genre=genre, seconds=seconds)
    music.render(piece, stereo=stereo, soundfont=soundfont).save(target)
    music.save_jams(piece, target.with_suffix(".jams"))
    for part, clip in music.render(piece, stereo=stereo, stems=True, soundfont=soundfont).items() if stems else ():
        clip.save(target.with_name(f"{target.stem}-{part}{target.suffix}"))
    print(target)


def parse_prompt(text: str):
    """A prompt from words: "periodic:7+prefix:3" keeps what either keeps, "periodic:7&compression:4" what both keep; & binds closer.

    Raises ValueError for a word it does not know.
    """
    from vampkit import prompts

    kinds = {
        "periodic": (prompts.Periodic, int),
        "compression": (prompts.Compression, int),
        "prefix": (prompts.Prefix, float),
        "suffix": (prompts.Suffix, float),
        "nothing": (prompts.Nothing, None),
        "everything": (prompts.Everything, None),
    }

    def one(word: str):
        name, _, number = word.strip().partition(":")
        kind, convert = kinds.get(name, (None, None))
        try:
            return kind(convert(number)) if convert else kind()
        except (TypeError, ValueError):
            raise ValueError(
                f"the prompt {word.strip()!r} is not known; words such as periodic:7, compression:1, prefix:3, suffix:3 or nothing, "
                "joined by + or &, were expected"
            ) from None

    result = None
    for part in text.split("+"):
        both = None
        for word in part.split("&"):
            both = one(word) if both is None else both & one(word)
        result = both if result is None else result | both
    return result


def main(arguments: list[str] | None = None) -> None:
    """Run a verb. What a user can mend is one sentence on standard error, and exit code 2."""
    import tyro
    from tyro.extras import SubcommandApp

    app = SubcommandApp()
    for verb in (demo, lab, vamp, train, compose, data_fetch, data_build):
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


if __name__ == "__main__":
    main()
