"""Rendering a piece: all notes are synthesized, panned, given reverberation and mixed at a standard loudness."""

from __future__ import annotations

import os

import numpy as np

from vampkit.audio import Clip
from vampkit.errors import VampkitError
from vampkit.music import drums, mastering, synth
from vampkit.music import general_midi as gm
from vampkit.music.genres import GENRE_TABLE, Genre
from vampkit.music.score import Instrument, Note, Piece
from vampkit.music.soundfont import soundfont_bus
from vampkit.music.streams import stream
from vampkit.music.voices import VOICES
from vampkit.music.waves import RATE, lowpassed, without_offset

FORCES = (0.35, 0.65, 0.95)
"""Each pitch is synthesized with three forces. A note uses the one nearest to its velocity, scaled to its level."""
PUMPED = ("pad", "chords", "bass")
"""Parts that the kick makes quieter for a moment, in genres with `pump`."""
CREDIT = "vampkit's own composer, CC BY-SA 4.0"


def render(
    piece: Piece,
    rate: int = RATE,
    *,
    stereo: bool = False,
    stems: bool = False,
    soundfont: str | os.PathLike | None = None,
) -> Clip | dict[str, Clip]:
    """Make the sound of a piece. The same piece always gives the same sound.

    Notebook: 08, 09, 10

    Parameters
    ----------
    piece : Piece
        A piece from `compose`.
    rate : int
        Sample rate of the result.
    stereo : bool
        Make two channels instead of one.
    stems : bool
        Give one clip per part instead of the mix, and one named "air" with the noise floor. Their sum is the mix.
    soundfont : str or PathLike, optional
        An sf2 or sf3 file that plays the notes, instead of our own instruments (extra `soundfont`).

    Returns
    -------
    Clip or dict of str to Clip
        The mix, near -16 LUFS and with peaks below 0.99; or the stems by part, as loud as in the mix.

    Raises
    ------
    VampkitError
        For an unknown genre, instrument or drum, or if the extra `soundfont` is not installed.
    FileNotFoundError
        If there is no SoundFont.

    Examples
    --------
    >>> clip = music.render(music.compose(7), stereo=True)
    """
    count = round(piece.seconds * RATE)
    buses = {seat.part: _bus(piece, seat, count, soundfont) for seat in piece.instruments}
    rng = stream(piece.seed, "room")
    wet = 10 ** (rng.uniform(-24, -11) / 20)
    room = _room(rng, stereo)
    pump = _pump(piece, count)
    placed = {
        seat.part: _place(buses.pop(seat.part), seat, stereo, pump if seat.part in PUMPED else None)
        for seat in piece.instruments
    }
    if stems:
        placed = {part: _in_room(dry, room, wet) for part, dry in placed.items()}
        mix = sum(placed.values())
    else:
        mix = _in_room(sum(placed.values()), room, wet)
    equalizer = mastering.equalizer(piece, mix)
    mix = mastering.filtered(mix, equalizer)
    gain, floor = mastering.finish(piece, mix)
    name = f"composed-{piece.genre}-{piece.seed}"
    if not stems:
        return Clip((mix * gain + floor).astype(np.float32), RATE, name, CREDIT).resample(rate)
    sounds = {part: mastering.filtered(wave, equalizer) * gain for part, wave in placed.items()} | {"air": floor}
    return {
        part: Clip(wave.astype(np.float32), RATE, f"{name}-{part}", CREDIT).resample(rate)
        for part, wave in sounds.items()
    }


def _bus(piece: Piece, seat: Instrument, count: int, soundfont: str | os.PathLike | None) -> np.ndarray:
    """Make all notes of a part, float32 [count], at the level of the part."""
    notes = [n for n in piece.notes if n.part == seat.part and n.start_s < piece.seconds]
    if soundfont is not None:
        bus = soundfont_bus(soundfont, seat, notes, count)
    else:
        bus = _drum_bus(piece, notes, count) if seat.name == "drums" else _pitched_bus(piece, seat, notes, count)
    if seat.name == "guitar" and _genre(piece).distorted_guitar:
        drive = synth.draw_patch("guitar", stream(piece.seed, "patch/guitar"))["drive"]
        level = _level(bus)
        bus = lowpassed(np.tanh(bus * (drive / 3 / level)), 4_500) if level else bus
    bus = without_offset(bus)
    level = _level(bus)
    return bus * np.float32(0.1 * 10 ** (seat.level_db / 20) / level) if level else bus


def _genre(piece: Piece) -> Genre:
    """The genre of the piece."""
    if piece.genre not in GENRE_TABLE:
        raise VampkitError(
            f"there is no genre {piece.genre!r}, one of {', '.join(GENRE_TABLE)} was expected; change the piece's genre"
        )
    return GENRE_TABLE[piece.genre]


def _level(bus: np.ndarray) -> float:
    """Root mean square of the louder half of a part, so that rests are ignored."""
    block = max(1, min(2048, len(bus)))
    powers = np.square(bus[: len(bus) // block * block].reshape(-1, block)).mean(1)
    return float(np.sqrt(np.sort(powers)[len(powers) // 2 :].mean()))


def _pitched_bus(piece: Piece, seat: Instrument, notes: list[Note], count: int) -> np.ndarray:
    """Make the notes of a part with one of our own instruments.

    Each pitch and force is synthesized once, with the length of its longest note.
    """
    if seat.name not in VOICES:
        raise VampkitError(
            f"there is no instrument {seat.name!r}, one of {', '.join(VOICES)} or drums was expected; "
            "change the piece's instruments"
        )
    play, draw = VOICES[seat.name]
    patch = draw(stream(piece.seed, f"patch/{seat.name}"))
    release = int(patch["release"] * RATE)
    bus = np.zeros(count, np.float32)
    spans: dict[tuple[int, int], int] = {}
    for note in notes:
        key = note.pitch, _stroke(note.velocity)
        spans[key] = max(spans.get(key, 0), round(note.duration_s * RATE) + release)
    waves = {}
    for (pitch, stroke), span in spans.items():
        rng = stream(piece.seed, f"note/{seat.name}/{pitch}/{stroke}")
        wave = play(piece.tuning * 2 ** ((pitch - 69) / 12), span, FORCES[stroke], patch, rng)
        early = wave[: int(0.35 * RATE)]
        waves[pitch, stroke] = wave / max(1e-6, float(np.sqrt(np.square(early).mean())))
    fall = np.square(np.linspace(1, 0, release, dtype=np.float32))
    for note in notes:
        start, held = round(note.start_s * RATE), round(note.duration_s * RATE)
        wave = waves[note.pitch, _stroke(note.velocity)][: held + release] * np.float32((note.velocity / 100) ** 1.5)
        wave[held:] *= fall[: len(wave) - held]
        bus[start : start + len(wave)] += wave[: count - start]
    return bus


def _stroke(velocity: int) -> int:
    """The number of the force in FORCES that is nearest to a velocity."""
    return int(np.argmin([abs(velocity / 127 - f) for f in FORCES]))


def _drum_bus(piece: Piece, notes: list[Note], count: int) -> np.ndarray:
    """Make the notes of the drums with the kit of the genre."""
    rng = stream(piece.seed, "patch/drums")
    waves = drums.kit(rng, _genre(piece).drum_kit)
    trim = {drum: level * 10 ** (rng.normal(0, 1.5) / 20) for drum, level in drums.LEVELS.items()}
    bus = np.zeros(count, np.float32)
    hat_strokes = [round(n.start_s * RATE) for n in notes if n.pitch in (gm.CLOSED_HAT, gm.OPEN_HAT)]
    for note in notes:
        if note.pitch not in waves:
            raise VampkitError(
                f"the kit has no drum {note.pitch}, one of {sorted(waves)} was expected; change the note"
            )
        start = round(note.start_s * RATE)
        wave = waves[note.pitch] * np.float32(trim[note.pitch] * (note.velocity / 110) ** 1.8)
        if note.pitch == gm.OPEN_HAT:
            wave = _choked(wave, min((s - start for s in hat_strokes if s > start + 2000), default=len(wave)))
        bus[start : start + len(wave)] += wave[: count - start]
    return bus


def _choked(wave: np.ndarray, samples: int) -> np.ndarray:
    """End an open hi-hat where the hi-hat is struck again."""
    if samples >= len(wave):
        return wave
    wave = wave[: samples + 400].copy()
    wave[samples:] *= np.linspace(1, 0, len(wave) - samples, dtype=np.float32)
    return wave


def _pump(piece: Piece, count: int) -> np.ndarray | None:
    """The gain of pads and chords in genres with `pump`: the kick makes them quieter for a moment, float32 [count]."""
    kicks = [n.start_s for n in piece.notes if n.part == "drums" and n.pitch == gm.KICK]
    depth = stream(piece.seed, "pump").uniform(0.2, 0.75)
    if not _genre(piece).pump or not kicks:
        return None
    shape = (1 - depth * np.exp(-np.arange(int(0.5 * RATE)) / (0.11 * RATE))).astype(np.float32)
    gain = np.ones(count, np.float32)
    for kick in kicks:
        start = round(kick * RATE)
        gain[start : start + len(shape)] = np.minimum(gain[start : start + len(shape)], shape[: count - start])
    return gain


def _place(bus: np.ndarray, seat: Instrument, stereo: bool, pump: np.ndarray | None) -> np.ndarray:
    """Pan with constant power, float32 [1 or 2, samples]. For one channel, the mean of both is used."""
    if pump is not None:
        bus = bus * pump
    angle = (seat.pan + 1) * np.pi / 4
    gains = np.array([np.cos(angle), np.sin(angle)], np.float32) * np.float32(np.sqrt(2))
    return gains[:, None] * bus if stereo else (gains.mean() * bus)[None]


def _room(rng: np.random.Generator, stereo: bool) -> np.ndarray:
    """Draw a reverberation: an impulse response of decaying noise, float32 [1 or 2, samples], 0.25 to 2 s long."""
    time = float(np.exp(rng.uniform(np.log(0.25), np.log(2.0))))
    n = int(1.1 * time * RATE)
    t = np.arange(n) / RATE
    noise = rng.standard_normal((2, n))
    bright = rng.uniform(3_000, 9_000)
    delay = int(rng.uniform(0.002, 0.025) * RATE)
    tail = np.stack([lowpassed(side, bright) - lowpassed(side, 200) for side in noise]) * 10 ** (-3 * t / time)
    tail = np.concatenate([np.zeros((2, delay)), tail], 1)
    tail /= np.sqrt(np.square(tail).sum(1, keepdims=True))
    return (tail if stereo else tail.mean(0, keepdims=True) * np.sqrt(2)).astype(np.float32)


def _in_room(dry: np.ndarray, room: np.ndarray, wet: float) -> np.ndarray:
    """Add reverberation to a sound. The mean of its channels is the input of the reverberation."""
    from scipy.signal import oaconvolve

    send = dry.mean(0, keepdims=True)
    return dry + np.float32(wet) * oaconvolve(send, room, axes=1)[:, : dry.shape[1]].astype(np.float32)
