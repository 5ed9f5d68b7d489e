"""Settings of a codec's training."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CodecPreset:
    """Settings of a codec's training; the source gives the reason for each number.

    Parameters
    ----------
    encoder_dim, decoder_dim : int
        Channels of the encoder's first and the decoder's first layer.
    encoder_rates, decoder_rates : tuple of int
        Strides of their blocks; the product is the hop in samples, 768.
    codebooks, entries, dimensions : int
        Size of the quantizer.
    batch : int
        Crops an update.
    crop : int
        Frames of a crop.
    autoencoder_steps, joint_steps, decoder_steps : int
        Updates of each stage.
    muon_rate, joint_rate : float
        Learning rate of the convolutions in the first stage and afterwards (Muon).
    adam_rate, codebook_rate : float
        Learning rates of the other weights and of the codebooks' entries (AdamW).
    warmup : int
        Updates of each stage over which the rates rise.
    mel_weight, joint_mel_weight : float
        Weight of the mel distance in the first stage and afterwards; the complex spectrum has 1.
    wave_weight, joint_wave_weight : float
        Weight of the waveform's distance in the first stage and afterwards.
    codebook_weight, commitment_weight : float
        Weights of the quantizer's two losses.
    agreement_weight, fine_agreement_weight : float
        Weights of the neighbours' agreement (see `losses.agreement`), for coarse and for fine codebooks.
    coarse : int
        Codebooks that the coarse model predicts.
    decoder_coarse : float
        Fraction of a batch that the decoder stage decodes from these alone.
    discriminator_channels : int
        Width of the discriminators in the decoder stage; 0: none.
    discriminator_rate : float
        Their learning rate.
    adversarial_weight, feature_weight : float
        Weights of their two losses.
    quantizer_dropout : float
        Fraction of a batch that uses a random number of codebooks.
    clip : float
        Norm at which gradients are clipped.
    average : float
        Decay of the weights' moving average.
    composed : float
        Fraction of composed music in a batch, where there is some.
    kmeans_frames : int
        Frames on which k-means starts the codebooks.
    seed : int
        Of everything random.
    save_seconds : float
        Time between checkpoints.
    check_every : int
        Updates between checks.
    """

    # 2.6 million parameters in all: 5 MiB in half precision, 10 times real time in training on two cores
    encoder_dim: int = 16
    decoder_dim: int = 256
    encoder_rates: tuple[int, ...] = (8, 6, 4, 4)  # large strides first halve the cost of a second of sound
    decoder_rates: tuple[int, ...] = (4, 4, 6, 8)
    codebooks: int = 14  # paper, section 4.2, as are entries and dimensions
    entries: int = 1024
    dimensions: int = 8
    batch: int = 8
    crop: int = 32  # 0.56 s: longer than the 0.38 s of DAC, so that reverberation and bass fit in
    autoencoder_steps: int = 900  # then the quantizer costs more than this stage could still gain
    joint_steps: int = 6000
    decoder_steps: int = 700  # tokens keep their meaning, sound gets better
    muon_rate: float = 0.01
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
    agreement_weight: float = 0.1  # coarse tokens of neighbouring frames tell of each other, and so can be predicted
    fine_agreement_weight: float = 0.07  # less: more of it costs the waveform
    coarse: int = 4  # paper, section 4.2
    decoder_coarse: float = 0.25
    discriminator_channels: int = 0  # none: on a CPU they add two thirds to a step
    discriminator_rate: float = 3e-4  # a third of the decoder's
    adversarial_weight: float = 0.5  # with the next: gradients as long as those of the distances
    feature_weight: float = 1.0
    quantizer_dropout: float = 0.5
    clip: float = 10.0
    average: float = 0.998  # over about 500 steps
    composed: float = 0.6  # its phase is learned more slowly than that of real music
    kmeans_frames: int = 51_200  # 50 frames per entry
    seed: int = 0
    save_seconds: float = 60.0  # what a kill may cost
    check_every: int = 250

    @property
    def network(self) -> dict:
        """Arguments of `dac.DAC`."""
        return dict(
            encoder_dim=self.encoder_dim,
            encoder_rates=list(self.encoder_rates),
            decoder_dim=self.decoder_dim,
            decoder_rates=list(self.decoder_rates),
            n_codebooks=self.codebooks,
            codebook_size=self.entries,
            codebook_dim=self.dimensions,
            quantizer_dropout=self.quantizer_dropout,
            sample_rate=44_100,
        )


CODEC_PRESETS = {
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
        batch=64,  # on an H200 as fast a step as 32: starting the kernels is what costs
        autoencoder_steps=2000,
        joint_steps=10_000,
        decoder_steps=4000,
        fine_agreement_weight=0.03,  # a better waveform, but fine tokens that are harder to learn
        discriminator_channels=32,  # DAC's
        check_every=500,
    ),
}
"""ci: seconds, to prove the code. laptop: about two hours on two cores. gpu: eight times the batch, half an hour on an
H200 (from the time of a step)."""
