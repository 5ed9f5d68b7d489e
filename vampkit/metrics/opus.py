"""Opus as a codec to compare with: a clip encoded at a constant bitrate, decoded, and the measured bitrate."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np

from vampkit.audio import Clip

RATE = 48_000
"""Sample rate of Opus for music. Clips at 44.1 kHz are resampled to it and back."""
PACKET = 960
"""Samples in a packet: 20 ms, the default of the standard."""


def opus_round_trip(clip: Clip, kbps: float) -> tuple[Clip, float]:
    """Encode and decode a clip with libopus at a constant bitrate.

    Source: RFC 6716; the libopus in PyAV (other builds of libopus give slightly different sound).

    Notebook: 01

    Parameters
    ----------
    clip : Clip
        A clip of any rate, with one or two channels.
    kbps : float
        Nominal kbit/s, 6 to 510.

    Returns
    -------
    clip : Clip
        The decoded clip, with the same rate, channels and length.
    kbps : float
        Measured kbit/s of the packets, without the container.

    Raises
    ------
    ValueError
        For other bitrates, an empty clip, or more than two channels.
    """
    if not 6 <= kbps <= 510:
        raise ValueError(f"a bitrate of {kbps} kbit/s was asked for, 6 to 510 was expected; choose one in that range")
    if clip.channels not in (1, 2) or clip.samples.shape[1] == 0:
        raise ValueError(
            f"a clip of shape {clip.samples.shape} was given, one or two channels with sound were expected; "
            "mix it down or load another one"
        )
    wide = clip.resample(RATE)
    file, payload = _encode(wide.samples, round(kbps * 1000))
    sound = _decode(file, wide.samples.shape)
    back = replace(wide, samples=sound).resample(clip.rate).samples[:, : clip.samples.shape[1]]
    back = np.pad(back, ((0, 0), (0, clip.samples.shape[1] - back.shape[1])))
    return replace(clip, samples=back), payload * 8 / wide.seconds / 1000


def _encode(samples: np.ndarray, bits: int) -> tuple[io.BytesIO, int]:
    """An Ogg file in memory, and the bytes in its packets."""
    import av

    layout = "mono" if len(samples) == 1 else "stereo"
    file, payload = io.BytesIO(), 0
    options = {"application": "audio", "vbr": "off", "frame_duration": "20"}
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE, options=options)
        stream.layout = layout
        stream.bit_rate = bits
        for first in range(0, samples.shape[1], PACKET):
            piece = samples[:, first : first + PACKET]
            # Packed format: the samples of both channels are interleaved.
            packed = np.ascontiguousarray(piece.T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
            frame.sample_rate, frame.pts = RATE, first
            for packet in stream.encode(frame):
                payload += packet.size
                container.mux(packet)
        for packet in stream.encode(None):
            payload += packet.size
            container.mux(packet)
    file.seek(0)
    return file, payload


def _decode(file: io.BytesIO, shape: tuple[int, int]) -> np.ndarray:
    """Samples of an Ogg file in memory, in the given shape."""
    import av

    with av.open(file) as container:
        resampler = av.AudioResampler(format="fltp", layout="mono" if shape[0] == 1 else "stereo", rate=RATE)
        frames = [f.to_ndarray() for frame in container.decode(audio=0) for f in resampler.resample(frame)]
        frames += [f.to_ndarray() for f in resampler.resample(None)]
    sound = np.concatenate(frames, 1)[:, : shape[1]].astype(np.float32)
    return np.pad(sound, ((0, 0), (0, shape[1] - sound.shape[1])))
