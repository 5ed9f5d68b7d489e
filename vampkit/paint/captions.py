"""Captions: what a cover is told. Five words that the composer knows of its piece, each of which may be left unsaid."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from vampkit.music import GENRES, Piece

TEMPI = ("slow", "moderate", "fast")
TEMPO_BORDERS = (95.0, 125.0)
"""Beats a minute at which the next word for the tempo begins. A third of composed pieces lies in each."""
TONICS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
MODES = ("major", "minor")
ENERGIES = ("calm", "lively", "wild")
ENERGY_BORDERS = (11.0, 20.0)
"""Notes a second at which the next word for the energy begins. A third of composed pieces lies in each."""
SLOTS = {"genre": GENRES, "tempo": TEMPI, "tonic": TONICS, "mode": MODES, "energy": ENERGIES}
"""The words that may stand in each place of a caption."""
KEPT = {0: "test", 6: "valid"}
"""Pairs of genre and tonic that are kept from training: each genre has one of each kind."""
WORDS = ("", *(word for words in SLOTS.values() for word in words))
"""All words by number. Number 0 is a word that was left unsaid."""


@dataclass(frozen=True)
class Caption:
    """What is said of a piece or of its cover. What is None was not said, and is left to chance.

    Notebook: 15

    Parameters
    ----------
    genre : str, optional
        One of the composer's genres.
    tempo : str, optional
        "slow", "moderate" or "fast".
    tonic : str, optional
        "C", "Db" and so on.
    mode : str, optional
        "major" or "minor".
    energy : str, optional
        "calm", "lively" or "wild": how many notes there are in a second.

    Raises
    ------
    ValueError
        For any other word.

    Examples
    --------
    >>> str(Caption("jazz", "fast", "D", "minor", "calm"))
    'fast calm jazz in D minor'
    """

    genre: str | None = None
    tempo: str | None = None
    tonic: str | None = None
    mode: str | None = None
    energy: str | None = None

    def __post_init__(self):
        for slot, words in SLOTS.items():
            word = getattr(self, slot)
            if word is not None and word not in words:
                raise ValueError(f"the {slot} is {word!r}, one of {', '.join(words)} was expected; None leaves it open")

    def __str__(self) -> str:
        key = " ".join(filter(None, (self.tonic, self.mode)))
        said = " ".join(filter(None, (self.tempo, self.energy, self.genre)))
        return " in ".join(filter(None, (said, key))) or "(nothing said)"

    @property
    def numbers(self) -> tuple[int, ...]:
        """The five words as numbers in `WORDS`; 0 where nothing is said."""
        return tuple(WORDS.index(getattr(self, slot) or "") for slot in SLOTS)

    @property
    def part(self) -> str:
        """Which part of the captions it belongs to, by its pair of genre and tonic: "train", "valid" or "test".

        One pair in twelve is kept for choosing settings and one for testing. The bundled painter saw neither together.
        """
        if self.genre is None or self.tonic is None:
            return "train"
        return KEPT.get((5 * GENRES.index(self.genre) + TONICS.index(self.tonic)) % len(TONICS), "train")


def read_caption(text: str) -> Caption:
    """Read a caption from plain words, in any order; what is not named stays unsaid.

    Notebook: 15

    Parameters
    ----------
    text : str
        Such as "fast jazz in D minor". The words "a", "an" and "in" are passed over.

    Returns
    -------
    Caption
        The caption.

    Raises
    ------
    ValueError
        For a word that no caption holds, or two words for one place.

    Examples
    --------
    >>> read_caption("a slow blues in Eb").tonic
    'Eb'
    """
    rest, found = f" {' '.join(text.replace(',', ' ').split())} ", {}
    for slot, words in SLOTS.items():
        for word in sorted(words, key=len, reverse=True):  # "drum and bass" before a word that is a part of it
            pattern = re.escape(f" {word} ")
            # Only a capital A is a tonic: "a jazz" has an article.
            if re.search(pattern, rest, 0 if slot == "tonic" else re.IGNORECASE):
                if slot in found:
                    raise ValueError(f"{found[slot]!r} and {word!r} were given, one {slot} was expected; drop one")
                found[slot] = word
                rest = re.sub(pattern, " ", rest, flags=0 if slot == "tonic" else re.IGNORECASE)
    unknown = [word for word in rest.split() if word.lower() not in ("a", "an", "in")]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no word of a caption; these are: {', '.join(WORDS[1:])}")
    return Caption(**found)


def caption_of(piece: Piece) -> Caption:
    """Say what the composer knows of a piece.

    Notebook: 15

    Parameters
    ----------
    piece : Piece
        What `compose` made.

    Returns
    -------
    Caption
        A caption with all five words.
    """
    tonic, mode = piece.key.split(":")
    return Caption(
        genre=piece.genre,
        tempo=TEMPI[int(np.searchsorted(TEMPO_BORDERS, piece.tempo, side="right"))],
        tonic=tonic,
        mode={"maj": "major", "min": "minor"}[mode],
        energy=ENERGIES[int(np.searchsorted(ENERGY_BORDERS, len(piece.notes) / piece.seconds, side="right"))],
    )


def draw_captions(count: int, seed: int, part: str = "train") -> list[Caption]:
    """Draw whole captions by chance, each word equally often.

    Notebook: 15

    Parameters
    ----------
    count : int
        How many.
    seed : int
        The same seed gives the same captions.
    part : str
        "train", "valid" or "test": parts share no pair of genre and tonic (`Caption.part`). Settings are chosen on
        "valid", and what is reported is measured on "test".

    Returns
    -------
    list of Caption
        The captions.

    Raises
    ------
    ValueError
        For another part.
    """
    if part not in (known := ("train", *KEPT.values())):
        raise ValueError(f"the part is {part!r}, one of {', '.join(known)} was expected")
    rng, found = np.random.default_rng(seed), []
    while len(found) < count:
        caption = Caption(**{slot: str(rng.choice(words)) for slot, words in SLOTS.items()})
        if caption.part == part:
            found.append(caption)
    return found
