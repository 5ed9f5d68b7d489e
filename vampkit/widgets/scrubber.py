"""SamplerScrubber: look at and listen to one run of the sampling loop, pass by pass."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
import traitlets as t

from vampkit.audio import Clip
from vampkit.codec import Tokens
from vampkit.pipeline import Vamp
from vampkit.prompts import Prompt
from vampkit.sampling import Settings, Step, sample
from vampkit.show import spectra
from vampkit.show.player import to_mp3
from vampkit.widgets import assets, cells, still
from vampkit.widgets.base import Widget

PROMPT, HIDDEN, FRESH, KEPT = range(4)
"""State of a token after a pass: kept by the prompt, hidden again, newly kept, kept since an earlier pass."""


class Passes:
    """The passes of one run over the coarse codebooks, as arrays [passes, codebooks, frames].

    codes: uint16, with the guesses of the pass at hidden places. state: uint8, PROMPT, HIDDEN, FRESH or KEPT. sure:
    uint8, the rank of the confidence among the tokens guessed in that pass (255: the most confident). entropy: float32,
    entropy in bits of the distribution from which each guess was drawn. Both are 0 where nothing was guessed. Paper:
    section 3.3.
    """

    def __init__(self, steps: Iterable[Step]):
        rows = []
        for step in steps:
            guessed, hidden = step.guessed[0].numpy(), step.mask[0].numpy()
            now = np.full(guessed.shape, KEPT, np.uint8)
            now[rows[0][1] == PROMPT if rows else ~guessed] = PROMPT
            now[guessed], now[hidden] = FRESH, HIDDEN
            rank, bits = np.zeros(guessed.shape, np.uint8), np.zeros(guessed.shape, np.float32)
            count = int(guessed.sum())
            if count:
                order = step.confidence[0].numpy()[guessed].argsort().argsort()
                rank[guessed] = (255 * (order + 1) / count).round()
                bits[guessed] = entropy_bits(step.probabilities).numpy()
            rows.append((step.codes[0].numpy().astype(np.uint16), now, rank, bits))
        self.codes, self.state, self.sure, self.entropy = map(np.stack, zip(*rows, strict=True))

    def __len__(self) -> int:
        return len(self.codes)

    def facts(self, index: int) -> dict:
        """Numbers of tokens guessed, newly kept and hidden again in a pass (from 0), and the mean entropy in bits."""
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


class SamplerScrubber(Widget):
    """Shows the passes of one run of the sampling loop. Choose a pass by slider, keys or code, or play an animation.

    `scrubber.go(5)` shows pass 5, `scrubber.facts()` counts its tokens, and `scrubber.sound(5)` is its sound. `close()`
    frees all resources, but keeps the passes.

    Notebook: 05, 10

    Parameters
    ----------
    vamp : Vamp
        The pipeline.
    sound : Clip or Tokens
        The sound.
    prompt : Prompt or Tensor
        What is kept; or your own mask, bool [codebooks, frames], True = hidden.
    seed : int
        Seed of the run.
    settings : Settings
        Sampling settings of the run. It uses the coarse model.
    fine_passes : int
        Passes of the coarse-to-fine model, which adds the other codebooks for the sound of a pass.
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

    def __init__(
        self,
        vamp: Vamp,
        sound: Clip | Tokens,
        prompt: Prompt | torch.Tensor,
        *,
        seed: int = 0,
        settings: Settings = Settings(passes=12),  # noqa: B008  (frozen)
        fine_passes: int = 2,
    ):
        self.vamp, self._seed, self._fine_passes, self._sounds = vamp, seed, fine_passes, {}
        clip = sound if isinstance(sound, Clip) else None
        tokens = sound if clip is None else vamp.codec.encode(clip)
        self.mask = prompt if isinstance(prompt, torch.Tensor) else prompt.mask(tokens, clip)
        self.tokens = tokens = cells.first_of(tokens)
        rows = vamp.coarse.config.codebooks
        codes, hidden = tokens.batch[:, :rows], self.mask[None, :rows]
        self.passes = Passes(sample(vamp.coarse, codes, hidden, [seed], settings, keep_probabilities=True))
        super().__init__()
        self.sheet = {
            "codebooks": self.passes.codes.shape[1],
            "frames": tokens.frames,
            "frame": tokens.hop / tokens.rate,
            "seconds": tokens.seconds,
            "passes": len(self.passes),
            "names": spectra.codebook_names(self.passes.codes.shape[1]),
            "most": float(np.log2(tokens.entries)),
            "facts": [self.passes.facts(i) for i in range(len(self.passes))],
        }
        heat = (self.passes.entropy * (255 / np.log2(tokens.entries))).round().clip(0, 255).astype(np.uint8)
        parts = (self.passes.codes.astype("<u2"), self.passes.state, self.passes.sure, heat)
        self.data = [part.tobytes() for part in parts]

    def go(self, number: int) -> None:
        """Show a pass.

        Parameters
        ----------
        number : int
            Number of the pass, from 1.

        Raises
        ------
        TypeError, ValueError
            If there is no such pass.
        """
        self.place = self._checked(number)

    def facts(self, number: int | None = None) -> dict:
        """Count the tokens of a pass.

        Parameters
        ----------
        number : int, optional
            Number of the pass, from 1; None: the pass that is shown.

        Returns
        -------
        dict
            Number of tokens guessed, newly kept and hidden again, and the mean entropy of the guesses in bits.

        Raises
        ------
        TypeError, ValueError
            If there is no such pass.
        """
        return self.passes.facts(self._checked(number) - 1)

    def sound(self, number: int | None = None) -> Clip:
        """Make the sound of a pass, from its coarse tokens and the fine tokens that the coarse-to-fine model adds.

        Parameters
        ----------
        number : int, optional
            Number of the pass, from 1; None: the pass that is shown.

        Returns
        -------
        Clip
            The sound; it is computed only once.

        Raises
        ------
        TypeError, ValueError
            If there is no such pass.
        """
        number = self._checked(number)
        if number not in self._sounds:
            codes, mask = self.tokens.codes.clone(), self.mask.clone()
            coarse = torch.from_numpy(self.passes.codes[number - 1].astype(np.int64))
            codes[: len(coarse)], mask[: len(coarse)] = coarse, False
            sound = self.tokens.replace(codes=codes)
            take = self.vamp.vamp(sound, mask, seed=self._seed, fine_passes=self._fine_passes)
            self._sounds[number] = take.clip
        return self._sounds[number]

    def _checked(self, number: int | None) -> int:
        return cells.whole("the pass", self.place if number is None else number, 1, len(self.passes))

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
        counts = f"{f['guessed']} guessed, {f['kept']} newly kept, {f['hidden']} hidden again"
        return f"SamplerScrubber: pass {f['pass']} of {f['passes']}, {counts}"

    def _still(self) -> bytes:
        return still.scrubber(self)
