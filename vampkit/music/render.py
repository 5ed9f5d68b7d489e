"""From a piece to sound: every note is made, placed, panned, put into a room and brought to a common level."""

from __future__ import annotations

import os

import numpy as np

from vampkit.audio import Clip
from vampkit.errors import VampkitError
from vampkit.music import drums, mastering, synth
from vampkit.music.genre import Genre
from vampkit.music.genres import GENRES, TABLE
from vampkit.music.score import Instrument, Note, Piece
from vampkit.music.soundfont import soundfont_bus
from vampkit.music.streams import stream
from vampkit.music.synth import RATE
from vampkit.music.voices import PLAYERS

FORCES = (0.35, 0.65, 0.95)
"""Three strokes of each pitch are made; a note takes the one nearest to its velocity and its own level."""
CREDIT = "vampkit's own composer, CC BY-SA 4.0"


def render(
    piece: Piece,
    rate: int = RATE,
    *,
    stereo: bool = False,
    stems: bool = False,
    soundfont: str | os.PathLike | None = None,
) -> Clip | dict[str, Clip]:
    """Play a piece.

    rate: samples a second of the result. stereo: two channels in place of one. stems: a clip for every part, and one
    named "air" for the noise floor; their sum is the mix. soundfont: an sf2 or sf3 file that plays the notes in place
    of our own instruments (extra `soundfont`).

    Raises VampkitError for an instrument that does not exist. One piece gives one sound, whatever was rendered before.
    Notebook: 00.
    """
    count = round(piece.seconds * RATE)
    buses = {seat.part: _bus(piece, seat, count, soundfont) for seat in piece.instruments}
    rng = stream(piece.seed, "room")
    wet = 10 ** (rng.uniform(-24, -11) / 20)
    room = _room(rng, stereo)
    pump = _pump(piece, count)
    sides = {
        s.part: _place(buses.pop(s.part), s, stereo, pump if s.part in ("pad", "chords", "bass") else None)
        for s in piece.instruments
    }
    if stems:
        sides = {part: _in_room(dry, room, wet) for part, dry in sides.items()}
        mix = sum(sides.values())
    else:
        mix = _in_room(sum(sides.values()), room, wet)
    equalizer = mastering.equalizer(piece, mix)
    mix = mastering.filtered(mix, equalizer)
    gain, floor = mastering.finish(piece, mix)
    name = f"composed-{piece.genre}-{piece.seed}"
    if not stems:
        return Clip((mix * gain + floor).astype(np.float32), RATE, name, CREDIT).resample(rate)
    sounds = {part: mastering.filtered(wave, equalizer) * gain for part, wave in sides.items()} | {"air": floor}
    return {
        part: Clip(wave.astype(np.float32), RATE, f"{name}-{part}", CREDIT).resample(rate)
        for part, wave in sounds.items()
    }


def _bus(piece: Piece, seat: Instrument, count: int, soundfont: str | os.PathLike | None) -> np.ndarray:
    """All notes of a part, float32 [count], at the part's level."""
    notes = [n for n in piece.notes if n.part == seat.part and n.start_s < piece.seconds]
    if soundfont is not None:
        bus = soundfont_bus(soundfont, seat, notes, count)
    else:
        bus = _drum_bus(piece, notes, count) if seat.name == "drums" else _pitched_bus(piece, seat, notes, count)
    if seat.name == "guitar" and _genre(piece).driven:
        drive = synth.PLAYERS["guitar"][1](stream(piece.seed, "patch/guitar"))["drive"]
        loud = _level(bus)
        bus = synth.lowpassed(np.tanh(bus * (drive / 3 / loud)), 4_500) if loud else bus
    bus = synth.without_offset(bus)
    loud = _level(bus)
    return bus * np.float32(0.1 * 10 ** (seat.level_db / 20) / loud) if loud else bus


def _genre(piece: Piece) -> Genre:
    """The table of the piece's genre; a piece of another name is played plainly, as the first one."""
    return TABLE.get(piece.genre, TABLE[GENRES[0]])


def _level(bus: np.ndarray) -> float:
    """Root mean square of the louder half of a part, so that rests do not count."""
    frames = (
        np.square(bus[: len(bus) // 2048 * 2048].reshape(-1, 2048)).mean(1)
        if len(bus) >= 2048
        else np.square(bus).mean(keepdims=True)
    )
    return float(np.sqrt(np.sort(frames)[len(frames) // 2 :].mean()))


def _pitched_bus(piece: Piece, seat: Instrument, notes: list[Note], count: int) -> np.ndarray:
    if seat.name not in PLAYERS:
        raise VampkitError(
            f"there is no instrument {seat.name!r}, one of {', '.join(PLAYERS)} or drums was expected; change the piece's instruments"
        )
    play, draw = PLAYERS[seat.name]
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
    return int(np.argmin([abs(velocity / 127 - f) for f in FORCES]))


def _drum_bus(piece: Piece, notes: list[Note], count: int) -> np.ndarray:
    rng = stream(piece.seed, "patch/drums")
    waves = drums.kit(rng, _genre(piece).kit)
    trim = {drum: level * 10 ** (rng.normal(0, 1.5) / 20) for drum, level in drums.LEVELS.items()}
    bus = np.zeros(count, np.float32)
    opened = [round(n.start_s * RATE) for n in notes if n.pitch in (42, 46)]
    for note in notes:
        if note.pitch not in waves:
            raise VampkitError(
                f"the kit has no drum {note.pitch}, one of {sorted(waves)} was expected; change the note"
            )
        start = round(note.start_s * RATE)
        wave = waves[note.pitch] * np.float32(trim[note.pitch] * (note.velocity / 110) ** 1.8)
        if note.pitch == 46:
            wave = _choked(wave, min((o - start for o in opened if o > start + 2000), default=len(wave)))
        bus[start : start + len(wave)] += wave[: count - start]
    return bus


def _choked(wave: np.ndarray, samples: int) -> np.ndarray:
    """An open hat ends where the hat is struck again."""
    if samples >= len(wave):
        return wave
    wave = wave[: samples + 400].copy()
    wave[samples:] *= np.linspace(1, 0, len(wave) - samples, dtype=np.float32)
    return wave


def _pump(piece: Piece, count: int) -> np.ndarray | None:
    """Where the genre pumps: pads and chords duck under the kick, float32 [count]."""
    kicks = [n.start_s for n in piece.notes if n.part == "drums" and n.pitch == 36]
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
    """Pan with constant power: float32 [1 or 2, samples]. One channel is the mean of the two."""
    if pump is not None:
        bus = bus * pump
    angle = (seat.pan + 1) * np.pi / 4
    gains = np.array([np.cos(angle), np.sin(angle)], np.float32) * np.float32(np.sqrt(2))
    return gains[:, None] * bus if stereo else (gains.mean() * bus)[None]


def _room(rng: np.random.Generator, stereo: bool) -> np.ndarray:
    """An impulse response of decaying noise, float32 [1 or 2, samples]: darker and shorter, or brighter and longer."""
    time = float(np.exp(rng.uniform(np.log(0.25), np.log(2.0))))
    n = int(1.1 * time * RATE)
    t = np.arange(n) / RATE
    noise = rng.standard_normal((2, n))
    bright = rng.uniform(3_000, 9_000)
    delay = int(rng.uniform(0.002, 0.025) * RATE)
    tail = np.stack([synth.lowpassed(side, bright) - synth.lowpassed(side, 200) for side in noise]) * 10 ** (
        -3 * t / time
    )
    tail = np.concatenate([np.zeros((2, delay)), tail], 1)
    tail /= np.sqrt(np.square(tail).sum(1, keepdims=True))
    return (tail if stereo else tail.mean(0, keepdims=True) * np.sqrt(2)).astype(np.float32)


def _in_room(dry: np.ndarray, room: np.ndarray, wet: float) -> np.ndarray:
    """The sound and its reverberation, in which both channels meet."""
    from scipy.signal import oaconvolve

    send = dry.mean(0, keepdims=True)
    return dry + np.float32(wet) * oaconvolve(send, room, axes=1)[:, : dry.shape[1]].astype(np.float32)
