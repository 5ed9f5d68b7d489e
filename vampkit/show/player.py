"""`listen`: plays and shows clips on one time axis, in a piece of HTML that needs no network."""

from __future__ import annotations

import html
import io
import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from vampkit.files import written
from vampkit.show import pictures, spectra, static

BITRATE = 56  # kbit/s, mono: 10 s are 70 kB, and 93 kB as text inside the page
ENCODER_GAIN = 0.95  # corrects that LAME makes sound 0.45 dB softer at this bitrate
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100)  # 48000 would add 32 ms at this bitrate


def to_mp3(clip) -> bytes:
    """Encode a clip as MP3 (56 kbit/s, mono). The level is not changed; samples beyond full scale are clipped.

    The bytes depend only on the sound, so running a notebook again gives the same player. Raises ValueError for a clip
    without samples.
    """
    import soundfile

    clip = clip.mono()
    if clip.samples.size == 0:
        raise ValueError("the clip holds no samples, some sound was expected; there is nothing to hear")
    if clip.rate not in MP3_RATES:
        clip = clip.resample(44100)
    # soundfile takes the bitrate as a number between 0 (the highest of the format) and 1 (the lowest).
    high, low = (320, 32) if clip.rate >= 32000 else (160, 8) if clip.rate >= 16000 else (64, 8)
    file = io.BytesIO()
    soundfile.write(
        file,
        np.clip(clip.samples[0], -1, 1) / ENCODER_GAIN,
        clip.rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        compression_level=(high - BITRATE) / (high - low),
        bitrate_mode="CONSTANT",
    )
    return file.getvalue()


def facts(clip, label: str = "") -> str:
    """Describe a clip in one line: `label: 10.00 s, peak -3.1 dBFS, loudness -24.0 LUFS`.

    Notebook: 00

    Parameters
    ----------
    clip : Clip
        Sound [channels, samples]; channels are averaged first, as in the player.
    label : str
        Name in the line; empty: the name of the clip.

    Returns
    -------
    str
        Length in seconds, peak in dB relative to full scale, loudness in LUFS (ITU-R BS.1770).
    """
    mono = clip.mono()
    peak, loudness = (round(v, 1) + 0.0 for v in (mono.peak(), mono.loudness()))
    return f"{label or clip.name or 'sound'}: {clip.seconds:.2f} s, peak {peak:.1f} dBFS, loudness {loudness:.1f} LUFS"


@lru_cache(maxsize=3)
def asset(name: str) -> str:
    """A file beside this one, without comments and indentation: every player in a notebook holds a copy."""
    text = re.sub(r"(?m)(^|\s)// [^\n]*$", "", Path(__file__).with_name(name).read_text(encoding="utf-8"))
    text = re.sub(r"\n\s+", "\n", text.strip() + "\n")
    return re.sub(r"\s*([{};])\s*", r"\1", text) if name.endswith(".css") else text


@lru_cache(maxsize=2)
def with_fade(name: str) -> str:
    """A script beside this one, after fade.js, of which it makes use."""
    return re.sub("^export ", "", asset("fade.js"), flags=re.MULTILINE) + asset(name)


class Player:
    """The result of `listen`: HTML for a notebook, or, where only text can be shown, one line of facts per clip.

    Controls appear when the script runs; without it one picture shows all sounds, each of which keeps a plain audio
    element.

    Notebook: 00

    Parameters
    ----------
    clips : sequence of Clip
        The clips to play.
    labels : sequence of str
        One name per clip.
    mask : Bool[Tensor, "codebooks frames"], optional
        A mask to draw under the sound, True = hidden.
    tokens : Tokens, optional
        The tokens of the mask, for its time axis. Without a mask, the tokens are drawn.
    height : int
        Height of a spectrogram in pixels.
    """

    def __init__(self, clips, labels, mask=None, tokens=None, height: int = 90):
        self.clips, self.labels = tuple(clips), tuple(labels)
        self.mask, self.tokens, self.height = mask, tokens, height
        self.facts = tuple(facts(c, label) for c, label in zip(self.clips, self.labels, strict=True))
        self.seconds = max(c.seconds for c in self.clips)

    def __repr__(self) -> str:
        return "\n".join(self.facts)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": repr(self), "text/html": self.html()}

    def html(self, sound: bool = True) -> str:
        """Write the player as one `<div>`.

        Parameters
        ----------
        sound : bool
            Include sound, script and controls; False: only the pictures.

        Returns
        -------
        str
            HTML, with its style and without external links.
        """
        body = (
            f'<div class="vk-axis" data-lm-suppress-shortcuts="true">{self._views()}{self._grid()}'
            f'<div class="vk-head" hidden></div></div>{self._ticks()}'
        )
        if sound:
            # What needs the script stands in a block that pages without scripts leave out; they show the still.
            body = (
                f'{self._still()}<script type="text/html" class="vk-parts">'
                f'<div class="vk-controls" role="toolbar" aria-label="Player"></div>{body}'
                '<p class="vk-keys">Keys: Space plays on the time axis, arrows move 1 s, Page Up and Down 5 s, '
                f"Home and End, 1 to 9 choose a sound, L loops.</p></script>{self._sounds()}"
            )
        credits = "; ".join(dict.fromkeys(c.credit for c in self.clips if c.credit))
        if credits:
            body += f'<p class="vk-credit">Music: {html.escape(credits)}</p>'
        if sound:
            # In a block, so that the names of the script are not global in the page.
            body += f"<script>{{\n{with_fade('player.js')}}}\n</script>"
        name = html.escape("Listen: " + ", ".join(self.labels), quote=True)
        # JupyterLab uses keys such as 1 or L as its own commands; the attribute prevents this.
        return (
            f'<div class="vampkit-player" role="group" aria-label="{name}" data-seconds="{self.seconds:.4f}" '
            f'data-lm-suppress-shortcuts="true"><style>{asset("player.css")}</style>{body}</div>'
        )

    def save(self, path) -> Path:
        """Write the player as a web page, which any browser can open.

        Parameters
        ----------
        path : str or PathLike
            An .html file.

        Returns
        -------
        Path
            The file.
        """
        title = html.escape(", ".join(self.labels))
        page = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
            f'<title>{title}</title><link rel="icon" href="data:,"></head><body>{self.html()}</body></html>'
        )
        with written(path) as part:
            part.write_text(page, encoding="utf-8")
        return Path(path)

    def _still(self) -> str:
        """All sounds in one picture, for pages where no script runs."""
        data = pictures.figure_png(static.stack(self.clips, self.labels, self.mask, self.tokens))
        what = "Mel spectrograms of " + ", ".join(self.labels)
        what += (
            "; below, the mask" if self.mask is not None else "; below, the tokens" if self.tokens is not None else ""
        )
        source = pictures.uri(data, "image/png")
        return f'<img class="vk-still" width="720" alt="{html.escape(what, quote=True)}" src="{source}">'

    def _views(self) -> str:
        spectrums = [spectra.spectrum(c) for c in self.clips]
        low, _ = spectra.shared_range(*spectrums)
        full = max(float(np.abs(c.mono().samples).max(initial=0)) for c in self.clips)
        parts = []
        for i, (clip, label, spectrum) in enumerate(zip(self.clips, self.labels, spectrums, strict=True)):
            width = 100 * clip.seconds / self.seconds
            bottom, top = spectra.outline(clip)
            name = html.escape(label, quote=True)
            wave = pictures.wave_path(bottom, top, full)
            picture = pictures.uri(pictures.spectrogram_webp(spectrum, low), "image/webp")
            parts.append(
                f'<div class="vk-view" data-clip="{i}">'
                f'<div class="vk-strip vk-wave" style="height:{self.height // 2}px">'
                f'<span class="vk-name" title="{name}"><b>{name}</b>waveform</span><svg viewBox="0 0 {len(top)} 100" '
                f'preserveAspectRatio="none" style="width:{width:.3f}%" role="img" aria-label="Waveform of {name}">'
                f'<path d="{wave}"/></svg></div><div class="vk-strip" style="height:{self.height}px">'
                f'<span class="vk-name">spectrogram<br>0 to {clip.rate / 2000:.0f} kHz, mel</span>'
                f'<img style="width:{width:.3f}%" alt="Mel spectrogram of {name}" src="{picture}"></div></div>'
            )
        return "".join(parts)

    def _grid(self) -> str:
        if self.mask is None and self.tokens is None:
            return ""
        if self.mask is not None:
            grid = spectra.mask_array(self.mask)
            hidden = f"{100 * grid.mean():.1f} % hidden"
            data, what, name = pictures.mask_png(grid), f"mask: {hidden}", f"mask, hatched:<br>{hidden}"
            rendering = ""
        else:
            grid = spectra.code_array(self.tokens)
            data, what, name = pictures.codes_png(grid), "tokens", "tokens, one<br>colour an entry"
            rendering = ";image-rendering:pixelated"
        name += ";<br>codebook 1<br>on top"
        rows, frames = grid.shape
        style = f"width:{100 * frames * spectra.frame_seconds(self.tokens) / self.seconds:.3f}%{rendering}"
        height = min(112, max(60, 9 * rows))  # room for the four lines of its name
        return (
            f'<div class="vk-strip vk-grid" style="height:{height}px"><span class="vk-name">{name}</span>'
            f'<div class="vk-clip"><img style="{style}" alt="{what}, {rows} codebooks, {frames} frames" '
            f'src="{pictures.uri(data, "image/png")}"></div></div>'
        )

    def _ticks(self) -> str:
        steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
        step = next((s for s in steps if self.seconds / s <= 10), 1800)
        marks = np.arange(0, self.seconds + 1e-6, step)
        spans = "".join(f'<span style="left:{100 * m / self.seconds:.2f}%">{m:g} s</span>' for m in marks)
        return f'<div class="vk-ticks" aria-hidden="true">{spans}</div>'

    def _sounds(self) -> str:
        parts = []
        for clip, label in zip(self.clips, self.labels, strict=True):
            name = html.escape(label, quote=True)
            parts.append(
                f'<label><span>{name}</span><audio controls preload="metadata" aria-label="{name}" '
                f'src="{pictures.uri(to_mp3(clip), "audio/mpeg")}"></audio></label>'
            )
        return f'<div class="vk-sounds">{" · ".join(parts)}</div>'


def listen(*clips, labels=None, mask=None, tokens=None, height: int = 90) -> Player:
    """Play and show one or several clips, with a common playhead. Prints one line of facts per clip.

    During playback you can switch to another clip at the same position, with a fade of 25 ms. Each clip has a button;
    more than nine have one slider. The sound is stored as MP3 (mono, 56 kbit/s). Its level is not
    changed.

    Notebook: 00

    Parameters
    ----------
    *clips : Clip or Take
        The clips to play.
    labels : sequence of str, optional
        One name per clip; None: the names of the clips.
    mask : Bool[Tensor, "codebooks frames"], optional
        A mask to draw under the sound, True = hidden.
    tokens : Tokens, optional
        The tokens of the mask, for its time axis. Without a mask, the tokens are drawn.
    height : int
        Height of a spectrogram in pixels.

    Returns
    -------
    Player
        The player. A notebook shows it.

    Raises
    ------
    TypeError
        For anything that is not a clip, or a mask that is not boolean.
    ValueError
        If there are no clips, if the number of labels differs, or if the mask is not [codebooks, frames].

    Examples
    --------
    >>> vk.listen(clip, take, labels=["input", "vamp"])
    """
    if not clips:
        raise ValueError("no clip was given, at least one was expected; call listen(clip)")
    found = [c if hasattr(c, "samples") else getattr(c, "clip", c) for c in clips]
    for given, clip in zip(clips, found, strict=True):
        if not (hasattr(clip, "samples") and hasattr(clip, "rate")):
            raise TypeError(
                f"{type(given).__name__} was given, a Clip or a Take was expected; make one with Clip(samples, rate)"
            )
    if labels is None:
        labels = [c.name or "sound" for c in found]
        if len(set(labels)) < len(labels):
            labels = [f"{chr(65 + i % 26)} {name}" for i, name in enumerate(labels)]
    elif isinstance(labels, str) or len(labels) != len(found):
        raise ValueError(f"labels {labels!r} were given for {len(found)} clips, a list of one name a clip was expected")
    if mask is not None:
        spectra.mask_array(mask)
    player = Player(found, [str(x) for x in labels], mask, tokens, height)
    print(player)
    return player
