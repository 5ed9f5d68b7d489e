"""How fast models, loop and codec are, each beside a plain way of doing the same, measured in turns.

    python -m tests.bench.bench_speed [--layers 20] [--threads 2] [--repeats 5] [--parts forward,loop]

Prints Markdown tables: the median, the least and the largest time of each way, and how many times as fast as the first
way it is (of the least times, which other work on the machine changes least). The naive model is written from the
reference's description alone: bias added to scores, softmax, all rows through the head, whose weights are computed in
each pass.
"""

import argparse
import functools
import math
import platform
import resource
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import vampkit as vk
from tests.bench.bench_generated import EMBEDDINGS
from vampkit import metrics, music
from vampkit.arithmetic import multiplied
from vampkit.codec.descript import _dac_snake, dac
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.pipeline.windows import Windows
from vampkit.prompts import Periodic
from vampkit.sampling import Settings, sample
from vampkit.weights.precision import lowered

PAPER = dict(coarse=dict(codebooks=4, layers=20), fine=dict(codebooks=14, conditioning=4, layers=16))
FRAMES = 575
"""10 s."""


class Naive(nn.Module):
    """The masked transformer as one writes it down first, on the weights of a `MaskedTransformer`."""

    def __init__(self, model):
        super().__init__()
        self.model, self.config = model, model.config

    def forward(self, codes, mask, hidden_only=False, circular=False):
        model, heads = self.model, self.config.heads
        x = model.embedding(codes, mask, model.tables)
        bias = model.transformer.layers[0].self_attn._position_bias(x.shape[1], circular)
        for block in model.transformer.layers:
            attention, h = block.self_attn, norm(x, block.norm_1.weight)
            rows = (F.linear(h, getattr(attention, w).weight) for w in ("w_qs", "w_ks", "w_vs"))
            q, k, v = (r.unflatten(-1, (heads, -1)).transpose(1, 2) for r in rows)
            weights = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias).softmax(-1)
            x = x + F.linear((weights @ v).transpose(1, 2).flatten(2), attention.fc.weight)
            p, gate = F.linear(norm(x, block.norm_3.weight), block.feed_forward.w_1.weight).chunk(2, -1)
            gate = 0.5 * gate * (1 + torch.tanh(math.sqrt(2 / math.pi) * (gate + 0.044715 * gate**3)))
            x = x + F.linear(p * gate, block.feed_forward.w_2.weight)
        layer = model.classifier.layers[0]
        logits = F.linear(norm(x, model.transformer.norm.weight), layer.weight(), layer.bias)
        logits = logits.unflatten(-1, (-1, self.config.predicted)).permute(0, 3, 1, 2)
        return logits[mask[:, self.config.conditioning :]] if hidden_only else logits


def norm(x, weight):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * weight


def in_turns(title, ways, repeats, warm=True):
    """Print the times of several ways of doing one thing, called in turns."""
    for way in ways.values() if warm else ():
        way()
    took = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            since = time.perf_counter()
            way()
            took[name].append(time.perf_counter() - since)
    first = min(next(iter(took.values())))
    print(f"\n{title}\n\n| way | median s | least to largest s | times as fast |\n| --- | --- | --- | --- |")
    for name, times in took.items():
        spread = f"{min(times):.3f} to {max(times):.3f}"
        print(f"| {name} | {statistics.median(times):.3f} | {spread} | {first / min(times):.2f} |", flush=True)
    return {name: min(times) for name, times in took.items()}


def at_best(title, model, codes, mask, calls=1):
    """Print how long a model's products would take at the speed of one large product: no float32 code is faster."""
    # With gradients, and plain attention: then the products are torch's own, which it can count.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model(codes, mask, True)
    large = torch.randn(2048, 2048)
    took = []
    with torch.inference_mode():
        for _ in range(8):
            since = time.perf_counter()
            multiplied(large, large, None)
            took.append(time.perf_counter() - since)
    rate = 2 * 2048**3 / min(took)
    work = counter.get_total_flops() * calls
    print(f"\n{title}: {work / 1e9:.0f} GFLOP, at {rate / 1e9:.0f} GFLOP/s of one large product {work / rate:.3f} s")


def inputs(config, frames=FRAMES, seed=0):
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, config.entries, (1, config.codebooks, frames), generator=generator)
    mask = torch.rand(codes.shape, generator=generator) < 0.5
    mask[:, : config.conditioning] = False
    return codes, mask


def untrained(config):
    torch.manual_seed(0)
    tables = torch.randn(config.codebooks, config.entries, config.latent)
    return MaskedTransformer(config, tables).eval().requires_grad_(False)


def forward(options):
    """One pass at the paper's width, in each precision."""
    for kind, shape in PAPER.items():
        config = ModelConfig(**shape | {"layers": min(options.layers, shape["layers"])}, width=1280, heads=20)
        codes, mask = inputs(config)
        # Made outside of inference mode, as by loading: then what is computed from the weights is kept between passes.
        model = untrained(config)
        models = {"naive float32": Naive(model), "float32": model}
        models |= {precision: lowered(untrained(config), precision) for precision in ("bf16", "int8")}
        ways = {name: functools.partial(each, codes, mask, True) for name, each in models.items()}
        with torch.inference_mode():
            error = (ways["naive float32"]() - ways["float32"]()).abs().max()
            assert error < 1e-4, f"the naive model differs by {error}"
            title = f"forward, {kind}, {config.layers} layers of width 1280, {FRAMES} frames"
            in_turns(title, ways, options.repeats)
        at_best(title, model, codes, mask)


@torch.inference_mode()
def quality(options):
    """What lower precision costs the bundled models on a bundled clip: greedy tokens and cross entropy."""
    print("\n| model | precision | equal greedy tokens | cross entropy less that in float32, nats |")
    print("| --- | --- | --- | --- |")
    exact = vk.load_vamp("tiny")
    clips = [vk.load_clip(name).mono() for name in vk.clips()]
    tokens = [exact.codec.encode(clip.excerpt(0, min(9.0, clip.seconds))) for clip in clips]
    for precision in ("bf16", "int8"):
        low = vk.load_vamp("tiny", precision=precision)
        for kind in ("coarse", "fine"):
            model, other = getattr(exact, kind), getattr(low, kind)
            same, more = [], []  # a value a clip
            for number, each in enumerate(tokens):
                _, mask = inputs(model.config, each.frames, seed=number)
                codes = each.batch[:, : model.config.codebooks]
                a, b = (m(codes, mask, True).float() for m in (model, other))
                same.append(float((a.argmax(-1) == b.argmax(-1)).float().mean()))
                more.append(float(F.cross_entropy(b, codes[mask]) - F.cross_entropy(a, codes[mask])))
            print(f"| {kind} | {precision} | {metrics.bootstrap(same)} | {metrics.bootstrap(more)} |", flush=True)


def takes(options):
    """What lower precision costs whole takes of the bundled clips: distances to other, composed tracks."""
    clips = [vk.load_clip(name).mono() for name in vk.clips()]
    clips = [clip.excerpt(0, min(10.0, clip.seconds)) for clip in clips]
    far = [music.render(music.compose(1_001_000 + i, seconds=10.0)).at_loudness() for i in range(len(clips))]
    made = {}
    for precision in ("float32", "bf16", "int8"):
        vamp = vk.load_vamp("tiny", precision=precision)
        made[precision] = [vamp.vamp(clip, Periodic(7), seed=i).clip for i, clip in enumerate(clips)]
    print("\n| precision | embedding | Frechet, of that in float32 | kernel, less that in float32 |")
    print("| --- | --- | --- | --- |")
    for name, embed in EMBEDDINGS.items():
        heard = {precision: [embed(clip) for clip in sounds] for precision, sounds in made.items()}
        others = [embed(clip) for clip in far]
        for precision in ("bf16", "int8"):
            pair = heard[precision], heard["float32"], others
            row = f"| {precision} | {name} | {metrics.frechet_ratio(*pair)} | {metrics.kernel_difference(*pair)} |"
            print(row, flush=True)


def loop(options):
    """The bundled coarse model's loop beside the naive model's, and a whole take."""
    vamp, clip = vk.load_vamp("tiny"), vk.load_clip("03").mono().excerpt(0, 10.0)
    tokens = vamp.codec.encode(clip)
    codes, mask = tokens.batch[:, :4], Periodic(7).mask(tokens)[None, :4]
    plain, settings = Naive(vamp.coarse), Settings(passes=24)

    def run(model):
        *_, last = sample(model, codes, mask, [1], settings)
        return last.codes

    share = (run(plain) == run(vamp.coarse)).float().mean()
    ways = {"naive": lambda: run(plain), "ours": lambda: run(vamp.coarse)}
    in_turns("loop of 24 passes, bundled coarse model", ways, options.repeats)
    print(f"\nequal tokens: {share:.4f}")
    at_best("36 coarse passes over 10 s", vamp.coarse, codes, mask, 36)
    short = Windows(coarse=172, coarse_context=57, coarse_ahead=0)

    def first(**settings):
        return next(vamp.stream(tokens, Periodic(7), seed=1, **settings))

    ways = {"take of 10 s, 36 and 12 passes": lambda: vamp.vamp(tokens, Periodic(7), seed=1)}
    ways |= {"first block of its stream": first, "the same, coarse windows of 3 s": lambda: first(windows=short)}
    ways["the same, 12 and 4 passes"] = lambda: first(windows=short, passes=12, fine_passes=4)
    in_turns("takes, bundled models", ways, options.repeats)


@torch.inference_mode()
def codec(options):
    """Encoding and decoding beside the dac package's own network."""
    from vampkit.codec.network import settings_of

    ours, clip = vk.load_codec("tiny"), vk.load_clip("03").mono().excerpt(0, 10.0)
    theirs = dac.DAC(**settings_of(ours.model)).eval()
    theirs.load_state_dict(ours.model.state_dict())
    samples = clip.at_loudness().samples[0][: 574 * ours.hop]
    sound, codes = torch.from_numpy(samples)[None, None], ours.encode_samples(samples)

    def plain(work):
        quick, dac.nn.layers.snake = dac.nn.layers.snake, _dac_snake
        try:
            return work()
        finally:
            dac.nn.layers.snake = quick

    encode = {"dac": lambda: plain(lambda: theirs.encode(sound)), "ours": lambda: ours.encode_samples(samples)}
    in_turns("encode, 10 s, bundled codec", encode, options.repeats)
    decode = {"dac": lambda: plain(lambda: theirs.decode(theirs.quantizer.from_codes(codes)[0]))}
    in_turns("decode, 10 s, bundled codec", decode | {"ours": lambda: ours.decode_codes(codes)}, options.repeats)


def lines(options):
    """Time of a take against its passes and its length: both should be straight lines."""
    vamp, clip = vk.load_vamp("tiny"), vk.load_clip("03").mono().excerpt(0, 10.0)
    tokens = vamp.codec.encode(clip)
    ways = {f"{n} passes": lambda n=n: vamp.vamp(tokens, Periodic(7), passes=n, fine_passes=4) for n in (1, 12, 36, 72)}
    in_turns("time against passes, 10 s", ways, options.repeats)
    ways = {}
    for seconds in (2, 10, 20, 60):
        frames = tokens.frames_of(seconds)
        codes = tokens.codes[:, torch.arange(frames) % tokens.frames]
        long = tokens.replace(codes=codes, length=seconds * tokens.rate)
        ways[f"{seconds} s"] = lambda long=long: vamp.vamp(long, Periodic(7), passes=12, fine_passes=4)
    in_turns("time against length, 12 passes", ways, max(1, options.repeats // 2))
    print(f"\npeak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


PARTS = {"forward": forward, "quality": quality, "takes": takes, "loop": loop, "codec": codec, "lines": lines}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--layers", type=int, default=20, help="layers at full size; fewer need less memory")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--parts", default=",".join(PARTS))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    capability = torch.backends.cpu.get_cpu_capability()
    print(f"{platform.machine()} {capability}, {options.threads} threads, torch {torch.__version__}")
    for part in options.parts.split(","):
        PARTS[part](options)


if __name__ == "__main__":
    main()
