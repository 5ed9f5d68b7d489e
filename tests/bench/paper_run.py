"""The conditions of notebook 11, excerpt by excerpt, written down as they are done.

FOLDER/rows.jsonl has one line for each excerpt and condition, FOLDER/windows the embeddings. What is there is not made
again. An excerpt's seed is its number, so any row can be made again alone.
"""

import json
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch

from tests.bench.paper_excerpts import excerpt, other
from tests.bench.paper_measures import Clock, Heard, embedded, jump, measured
from tests.bench.paper_training import trained
from vampkit import load_vamp, metrics
from vampkit.codec import Tokens
from vampkit.files import written
from vampkit.paper import WAYS, continued, decode, one_pass, prompts, token_noise
from vampkit.sampling import Settings, sample

COARSE, PASSES, FINE_PASSES = 4, 24, 4
SEED = 37_000
OFTEN = (1, 4, 12, 36, 72)
"""Passes of figure 3 beside the usual 24, whose row is "P = 16"."""
RATIOS = (0.25, 0.5, 0.75)
"""Ratios of token noise."""
PERIODS, CONTEXTS = ("P = 4", "P = 8", "P = 16", "P = 32"), ("context 1 s", "context 2 s")
PROMPTS = ("fine alone", "compression", *PERIODS, *CONTEXTS, "beats", "beats by the code")
WAY_PASSES = (4, 12)
EVERY = 4
"""Every how many rounds the groups beside the paper's figures are done."""
GIVEN, BACK = 172, 402
"""Continuations go on after 3 s. Gaps begin there and end at 7 s."""
TASKS = {"continuation": 575, "gap": BACK}
MODELS = ("autoregressive", "masked, same training", "masked, bundled")
NATS = 8
"""Mask ratios at which the masked models' cross entropy is taken for the bound on the nats of a whole excerpt."""


@dataclass
class Excerpt:
    """An excerpt, its tokens, and what is derived from them."""

    number: int
    kind: str
    track: str
    heard: Heard
    tokens: Tokens

    @property
    def seed(self):
        return SEED + self.number

    @cached_property
    def masks(self):
        return prompts(self.tokens, self.heard.beats)


class Bench:
    """The models, the excerpts, and what was done so far."""

    def __init__(self, folder, music, vamp=None):
        self.folder, self.music, self.vamp = folder, music, vamp or load_vamp("tiny")
        self.rows = {}
        if (folder / "rows.jsonl").is_file():
            for line in (folder / "rows.jsonl").read_text().splitlines():
                row = json.loads(line)
                self.rows[row["excerpt"], row["condition"]] = row

    @cached_property
    def models(self):
        """The models that are compared in continuations and gaps, by name."""
        causal, small = trained(self.folder, self.music)
        return dict(zip(MODELS, (causal, small, self.vamp.coarse), strict=True))

    def excerpt(self, number):
        kind, track, clip = excerpt(self.music, number)
        return Excerpt(number, kind, track, Heard(clip), self.vamp.codec.encode(clip))

    def coarse(self, codes, mask, passes, seed, model=None):
        """Coarse codes, made by a masked model in the usual way."""
        settings = Settings(passes=passes)
        *_, last = sample(model or self.vamp.coarse, codes[None, :COARSE], mask[None, :COARSE], [seed], settings)
        return last.codes[0]

    def finished(self, tokens, coarse, mask, seed, passes=FINE_PASSES):
        """The sound of coarse codes, with the fine ones that the mask hides made by the bundled model."""
        codes = torch.cat([coarse, tokens.codes[COARSE:]])
        hidden = torch.cat([torch.zeros_like(mask[:COARSE]), mask[COARSE:]])
        return self.vamp.vamp(tokens.replace(codes=codes), hidden, seed=seed, fine_passes=passes).clip

    def take(self, x, prompt, passes=PASSES, fine=FINE_PASSES):
        mask = x.masks[prompt]
        return self.finished(x.tokens, self.coarse(x.tokens.codes, mask, passes, x.seed), mask, x.seed, fine)

    def way(self, x, name, passes):
        mask = x.masks["P = 16"]
        coarse = decode(self.vamp.coarse, x.tokens.codes[:COARSE], mask[:COARSE], x.seed, passes, WAYS[name])
        return self.finished(x.tokens, coarse, mask, x.seed)

    def noise(self, x, ratio):
        return self.vamp.codec.decode(token_noise(x.tokens, ratio, x.seed))

    def one_pass(self, x, ratio):
        return self.vamp.codec.decode(one_pass(self.vamp.coarse, x.tokens, ratio, x.seed))

    def filled_codes(self, x, name, end):
        """Coarse codes with frames `GIVEN` to `end` made by one of the models. A masked one hears what comes after."""
        model, codes = self.models[name], x.tokens.codes
        if name == "autoregressive":
            made = continued(model, codes[None, :COARSE, :GIVEN], min(end, codes.shape[1]) - GIVEN, [x.seed])[0]
            return torch.cat([made, codes[:COARSE, end:]], 1)
        return self.coarse(codes, hidden_from(codes, GIVEN, end), PASSES, x.seed, model)

    def filled(self, x, name, end):
        """Their sound."""
        mask = hidden_from(x.tokens.codes, GIVEN, end)
        return self.finished(x.tokens, self.filled_codes(x, name, end), mask, x.seed)

    def whole(self, x, name):
        """Ten seconds from nothing, for the time it takes."""
        mask = torch.ones_like(x.tokens.codes, dtype=torch.bool)
        if name == "autoregressive":
            coarse = continued(self.models[name], x.tokens.codes[None, :COARSE, :0], mask.shape[1], [x.seed])[0]
        else:
            coarse = self.coarse(x.tokens.codes, mask, PASSES, x.seed)
        return self.finished(x.tokens, coarse, mask, x.seed)

    def nats(self, x, name):
        """Nats a token of the whole excerpt: exact for the autoregressive model, a bound for the masked ones."""
        codes, model = x.tokens.codes[None, :COARSE], self.models[name]
        ratios = (1.0,) if name == "autoregressive" else [(i + 0.5) / NATS for i in range(NATS)]
        return float(np.mean([metrics.masked_cross_entropy(model, codes, r, seed=x.seed).mean() for r in ratios]))


def hidden_from(codes, first, end):
    """A mask that hides the frames from `first` to `end`."""
    mask = torch.zeros_like(codes, dtype=torch.bool)
    mask[:, first:end] = True
    return mask


def figures(bench):
    """Conditions of the paper's figures: name, and a function from an excerpt to a sound."""
    found = {"original": lambda x: x.heard.clip, "codec": lambda x: bench.vamp.codec.decode(x.tokens)}
    found |= {f"noise {ratio:g}": partial(bench.noise, ratio=ratio) for ratio in RATIOS}
    found |= {name: partial(bench.take, prompt=name) for name in PROMPTS}
    often = {f"{n} passes" if n > 1 else "1 pass": partial(bench.take, prompt="P = 16", passes=n) for n in OFTEN}
    return found | often


def beside(bench):
    """Conditions beside them: traps of the original code, and ways to decode."""
    found = {"P = 16, fine kept": partial(bench.take, prompt="P = 16, fine kept")}
    found["one pass 0.5"] = partial(bench.one_pass, ratio=0.5)
    ways = [name for name in WAYS if name != "confidence"]
    return found | {f"{w}, {n} passes": partial(bench.way, name=w, passes=n) for w in ways for n in WAY_PASSES}


def rivals(bench):
    """Continuations and gaps by three models: name, function, and the end of what is made, in frames."""
    return {
        f"{task}, {name}": (partial(bench.filled, name=name, end=end), end)
        for task, end in TASKS.items()
        for name in MODELS
    }


TEMPO = ("codec", *PROMPTS, *(f"noise {ratio:g}" for ratio in RATIOS))
"""Conditions of which the beats are measured too."""


def done_round(bench, number):
    """Do what is missing of a round: two excerpts, one composed, one real."""
    for index in (2 * number, 2 * number + 1):
        others = bench.folder / "windows" / "others" / f"{index:03}.npz"
        if not others.is_file():
            save(others, embedded(other(bench.music, index)))
        names = list(figures(bench)) + ([*beside(bench), "rest"] if number % EVERY == 0 else [])
        if any((index, name) not in bench.rows for name in names):
            x = bench.excerpt(index)
            do_figures(bench, x, figures(bench) | (beside(bench) if number % EVERY == 0 else {}))
            if number % EVERY == 0 and (index, "rest") not in bench.rows:
                do_rivals(bench, x)
                note(bench, x, "rest", {})


def do_figures(bench, x, conditions):
    for name, make in conditions.items():
        if (x.number, name) not in bench.rows:
            with Clock() as clock:
                clip = make(x)
            row = {} if name == "original" else judged(x, name, clip)
            note(bench, x, name, row | {"seconds": clock.seconds}, embedded(clip))


def judged(x, name, clip):
    """What is measured of a condition."""
    row = measured(x.heard, clip, name in TEMPO)
    if name in CONTEXTS:  # as in the paper's code, its mel error is that of the part that was made
        side = float(name.split()[1]) / 2
        inner = [c.excerpt(side, c.seconds - 2 * side) for c in (x.heard.clip, clip)]
        row["paper mel"] = metrics.paper_mel_error(*inner)
    return row


def do_rivals(bench, x):
    rate = x.tokens.rate / x.tokens.hop
    for name, (make, end) in rivals(bench).items():
        with Clock() as clock:
            clip = make(x)
        first, last = GIVEN / rate, min(end, x.tokens.frames) / rate
        parts = [c.excerpt(first, last - first) for c in (x.heard.clip, clip)]
        row = measured(Heard(parts[0]), parts[1])
        if end < x.tokens.frames:
            row["jump"] = jump(clip, last)
        note(bench, x, name, row | {"seconds": clock.seconds}, embedded(parts[1]))
    for task, end in TASKS.items():
        first, last = GIVEN / rate, min(end, x.tokens.frames) / rate
        ideal = {} if end >= x.tokens.frames else {"jump": jump(bench.vamp.codec.decode(x.tokens), last)}
        note(bench, x, f"{task}, original", ideal, embedded(x.heard.clip.excerpt(first, last - first)))
    for name in MODELS:
        note(bench, x, f"nats, {name}", {"nats": bench.nats(x, name)})
    for name in ("autoregressive", "masked, 24 passes"):
        with Clock() as clock:
            bench.whole(x, name)
        note(bench, x, f"{name}, whole", {"seconds": clock.seconds})


def note(bench, x, condition, measures, windows=None):
    """Write a row down, its windows before it."""
    if windows is not None:
        save(path_of(bench.folder, x.number, condition), windows)
    rounded = {name: float(f"{value:.5g}") for name, value in measures.items()}
    row = {"excerpt": x.number, "kind": x.kind, "track": x.track, "condition": condition, "measures": rounded}
    bench.rows[x.number, condition] = row
    with (bench.folder / "rows.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")


def path_of(folder, number, condition):
    return folder / "windows" / f"{number:03}" / f"{condition.replace(' ', '_').replace(',', '')}.npz"


def save(path, windows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path) as part, part.open("wb") as file:
        np.savez(file, **windows)
