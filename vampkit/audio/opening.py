"""Whether a sound opens with an attack. Detectors compare each moment with the one before, and the first has none."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def opens_with_attack(samples: Float[np.ndarray, " samples"], rate: int) -> bool:
    """Say whether a sound begins right at a stroke, as a loop does that was cut on its first beat.

    That is so where the first 30 ms have at least three times the power (5 dB more) of what follows after 80 ms, up to
    160 ms: a stroke dies away, while music that was cut in its middle goes on.

    Notebook: 14

    Parameters
    ----------
    samples : Float[np.ndarray, " samples"]
        A mono sound.
    rate : int
        Samples per second.

    Returns
    -------
    bool
        Whether it does. False for silence and for less than 80 ms.
    """
    first, after = samples[: int(0.03 * rate)], samples[int(0.08 * rate) : int(0.16 * rate)]
    power = [float(np.square(part, dtype=np.float64).mean()) for part in (first, after) if len(part)]
    return len(power) == 2 and power[0] > 3 * power[1]
