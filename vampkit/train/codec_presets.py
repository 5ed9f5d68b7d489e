"""Settings for training a codec."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CodecPreset:
    """Settings for training a codec. Comments in the source give the reason for each default.

    Parameters
    ----------
    encoder_dim, decoder_dim : int
        Channels of the first layer of the encoder, and of the decoder.
    encoder_rates, decoder_rates : tuple of int
        Strides of the blocks of encoder and decoder. The product of the strides is the hop in samples, 768.
    codebooks, entries, dimensions : int
        Number of codebooks, entries in each, and numbers in a codebook vector.
    batch : int
        Crops per update.
    crop : int
        Length of a crop in frames.
    autoencoder_steps, joint_steps, decoder_steps : int
        Number of updates in each stage.
    muon_rate, joint_rate : float
        Learning rate of the convolutions (Muon) in the first stage, and in the later stages.
    adam_rate, codebook_rate : float
        Learning rates (AdamW) of the other weights, and of the entries of the codebooks.
    warmup : int
        Number of updates at the start of each stage over which the learning rates rise.
    mel_weight, joint_mel_weight : float
        Weight of the mel distance in the first stage, and later. The distance of complex spectra has weight 1.
    wave_weight, joint_wave_weight : float
        Weight of the distance of waveforms in the first stage, and later.
    codebook_weight, commitment_weight : float
        Weights of the two losses of the quantizer.
    agreement_weight, fine_agreement_weight : float
        Weights of the agreement of neighbours (see `losses.agreement`), for coarse and for fine codebooks.
    coarse : int
        Number of coarse codebooks, which the coarse model predicts.
    decoder_coarse : float
        Fraction of a batch that the decoder stage decodes from only the coarse codebooks.
    discriminator_channels : int
        Channels of the discriminators in the decoder stage; 0: no discriminators.
    discriminator_rate : float
        Learning rate of the discriminators.
    adversarial_weight, feature_weight : float
        Weights of the two losses that the decoder gets from the discriminators.
    quantizer_dropout : float
        Fraction of a batch for which a random number of codebooks is used.
    clip : float
        Gradients are clipped to this norm.
    average : float
        Decay of the moving average of the weights.
    composed : float
        Fraction of composed music in a batch, if there is both composed and real music.
    kmeans_frames : int
        Number of frames on which k-means computes the initial codebooks.
    seed : int
        Seed of all random numbers.
    save_seconds : float
        Time between checkpoints.
    check_every : int
        Updates between checks.
    """

    # 2.6 million parameters: 5 MiB in half precision. Training runs at 10 times real time on two cores.
    encoder_dim: int = 16
    decoder_dim: int = 256
    encoder_rates: tuple[int, ...] = (8, 6, 4, 4)  # large strides first: this halves the computation
    decoder_rates: tuple[int, ...] = (4, 4, 6, 8)
    codebooks: int = 14  # paper, section 4.2, as are entries and dimensions
    entries: int = 1024
    dimensions: int = 8
    batch: int = 8
    crop: int = 32  # 0.56 s: longer than the 0.38 s of DAC, so that reverberation and bass fit in
    autoencoder_steps: int = 900  # after that, quantization error dominates anyway
    joint_steps: int = 6000
    decoder_steps: int = 700  # tokens keep their meaning, the sound gets better
    muon_rate: float = 0.01
    joint_rate: float = 0.002  # lower: at the full rate the encoder changes too fast for its codebooks
    adam_rate: float = 1e-3
    codebook_rate: float = 4e-3  # entries must follow the changing encoder
    warmup: int = 100
    mel_weight: float = 0.15  # phase first
    joint_mel_weight: float = 0.5  # the mel distance falls slowly while its weight is small
    wave_weight: float = 2.0
    joint_wave_weight: float = 14.0  # the quantizer hurts the waveform most
    codebook_weight: float = 1.0  # DAC's own, as is the next
    commitment_weight: float = 0.25
    agreement_weight: float = 0.1  # makes coarse tokens of neighbouring frames easier to predict from each other
    fine_agreement_weight: float = 0.07  # less, since it makes the waveform worse
    coarse: int = 4  # paper, section 4.2
    decoder_coarse: float = 0.25
    discriminator_channels: int = 0  # none: on a CPU a step would take two thirds longer
    discriminator_rate: float = 3e-4  # a third of the decoder's
    adversarial_weight: float = 0.5  # with feature_weight: gradients as large as those of the distances
    feature_weight: float = 1.0
    quantizer_dropout: float = 0.5
    clip: float = 10.0
    average: float = 0.998  # over about 500 steps
    composed: float = 0.6  # more than half, since its phase is learned more slowly than that of real music
    kmeans_frames: int = 51_200  # 50 frames per entry
    seed: int = 0
    save_seconds: float = 60.0  # at most this is lost if the run is killed
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
        batch=64,  # on an H200 a step is as fast as with 32, since starting the kernels takes most of the time
        autoencoder_steps=2000,
        joint_steps=10_000,
        decoder_steps=4000,
        fine_agreement_weight=0.03,  # a better waveform, but fine tokens that are harder to learn
        discriminator_channels=32,  # DAC's
        check_every=500,
    ),
}
"""The presets.

ci: takes seconds, to test the code. laptop: about two hours on two cores. gpu: eight times the batch, about half an
hour on an H200 (estimated from the time of one step).
"""
