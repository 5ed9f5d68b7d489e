"""All genres by name, and which of them a seed draws from."""

from vampkit.music import popular, traditional

TABLE = {
    g.name: g
    for g in (
        *(popular.POP, popular.ROCK, popular.HOUSE, traditional.BOSSA, traditional.WALTZ),
        *(popular.BLUES, popular.FUNK, popular.REGGAE, popular.DRUM_AND_BASS, popular.HIP_HOP, popular.AMBIENT),
        *(traditional.JAZZ, traditional.MINIMAL, traditional.SALSA, traditional.BAROQUE, traditional.FOLK),
    )
}
GENRES: tuple[str, ...] = tuple(TABLE)
"""The genres by name."""
DRAWN = GENRES[:5]
"""Those that a seed draws from when no genre is named: what the bundled codec and models were trained on."""
TRAINING = "training"
"""In place of a genre's name: let the seed choose one of TRAINING_GENRES."""
HELD_OUT_SEEDS = 1_000_000
"""Seeds from here on are kept out of all training, to test with."""
HELD_OUT_GENRES = ("baroque", "folk")
"""Kept out of all training, as are the next: for testing how a model meets what it never heard."""
HELD_OUT_INSTRUMENTS = ("harpsichord", "oboe", "accordion", "banjo", "kalimba")
"""No other genre asks for these."""
TRAINING_GENRES = tuple(name for name in GENRES if name not in HELD_OUT_GENRES)
"""What codecs and models are trained on: all genres but those kept out."""
