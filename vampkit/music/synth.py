"""Instruments with their own synthesis functions; all others are in `voices`.

Each function makes the wave of one note. A patch holds the settings that differ from piece to piece. It is drawn once
per piece, from the ranges in instruments.toml.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from vampkit.music.streams import pick
from vampkit.music.tables import INSTRUMENT_TABLE
from vampkit.music.waves import RATE, lowpassed, partials, read, rise, tremolo, wavetable

Patch = dict[str, float]
Play = Callable[[float, int, float, Patch, np.random.Generator], np.ndarray]
"""(Hz, samples, force 0..1, patch, random stream) -> wave, float32 [samples]."""
Voice = tuple[Play, Callable[[np.random.Generator], Patch]]
"""The two functions of an instrument: one makes a note, the other draws the patch."""


DRAWS = {
    "power": lambda rng, ends: 10 ** rng.uniform(*ends),
    "one_of": pick,
    "whole": lambda rng, ends: int(rng.integers(*ends)),
}


def draw_patch(name: str, rng: np.random.Generator) -> Patch:
    """Draw the settings of an instrument from their ranges: `[low, high]`, or one of `DRAWS` with its values."""
    patch = {}
    for setting, wanted in INSTRUMENT_TABLE[name]["patch"].items():
        [(kind, values)] = wanted.items() if isinstance(wanted, dict) else [("", wanted)]
        patch[setting] = DRAWS[kind](rng, values) if kind else rng.uniform(*values)
    return patch


def _harmonics(pitch: float, most: int) -> np.ndarray:
    """Numbers of the harmonics below 16 kHz, at least one and at most `most`."""
    return np.arange(1, max(2, min(most, int(16_000 / pitch)) + 1))


def piano(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
    """Piano: two stiff, slightly detuned strings per note. High partials decay faster; a hard stroke is brighter."""
    h = _harmonics(pitch, 40)
    freqs = h * pitch * np.sqrt((1 + patch["stiff"] * h**2) / (1 + patch["stiff"]))
    amps = h ** -(patch["slope"] + 0.9 * (1 - force)) * (0.15 + np.abs(np.sin(np.pi * h * patch["strike"])))
    decay = (1 + 0.22 * (h - 1)) / (patch["ring"] * (261.6 / pitch) ** 0.5)
    phases = np.tile(rng.uniform(0, 2 * np.pi, len(h)), 2)
    strings = np.r_[freqs, freqs + patch["beat"]], np.r_[amps, 0.6 * amps], np.r_[decay, 0.35 * decay]
    wave = partials(*strings, samples, phases)
    short = min(samples, int(0.08 * RATE))
    thump = lowpassed(rng.standard_normal(short), 900) * np.exp(-np.arange(short) / (0.012 * RATE))
    wave[:short] += patch["thump"] * 8 * force * thump * np.abs(wave).max()
    return wave * rise(samples, 0.002)


def epiano(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
    """Frequency modulation: the index falls from bright to plain; a quick high modulator is the tine."""
    t = np.arange(samples, dtype=np.float32) / RATE
    turn = (2 * np.pi * pitch / RATE * np.arange(samples)).astype(np.float32)
    index = patch["index"] * force**1.2 * (0.25 + 0.75 * np.exp(-t / 0.35))
    wave = np.sin(turn + index * np.sin(patch["ratio"] * turn))
    if patch["tine_ratio"] * pitch < 0.4 * RATE:
        wave += patch["tine"] * force * np.exp(-t / 0.06) * np.sin(patch["tine_ratio"] * turn)
    sway = 1 - patch["tremolo"] * (0.5 + 0.5 * np.sin(2 * np.pi * patch["rate"] * t))
    wave *= np.exp(-t / (patch["ring"] * (261.6 / pitch) ** 0.4)) * sway
    return wave * rise(samples, 0.003)


def guitar(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
    """The string of Karplus and Strong: noise in a delay line with averaging, so that high partials decay faster.

    y[n] = g ((1 - s) y[n - N] + s y[n - N - 1]), N + s = rate / pitch; computed a whole period at a time.
    """
    period = RATE / pitch
    length = int(period - 0.15)
    share = min(period - length, 0.9)  # above 1 the string would get louder; the error of 0.1 samples is at most a cent
    loss = 10 ** (-3 / (patch["ring"] * (196 / pitch) ** 0.3 * pitch))
    burst = lowpassed(rng.standard_normal(length + 1), patch["bright"] * (0.4 + 0.8 * force))
    burst -= np.roll(burst, max(1, int(patch["place"] * length)))
    burst -= burst.mean()
    periods = samples // length + 2
    line = np.zeros(periods * length + 1, np.float32)
    line[: length + 1] = burst
    for start in range(length + 1, periods * length + 1 - length, length):
        old = line[start - length - 1 : start]
        line[start : start + length] = loss * ((1 - share) * old[1:] + share * old[:-1])
    wave = line[:samples]
    if patch["body"]:
        wave = wave + patch["body"] * 4 * lowpassed(lowpassed(wave, 180), 260)
    return wave * rise(samples, 0.001)


def bass(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
    """Harmonics with a low-pass that closes after the attack. The patch makes it more plucked or more held."""
    h = _harmonics(pitch, 36)
    amps = h ** -patch["slope"] * np.where(h % 2 == 0, 1 - patch["odd"], 1.0)
    cut = patch["cut"] * (0.5 + force)
    soft = 1 / (1 + (h * pitch / cut) ** 2)
    phases = rng.uniform(0, 0.6, len(h))
    held = partials(h * pitch, amps * soft, (0.5 + 0.06 * h) / patch["ring"], samples, phases)
    stroke = partials(h * pitch, amps * np.sqrt(soft) * patch["pluck"], 9.0 + 0.8 * h, samples, phases)
    return (held + stroke) * rise(samples, 0.004)


def pad(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
    """Sawtooth waves, detuned by a few cents. A slow wave moves between a dark and a bright filter."""
    voices = int(patch["voices"])
    h = _harmonics(pitch, 28)
    spread = 2 ** (patch["cents"] * np.linspace(-1, 1, voices) / 1200)
    freqs = (pitch * spread[:, None] * h).ravel()
    saw = np.tile(1 / h, voices)
    phases = rng.uniform(0, 2 * np.pi, len(freqs))
    dark = partials(freqs, saw / (1 + (freqs / patch["cut"]) ** 4) ** 0.5, 0.0, samples, phases)
    bright = partials(freqs, saw / (1 + (freqs / (3 * patch["cut"])) ** 2), 0.0, samples, phases)
    t = np.arange(samples) / RATE
    move = (patch["sweep"] * (0.5 - 0.5 * np.cos(2 * np.pi * patch["rate"] * t + 0.8))).astype(np.float32)
    return (dark + move * (bright - dark)) * rise(samples, patch["attack"])


def _vibrato(pitch: float, samples: int, patch: Patch) -> np.ndarray:
    """Phase (1 is a full period) of a tone whose vibrato begins after 0.2 s."""
    t = np.arange(samples) / RATE
    depth = patch["vibrato"] * (1 - np.exp(-np.maximum(t - 0.2, 0) / 0.25))
    speed = 2 ** (depth * np.sin(2 * np.pi * patch["rate"] * t) / 1200)
    return np.cumsum(pitch * speed) / RATE


def lead(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
    """A saw or square without aliases, read from a table of one period, with vibrato and a filter that closes."""
    h = _harmonics(pitch, 60)
    amps = np.where((h % 2 == 0) & (patch["square"] > 0), 0.0, 1 / h)
    cut = patch["cut"] * (0.5 + force)
    bright = wavetable(amps / (1 + (h * pitch / (2.5 * cut)) ** 2))
    dark = wavetable(amps / (1 + (h * pitch / cut) ** 4) ** 0.5)
    turns = _vibrato(pitch, samples, patch)
    t = np.arange(samples, dtype=np.float32) / RATE
    mix = np.exp(-t / 0.15)
    wave = mix * read(bright, turns).astype(np.float32) + (1 - mix) * read(dark, turns).astype(np.float32)
    return wave * rise(samples, patch["attack"]) * (0.45 + 0.55 * np.exp(-t / patch["fall"]))


def organ_patch(rng) -> Patch:
    """Also draws the levels of the nine drawbars."""
    levels = rng.uniform(0, 1, 9) ** 1.5 * np.array([0.7, 0.4, 1, 0.8, 0.6, 0.5, 0.4, 0.4, 0.4])
    bars = {f"bar{i}": float(level) for i, level in enumerate(levels)}
    return {**bars, "bar2": 1.0, **draw_patch("organ", rng)}


def organ(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
    """Organ: nine drawbars of sines, the click of the key, and a rotor that modulates the level."""
    feet = np.array([0.5, 1.5, 1, 2, 3, 4, 5, 6, 8])
    amps = np.array([patch[f"bar{i}"] for i in range(9)])
    wave = partials(feet * pitch, amps, 0.0, samples, rng.uniform(0, 2 * np.pi, 9))
    short = min(samples, int(0.01 * RATE))
    wave[:short] += patch["click"] * rng.standard_normal(short) * np.hanning(short)
    t = np.arange(samples, dtype=np.float32) / RATE
    return wave * rise(samples, 0.006) * tremolo(patch["depth"], patch["rate"], t)


def flute(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
    """A few sines with vibrato, and breath: noise around the tone."""
    from scipy.signal import lfilter

    turn = (2 * np.pi * (_vibrato(pitch, samples, patch) % 1)).astype(np.float32)
    wave = np.sin(turn) + patch["second"] * force * np.sin(2 * turn)
    wave = wave + patch["third"] * force**2 * np.sin(3 * turn) + 0.02 * np.sin(5 * turn)
    radius, angle = 0.97, 2 * np.pi * min(2 * pitch, 9_000) / RATE
    noise = rng.standard_normal(samples).astype(np.float32)
    breath = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], noise)
    start = 1 + 2 * np.exp(-np.arange(samples, dtype=np.float32) / (0.05 * RATE))
    return (wave + patch["breath"] * 4 * start * breath.astype(np.float32)) * rise(samples, patch["attack"])


def synthbass(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
    """Two slightly detuned sawtooth or square waves, with a low-pass whose cutoff falls."""
    t = np.arange(samples, dtype=np.float32) / RATE
    h = np.arange(1, max(2, min(50, int(9_000 / pitch))) + 1)
    amps = np.where((h % 2 == 0) & (patch["square"] > 0), 0.0, 1 / h)
    cut = patch["cut"] * (0.5 + force)
    bright, dark = (
        wavetable(amps / (1 + (h * pitch / c) ** 4) ** 0.5).astype(np.float32) for c in (3 * cut, 0.6 * cut)
    )
    mix = np.exp(-t / patch["fall"])
    wave = np.zeros(samples, np.float32)
    for cents in (-patch["cents"] / 2, patch["cents"] / 2):
        turns = np.arange(samples) * (pitch * 2 ** (cents / 1200) / RATE) + rng.random()
        wave += mix * read(bright, turns) + (1 - mix) * read(dark, turns)
    return wave * rise(samples, 0.004)


def sub(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
    """The kick of an old drum machine as a bass: a sine that falls to its pitch, with overtones from distortion."""
    t = np.arange(samples, dtype=np.float32) / RATE
    turns = np.cumsum(pitch * 2 ** (patch["drop"] * np.exp(-t / 0.03) / 12)) / RATE
    wave = np.tanh(patch["drive"] * np.sin(2 * np.pi * turns) * np.exp(-t / patch["ring"]))
    return wave.astype(np.float32) * rise(samples, 0.003)


VOICES: dict[str, Voice] = {
    play.__name__: (play, partial(draw_patch, play.__name__))
    for play in (piano, epiano, guitar, bass, pad, lead, flute, synthbass, sub)
}
VOICES["organ"] = organ, organ_patch
