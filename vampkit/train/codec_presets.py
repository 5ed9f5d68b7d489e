"""Settings of a codec's training. Notebook: 01."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CodecPreset:
    """Settings of a codec's training; each number with its reason."""

    encoder_dim: int = (
        16  # 2.6 M parameters in all: 5 MiB in half precision, 10 times real time in training on two cores
    )
    decoder_dim: int = 256
    encoder_rates: tuple[int, ...] = (
        8,
        6,
        4,
        4,
    )  # product 768, the paper's hop; large strides first halve the cost of an audio second
    decoder_rates: tuple[int, ...] = (4, 4, 6, 8)
    codebooks: int = 14  # paper, section 4.2, as are entries and dimensions
    entries: int = 1024
    dimensions: int = 8
    batch: int = 8
    crop: int = 32  # frames, 0.56 s: longer than the 0.38 s of DAC, so that reverberation and bass fit in
    autoencoder_steps: int = (
        900  # SI-SDR passes 11 dB here; what the quantizer then costs is more than what is left to gain
    )
    joint_steps: int = 6000
    decoder_steps: int = 700  # tokens keep their meaning, sound gets better
    muon_rate: float = 0.01  # for the convolutions without quantizer
    joint_rate: float = 0.002  # lower: at the full rate the encoder runs away from its codebooks
    adam_rate: float = 1e-3
    codebook_rate: float = 4e-3  # entries must follow an encoder that moves
    warmup: int = 100
    mel_weight: float = 0.15  # phase first
    joint_mel_weight: float = 0.5  # the mel distance falls slowly while its weight is small
    wave_weight: float = 2.0
    joint_wave_weight: float = 14.0  # the quantizer costs the waveform most
    codebook_weight: float = 1.0  # DAC's own, as is the next
    commitment_weight: float = 0.25
    agreement_weight: float = (
        0.1  # neighbouring frames' coarse tokens tell of each other: twice as much for a coarse model to learn
    )
    fine_agreement_weight: float = (
        0.07  # for those of the coarse-to-fine model; at 0.25 the waveform suffered (the codec's card)
    )
    coarse: int = 4  # codebooks that the coarse model predicts
    decoder_coarse: float = 0.25  # share of a batch that the decoder stage hears by these alone
    discriminator_channels: int = (
        0  # none: on a CPU they add two thirds to a step, and their first 165 steps made the mel distance worse
    )
    discriminator_rate: float = 3e-4  # a third of the decoder's; no other was tried
    adversarial_weight: float = (
        0.5  # with this and the next, their gradients in the decoder are about as long as those of the distances
    )
    feature_weight: float = 1.0
    quantizer_dropout: float = 0.5  # half of a batch uses a random number of codebooks
    clip: float = 10.0
    average: float = 0.998  # of the weights, over about 500 steps
    composed: float = 0.6  # share of composed music in a batch, where there is some: its phase is learned more slowly than real music's
    kmeans_frames: int = 51_200  # 50 frames an entry
    seed: int = 0
    save_seconds: float = 60.0
    check_every: int = 250


PRESETS = {
    "ci": CodecPreset(
        encoder_dim=4,
        decoder_dim=32,
        batch=2,
        crop=16,
        autoencoder_steps=12,
        joint_steps=12,
        decoder_steps=6,
        discriminator_channels=2,
        warmup=3,
        kmeans_frames=1100,
        check_every=14,
        save_seconds=0.0,
    ),
    "laptop": CodecPreset(),
    "gpu": CodecPreset(
        batch=64,  # on an H200 a step of 64 took as long as one of 32: starting the kernels is what costs
        autoencoder_steps=2000,
        joint_steps=10_000,
        decoder_steps=4000,
        fine_agreement_weight=0.03,  # as was tried: a better waveform, fine tokens harder to learn (the codec's card)
        discriminator_channels=32,  # DAC's
        check_every=500,
    ),
}
"""ci: seconds, to prove the code.

laptop: about two hours on two cores. gpu: eight times the batch, by its time a step half an hour on an H200.
"""
