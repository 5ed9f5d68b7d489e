"""The results of notebook 11 as one JSON file: means, distances and ratios, each with interval and n, and the rows."""

import base64
import json

import numpy as np

from tests.bench.paper_run import (
    BACK,
    FINE_PASSES,
    GIVEN,
    MODELS,
    PASSES,
    SEED,
    TASKS,
    WAY_PASSES,
    beside,
    figures,
    path_of,
    rivals,
)
from tests.bench.paper_training import COUNT, PRESET
from tests.bench.paper_training import SECONDS as TRAINED_SECONDS
from vampkit import metrics
from vampkit.metrics.statistics import RESAMPLES, interval
from vampkit.paper import CLAIMS, WAYS, judge, pairs, true_rate
from vampkit.paper.claims import DISTANCES, MEL, SECONDS
from vampkit.weights import model_hash

SCALARS = ("paper mel", "mel", "onset F", "beat F", "pulse", "jump", "nats", "seconds")


class Results:
    """What a run has measured, for the excerpts of which all conditions of a group are done."""

    def __init__(self, bench):
        self.bench, self.windows = bench, {}
        self.main = self._complete(figures(bench))
        self.sub = self._complete(["rest"])
        self.tracks = {n: row["track"] for (n, _), row in bench.rows.items()}

    def _complete(self, names):
        numbers = sorted({n for n, _ in self.bench.rows})
        return [n for n in numbers if all((n, name) in self.bench.rows for name in names)]

    def of(self, *conditions):
        """The excerpts that count for a comparison: those of the smaller group, if it has part in it."""
        return self.main if all(name in figures(self.bench) for name in conditions) else self.sub

    def values(self, condition, measure, numbers):
        return np.array([self.bench.rows[n, condition]["measures"][measure] for n in numbers])

    def sounds(self, condition, embedding, numbers):
        """Windows by track: excerpts of one recording are not independent."""
        found = {}
        for n in numbers:
            found.setdefault(self.tracks[n], []).append(
                self._windows(path_of(self.bench.folder, n, condition), embedding)
            )
        return [np.concatenate(parts) for parts in found.values()]

    def others(self, embedding, numbers):
        """Windows of as many other tracks."""
        folder = self.bench.folder / "windows" / "others"
        return [self._windows(folder / f"{n:03}.npz", embedding) for n in numbers]

    def _windows(self, path, embedding):
        if (path, embedding) not in self.windows:
            self.windows[path, embedding] = np.load(path)[embedding].astype(np.float64)
        return self.windows[path, embedding]

    def reference(self, condition, embedding, kind, numbers):
        """What a condition is measured against, and whether these are its own originals."""
        if kind == "others":
            return self.others(embedding, numbers), False
        own = f"{condition.partition(',')[0]}, original" if condition in rivals(self.bench) else "original"
        return self.sounds(own, embedding, numbers), True

    def estimate(self, condition, measure, numbers):
        """One measure of one condition."""
        if measure in SCALARS:
            groups = [self.tracks[n] for n in numbers]
            return metrics.bootstrap(self.values(condition, measure, numbers), groups)
        name, kind = measure.partition(" ")[2].split(", ")
        x = self.sounds(condition, name, numbers)
        y, paired = self.reference(condition, name, kind, numbers)
        if measure.startswith("KD"):
            return metrics.kernel_distance(x, y, shuffles=1).estimate
        if measure.startswith("MAD"):
            return metrics.mauve_divergence(x, y, paired=paired)
        return metrics.frechet_interval(x, y, paired=paired)

    def ratio(self, a, b, measure):
        """A measure of A as a multiple of that of B, on the same excerpts."""
        numbers = self.of(a, b)
        if measure in SCALARS:
            groups = [self.tracks[n] for n in numbers]
            return ratio_of_means(*(self.values(c, measure, numbers) for c in (a, b)), groups)
        name, kind = measure.partition(" ")[2].split(", ")
        x, z = (self.sounds(c, name, numbers) for c in (a, b))
        y, paired = self.reference(a, name, kind, numbers)
        return metrics.frechet_ratio(x, z, y, paired=paired)


def ratio_of_means(a, b, groups):
    """The mean of a divided by that of b, with a bootstrap interval over groups, the same draws for both."""
    names = list(dict.fromkeys(groups))
    of = np.array([names.index(g) for g in groups])
    sums = [np.bincount(of, values) for values in (a, b)]
    draws = np.random.default_rng(0).integers(0, len(names), (RESAMPLES, len(names)))
    drawn = sums[0][draws].sum(1) / sums[1][draws].sum(1)
    return metrics.Estimate(float(a.mean() / b.mean()), *interval(drawn), len(names))


def told(estimate):
    """An estimate as a list, rounded."""
    return [float(f"{value:.4g}") for value in estimate[:3]] + [estimate.n]


def measures_of(results, condition):
    """What can be said of a condition."""
    numbers = results.of(condition)
    row = results.bench.rows[numbers[0], condition]["measures"]
    found = [name for name in SCALARS if name in row]
    heard = path_of(results.bench.folder, numbers[0], condition).is_file()
    distances = [*DISTANCES, "KD log-mel, others", "KD tagger, others", "MAD tagger, originals", "MAD tagger, others"]
    return found + (distances if heard and not condition.endswith("original") else [])


def compared(bench):
    """Comparisons beside those of the claims: A, B and the measure."""
    distances = [*MEL, "onset F", *DISTANCES]
    found = [
        (f"{way}, {n} passes", same(n), m) for way in WAYS if way != "confidence" for n in WAY_PASSES for m in distances
    ]
    traps = (("beats by the code", "beats"), ("P = 16, fine kept", "P = 16"), ("one pass 0.5", "noise 0.5"))
    found += [(a, b, m) for a, b in traps for m in distances]
    for task in ("continuation", "gap"):
        own = f"{task}, autoregressive"
        for name in ("masked, same training", "masked, bundled"):
            found += [(f"{task}, {name}", own, m) for m in (*distances, *SECONDS, *(["jump"] if task == "gap" else []))]
    found += [
        (f"nats, {name}", "nats, autoregressive", "nats") for name in ("masked, same training", "masked, bundled")
    ]
    return found


def same(passes):
    """The usual way with as many passes."""
    return "P = 16" if passes == PASSES else f"{passes} passes"


def summary(bench, say=print):
    """All results of a run so far."""
    results = Results(bench)
    names = [n for n in (*figures(bench), *beside(bench), *rivals(bench)) if n != "original"]
    names += sorted({c for n, c in bench.rows if n in results.sub and c.startswith(("nats,", "gap, original"))})
    names += [c for c in ("autoregressive, whole", "masked, 24 passes, whole") if (results.sub[0], c) in bench.rows]
    conditions = {}
    for name in names:
        numbers = results.of(name)
        conditions[name] = {
            "measures": {m: told(results.estimate(name, m, numbers)) for m in measures_of(results, name)},
            "rows": {
                m: [bench.rows[n, name]["measures"][m] for n in numbers]
                for m in SCALARS
                if m in bench.rows[numbers[0], name]["measures"]
            },
        }
        say(name, conditions[name]["measures"], flush=True)
    ratios = {}
    for a, b, measure in dict.fromkeys([*pairs(conditions), *compared(bench)]):
        ratios[f"{a} / {b}: {measure}"] = told(results.ratio(a, b, measure))
        say(f"{a} / {b}: {measure}", ratios[f"{a} / {b}: {measure}"], flush=True)
    return {
        "settings": settings(bench, results),
        "verdicts": {claim.name: judge(claim, conditions, ratios).verdict for claim in CLAIMS},
        "conditions": conditions,
        "ratios": ratios,
        "heard": heard(bench),
    }


def settings(bench, results):
    """How the results were made."""
    first = bench.excerpt(results.main[0])
    return {
        "codec": bench.vamp.codec.hash,
        "fine": model_hash(bench.vamp.fine),
        "models": {name: model_hash(model) for name, model in bench.models.items()},
        "passes": PASSES,
        "fine passes": FINE_PASSES,
        "first seed": SEED,
        "made from frame": GIVEN,
        "gap ends at frame": BACK,
        "rates": {name: round(true_rate(mask, first.tokens)) for name, mask in first.masks.items()},
        "training": {
            "steps": PRESET.steps,
            "batch": PRESET.batch,
            "frames": PRESET.frames,
            "tracks of each kind": COUNT,
            "seconds of each": TRAINED_SECONDS,
        },
        "excerpts": [results.tracks[n] for n in results.main],
        "beside": [results.tracks[n] for n in results.sub],
    }


def heard(bench, number=0):
    """Coarse codes of one continuation by the models that are not bundled, for the notebook to decode."""
    x = bench.excerpt(number)
    made = {name: bench.filled_codes(x, name, TASKS["continuation"]) for name in MODELS[:2]}
    packed = {name: base64.b64encode(codes.numpy().astype("<u2").tobytes()).decode() for name, codes in made.items()}
    return {"track": x.track, "codes": packed}


def written_down(result, path):
    path.write_text(json.dumps(result, indent=None, separators=(",", ":")) + "\n")
