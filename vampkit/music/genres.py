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
HELD_OUT_GENRES = ("baroque", "folk")
HELD_OUT_INSTRUMENTS = ("harpsichord", "oboe", "accordion", "banjo", "kalimba")
"""Kept out of all training, to test with: no other genre asks for these instruments."""
