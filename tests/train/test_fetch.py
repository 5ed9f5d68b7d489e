"""Fetching music: from a package made here, through a stand-in for apt-get."""

import csv
import hashlib
import json
import os
import shutil
import subprocess

import pytest

from vampkit.errors import VampkitError
from vampkit.train.fetch import fetch_music, tracks


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A package with two tracks, a list that names them, and an apt-get that copies the package."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not on this machine; fetching needs Debian or Ubuntu")
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        "Package: songs\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: songs\n"
    )
    (root / "music").mkdir()
    for name in ("a", "b"):
        (root / "music" / f"{name}.ogg").write_bytes(name.encode() * 1000)
    deb = tmp_path / "songs_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", str(root), str(deb)], check=True, capture_output=True)
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    known, unknown = f"cp {deb} . && echo x >> {tmp_path}/calls", 'echo "E: no such package" >&2; exit 100'
    (bin_ / "apt-get").write_text(f'#!/bin/sh\ncase "$*" in *songs*) {known};; *) {unknown};; esac\n')
    (bin_ / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}{os.pathsep}{os.environ['PATH']}")
    names = ["package", "version", "path", "artist", "title", "licence", "split", "set", "sha256"]

    def table(*rows):
        path = tmp_path / "tracks.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows(rows)
        return path

    def row(name, package="songs", sha=None):
        sha = sha or hashlib.sha256(name.encode() * 1000).hexdigest()
        return [package, "1", f"music/{name}.ogg", "Ann É", f"Song {name}", "CC-BY-SA-3.0+", "train", "core", sha]

    return tmp_path, table, row


def test_tracks_land_by_split_and_artist_once(shop):
    folder, table, row = shop
    listed = table(row("a"), row("b"))
    out = fetch_music(folder / "out", table=listed, splits=("train",))
    found = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.ogg"))
    assert len(found) == 2 and found[0].startswith("train/ann-e/song-a-")
    makers = [json.loads(line) for line in (out / "attributions.jsonl").read_text().splitlines()]
    assert [m["artist"] for m in makers] == ["Ann É"] * 2 and all(m["licence_url"] for m in makers)
    (out / found[1]).write_bytes(b"damaged")
    fetch_music(out, table=listed, splits=("train",))
    fetch_music(out, table=listed, splits=("train",))
    assert (folder / "calls").read_text().count("x") == 2, "whole files are not fetched again, damaged ones are"


@pytest.mark.parametrize("kind", ["hash", "file", "package"])
def test_what_cannot_be_had_is_said_and_the_rest_stays(shop, kind):
    folder, table, row = shop
    bad = {"hash": row("b", sha="0" * 64), "file": row("c"), "package": row("b", package="nowhere")}[kind]
    with pytest.raises(VampkitError, match="1 of 2 .*could not be had"):
        fetch_music(folder / "out", table=table(row("a"), bad), splits=("train",))
    assert len(list((folder / "out").rglob("*.ogg"))) == 1 and not list((folder / "out").rglob("*.part"))


def test_the_list_holds_the_core_and_keeps_artists_apart():
    rows = tracks()
    assert len(rows) == 173
    artists = {split: {r["artist"] for r in rows if r["split"] == split} for split in ("train", "valid", "test")}
    assert (
        not artists["train"] & artists["valid"]
        and not artists["train"] & artists["test"]
        and not artists["valid"] & artists["test"]
    )
    assert all(r["licence"].startswith(("CC-BY", "MIT")) for r in rows)
    with pytest.raises(ValueError, match="no set"):
        tracks(sets=("all",))
