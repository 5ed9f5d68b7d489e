"""Preset prompts: those of the paper's experiments, and of the two apps of the reference code."""

from vampkit.prompts.base import Prompt
from vampkit.prompts.frames import Compression, Nothing, Periodic, Prefix, Suffix
from vampkit.prompts.sound import Beats, Onsets

PRESETS: dict[str, Prompt] = {
    # Paper, section 4.4 and figure 4. One second of context is half a second on either side.
    "paper-periodic-8": Periodic(8),
    "paper-periodic-16": Periodic(16),
    "paper-periodic-32": Periodic(32),
    "paper-inpaint-1s": Prefix(0.5) | Suffix(0.5),
    "paper-inpaint-2s": Prefix(1.0) | Suffix(1.0),
    # 75 ms after each beat, rounded up to five frames; the paper counts about four.
    "paper-beats": Beats(0.0, 0.075),
    # Paper, section 5 and figure 5: the first codebooks of every P-th frame.
    **{f"paper-compression-{n}-p{p}": Compression(n, p) for n in (1, 2, 3, 4) for p in (1, 8, 16, 32)},
    # The app of the reference code. It draws the offset of the period at each click; here it is 0.
    "app-timbre-transfer": Periodic(2) & Compression(1),
    "app-small": Periodic(5) & Compression(4),
    "app-small-beat": (Periodic(7) | Beats(0.0, 0.05)) & Compression(4),
    "app-medium": Periodic(7) & Compression(4),
    "app-medium-beat": (Periodic(13) | Beats(0.0, 0.05)) & Compression(4),
    "app-large": Periodic(13).dropout(0.2) & Compression(4),
    "app-large-beat": Beats(0.0, 0.08) & Compression(4),
    "app-unconditional": Nothing(),
    # The app in its branch of 2023 (ismir-2023): periodic frames within five frames of an onset, nine codebooks kept.
    **{
        f"app2023-{name}": Periodic(period) & Onsets(0.087, 0.087) & Compression(9)
        for name, period in (("slight", 5), ("moderate", 13), ("strong", 17), ("very-strong", 21))
    },
    "app2023-beat": Beats(0.0, 0.05) & Compression(9),
    "app2023-downbeats": Beats(0.0, 0.05, "down") & Compression(9),
    "app2023-downbeats-strong": Beats(0.0, 0.02, "down") & Compression(9),
    "app2023-unconditional": Nothing(),
}
"""Preset prompts by name; `parse` knows the names too. Notebook: 06 to 09."""
