"""Freely licensed training music from Debian's packages, stored as split/artist/title.

tracks.csv in this folder lists each track with its artist, licence, split and SHA-256. All tracks of an artist are in
the same split, so no held-out artist is ever used in training.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import unicodedata
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import BinaryIO

from vampkit.errors import VampkitError
from vampkit.files import cache_folder, written

LICENCES = {
    "CC-BY-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-3.0": "https://creativecommons.org/licenses/by-sa/3.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "GPL-2": "https://www.gnu.org/licenses/gpl-2.0.html",
    "GPL-3": "https://www.gnu.org/licenses/gpl-3.0.html",
    "MIT": "https://spdx.org/licenses/MIT.html",
}
BLOCK = 1 << 20


def tracks(
    sets: tuple[str, ...] = ("core",), splits: tuple[str, ...] = ("train", "valid", "test"), table: Path | None = None
) -> list[dict[str, str]]:
    """The rows of the list of tracks. "file" is the path that the track will have in the target folder.

    Raises ValueError for a set or split that is not in the list.
    """
    path = table or Path(__file__).with_name("tracks.csv")
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    for name, wanted in (("set", sets), ("split", splits)):
        known = sorted({row[name] for row in rows})
        for value in wanted:
            if value not in known:
                raise ValueError(f"there is no {name} {value!r}; {', '.join(known)} was expected")
    chosen = [row for row in rows if row["set"] in sets and row["split"] in splits]
    for row in chosen:
        suffix = Path(row["path"].partition("!")[2] or row["path"]).suffix.lower()
        name = f"{_slug(row['title'])}-{row['sha256'][:6]}{suffix}"
        row["file"] = f"{row['split']}/{_slug(row['artist'])}/{name}"
    return chosen


def fetch_music(
    target: str | os.PathLike | None = None,
    sets: tuple[str, ...] = ("core",),
    splits: tuple[str, ...] = ("train", "valid", "test"),
    table: Path | None = None,
) -> Path:
    """Download the freely licensed music of the list from Debian's packages, and store it as split/artist/title.

    Files that are complete are not downloaded again, so an interrupted download can be continued. attributions.jsonl
    names the artist and the licence of each track. For the `core` set, packages of about 1.8 GB are downloaded, and
    575 MB of music are stored.

    Parameters
    ----------
    target : str or PathLike, optional
        Folder for the music; None: music/ in the cache.
    sets : tuple of str
        Sets of the list to download.
    splits : tuple of str
        Splits to download: "train", "valid", "test".
    table : Path, optional
        Another list of tracks, used instead of the package's own.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        For a set or split that the list does not have.
    VampkitError
        If tracks could not be downloaded; the message names some of them. All others are stored.
    """
    from vampkit.files.bars import progress_bar

    target = Path(target) if target else cache_folder() / "music"
    rows = tracks(sets, splits, table)
    packages: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        if _hash_of(target / row["file"]) != row["sha256"]:
            packages[row["package"], row["version"]].append(row)
    for tool in ("apt-get", "dpkg-deb"):
        if packages and shutil.which(tool) is None:
            raise VampkitError(
                f"{tool} is not on this machine; fetching music needs Debian or Ubuntu; "
                "elsewhere, train on a folder of your own music laid out as train/artist/track"
            )
    problems: list[str] = []
    for (package, version), missing in progress_bar(sorted(packages.items()), desc="packages", disable=None):
        try:
            problems += _from_package(package, version, missing, target)
        except (VampkitError, OSError, tarfile.TarError) as error:
            problems.append(f"{package}: {error}")
    _write_makers(rows, target)
    if problems:
        first = "; ".join(problems[:3])
        raise VampkitError(
            f"{len(problems)} of {len(rows)} tracks or packages could not be had ({first}); "
            "run `apt-get update` and try again"
        )
    print(f"{len(rows)} tracks in {target}, their makers in attributions.jsonl")
    return target


def _from_package(package: str, version: str, missing: list[dict[str, str]], target: Path) -> list[str]:
    """Download one package and store the wanted files. Returns a list of problems."""
    wanted: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in missing:
        wanted[row["path"].partition("!")[0]].append(row)
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        deb = _download(package, version, Path(folder))
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as process:
            # The archive is streamed, so that a package of a gigabyte is never unpacked to the disk.
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    for row in wanted.pop(member.name.removeprefix("./"), []) if member.isfile() else []:
                        problems += _keep(archive.extractfile(member), row, target)
                    if not wanted:
                        break
            process.kill()
    return problems + [f"{package} holds no {path}" for path in wanted]


def _download(package: str, version: str, folder: Path) -> Path:
    said = ""
    for name in (f"{package}={version}", package):
        # If the listed version is no longer available, try the current one. The hashes are checked later.
        command = ["apt-get", "download", "-q=2", "-o", "APT::Sandbox::User=root", name]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        found = list(folder.glob(f"{package}_*.deb"))
        if done.returncode == 0 and found:
            return found[0]
        said = said or done.stderr.strip().splitlines()[-1] if done.stderr.strip() else said
    raise VampkitError(f"apt-get could not download it ({said or 'no reason given'})")


def _keep(stream: BinaryIO, row: dict[str, str], target: Path) -> list[str]:
    """Store one track if its hash is right. The stream is the track itself, or a zip file that contains it."""
    member = row["path"].partition("!")[2]
    if member:
        try:
            stream = zipfile.ZipFile(io.BytesIO(stream.read())).open(member)
        except (zipfile.BadZipFile, KeyError) as error:
            return [f"{row['path']}: {error}"]
    try:
        with written(target / row["file"]) as part:
            with part.open("wb") as file:
                shutil.copyfileobj(stream, file, BLOCK)
            if _hash_of(part) != row["sha256"]:
                raise VampkitError(f"{row['path']} has another hash than the list says")
    except VampkitError as error:
        return [str(error)]
    return []


def _hash_of(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_makers(rows: list[dict[str, str]], target: Path) -> None:
    with written(target / "attributions.jsonl") as part, part.open("w", encoding="utf-8") as file:
        for row in rows:
            if (target / row["file"]).is_file():
                first = row["licence"].split(" or ")[0].rstrip("+")
                maker = {key: row[key] for key in ("file", "artist", "title", "licence", "split", "set", "sha256")}
                source = f"Debian package {row['package']} {row['version']}"
                maker |= {"licence_url": LICENCES.get(first, ""), "source": source}
                file.write(json.dumps(maker, ensure_ascii=False) + "\n")


def _slug(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:60] or "untitled"
