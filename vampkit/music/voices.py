"""All instruments by name. Most are of one of three kinds: struck bars, plucked strings, and bowed or blown tones.

Their settings are in instruments.toml. All other instruments have their own functions in `synth`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vampkit.music import synth
from vampkit.music.streams import pick
from vampkit.music.synth import Patch, Voice
from vampkit.music.tables import INSTRUMENT_TABLE
from vampkit.music.waves import RATE, lowpassed, partials, read, rise, tremolo, wavetable

VOWELS = {
    "a": (730, 1090, 2440), "o": (570, 840, 2410), "u": (300, 870, 2240), "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
}  # fmt: skip
"""Centres of the first three formants in Hz. Source: Peterson and Barney 1952, men. A larger head lowers them."""
Range = Sequence[float]
"""Lowest and highest value of a setting that a patch draws."""
Formant = tuple[float, float, float]
"""Hz, width in Hz, gain."""


def struck(
    ratios: Sequence[float], amps: Sequence[float], ring: Range, spread: float, knock: float, waver: float = 0.0
) -> Voice:
    """An instrument with partials (modes) at fixed ratios to the pitch, such as a vibraphone.

    ring: range of the decay time of the first mode in s. Mode n, counted from 0, decays 1 + n * spread times as fast.
    knock: loudness of the mallet. waver: largest depth of the tremolo.
    """

    def draw(rng) -> Patch:
        return {
            "ring": float(np.exp(rng.uniform(*np.log(ring)))),
            "bright": rng.uniform(0.5, 1.4),
            "knock": knock * rng.uniform(0.3, 1.2),
            "rate": rng.uniform(3, 7),
            "tremolo": rng.uniform(0, waver),
            "detune": rng.uniform(0, 0.004),
            "release": rng.uniform(0.1, 0.3),
        }

    def play(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
        r, a = np.array(ratios), np.array(amps)
        level = a * r ** (-(1 - force) * 0.8) * r ** (0.35 * (patch["bright"] - 1))
        decay = (1 + spread * np.arange(len(r))) / (patch["ring"] * (440 / pitch) ** 0.4)
        tuned = pitch * r * (1 + patch["detune"] * rng.uniform(-1, 1, len(r)) * (np.arange(len(r)) > 0))
        wave = partials(tuned, level, decay, samples, rng.uniform(0, 0.4, len(r)))
        short = min(samples, int(0.03 * RATE))
        noise = patch["knock"] * force * lowpassed(rng.standard_normal(short), 2_500)
        wave[:short] += noise * np.exp(-np.arange(short) / (0.004 * RATE))
        t = np.arange(samples, dtype=np.float32) / RATE
        return wave * rise(samples, 0.001) * tremolo(patch["tremolo"], patch["rate"], t)

    return play, draw


def plucked(bright: Range, ring: Range, place: Range, body: float, nasal: float = 0.0, soft: bool = False) -> Voice:
    """A string like `synth.guitar`, with its own brightness (Hz), decay time (s) and plucking position.

    nasal: removes low frequencies, like the skin of a banjo. soft: frequencies above the brightness stay quiet, as with
    nylon strings.
    """

    def draw(rng) -> Patch:
        return {
            "bright": float(np.exp(rng.uniform(*np.log(bright)))),
            "ring": float(np.exp(rng.uniform(*np.log(ring)))),
            "place": rng.uniform(*place),
            "body": rng.uniform(0.3, 1.0) * body,
            "nasal": nasal,
            "release": rng.uniform(0.04, 0.12),
        }

    def play(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
        wave = synth.guitar(pitch, samples, force, patch, rng)
        if soft:
            wave = lowpassed(lowpassed(wave, patch["bright"]), patch["bright"])
        return wave - patch["nasal"] * lowpassed(lowpassed(wave, 500), 500) if patch["nasal"] else wave

    return play, draw


def held(
    slope: Range,
    attack: Range,
    *,
    odd: float = 0.0,
    formants: Sequence[Formant] = (),
    vibrato: Range = (0, 0),
    scoop: float = 0.0,
    breath: float = 0.0,
    players: int = 1,
    cents: Range = (0, 0),
    vowels: bool = False,
    swell: float = 0.2,
) -> Voice:
    """An instrument that is bowed, blown or sung: harmonics in a wavetable, with vibrato and the noise of breath.

    slope: range of the slope of the harmonics (h ** -slope at full force). attack: range of the attack time in s. odd:
    how much weaker even harmonics are, as a fraction. vibrato: range in cents. scoop: largest number of cents that a
    note starts below its pitch. breath: level of the noise. players: number of players, detuned by up to `cents`.
    vowels: the formants move from one vowel to another. swell: how much the tone grows after its attack.
    """

    def draw(rng) -> Patch:
        return {
            "slope": rng.uniform(*slope),
            "attack": float(np.exp(rng.uniform(*np.log(attack)))),
            "vibrato": rng.uniform(*vibrato),
            "rate": rng.uniform(4.6, 6.4),
            "scoop": rng.uniform(0, scoop),
            "breath": breath * rng.uniform(0.4, 1.2),
            "cents": rng.uniform(*cents),
            "head": rng.uniform(0.9, 1.18),
            "first": pick(rng, range(len(VOWELS))),
            "second": pick(rng, range(len(VOWELS))),
            "swell": swell * rng.uniform(0.3, 1.2),
            "color": rng.uniform(0.85, 1.2),
            "release": rng.uniform(0.06, 0.16),
        }

    def play(pitch: float, samples: int, force: float, patch: Patch, rng) -> np.ndarray:
        t = np.arange(samples, dtype=np.float32) / RATE
        tables = []
        for strength, vowel in ((force, "first"), (0.55 * force, "second")):
            own = [(hz * patch["color"], width, gain) for hz, width, gain in formants]
            shape = _vowel(patch[vowel], patch["head"]) if vowels else own
            amps = _spectrum(pitch, patch["slope"] + 0.8 * (1 - strength), odd, shape)
            tables.append(wavetable(amps).astype(np.float32))
        late = 1 - np.exp(-np.maximum(t - 0.18, 0) / 0.25)
        # Voices move from the first vowel to the second in 1/3 s; other instruments get darker after the attack.
        mix = np.exp(-t / 0.3) if vowels else 0.35 + 0.65 * np.exp(-t / 0.2)
        wave = np.zeros(samples, np.float32)
        for player in range(players):
            apart = patch["cents"] * (2 * player / (players - 1) - 1 if players > 1 else 0)
            rate = 2 * np.pi * patch["rate"] * rng.uniform(0.93, 1.07)
            sway = patch["vibrato"] * late * np.sin(rate * t + rng.uniform(0, 6.28) * (players > 1))
            start = -patch["scoop"] * np.exp(-t / 0.05)
            turns = np.cumsum(pitch * 2 ** ((apart + sway + start) / 1200)) / RATE
            if players > 1:
                turns += rng.random()
            wave += mix * read(tables[0], turns) + (1 - mix) * read(tables[1], turns)
        wave /= players**0.5
        if patch["breath"]:
            hiss = rng.standard_normal(samples).astype(np.float32)
            wave += patch["breath"] * (0.6 + 1.6 * np.exp(-t / 0.04)) * (lowpassed(hiss, 5_000) - lowpassed(hiss, 700))
        return wave * rise(samples, patch["attack"]) * (1 - patch["swell"] * np.exp(-t / 0.35))

    return play, draw


def _spectrum(pitch: float, slope: float, odd: float, formants: Sequence[Formant]) -> np.ndarray:
    """Amplitudes of the harmonics below 14 kHz: h ** -slope, raised at formants, scaled to a total power of 1."""
    h = np.arange(1, max(2, min(60, int(14_000 / pitch))) + 1)
    amps = h**-slope * np.where(h % 2 == 0, 1 - odd, 1.0)
    if formants:
        amps = amps * (1 + sum(gain / (1 + ((h * pitch - hz) / width) ** 2) for hz, width, gain in formants))
    return amps / np.sqrt((amps**2).sum())


def _vowel(number: int, head: float) -> list[Formant]:
    """The formants of a vowel; head: factor of their frequencies."""
    named = zip(list(VOWELS.values())[number], (10.0, 6.0, 3.0), strict=True)
    return [(hz * head, 90 + 0.06 * hz, gain) for hz, gain in named]


KINDS = {"struck": struck, "plucked": plucked, "held": held}


def _voice(name: str) -> Voice:
    """The voice of an instrument: its own functions from `synth`, or one made from its settings."""
    if name in synth.VOICES:
        return synth.VOICES[name]
    kind, settings = next((kind, INSTRUMENT_TABLE[name][kind]) for kind in KINDS if kind in INSTRUMENT_TABLE[name])
    return KINDS[kind](**settings)


VOICES = {name: _voice(name) for name in INSTRUMENT_TABLE}
INSTRUMENTS: tuple[str, ...] = tuple(VOICES)
"""The pitched instruments by name. Drums are in `drums`."""
