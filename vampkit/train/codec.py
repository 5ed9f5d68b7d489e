"""Training a codec in three stages: without the quantizer, with it, and finally only the decoder.

1. autoencoder: encoder and decoder learn to reconstruct sound, without the quantizer.
   After this stage, k-means on the encoder's output gives the initial codebooks, one after another.
2. joint: all parts are trained together. Because of quantizer dropout, the first codebooks carry the most information.
3. decoder: only the decoder is trained. Encoder and quantizer are frozen, so tokens keep their meaning. Discriminators
   are used if the preset has them. A part of each batch is decoded from only its coarse codebooks, like the output of
   a coarse model.

Notebook: 01
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vampkit.codec import Codec
from vampkit.codec.network import build, settings_of
from vampkit.errors import VampkitError
from vampkit.train.codec_presets import CODEC_PRESETS, CodecPreset
from vampkit.train.discriminator import Discriminators
from vampkit.train.losses import SpectralLoss, agreement, signal_ratio
from vampkit.train.optim import Muon, ramp, set_rate, total_norm
from vampkit.train.pool import RATE, Pool, build_pool, composed_pool
from vampkit.train.quantizer import LATENT_LEVEL, scale_latents, start_quantizer
from vampkit.train.training import Training, chosen_run
from vampkit.weights import load_codec

STAGES = ("autoencoder", "joint", "decoder")
HOP = 768
"""Samples per frame."""


class CodecTraining(Training):
    """The training of a codec. It can be stopped and continued.

    Notebook: 01

    Parameters
    ----------
    preset : CodecPreset
        The settings.
    pools : tuple of (Pool or None, Pool or None)
        Training sound: first real music, second composed music.
    out : str or PathLike
        Folder for checkpoints, log and the result.
    valid : dict of str to Pool, optional
        Held-out sound for the checks, by name.
    device : str
        "cpu" or "cuda".
    start : Codec, optional
        A codec of the same shape to start from, with the joint stage. If `out` has a checkpoint, that is used instead.

    Raises
    ------
    VampkitError
        If `start` has another shape, or if `out` holds a run with other settings.
    """

    def __init__(
        self,
        preset: CodecPreset,
        pools: tuple[Pool | None, Pool | None],
        out: str | os.PathLike,
        valid: dict[str, Pool] | None = None,
        device: str = "cpu",
        start: Codec | None = None,
    ):
        self.ends = np.cumsum([preset.autoencoder_steps, preset.joint_steps, preset.decoder_steps]).tolist()
        super().__init__(preset, out, self.ends[-1])
        self.pools, self.valid, self.device = pools, valid or {}, device
        self.model = build(preset.network).to(device)
        self.loss = SpectralLoss(RATE).to(device)
        channels = preset.discriminator_channels
        self.discriminators = Discriminators(channels).to(device) if channels else None
        self.started = False
        if start is not None:
            self._begin_from(start)
        self._new_optimizers()
        self._begin()

    def _begin_from(self, codec: Codec) -> None:
        if settings_of(codec.model) != settings_of(self.model):
            raise VampkitError(
                f"the codec {codec.name} has another shape than the preset's ({settings_of(codec.model)}); "
                "choose settings that fit it"
            )
        self.model.load_state_dict(codec.model.state_dict())
        self.step, self.started = self.ends[0], True

    @property
    def stage(self) -> str:
        """Stage of the next step: "autoencoder", "joint" or "decoder"; "done" after the last step."""
        return (*STAGES, "done")[int(np.searchsorted(self.ends, self.step, side="right"))]

    def _new_optimizers(self) -> None:
        p, decoder_only = self.preset, self.stage in ("decoder", "done")
        first_last = {id(self.model.encoder.block[0].weight_v), id(self.model.decoder.model[-2].weight_v)}
        trained = self.model.decoder if decoder_only else self.model
        self.model.requires_grad_(not decoder_only)
        self.model.decoder.requires_grad_(True)
        convolutions, entries, rest = [], [], []
        for name, weight in trained.named_parameters():
            inside = name.endswith("weight_v") and "quantizer" not in name and id(weight) not in first_last
            (convolutions if inside else entries if "codebook" in name else rest).append(weight)
        rate = p.muon_rate if self.stage == "autoencoder" else p.joint_rate
        groups = [{"params": rest}] + ([{"params": entries, "lr": p.codebook_rate}] if entries else [])
        self.optimizers = [Muon(convolutions, lr=rate), _adam(groups, p.adam_rate)]
        if decoder_only and self.discriminators is not None:
            self.optimizers.append(_adam(self.discriminators.parameters(), p.discriminator_rate))

    def _state(self) -> dict:
        discriminators = None if self.discriminators is None else self.discriminators.state_dict()
        return super()._state() | {"started": self.started, "discriminators": discriminators}

    def _restore(self, state: dict) -> None:
        self.step, self.started = state["step"], state["started"]
        if self.discriminators is not None:
            self.discriminators.load_state_dict(state["discriminators"])
        self._new_optimizers()
        super()._restore(state)

    def batch(self, step: int) -> Tensor:
        """Draw the crops of sound for one step. They depend only on seed and step.

        Parameters
        ----------
        step : int
            Number of the step, from 0.

        Returns
        -------
        Tensor
            float32 [batch, samples].
        """
        rng = np.random.default_rng((self.preset.seed, step))
        samples = self.preset.crop * HOP
        real, composed = self.pools
        fraction = 0.0 if composed is None else 1.0 if real is None else self.preset.composed
        count = int(rng.binomial(self.preset.batch, fraction))
        rows = [pool.crops(n, samples, rng) for pool, n in ((real, self.preset.batch - count), (composed, count)) if n]
        return torch.from_numpy(np.concatenate(rows)).to(self.device)

    def _forward(self, sound: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Reconstruction [batch, samples], commitment loss, codebook loss, and the agreement of each codebook.

        In the first stage there is no quantizer, and the last three are 0.
        """
        z = self.model.encoder(sound[:, None])
        commitment = codebook = agree = sound.new_zeros(())
        if self.started:
            z, _, projected, commitment, codebook = self.model.quantizer(z)
            agree = agreement(projected.unflatten(1, (-1, self.preset.dimensions)))
        return self.model.decoder(z)[:, 0], commitment, codebook, agree

    @torch.no_grad()
    def frozen(self, sound: Tensor) -> Tensor:
        """Compute the decoder's input in the decoder stage; for the first rows it comes from only the coarse codebooks.

        Parameters
        ----------
        sound : Tensor
            float32 [batch, samples].

        Returns
        -------
        Tensor
            float32 [batch, width, frames].
        """
        z, p = self.model.encoder(sound[:, None]), self.preset
        few = int(len(z) * p.decoder_coarse)
        if not few:
            return self.model.quantizer(z)[0]
        return torch.cat([self.model.quantizer(z[:few], p.coarse)[0], self.model.quantizer(z[few:])[0]])

    def train_step(self) -> dict:
        p, stage = self.preset, self.stage
        start, end = dict(zip(STAGES, pairwise([0, *self.ends]), strict=True))[stage]
        last = 0.1 if stage == "autoencoder" else 0.0
        set_rate(self.optimizers, ramp(self.step - start, end - start, p.warmup, last))
        torch.manual_seed(p.seed * 1_000_003 + self.step)
        sound = self.batch(self.step)
        self.model.train(stage != "decoder")
        estimate, loss, row = self._distances(sound)
        judged = stage == "decoder" and self.discriminators is not None
        # During the warm-up the decoder ignores the discriminators, since untrained ones would mislead it.
        if judged and self.step - start >= p.warmup:
            adversarial, features = self.discriminators.decoder_losses(sound, estimate)
            loss = loss + p.adversarial_weight * adversarial + p.feature_weight * features
            row |= {"adversarial": float(adversarial.detach()), "features": float(features.detach())}
        self._zero_grad()
        loss.backward()
        norm = total_norm([w for w in self.model.parameters() if w.requires_grad], p.clip)
        row |= {"loss": float(loss.detach()), "norm": norm}
        if judged:
            self.optimizers[-1].zero_grad()  # remove the gradients of the decoder's loss
            own = self.discriminators.own_loss(sound, estimate)
            own.backward()
            row["discriminators"] = float(own.detach())
        self._update()
        return row

    def _distances(self, sound: Tensor) -> tuple[Tensor, Tensor, dict]:
        """Reconstruction, loss and values to log, without the discriminators' losses."""
        p, stage = self.preset, self.stage
        if stage == "decoder":
            estimate = self.model.decoder(self.frozen(sound))[:, 0]
        else:
            estimate, commitment, codebook, agree = self._forward(sound)
        phase, mel = self.loss(sound, estimate)
        first = stage == "autoencoder"
        mel_weight = p.mel_weight if first else p.joint_mel_weight
        wave_weight = p.wave_weight if first else p.joint_wave_weight
        loss = phase + mel_weight * mel + wave_weight * (sound - estimate).abs().mean()
        sdr = float(signal_ratio(sound, estimate.detach()).median())
        row = {"stage": stage, "phase": float(phase.detach()), "mel": float(mel.detach()), "sdr": sdr}
        if stage == "joint":
            loss = loss + p.codebook_weight * codebook + p.commitment_weight * commitment
            coarse, fine = agree[: p.coarse].mean(), agree[p.coarse :].mean()
            loss = loss + p.agreement_weight * coarse + p.fine_agreement_weight * fine
            row |= {"commitment": float(commitment.detach()), "agreement": [round(float(a), 3) for a in agree.detach()]}
        return estimate, loss, row

    def _progress(self, row: dict) -> dict[str, str]:
        numbers = {"mel": f"{row['mel']:.2f}", "sdr": f"{row['sdr']:.1f}"}
        return {"stage": row["stage"]} | super()._progress(row) | numbers

    def run(self, minutes: float | None = None) -> Path | None:
        from vampkit.codec.descript import fuse_snake

        if not fuse_snake():
            print("no C++ compiler was found: the codec trains without fused activations, at about 60 % of the speed")
        return super().run(minutes)

    def _milestone(self) -> bool:
        """If a stage ends with this step, begin the next one, and return True.

        The averaged weights become the model. After the first stage the quantizer is initialized.
        """
        if self.step not in self.ends:
            return False
        self.model.load_state_dict(self.average.state)
        if self.step == self.ends[0]:
            scale_latents(self.model, self._latents(2048), LATENT_LEVEL)
            start_quantizer(self.model, self._latents(self.preset.kmeans_frames), self.preset.seed)
            self.started = True
        self.average.restart(self.model)
        self._new_optimizers()
        return True

    @torch.no_grad()
    def _latents(self, frames: int) -> Tensor:
        """Encoder output [frames, width] for training sound."""
        self.model.eval()
        rows, have, step = [], 0, -1
        while have < frames:
            z = self.model.encoder(self.batch(10**9 + step)[:, None]).transpose(1, 2).flatten(0, 1)
            rows.append(z)
            have, step = have + len(z), step + 1
        return torch.cat(rows)[:frames]

    @torch.no_grad()
    def check(self) -> dict:
        """Mel loss and SI-SDR of the averaged weights on 12 held-out crops of 2 s from each pool of `valid`."""
        model = self._averaged().to(self.device)
        found = {}
        for name, pool in self.valid.items():
            rows = [pool.sound[i][: 115 * HOP] for i in np.linspace(0, len(pool) - 1, 12).astype(int)]
            sound = torch.from_numpy(np.stack(rows) / np.float32(32768)).to(self.device)
            z = model.encoder(sound[:, None])
            if self.started:
                z = model.quantizer(z)[0]
            estimate = model.decoder(z)[:, 0]
            found[f"{name}_mel"] = float(self.loss(sound, estimate)[1])
            found[f"{name}_sdr"] = float(signal_ratio(sound, estimate).mean())
        return found

    def _averaged(self) -> nn.Module:
        """Make a network with the averaged weights. It is built new, since deepcopy cannot copy weight norm."""
        return self._with_average(build(settings_of(self.model)))

    def _write_result(self) -> Path:
        return Codec(self._averaged(), "trained").save(self.out / "codec.safetensors")


def _adam(parameters: Iterable, rate: float) -> torch.optim.Optimizer:
    """AdamW with the settings of DAC, without weight decay."""
    return torch.optim.AdamW(parameters, lr=rate, betas=(0.8, 0.99), weight_decay=0.0)


def train_codec(
    preset: str | CodecPreset = "laptop",
    out: str | os.PathLike | None = None,
    music: str | os.PathLike | None = None,
    composed: int = 1500,
    minutes: float | None = None,
    device: str = "cpu",
    start: str | os.PathLike | None = None,
    processes: int = 1,
) -> Path | None:
    """Train a codec on composed music and a folder of real music, or continue the run in `out`.

    Notebook: 01

    Parameters
    ----------
    preset : str or CodecPreset
        "ci", "laptop", "gpu", or your own settings.
    out : str or PathLike, optional
        Folder of the run; None: a folder in the cache.
    music : str or PathLike, optional
        Folder with train/ and valid/, such as `vampkit data fetch` makes; None: only composed music.
    composed : int
        Number of composed pieces of 30 s.
    minutes : float, optional
        Stop after this time. The next call continues.
    device : str
        "cpu" or "cuda".
    start : str or PathLike, optional
        Name or path of a codec to start from; then the first stage is left out.
    processes : int
        Number of processes that compose pieces.

    Returns
    -------
    Path or None
        The codec, codec.safetensors in `out`; None if the time was up.

    Raises
    ------
    ValueError
        For an unknown preset.
    VampkitError
        If `start` has another shape, or if `out` holds a run with other settings.
    """
    preset, name, out = chosen_run(CODEC_PRESETS, preset, "codec", out)
    composed, held_out = (4, 2) if name == "ci" else (composed, 24)
    valid = {"composed": composed_pool(held_out, held_out=True)}
    made = composed_pool(composed, processes=processes) if composed else None
    real = None
    if music is not None:
        real, valid["real"] = build_pool(Path(music) / "train"), build_pool(Path(music) / "valid")
    begin = None if start is None else load_codec(start)
    return CodecTraining(preset, (real, made), out, valid, device, begin).run(minutes)
