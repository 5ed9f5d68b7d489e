"""The annotations of tracks of mirdata datasets, as plain data.

Beats, chords and key have the same form for all datasets. All other annotations keep the form of their dataset.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vampkit.errors import VampkitError

NOT_READ = ("audio", "midi", "score", "spectrum", "hpcp", "stem")
"""Properties whose names contain one of these words would load sound or scores, so they are not read."""
PLAIN = (str, int, float, bool)


def mirdata_items(name: str, home: str) -> list[dict]:
    """List the tracks of a mirdata dataset for a token store, each with "file", "track", "artist" and "truth".

    name: name of the dataset. home: its folder. Raises VampkitError if mirdata is not installed.
    """
    try:
        import mirdata as library
    except ImportError:
        raise VampkitError(
            "mirdata is not installed, it reads its datasets' annotations; install vampkit[mirdata]"
        ) from None
    items = []
    for track_id, track in sorted(library.initialize(name, data_home=home).load_tracks().items()):
        artist = getattr(track, "artist", None) or getattr(track, "artist_name", None) or name
        paths = (getattr(track, kind, None) for kind in ("audio_path", "audio_mix_path", "audio_mic_path", "mix_path"))
        file = str(next(filter(None, paths), None))
        items.append({"file": file, "track": f"{name}/{track_id}", "artist": str(artist), "truth": truth_of(track)})
    return items


def truth_of(track: Any) -> dict:
    """Convert a track's annotations to plain data.

    "beats" and "downbeats" are in seconds, "chords" are [start, end, label], and "key" is a text. "annotations" has all
    others that the track has (notes, melody, sections, tempo, genre and so on), with the fields of the dataset.
    """
    truth, rest = {}, {}
    for name in dir(track):
        if name.startswith("_") or name.endswith("_path") or any(word in name for word in NOT_READ):
            continue
        try:
            value = getattr(track, name)
        except (OSError, ImportError, NotImplementedError):  # a file that was not downloaded
            continue
        if name == "beats" and hasattr(value, "times"):
            truth["beats"] = _plain(value.times)
            positions = getattr(value, "positions", None)
            if positions is not None and len(positions) == len(value.times):
                truth["downbeats"] = [t for t, p in zip(truth["beats"], positions, strict=True) if p == 1]
        elif name == "chords" and hasattr(value, "labels"):
            spans = zip(value.intervals, value.labels, strict=True)
            truth["chords"] = [[*_plain(span), str(label)] for span, label in spans]
        elif name == "key" and value is not None:
            truth["key"] = str(getattr(value, "keys", [value])[0])
        elif (found := _plain(value)) not in (None, {}, []):
            rest[name] = found
    return truth | ({"annotations": rest} if rest else {})


def _plain(value: Any) -> Any:
    """Convert numbers, strings, arrays, lists and annotations to JSON data. Gives None for all other values."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else None
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): found for k, v in value.items() if (found := _plain(v)) is not None}
    if any(kind.__name__ in ("Annotation", "MultiAnnotator") for kind in type(value).__mro__):
        return {k.strip("_"): found for k, v in vars(value).items() if (found := _plain(v)) is not None}
    return None
