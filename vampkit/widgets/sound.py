"""What editor and studio show of a sound: its beats and onsets, its waveform, its spectrogram."""

from __future__ import annotations

import numpy as np

from vampkit.audio import Clip
from vampkit.show import spectra

COLUMNS = 2400  # of waveform and spectrogram: enough to zoom in tenfold on a wide page
BANDS = 64


def find_times(clip: Clip) -> dict[str, tuple[float, ...]]:
    """Onsets, beats and bars of a clip, in seconds."""
    from vampkit.prompts.beats import LibrosaBeats, onset_times

    grid = LibrosaBeats().track(clip)
    return {"onsets": tuple(map(float, onset_times(clip, opening=True))), "beats": grid.times(), "bars": grid.downbeats}


def sound_pictures(clip: Clip, frames: int, beside: Clip | None = None) -> tuple[dict, bytes, bytes]:
    """Waveform and mel spectrogram of a clip for the page: their sizes, and the data of both.

    The waveform is int8 [2, columns], the lowest and highest sample of each column. The spectrogram is uint8 [bands,
    columns], high bands first. beside: another clip whose decibel range is used, so that colours can be compared.
    """
    columns = min(COLUMNS, max(200, frames * 4))
    low, high = spectra.outline(clip, columns)
    loudest = max(float(np.abs(clip.samples).max()), 1e-6)
    wave = (np.stack([low, high]) * 127 / loudest).round().clip(-127, 127).astype(np.int8)
    spectrum = spectra.spectrum(clip, bands=BANDS, columns=columns)
    floor, _ = spectra.shared_range(spectrum if beside is None else spectra.spectrum(beside, BANDS, columns))
    mel = (np.clip((spectrum.db.astype(float) - floor) / spectra.RANGE, 0, 1) * 255).round().astype(np.uint8)[::-1]
    sizes = {"wave": len(low), "bands": len(spectrum.hz), "columns": spectrum.db.shape[1], "sound": clip.seconds}
    return sizes, wave.tobytes(), mel.tobytes()
