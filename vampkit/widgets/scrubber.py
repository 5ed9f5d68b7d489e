"""SamplerScrubber: one run of the sampling loop, pass by pass.

Tokens, confidence, entropy, what stays, what is hidden again, and the sound at each pass.
"""

from __future__ import annotations

import anywidget
import numpy as np
import torch
import traitlets as t

from vampkit.audio import Clip
from vampkit.sampling import Settings, sample
from vampkit.show import pictures, spectra
from vampkit.show.player import to_mp3
from vampkit.widgets import assets, cells

PROMPT, HIDDEN, FRESH, KEPT = range(4)
"""What a token is after a pass: kept by the prompt, hidden again, newly kept, kept since an earlier pass."""


class Passes:
    """The passes of one run over the coarse codebooks, ready to be looked at.

    codes: uint16 [passes, K, T], every hidden place filled with the pass's guess. state: uint8, PROMPT, HIDDEN, FRESH
    or KEPT. sure: uint8, the rank of the confidence among the tokens guessed in that pass (255: the surest). entropy:
    float32, bits of the distribution each guess was drawn from; both are 0 where nothing was guessed. Paper: section
    3.3. Notebook: 05.
    """

    def __init__(self, steps):
        codes, state, sure, entropy = [], [], [], []
        for step in steps:
            guessed, hidden = step.guessed[0].numpy(), step.mask[0].numpy()
            now = np.full(guessed.shape, KEPT, np.uint8)
            if not state:
                now[~guessed] = PROMPT
            else:
                now[state[0] == PROMPT] = PROMPT
            now[guessed], now[hidden] = FRESH, HIDDEN
            rank, bits = np.zeros(guessed.shape, np.uint8), np.zeros(guessed.shape, np.float32)
            count = int(guessed.sum())
            if count:
                order = step.confidence[0].numpy()[guessed].argsort().argsort()
                rank[guessed] = (255 * (order + 1) / count).round()
                bits[guessed] = entropy_bits(step.probabilities).numpy()
            codes.append(step.codes[0].numpy().astype(np.uint16))
            state.append(now)
            sure.append(rank)
            entropy.append(bits)
        self.codes, self.state, self.sure, self.entropy = (np.stack(x) for x in (codes, state, sure, entropy))

    def __len__(self) -> int:
        return len(self.codes)

    def facts(self, index: int) -> dict:
        """Counts of one pass (from 0).

        Guessed, newly kept, hidden again, and the mean entropy of the guesses in bits.
        """
        state, asked = self.state[index], np.isin(self.state[index], (HIDDEN, FRESH))
        mean = float(self.entropy[index][asked].mean()) if asked.any() else 0.0
        counts = {
            "guessed": int(asked.sum()),
            "kept": int((state == FRESH).sum()),
            "hidden": int((state == HIDDEN).sum()),
        }
        return {"pass": index + 1, "passes": len(self), **counts, "entropy": round(mean, 2)}


def entropy_bits(probabilities: torch.Tensor) -> torch.Tensor:
    """Shannon entropy of each row of probabilities [tokens, entries], in bits."""
    return -torch.special.xlogy(probabilities, probabilities).sum(-1) / np.log(2)


class SamplerScrubber(anywidget.AnyWidget):
    """Look through the passes of one run, by slider, by keys, by call, or as an animation.

    Hear what each pass would sound like.

    vamp: Vamp. sound: Clip or Tokens. prompt: a Prompt or a mask [K, T]. seed, passes, and other settings: of the
    coarse model, see `vampkit.sampling.Settings`. `scrubber.go(5)` shows pass 5, `scrubber.facts()` counts its tokens,
    `scrubber.sound(5)` is its sound: its coarse tokens with the fine ones that the coarse-to-fine model adds to them.
    `close()` frees all it opened. Notebook: 05.
    """

    _esm = assets.module(
        "geometry.js", "draw.js", "dom.js", "fade.js", "player.js", "scrubber.js", render="mountScrubber(model, el)"
    )
    _css = assets.text("editor.css") + assets.text("studio.css")

    sheet = t.Dict().tag(sync=True)
    data = t.List().tag(sync=True)
    place = t.Int(1).tag(sync=True)
    view = t.Unicode("tokens").tag(sync=True)
    message = t.Unicode().tag(sync=True)
    _closed = True  # until it is made

    def __init__(self, vamp, sound, prompt, *, seed: int = 0, passes: int = 12, fine_passes: int = 2, **settings):
        self.vamp, self._seed, self._fine_passes, self._sounds = vamp, seed, fine_passes, {}
        tokens = vamp.codec.encode(sound) if isinstance(sound, Clip) else sound
        mask = (
            prompt
            if isinstance(prompt, torch.Tensor)
            else prompt.mask(tokens, sound if isinstance(sound, Clip) else None)
        )
        if tokens.codes.ndim == 3:
            tokens = tokens.replace(codes=tokens.codes[0], gains=tokens.gains[:1])
        self.tokens, self.mask = tokens, mask
        rows = vamp.coarse.config.codebooks
        codes, hidden, run = tokens.batch[:, :rows], mask[None, :rows], Settings(passes=passes, **settings)
        steps = sample(vamp.coarse, codes, hidden, [seed], run, keep_probabilities=True)
        self.passes = Passes(steps)
        super().__init__()
        self._closed = False
        self.sheet = {
            "codebooks": self.passes.codes.shape[1], "frames": tokens.frames, "frame": tokens.hop / tokens.rate, "seconds": tokens.seconds,
            "passes": len(self.passes), "names": spectra.codebook_names(self.passes.codes.shape[1]), "most": float(np.log2(tokens.entries)),
            "facts": [self.passes.facts(i) for i in range(len(self.passes))],
        }  # fmt: skip
        heat = (self.passes.entropy * (255 / np.log2(tokens.entries))).round().clip(0, 255).astype(np.uint8)
        self.data = [
            self.passes.codes.astype("<u2").tobytes(),
            self.passes.state.tobytes(),
            self.passes.sure.tobytes(),
            heat.tobytes(),
        ]
        self.on_msg(self._heard)

    def go(self, number: int) -> None:
        """Show a pass, from 1 on. Raises ValueError for one that was not made."""
        self.place = self._checked(number)

    def facts(self, number: int | None = None) -> dict:
        """Counts of a pass (the one that is shown): guessed, newly kept, hidden again, mean entropy in bits."""
        return self.passes.facts(self._checked(self.place if number is None else number) - 1)

    def sound(self, number: int | None = None) -> Clip:
        """What a pass sounds like; made once."""
        number = self._checked(self.place if number is None else number)
        if number not in self._sounds:
            codes, mask = self.tokens.codes.clone(), self.mask.clone()
            coarse = torch.from_numpy(self.passes.codes[number - 1].astype(np.int64))
            codes[: len(coarse)], mask[: len(coarse)] = coarse, False
            take = self.vamp.vamp(
                self.tokens.replace(codes=codes), mask, seed=self._seed, fine_passes=self._fine_passes
            )
            self._sounds[number] = take.clip
        return self._sounds[number]

    def close(self) -> None:
        """Free all the scrubber opened; the passes stay."""
        if not self._closed:
            self._closed = True
            self.on_msg(self._heard, remove=True)
            self.unobserve_all()
            self.layout.close()
            super().close()

    def _checked(self, number: int) -> int:
        return cells.whole("the pass", number, 1, len(self.passes))

    def _heard(self, widget, content: dict, buffers: list) -> None:
        try:
            if not isinstance(content, dict) or content.get("type") != "sound":
                raise ValueError(
                    "the page asked for something the scrubber does not know; run the cell again that shows it"
                )
            clip = self.sound(content["id"])
            self.send({"type": "sound", "id": content["id"], "seconds": clip.seconds}, buffers=[to_mp3(clip)])
            self.message = ""
        except Exception as error:  # shown, as there is no cell to raise it in
            self.message = str(error) or type(error).__name__

    def __repr__(self) -> str:
        f = self.facts()
        return f"SamplerScrubber: pass {f['pass']} of {f['passes']}, {f['guessed']} guessed, {f['kept']} newly kept, {f['hidden']} hidden again"

    def _repr_mimebundle_(self, **kwargs):
        """The widget, and for pages where widgets do not run its facts and a still picture of what is hidden after the
        pass.
        """
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        still = pictures.uri(pictures.mask_png(self.passes.state[self.place - 1] == HIDDEN), "image/png").split(",")[1]
        return {**data, "text/plain": repr(self), "image/png": still}, metadata
