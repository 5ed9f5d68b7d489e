"""Codec: sound to tokens and back, over descript-audio-codec's own network.

Any sample rate goes in, stereo too; everything is brought to one loudness before encoding, and decoding undoes gain, length and rate. Long files are encoded
window by window, each with enough of its surroundings that its codes equal those of one single pass.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vampkit.audio import LEVEL, Clip
from vampkit.blocks import exactly, resample_blocks, resample_loop
from vampkit.errors import VampkitError
from vampkit.tokens import Tokens, check_codes, read_safetensors

FORMAT = "vampkit.codec/1"
WINDOW = 1024
"""Frames encoded or decoded at once: 18 s of the paper's codec keeps memory near 300 MB with the tiny one."""
PUBLISHED = {
    "dac-44khz": ("https://github.com/descriptinc/descript-audio-codec/releases/download/0.0.1/weights.pth", "weights_44khz_8kbps_0.0.1.pth"),
}


class Codec:
    """Turns clips into tokens and tokens into clips.

    model: a `dac.DAC`, put into evaluation mode.
    name: what to call it in records.

    Paper: section 3.1 and 4.2. Notebook: 01.
    """

    def __init__(self, model: torch.nn.Module, name: str = "codec"):
        self.model = model.eval().requires_grad_(False)
        self.name = name
        self.rate = int(model.sample_rate)
        self.hop = int(model.hop_length)
        self.codebooks = int(model.n_codebooks)
        self.entries = int(model.codebook_size)
        self.context = context_frames(model)
        self.hash = token_hash(model)

    @property
    def tables(self) -> Tensor:
        """The raw codebooks, float32 [codebooks, entries, dimensions], which the masked models read."""
        return torch.stack([q.codebook.weight.detach().float().cpu() for q in self.model.quantizer.quantizers])

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.model.parameters()).device

    def to(self, device: str | torch.device) -> Codec:
        """Move the network; returns the codec."""
        self.model.to(device)
        return self

    def encode(self, clip: Clip, stereo: str = "mix") -> Tokens:
        """Tokens of a clip, at -24 LUFS whatever its own level.

        stereo: "mix" encodes the mean of the channels, codes [K, T]; "items" encodes each channel as an item of a batch, codes [C, K, T].
        Memory is bounded for any length. Raises ValueError for an empty clip or another word for stereo.
        Notebook: 01.
        """
        if stereo not in ("mix", "items"):
            raise ValueError(f'stereo is {stereo!r}, "mix" (mean of the channels) or "items" (one item a channel) was expected')
        if clip.samples.shape[1] == 0:
            raise ValueError("the clip holds 0 samples, some sound was expected; load another one")
        source = (clip.mono() if stereo == "mix" else clip).resample(self.rate)
        loudness = source.loudness()
        gain = LEVEL - loudness if math.isfinite(loudness) else 0.0
        length = source.samples.shape[1]
        codes = torch.cat([self.encode_samples(channel * np.float32(10 ** (gain / 20))) for channel in source.samples])
        return Tokens(
            codes=codes if stereo == "items" and clip.channels > 1 else codes[0],
            codec=self.hash,
            rate=self.rate,
            hop=self.hop,
            entries=self.entries,
            length=length,
            source_rate=clip.rate,
            gains=(gain,) * len(codes),
            name=clip.name,
            credit=clip.credit,
        )

    def encode_samples(self, samples: np.ndarray) -> Tensor:
        """Codes int64 [1, codebooks, frames] of samples [samples] at the codec's rate, as they are, window by window."""
        return torch.cat(list(self.encode_blocks([samples])), -1)

    def encode_blocks(self, blocks: Iterable[np.ndarray]) -> Iterator[Tensor]:
        """Codes int64 [1, codebooks, frames], window by window, of sound that comes in blocks of samples [samples], together the codes of the whole."""

        def work(piece: Tensor) -> Tensor:
            return self.model.encode(piece.to(self.device))[1].cpu()

        yield from in_windows(_whole_frames(blocks, self.hop), work, WINDOW, self.context, self.hop, 1)

    def decode(self, tokens: Tokens, codebooks: int | None = None, circular: bool = False) -> Clip:
        """The clip behind tokens: its length, loudness and rate are those of what was encoded.

        codebooks: decode with the first so many only (None: all there are). circular: decode a loop, whose end goes on in its start.
        Raises VampkitError for tokens of another codec, ValueError for codes it does not have.
        Notebook: 01.
        """
        count = tokens.codebooks if codebooks is None else codebooks
        if not 1 <= count <= tokens.codebooks:
            raise ValueError(f"{codebooks} codebooks were asked for, these tokens hold {tokens.codebooks}; choose 1 to {tokens.codebooks}")
        blocks = list(self.decode_blocks(tokens, [tokens.batch[:, :count]], circular))
        return Clip(np.concatenate(blocks, 1), tokens.source_rate, tokens.name, tokens.credit)

    def decode_blocks(self, tokens: Tokens, pieces: Iterable[Tensor], circular: bool = False, eager: bool = False) -> Iterator[np.ndarray]:
        """Blocks of samples [channels, samples] of codes that come in pieces [items, codebooks, frames], together the samples of `decode`.

        tokens: geometry, length, gains and rate; their codes are not looked at. eager: give each block as soon as its surroundings are there.
        A loop (circular) can only begin when its end is there.
        """
        if tokens.codec != self.hash:
            raise VampkitError(
                f"these tokens were made by codec {tokens.codec[:8]}, this codec is {self.hash[:8]} ({self.name}); decode them with "
                "the one that made them, or encode the sound again"
            )
        gain = np.array([10 ** (-g / 20) for g in tokens.gains], dtype=np.float32)[:, None]
        wanted = round(tokens.length * tokens.source_rate / self.rate)
        if circular:
            whole = np.concatenate(list(self._sound(_around(list(pieces), self.context), eager)), -1)
            whole = whole[:, self.context * self.hop : -self.context * self.hop]
            yield resample_loop(whole * gain, self.rate, tokens.source_rate)[:, :wanted]
            return
        sound = exactly((block * gain for block in self._sound(pieces, eager)), tokens.length)
        yield from exactly(resample_blocks(sound, self.rate, tokens.source_rate), wanted)

    def decode_codes(self, codes: Tensor) -> np.ndarray:
        """Samples float32 [batch, frames * hop] of codes [batch, codebooks, frames], window by window."""
        return np.concatenate(list(self._sound([codes])), -1)

    def _sound(self, pieces: Iterable[Tensor], eager: bool = False) -> Iterator[np.ndarray]:
        def work(codes: Tensor) -> Tensor:
            check_codes(codes, self.entries)
            if codes.shape[1] > self.codebooks:
                raise ValueError(f"codes of {codes.shape[1]} codebooks were given, this codec has {self.codebooks}; drop the others")
            # Item by item: sums of a batch round in another order, and a take is to sound the same in any company.
            return torch.cat([self.model.decode(self.model.quantizer.from_codes(c.to(self.device))[0])[:, 0].float().cpu() for c in codes.split(1)])

        yield from (made.numpy() for made in in_windows(pieces, work, WINDOW, self.context, 1, self.hop, eager))

    def save(self, path: str | os.PathLike, half: bool = True) -> Path:
        """Write settings and weights as safetensors, in half precision unless told otherwise; beside first, then renamed."""
        from safetensors.torch import save_file

        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        kind = torch.float16 if half else torch.float32
        weights = {k: v.detach().cpu().to(kind).contiguous() for k, v in self.model.state_dict().items()}
        save_file(weights, part, metadata={"format": FORMAT, "settings": json.dumps(settings_of(self.model))})
        part.replace(path)
        return path

    def __repr__(self) -> str:
        return (
            f"Codec({self.name!r}, {self.codebooks} codebooks of {self.entries}, {self.rate / self.hop:.2f} frames/s, "
            f"{math.log2(self.entries) * self.codebooks * self.rate / self.hop:.0f} bits/s)"
        )


@torch.inference_mode()
def in_windows(pieces: Iterable[Tensor], work: Callable, size: int, context: int, unit: int, out: int, eager: bool = False) -> Iterator[Tensor]:
    """What `work` makes of a long row that comes in pieces [.., numbers], in windows of `size` frames that see `context` more on both sides.

    unit, out: numbers a frame, of what goes in and of what comes out. eager: give what can be given after each piece, however short.
    Together the results are those of one pass, if nothing reaches farther than the context.
    """
    held, left, first = None, 0, 0
    for piece in chain(pieces, [None]):
        if piece is not None:
            held = piece if held is None else torch.cat([held, piece], -1)
        end = left + (0 if held is None else held.shape[-1] // unit)
        while first < end and (piece is None or end - context >= first + (1 if eager else size)):
            last = min(first + size, end if piece is None else end - context)
            made = work(held[..., : (min(last + context, end) - left) * unit])
            yield made[..., (first - left) * out : (last - left) * out]
            first, before = last, left
            left = max(0, first - context)
            held = held[..., (left - before) * unit :]


def _whole_frames(blocks: Iterable[np.ndarray], hop: int) -> Iterator[Tensor]:
    """Blocks of samples as [1, 1, samples], and the silence that fills the last frame."""
    length = 0
    for block in blocks:
        length += len(block)
        yield torch.from_numpy(block)[None, None]
    yield torch.zeros(1, 1, -length % hop)


def _around(pieces: list[Tensor], context: int) -> list[Tensor]:
    """The whole of a loop, with `context` frames of its end before it and of its start behind it."""
    codes = torch.cat(pieces, -1)
    return [codes[..., torch.arange(-context, codes.shape[-1] + context) % codes.shape[-1]]]


def settings_of(model: torch.nn.Module) -> dict:
    """The constructor's arguments of a `dac.DAC`, as plain numbers."""
    names = ("encoder_dim", "encoder_rates", "latent_dim", "decoder_dim", "decoder_rates", "n_codebooks", "codebook_size", "codebook_dim", "sample_rate")
    plain = {name: getattr(model, name) for name in names}
    return {k: [int(x) for x in v] if isinstance(v, (list, tuple)) else int(v) for k, v in plain.items()}


def token_hash(model: torch.nn.Module) -> str:
    """What the tokens mean: a hash over encoder and quantizer. A decoder may be trained further without making old tokens worthless."""
    digest = hashlib.sha256(json.dumps(settings_of(model), sort_keys=True).encode())
    for name, value in sorted(model.state_dict().items()):
        if name.startswith(("encoder.", "quantizer.")):
            digest.update(name.encode() + value.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def context_frames(model: torch.nn.Module) -> int:
    """Frames of surroundings after which a window's codes and samples no longer depend on where it was cut.

    Half the receptive field of encoder and decoder: each residual unit sees 3 x dilation to both sides, each stride multiplies what follows.
    """

    def side(rates: list[int]) -> int:
        reach, step = 3, 1
        for rate in rates:
            reach += step * (3 * (1 + 3 + 9)) + step * rate
            step *= rate
        return reach + step * 3

    samples = max(side(list(model.encoder_rates)), side(list(reversed(model.decoder_rates))))
    return math.ceil(samples / int(model.hop_length)) + 1


def load_codec(name: str | os.PathLike = "tiny", device: str = "cpu") -> Codec:
    """A codec by name: "tiny" (bundled, the paper's geometry), "dac-44khz" (descript's published weights, fetched once), or the path of one that was saved.

    Raises FileNotFoundError and VampkitError where the file is missing, of another kind or cannot be fetched.
    Notebook: 01.
    """
    if str(name) == "tiny":
        from vampkit._data import data_folder

        return _read(data_folder() / "models" / "codec.safetensors", "tiny").to(device)
    if str(name) in PUBLISHED:
        return _read_published(str(name)).to(device)
    path = Path(name)
    if path.suffix == "" and not path.exists():
        raise FileNotFoundError(f'there is no codec called {str(name)!r}; "tiny", "dac-44khz" or the path of a saved codec was expected')
    return _read(path, path.stem).to(device)


def build(settings: dict) -> torch.nn.Module:
    """An untrained `dac.DAC` of these settings. Raises VampkitError for settings it does not know."""
    from vampkit._compat import dac, quick

    try:
        with warnings.catch_warnings():
            # dac still uses the older of torch's two weight norms; its state dicts depend on it.
            warnings.filterwarnings("ignore", "`torch.nn.utils.weight_norm` is deprecated", FutureWarning)
            return quick(dac.DAC(**settings))
    except TypeError as error:
        raise VampkitError(f"the codec's settings do not fit dac.DAC ({error}); was the file written by another version?") from None


def _read(path: Path, name: str) -> Codec:
    settings, weights = read_safetensors(path, FORMAT)
    model = build(settings)
    _fill(model, weights, path)
    return Codec(model, name)


def _fill(model: torch.nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    try:
        model.load_state_dict({k: v.float() for k, v in weights.items()})
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise VampkitError(f"the weights in {path.name} do not fit their settings ({first}); fetch or save the file again") from None


def _read_published(name: str) -> Codec:
    from vampkit.fetch import download

    url, file = PUBLISHED[name]
    path = download(os.environ.get("VAMPKIT_DAC_URL", url), file)
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        settings, weights = saved["metadata"]["kwargs"], saved["state_dict"]
    except Exception as error:
        raise VampkitError(
            f"{path} cannot be opened as plain weights ({type(error).__name__}); the published file of descript-audio-codec was expected; "
            "delete it and try again"
        ) from None
    settings = {k: v for k, v in settings.items() if k in settings_names()}
    model = build(settings)
    _fill(model, weights, path)
    return Codec(model, name)


def settings_names() -> set[str]:
    """Names of the arguments that `dac.DAC` takes."""
    import inspect

    from vampkit._compat import dac

    return set(inspect.signature(dac.DAC.__init__).parameters) - {"self"}
