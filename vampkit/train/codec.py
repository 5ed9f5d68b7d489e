"""Training a codec: first without its quantizer, then with it, last the decoder alone.

1. autoencoder: encoder and decoder learn to pass sound through, without quantizer. 2. The quantizer is started by
k-means, codebook after codebook, on what the encoder gives. 3. joint: everything learns together; quantizer dropout
makes the first codebooks carry the most. 4. decoder: encoder and quantizer are frozen, so tokens keep their meaning
while the decoder gets better; against discriminators that get better too, where the preset asks for them. A share of
each batch is decoded from its coarse codebooks alone, as a coarse model's output is.

Notebook: 01.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vampkit.codec import Codec
from vampkit.codec.network import build, settings_of
from vampkit.errors import VampkitError
from vampkit.train import checkpoint
from vampkit.train.codec_presets import PRESETS, CodecPreset
from vampkit.train.discriminator import Discriminators
from vampkit.train.losses import SpectralLoss, agreement, signal_ratio
from vampkit.train.optim import Average, Muon, ramp, set_rate, total_norm
from vampkit.train.pool import RATE, Pool
from vampkit.train.quantizer import LATENT_LEVEL, scale_latents, start_quantizer
from vampkit.weights import load_codec


class CodecTraining:
    """One training of a codec, from wherever it was left.

    preset: the settings. pools: training sound, real first, composed second (either may be None). out: folder for
    checkpoints, log and the result.
    valid: pools of held-out sound for the checks, by name. start: a codec of the same shape to go on from, beginning
    with the joint stage.
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
        torch.manual_seed(preset.seed)
        self.preset, self.pools, self.out, self.valid, self.device = preset, pools, Path(out), valid or {}, device
        self.model = build(
            dict(
                encoder_dim=preset.encoder_dim,
                encoder_rates=list(preset.encoder_rates),
                decoder_dim=preset.decoder_dim,
                decoder_rates=list(preset.decoder_rates),
                n_codebooks=preset.codebooks,
                codebook_size=preset.entries,
                codebook_dim=preset.dimensions,
                quantizer_dropout=preset.quantizer_dropout,
                sample_rate=RATE,
            )
        ).to(device)
        self.loss = SpectralLoss(RATE).to(device)
        self.discriminators = (
            Discriminators(preset.discriminator_channels).to(device) if preset.discriminator_channels else None
        )
        self.ends = np.cumsum([preset.autoencoder_steps, preset.joint_steps, preset.decoder_steps]).tolist()
        self.step, self.started = 0, False
        if start is not None:
            if settings_of(start.model) != settings_of(self.model):
                raise VampkitError(
                    f"the codec {start.name} has another shape than the preset's ({settings_of(start.model)}); choose settings that fit it"
                )
            self.model.load_state_dict(start.model.state_dict())
            self.step, self.started = self.ends[0], True
        self.average = Average(self.model, preset.average)
        self._new_optimizers()
        self.checkpoints = checkpoint.Checkpoints(self.out)
        if (state := self.checkpoints.latest()) is not None:
            self._resume(state)
        self.log = checkpoint.Log(self.out / "log.jsonl", self.step)

    @property
    def stage(self) -> str:
        """Which part of the training the next step belongs to."""
        return ("autoencoder", "joint", "decoder", "done")[int(np.searchsorted(self.ends, self.step, side="right"))]

    def _new_optimizers(self) -> None:
        p = self.preset
        first_last = {id(self.model.encoder.block[0].weight_v), id(self.model.decoder.model[-2].weight_v)}
        trained = self.model.decoder if self.stage == "decoder" else self.model
        self.model.requires_grad_(self.stage != "decoder")
        self.model.decoder.requires_grad_(True)
        convolutions, entries, rest = [], [], []
        for name, weight in trained.named_parameters():
            inside = name.endswith("weight_v") and "quantizer" not in name and id(weight) not in first_last
            (convolutions if inside else entries if "codebook" in name else rest).append(weight)
        rate = p.muon_rate if self.stage == "autoencoder" else p.joint_rate
        groups = [{"params": rest}] + ([{"params": entries, "lr": p.codebook_rate}] if entries else [])
        self.optimizers = [
            Muon(convolutions, lr=rate),
            torch.optim.AdamW(groups, lr=p.adam_rate, betas=(0.8, 0.99), weight_decay=0.0),
        ]
        if self.stage == "decoder" and self.discriminators is not None:
            self.optimizers.append(
                torch.optim.AdamW(
                    self.discriminators.parameters(), lr=p.discriminator_rate, betas=(0.8, 0.99), weight_decay=0.0
                )
            )

    def _resume(self, state: dict) -> None:
        checkpoint.same_run(state.get("identity", {}), checkpoint.identity(self.preset), self.out)
        self.step, self.started = state["step"], state["started"]
        self.model.load_state_dict(state["model"])
        if self.discriminators is not None:
            self.discriminators.load_state_dict(state["discriminators"])
        self.average.load(state["average"], state["updates"])
        self._new_optimizers()
        if state["optimizers"] is not None:
            for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)

    def save(self, fresh: bool = False) -> None:
        """Write the checkpoint. fresh: without the optimisers' memory, at the border of two stages."""
        self.checkpoints.save(
            {
                "identity": checkpoint.identity(self.preset),
                "step": self.step,
                "started": self.started,
                "model": self.model.state_dict(),
                "discriminators": None if self.discriminators is None else self.discriminators.state_dict(),
                "average": self.average.state,
                "updates": self.average.updates,
                "optimizers": None if fresh else [o.state_dict() for o in self.optimizers],
            },
            self.step,
        )

    def batch(self, step: int) -> Tensor:
        """Crops [batch, samples] of one step: a function of seed and step alone."""
        rng = np.random.default_rng((self.preset.seed, step))
        samples = self.preset.crop * 768
        real, composed = self.pools
        share = 0.0 if composed is None else 1.0 if real is None else self.preset.composed
        count = int(rng.binomial(self.preset.batch, share))
        rows = [pool.crops(n, samples, rng) for pool, n in ((real, self.preset.batch - count), (composed, count)) if n]
        return torch.from_numpy(np.concatenate(rows)).to(self.device)

    def forward(self, sound: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Reconstruction [batch, samples], the quantizer's two losses, and each codebook's agreement.

        Zeros for these without quantizer, in the first stage.
        """
        z = self.model.encoder(sound[:, None])
        zero = sound.new_zeros(())
        commitment, codebook, agree = zero, zero, zero
        if self.started:
            z, _, projected, commitment, codebook = self.model.quantizer(z)
            agree = agreement(projected.unflatten(1, (-1, self.preset.dimensions)))
        return self.model.decoder(z)[:, 0], commitment, codebook, agree

    @torch.no_grad()
    def frozen(self, sound: Tensor) -> Tensor:
        """Latents [batch, width, frames] as the decoder stage hears them.

        The first rows by their coarse codebooks alone.
        """
        z, p = self.model.encoder(sound[:, None]), self.preset
        few = int(len(z) * p.decoder_coarse)
        return (
            torch.cat([self.model.quantizer(z[:few], p.coarse)[0], self.model.quantizer(z[few:])[0]])
            if few
            else self.model.quantizer(z)[0]
        )

    def train_step(self) -> dict:
        """One update; returns what to log."""
        p, stage = self.preset, self.stage
        start, end = (
            ([0] + self.ends)[("autoencoder", "joint", "decoder").index(stage)],
            self.ends[("autoencoder", "joint", "decoder").index(stage)],
        )
        set_rate(
            self.optimizers, ramp(self.step - start, end - start, p.warmup, last=0.1 if stage == "autoencoder" else 0.0)
        )
        torch.manual_seed(p.seed * 1_000_003 + self.step)
        sound = self.batch(self.step)
        self.model.train(stage != "decoder")
        if stage == "decoder":
            estimate = self.model.decoder(self.frozen(sound))[:, 0]
        else:
            estimate, commitment, codebook, agree = self.forward(sound)
        phase, mel = self.loss(sound, estimate)
        mel_weight, wave_weight = (
            (p.mel_weight, p.wave_weight) if stage == "autoencoder" else (p.joint_mel_weight, p.joint_wave_weight)
        )
        loss = phase + mel_weight * mel + wave_weight * (sound - estimate).abs().mean()
        row = {
            "stage": stage,
            "phase": float(phase.detach()),
            "mel": float(mel.detach()),
            "sdr": float(signal_ratio(sound, estimate.detach()).median()),
        }
        if stage == "joint":
            loss = loss + p.codebook_weight * codebook + p.commitment_weight * commitment
            loss = (
                loss
                + p.agreement_weight * agree[: p.coarse].mean()
                + p.fine_agreement_weight * agree[p.coarse :].mean()
            )
            row |= {"commitment": float(commitment.detach()), "agreement": [round(float(a), 3) for a in agree.detach()]}
        judged = stage == "decoder" and self.discriminators is not None
        # They have a head start: untrained, they would teach nothing but their own chance likes.
        if judged and self.step - start >= p.warmup:
            adversarial, features = self.discriminators.decoder_losses(sound, estimate)
            loss = loss + p.adversarial_weight * adversarial + p.feature_weight * features
            row |= {"adversarial": float(adversarial.detach()), "features": float(features.detach())}
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        row |= {
            "loss": float(loss.detach()),
            "norm": total_norm([w for w in self.model.parameters() if w.requires_grad], p.clip),
        }
        if judged:
            self.optimizers[-1].zero_grad()  # what the decoder's loss left there
            own = self.discriminators.own_loss(sound, estimate)
            own.backward()
            row["discriminators"] = float(own.detach())
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update(self.model)
        return row

    def run(self, minutes: float | None = None) -> Path | None:
        """Train until the end, or for so many minutes.

        Returns the path of the finished codec, or None when time ran out.
        """
        from tqdm.auto import tqdm

        _fuse_snake()
        began = saved = time.monotonic()
        if self.stage == "done":
            checkpoint.finished(self.out, self.step)
        with tqdm(total=self.ends[-1], initial=self.step, desc="codec", disable=None) as bar:
            while self.stage != "done":
                if minutes is not None and time.monotonic() - began > minutes * 60:
                    self.save()
                    return None
                row = self.train_step()
                before = self.stage
                self.step += 1
                bar.update()
                bar.set_postfix(
                    stage=before, loss=f"{row['loss']:.3f}", mel=f"{row['mel']:.2f}", sdr=f"{row['sdr']:.1f}"
                )
                crossed = self.step in self.ends
                if crossed:
                    self._next_stage()
                if crossed or self.step % self.preset.check_every == 0:
                    row |= self.check()
                self.log.write(step=self.step - 1, **row)
                if crossed or time.monotonic() - saved > self.preset.save_seconds:
                    self.save(fresh=crossed)
                    saved = time.monotonic()
        return self.finish()

    def _next_stage(self) -> None:
        """What happens between two stages.

        The average becomes the model, and the quantizer is started where it is due.
        """
        self.model.load_state_dict(self.average.state)
        if self.step == self.ends[0]:
            scale_latents(self.model, self._latents(2048), LATENT_LEVEL)
            start_quantizer(self.model, self._latents(self.preset.kmeans_frames), self.preset.seed)
            self.started = True
        self.average.restart(self.model)
        if self.stage != "done":
            self._new_optimizers()

    @torch.no_grad()
    def _latents(self, frames: int) -> Tensor:
        """Encoder outputs [frames, width] of training sound."""
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
        model = Codec(build_like(self.model), "check").model
        model.load_state_dict(self.average.state)
        model.to(self.device)
        found = {}
        for name, pool in self.valid.items():
            rows = [pool.sound[i][: 115 * 768] for i in np.linspace(0, len(pool) - 1, 12).astype(int)]
            sound = torch.from_numpy(np.stack(rows) / np.float32(32768)).to(self.device)
            z = model.encoder(sound[:, None])
            if self.started:
                z = model.quantizer(z)[0]
            estimate = model.decoder(z)[:, 0]
            found[f"{name}_mel"] = float(self.loss(sound, estimate)[1])
            found[f"{name}_sdr"] = float(signal_ratio(sound, estimate).mean())
        return found

    def finish(self) -> Path:
        """Write the averaged weights as a codec, in half precision, and the settings beside it."""
        model = build_like(self.model)
        model.load_state_dict(self.average.state)
        path = Codec(model, "trained").save(self.out / "codec.safetensors")
        (self.out / "settings.json").write_text(json.dumps(asdict(self.preset), indent=1), encoding="utf-8")
        return path


def build_like(model: nn.Module) -> nn.Module:
    """A fresh `dac.DAC` of the same settings (weight norm cannot be copied by deepcopy)."""
    return build(settings_of(model))


def _fuse_snake() -> None:
    """Compile Snake, x + sin(a x)^2 / a, into one loop where a C++ compiler is at hand.

    Elementwise work is 40 % of a step.
    """
    from vampkit.codec.descript import dac

    if shutil.which("c++") is None and not torch.cuda.is_available():
        print("no C++ compiler was found: the codec trains without fused activations, at about 60 % of the speed")
        return
    torch._dynamo.config.recompile_limit = 64
    dac.nn.layers.snake = torch.compile(_snake, dynamic=True)


def _snake(x: Tensor, alpha: Tensor) -> Tensor:
    return x + (alpha + 1e-9).reciprocal() * torch.sin(alpha * x).square()


def train(
    preset: str | CodecPreset = "laptop",
    out: str | os.PathLike | None = None,
    music: str | os.PathLike | None = None,
    composed: int = 1500,
    minutes: float | None = None,
    device: str = "cpu",
    start: str | os.PathLike | None = None,
    processes: int = 1,
) -> Path | None:
    """Train a codec on composed music and a folder of real music, resuming what is in `out`.

    preset: "ci", "laptop", "gpu" or settings of your own. out: folder (None: in the cache). music: folder with train/
    and valid/, as `vampkit data fetch` lays it out (None: composed music only). composed: number of composed pieces of
    30 s. start: a codec's name or path to go on from, without the first stage. Raises ValueError for an unknown preset,
    VampkitError for a start of another shape. Notebook: 01.
    """
    from vampkit.files import cache_folder
    from vampkit.train.pool import build_pool, compose_pool

    name = preset if isinstance(preset, str) else "custom"
    if isinstance(preset, str):
        if preset not in PRESETS:
            raise ValueError(f"there is no codec preset {preset!r}; {', '.join(PRESETS)} was expected")
        preset = PRESETS[preset]
    out = Path(out) if out else cache_folder() / "runs" / f"codec-{name}"
    pools = cache_folder() / "pools"
    composed, composed_valid = (4, 2) if name == "ci" else (composed, 24)
    made = (
        compose_pool(range(composed), pools / f"training-genres-{composed}", processes=processes) if composed else None
    )
    valid = {
        "composed": compose_pool(
            range(1_000_000, 1_000_000 + composed_valid), pools / f"training-genres-valid-{composed_valid}"
        )
    }
    real = None
    if music is not None:
        real, valid["real"] = build_pool(Path(music) / "train"), build_pool(Path(music) / "valid")
    begin = None if start is None else load_codec(start)
    return CodecTraining(preset, (real, made), out, valid, device, begin).run(minutes)
