"""More instruments, most of them two kinds of sound with many faces.

Struck things that ring in modes, and tones that are held by breath or bow.

Each takes (Hz, samples, force 0..1, patch, random stream) like those of `synth`; a patch is drawn once a piece.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vampkit.music import synth
from vampkit.music.streams import pick
from vampkit.music.synth import RATE, Patch, lowpassed, partials, rise

TABLE = 2048
VOWELS = {
    "a": (730, 1090, 2440),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
}
"""Centres of the first three formants in Hz. Source: Peterson and Barney 1952, men; a larger head scales them down."""
Wave = Callable[[float, int, float, Patch, np.random.Generator], np.ndarray]


def struck(
    ratios: tuple[float, ...],
    amps: tuple[float, ...],
    ring: tuple[float, float],
    spread: float,
    knock: float,
    tremolo: float = 0.0,
):
    """An instrument of modes at fixed ratios to the pitch.

    ring: range of the first mode's decay in s; the others die `spread` times faster a mode.

    knock: loudness of the mallet. tremolo: greatest depth of a slow beating of the level.
    """

    def draw(rng) -> Patch:
        return {"ring": float(np.exp(rng.uniform(*np.log(ring)))), "bright": rng.uniform(0.5, 1.4), "knock": knock * rng.uniform(0.3, 1.2),
                "rate": rng.uniform(3, 7), "tremolo": rng.uniform(0, tremolo), "detune": rng.uniform(0, 0.004), "release": rng.uniform(0.1, 0.3)}  # fmt: skip

    def play(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
        r, a = np.array(ratios), np.array(amps)
        level = a * r ** (-(1 - force) * 0.8) * r ** (0.35 * (patch["bright"] - 1))
        decay = (1 + spread * np.arange(len(r))) / (patch["ring"] * (440 / pitch) ** 0.4)
        tuned = pitch * r * (1 + patch["detune"] * rng.uniform(-1, 1, len(r)) * (np.arange(len(r)) > 0))
        wave = partials(tuned, level, decay, samples, rng.uniform(0, 0.4, len(r)))
        short = min(samples, int(0.03 * RATE))
        wave[:short] += (
            patch["knock"]
            * force
            * lowpassed(rng.standard_normal(short), 2_500)
            * np.exp(-np.arange(short) / (0.004 * RATE))
        )
        t = np.arange(samples, dtype=np.float32) / RATE
        return (
            wave
            * rise(samples, 0.001)
            * (1 - patch["tremolo"] * (0.5 + 0.5 * np.sin(2 * np.pi * np.float32(patch["rate"]) * t)))
        )

    return play, draw


def plucked(
    bright: tuple[float, float],
    ring: tuple[float, float],
    place: tuple[float, float],
    body: float,
    nasal: float = 0.0,
    soft: bool = False,
):
    """A string by Karplus and Strong with its own brightness (Hz), ring (s) and place of the finger.

    nasal: takes the lows away, as a banjo's skin does. soft: highs above the brightness stay quiet while it rings, as
    on nylon.
    """

    def draw(rng) -> Patch:
        return {"bright": float(np.exp(rng.uniform(*np.log(bright)))), "ring": float(np.exp(rng.uniform(*np.log(ring)))), "place": rng.uniform(*place),
                "body": rng.uniform(0.3, 1.0) * body, "nasal": nasal, "release": rng.uniform(0.04, 0.12)}  # fmt: skip

    def play(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
        wave = synth.guitar(pitch, samples, force, patch, rng)
        if soft:
            wave = lowpassed(lowpassed(wave, patch["bright"]), patch["bright"])
        return wave - patch["nasal"] * lowpassed(lowpassed(wave, 500), 500) if patch["nasal"] else wave

    return play, draw


def held(
    slope: tuple[float, float],
    attack: tuple[float, float],
    *,
    odd: float = 0.0,
    formants: tuple[tuple[float, float, float], ...] = (),
    vibrato: tuple[float, float] = (0, 0),
    scoop: float = 0.0,
    breath: float = 0.0,
    players: int = 1,
    cents: tuple[float, float] = (0, 0),
    vowels: bool = False,
    swell: float = 0.2,
):
    """An instrument that is bowed, blown or sung.

    Harmonics in a table, read with vibrato, a scoop into the note and noise of breath.

    slope: range of the fall of the harmonics (h ** -slope at full force). odd: share by which even ones are weaker.
    formants: (Hz, width in Hz, gain).
    vibrato, cents: ranges in hundredths of a semitone. scoop: most cents a note starts below its pitch. players: how
    many at once, `cents` apart.
    vowels: moves from one vowel's formants to another's. swell: how much the tone grows after its attack.
    """

    def draw(rng) -> Patch:
        named = list(VOWELS)
        return {"slope": rng.uniform(*slope), "attack": float(np.exp(rng.uniform(*np.log(attack)))),
                "vibrato": rng.uniform(*vibrato), "rate": rng.uniform(4.6, 6.4),
                "scoop": rng.uniform(0, scoop), "breath": breath * rng.uniform(0.4, 1.2), "cents": rng.uniform(*cents), "head": rng.uniform(0.9, 1.18),
                "first": pick(rng, range(len(named))), "second": pick(rng, range(len(named))), "swell": swell * rng.uniform(0.3, 1.2),
                "color": rng.uniform(0.85, 1.2), "release": rng.uniform(0.06, 0.16)}  # fmt: skip

    def spectrum(pitch: float, force: float, patch: Patch, vowel: int | None) -> np.ndarray:
        h = np.arange(1, max(2, min(60, int(14_000 / pitch))) + 1)
        amps = h ** -(patch["slope"] + 0.8 * (1 - force)) * np.where(h % 2 == 0, 1 - odd, 1.0)
        shape = tuple((f * patch["color"], w, g) for f, w, g in formants)
        if vowel is not None:
            shape = tuple(
                (f * patch["head"], 90 + 0.06 * f, g)
                for f, g in zip(VOWELS[list(VOWELS)[vowel]], (10.0, 6.0, 3.0), strict=True)
            )
        gain = 1 + sum(g / (1 + ((h * pitch - f) / w) ** 2) for f, w, g in shape) if shape else 1.0
        return amps * gain / np.sqrt(((amps * gain) ** 2).sum())

    def play(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
        t = np.arange(samples, dtype=np.float32) / RATE
        tables = [
            _table(spectrum(pitch, f, patch, patch[v] if vowels else None))
            for f, v in ((force, "first"), (0.55 * force, "second"))
        ]
        late = 1 - np.exp(-np.maximum(t - 0.18, 0) / 0.25)
        # From the first vowel to the second within a third of a second; other instruments mellow after their attack.
        mix = np.exp(-t / 0.3) if vowels else 0.35 + 0.65 * np.exp(-t / 0.2)
        wave = np.zeros(samples, np.float32)
        for player in range(players):
            apart = patch["cents"] * (2 * player / (players - 1) - 1 if players > 1 else 0)
            sway = (
                patch["vibrato"]
                * late
                * np.sin(2 * np.pi * patch["rate"] * rng.uniform(0.93, 1.07) * t + rng.uniform(0, 6.28) * (players > 1))
            )
            start = -patch["scoop"] * np.exp(-t / 0.05)
            turns = np.cumsum(pitch * 2 ** ((apart + sway + start) / 1200)) / RATE + (
                rng.random() if players > 1 else 0
            )
            wave += mix * _read(tables[0], turns) + (1 - mix) * _read(tables[1], turns)
        wave /= players**0.5
        if patch["breath"]:
            hiss = rng.standard_normal(samples).astype(np.float32)
            wave += patch["breath"] * (0.6 + 1.6 * np.exp(-t / 0.04)) * (lowpassed(hiss, 5_000) - lowpassed(hiss, 700))
        return wave * rise(samples, patch["attack"]) * (1 - patch["swell"] * np.exp(-t / 0.35))

    return play, draw


def _table(amps: np.ndarray) -> np.ndarray:
    turn = np.arange(TABLE + 1) / TABLE
    return (np.sin(2 * np.pi * turn[:, None] * np.arange(1, len(amps) + 1)) @ amps).astype(np.float32)


def _read(table: np.ndarray, turns: np.ndarray) -> np.ndarray:
    place = (turns % 1) * TABLE
    at = place.astype(np.int32)
    part = (place - at).astype(np.float32)
    return (1 - part) * table[at] + part * table[at + 1]


def synthbass_patch(rng) -> Patch:
    """Drawn once a piece: filter in Hz, distance of the two voices in cents, fall in s, saw or square."""
    return {"cut": 10 ** rng.uniform(2.6, 3.3), "cents": rng.uniform(5, 22), "fall": rng.uniform(0.08, 0.6), "square": pick(rng, (0.0, 0.0, 1.0)),
            "release": rng.uniform(0.03, 0.08)}  # fmt: skip


def synthbass(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
    """Two saws or squares that beat against each other, under a filter that falls."""
    t = np.arange(samples, dtype=np.float32) / RATE
    h = np.arange(1, max(2, min(50, int(9_000 / pitch))) + 1)
    amps = np.where((h % 2 == 0) & (patch["square"] > 0), 0.0, 1 / h)
    cut = patch["cut"] * (0.5 + force)
    tables = [_table(amps / (1 + (h * pitch / c) ** 4) ** 0.5) for c in (3 * cut, 0.6 * cut)]
    mix = np.exp(-t / patch["fall"])
    wave = np.zeros(samples, np.float32)
    for cents in (-patch["cents"] / 2, patch["cents"] / 2):
        turns = np.arange(samples) * (pitch * 2 ** (cents / 1200) / RATE) + rng.random()
        wave += mix * _read(tables[0], turns) + (1 - mix) * _read(tables[1], turns)
    return wave * rise(samples, 0.004)


def sub_patch(rng) -> Patch:
    """Drawn once a piece: drop in semitones, ring in s, drive."""
    return {
        "drop": rng.uniform(0, 7),
        "ring": rng.uniform(0.4, 1.6),
        "drive": rng.uniform(1, 4),
        "release": rng.uniform(0.05, 0.15),
    }


def sub(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
    """The long low drum of an old machine, played as a bass.

    A sine that drops into its pitch, driven until it speaks on small speakers.
    """
    t = np.arange(samples, dtype=np.float32) / RATE
    turns = np.cumsum(pitch * 2 ** (patch["drop"] * np.exp(-t / 0.03) / 12)) / RATE
    return np.tanh(patch["drive"] * np.sin(2 * np.pi * turns) * np.exp(-t / patch["ring"])).astype(np.float32) * rise(
        samples, 0.003
    )


MORE: dict[str, tuple[Wave, Callable]] = {
    "strings": held((0.9, 1.3), (0.08, 0.35), formants=((500, 300, 1.5), (1500, 700, 1.0)), vibrato=(4, 12), players=5, cents=(6, 14), swell=0.4),
    "violin": held((0.8, 1.2), (0.03, 0.1), formants=((480, 200, 2), (1200, 500, 1.5), (3000, 900, 1.5)), vibrato=(8, 26), scoop=45, breath=0.02, swell=0.3),
    "cello": held((0.9, 1.4), (0.04, 0.12), formants=((240, 120, 2.5), (600, 250, 1.5)), vibrato=(6, 20), scoop=35, breath=0.012, swell=0.3),
    "choir": held((1.0, 1.5), (0.1, 0.3), vibrato=(6, 16), breath=0.03, players=5, cents=(8, 18), vowels=True, swell=0.4),
    "voice": held((0.9, 1.4), (0.03, 0.1), vibrato=(8, 38), scoop=120, breath=0.03, vowels=True, swell=0.3),
    "trumpet": held((0.5, 0.9), (0.012, 0.04), formants=((1200, 500, 2.0), (2400, 800, 1.0)), vibrato=(0, 14), scoop=40, breath=0.01, swell=0.1),
    "brass": held((0.6, 1.0), (0.015, 0.05), formants=((900, 500, 1.5), (2000, 900, 1.0)), vibrato=(0, 8), scoop=50, players=3, cents=(4, 10), swell=0.1),
    "sax": held((0.7, 1.1), (0.02, 0.06), formants=((650, 250, 2.0), (1700, 600, 1.2)), vibrato=(4, 24), scoop=110, breath=0.05, swell=0.2),
    "clarinet": held((0.9, 1.3), (0.02, 0.06), odd=0.85, formants=((1500, 600, 1.0),), vibrato=(0, 8), scoop=25, breath=0.02, swell=0.2),
    "oboe": held((0.5, 0.9), (0.02, 0.05), formants=((1100, 300, 3.0), (2900, 600, 1.5)), vibrato=(4, 16), scoop=20, breath=0.01, swell=0.2),
    "accordion": held((0.6, 1.0), (0.02, 0.06), formants=((900, 600, 1.0),), players=2, cents=(4, 12), swell=0.1),
    "marimba": struck((1, 3.93, 9.4), (1, 0.3, 0.08), (0.18, 0.45), 2.5, 0.5),
    "vibes": struck((1, 3.98, 10.5), (1, 0.22, 0.05), (1.2, 2.8), 1.5, 0.15, 0.35),
    "bells": struck((0.5, 1, 1.19, 1.5, 2.0, 2.51, 3.01, 4.1), (0.4, 1, 0.5, 0.3, 0.6, 0.25, 0.2, 0.12), (0.9, 3.0), 0.3, 0.2),
    "kalimba": struck((1, 5.4, 14.7), (1, 0.2, 0.04), (0.4, 0.9), 2.0, 0.4),
    "nylon": plucked((1_300, 3_000), (0.8, 2.0), (0.2, 0.4), 0.6, soft=True),
    "harp": plucked((2_500, 6_000), (1.5, 4.0), (0.35, 0.5), 0.4),
    "harpsichord": plucked((6_000, 11_000), (0.8, 2.0), (0.08, 0.15), 0.1),
    "clav": plucked((4_000, 9_000), (0.35, 0.9), (0.06, 0.12), 0.0, 0.6),
    "banjo": plucked((5_000, 9_000), (0.25, 0.6), (0.06, 0.14), 0.0, 0.9),
    "synthbass": (synthbass, synthbass_patch),
    "sub": (sub, sub_patch),
}  # fmt: skip
"""Instrument -> (how it sounds, how its patch is drawn)."""

PLAYERS = synth.PLAYERS | MORE
INSTRUMENTS: tuple[str, ...] = tuple(PLAYERS)
"""The pitched instruments by name; drums come from one of the kits."""
