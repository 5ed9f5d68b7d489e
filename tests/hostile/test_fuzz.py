"""Random bytes and mutated real files and data: allowed are our errors alone, within 5 s and 1 GB.

`make test` tries a few dozen of each, always the same ones. `make fuzz` tries new ones for minutes (VAMPKIT_FUZZ:
seconds for each test).
"""

import json
import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.sentences import outcome
from vampkit.audio import Clip
from vampkit.audio.blocks import FileBlocks
from vampkit.codec import Tokens
from vampkit.controls import Loudness
from vampkit.files import write_safetensors
from vampkit.pipeline import take_settings
from vampkit.prompts import Periodic, Prompt, parse, words_help
from vampkit.train import checkpoint
from vampkit.train.pool import SAMPLES, Pool
from vampkit.train.store import TokenStore
from vampkit.train.tokens import FORMAT as EXCERPTS
from vampkit.train.tokens import read_excerpts
from vampkit.weights import load_adapters, load_codec, load_model, model_hash, save_adapters, save_model

SECONDS = float(os.environ.get("VAMPKIT_FUZZ", 0))
QUICK = dict(passes=1, fine_passes=1)
CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def fuzz(examples, try_one, **drawn):
    """Try some examples; and others, as many at a time, until the time of a long run is up.

    An example is never cut short by the clock: hypothesis repeats it to find the smallest one that fails.
    """
    rules = dict(deadline=None, suppress_health_check=CHECKS, derandomize=not SECONDS, database=None)
    batch = settings(max_examples=examples, **rules)(given(**drawn)(try_one))
    until = time.monotonic() + SECONDS
    batch()
    while time.monotonic() < until:
        batch()


@st.composite
def damage(draw, whole):
    """A real file with some bytes changed, cut out, put in or doubled."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(data) - 1)) | st.integers(0, min(200, len(data))))
        how = draw(st.sampled_from(["set", "cut", "end", "put", "double"]))
        if how == "set":
            data[place : place + 1] = draw(st.binary(min_size=1, max_size=4))
        elif how == "cut":
            del data[place : place + draw(st.integers(1, 64))]
        elif how == "end":
            del data[place:]
        elif how == "put":
            data[place:place] = draw(st.binary(max_size=64))
        else:
            data[place:place] = data[place : place + draw(st.integers(1, 500))]
    return bytes(data)


@pytest.fixture(scope="session")
def sounds(tone, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    return {kind: tone.excerpt(0, 0.3).save(folder / f"a.{kind}").read_bytes() for kind in ("wav", "flac", "ogg")}


@pytest.mark.timeout(0)
def test_sounds(sounds, tmp_path):
    def one(data):
        kind = data.draw(st.sampled_from(sorted(sounds)))
        path = tmp_path / f"a.{kind}"
        path.write_bytes(data.draw(damage(sounds[kind]) | st.binary(max_size=300)))
        outcome(Clip.load, path)
        outcome(lambda: sum(block.size for block in FileBlocks(path).blocks()))

    fuzz(60, one, data=st.data())


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([10**40, -1, 1e300]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(data, path=()):
    """All places in nested data."""
    yield path
    for key in list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield from places(data[key], (*path, key))


def changed(data, draw):
    """Nested data with the value at one or two places removed or replaced."""
    data = json.loads(json.dumps(data))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from([p for p in places(data) if p] or [()]))
        if not path:
            return draw(JSON)
        inner = data
        for key in path[:-1]:
            inner = inner[key]
        if draw(st.booleans()) and isinstance(inner, dict):
            del inner[path[-1]]
        else:
            inner[path[-1]] = draw(JSON)
    return data


@pytest.fixture(scope="session")
def record(vamp, tone):
    follow = Loudness(tone.excerpt(0, 0.3)).to_json()
    made = vamp.vamp(tone.excerpt(0, 0.3), (Periodic(7) | Periodic(3)).dropout(0.2), **QUICK).record
    return made, follow


@pytest.mark.timeout(0)
def test_records(vamp, tone, record):
    def one(data):
        outcome(vamp.again, changed(record[0], data.draw), tone.excerpt(0, 0.3))
        outcome(Prompt.from_json, changed(record[0]["prompt"], data.draw))
        outcome(Loudness.from_json, changed(record[1], data.draw))
        outcome(Prompt.from_json, data.draw(st.text(max_size=50)))

    fuzz(60, one, data=st.data())


PARTS = sorted(
    {word for word in words_help().replace("(", " ( ").replace(")", " ) ").split() if ":" in word or len(word) < 3}
)


@pytest.mark.timeout(0)
def test_words(vamp, tone):
    def one(parts):
        prompt = outcome(parse, "".join(parts))
        if isinstance(prompt, Prompt):
            outcome(vamp.vamp, tone.excerpt(0, 0.3), prompt, **QUICK)

    part = st.sampled_from([*PARTS, "+", "&", "~", "(", ")", ",", ":", "="]) | st.text(max_size=4)
    fuzz(100, one, parts=st.lists(part, max_size=9))


NAMES = st.sampled_from(
    ["seed", "passes", "temperature", "top_k", "top_p", "cutoff", "feedback", "roll", "restore", "windows"]
)


@pytest.mark.timeout(0)
def test_settings():
    def one(values):
        outcome(take_settings, **values)

    value = JSON | st.integers(1, 5) | st.floats(0, 2)
    fuzz(100, one, values=st.dictionaries(NAMES | st.text(max_size=4), value, max_size=4))


@pytest.fixture(scope="session")
def weights(vamp, tone, tmp_path_factory):
    import torch

    folder = tmp_path_factory.mktemp("weights")
    state = {"identity": {"seed": 0}, "step": 3, "model": {"a": torch.ones(2)}, "optimizers": [{"state": {0: (1, 2)}}]}
    codes = {"codes": torch.zeros(2, 14, 5, dtype=torch.uint16)}
    pair = {"transformer.layers.0.self_attn.w_qs": (torch.ones(2, 32), torch.ones(32, 2))}
    return {
        "model": save_model(vamp.coarse, folder / "m", vamp.codec.hash).read_bytes(),
        "codec": vamp.codec.save(folder / "c").read_bytes(),
        "tokens": vamp.codec.encode(tone.excerpt(0, 0.3)).save(folder / "t").read_bytes(),
        "excerpts": write_safetensors(codes, folder / "e", EXCERPTS, {"codec": "x"}).read_bytes(),
        "checkpoint": checkpoint.save(state, folder / "s").read_bytes(),
        "adapters": save_adapters(pair, folder / "a", model_hash(vamp.coarse), 0.5).read_bytes(),
    }


@pytest.mark.timeout(0)
def test_weights(vamp, weights, tmp_path):
    path = tmp_path / "a.safetensors"
    load = {
        "model": lambda: load_model(path, vamp.codec),
        "codec": lambda: load_codec(path),
        "tokens": lambda: Tokens.load(path),
        "excerpts": lambda: read_excerpts(path),
        "checkpoint": lambda: checkpoint.load(path),
        "adapters": lambda: load_adapters(path, vamp.coarse),
    }

    def one(data):
        kind = data.draw(st.sampled_from(sorted(weights)))
        path.unlink(missing_ok=True)  # weights that were loaded before may still be mapped from the old file
        path.write_bytes(data.draw(damage(weights[kind])))
        outcome(load[kind])

    fuzz(60, one, data=st.data())


STORE = {
    "store.json": json.dumps(
        {
            "format": "vampkit.tokens-store/1",
            "codec": "x",
            "codebooks": 14,
            "hop": 768,
            "rate": 44_100,
            "floor": -45.0,
            "shard": 16,
        }
    ),
    "items.jsonl": json.dumps({"file": "a.wav", "artist": "b"}) + "\n",
    "shard-00000.jsonl": json.dumps(
        {"number": 0, "artist": "b", "source": "a.wav", "name": "a", "frames": 40, "seconds": 0.7, "salient": [[0, 40]]}
    )
    + "\n",
}


@pytest.mark.timeout(0)
def test_stores(tmp_path):
    def one(data):
        which = data.draw(st.sampled_from(sorted(STORE)))
        for name, text in STORE.items():
            (tmp_path / name).write_bytes(text.encode())
        if data.draw(st.booleans()):
            (tmp_path / which).write_bytes(data.draw(damage(STORE[which].encode())))
        else:
            (tmp_path / which).write_text(json.dumps(changed(json.loads(STORE[which]), data.draw)) + "\n")
        store = outcome(TokenStore, tmp_path)
        if isinstance(store, TokenStore) and len(store):
            outcome(lambda: store._track(0))

    fuzz(60, one, data=st.data())


@pytest.mark.timeout(0)
def test_pools(tmp_path):
    items, sound = json.dumps([{"artist": "b", "name": "a"}] * 2), tmp_path / "pool.int16"

    def one(data):
        text = data.draw(damage(items.encode()) | st.builds(json.dumps, JSON).map(str.encode))
        (tmp_path / "pool.json").write_bytes(text)
        sound.write_bytes(bytes(data.draw(st.sampled_from([4 * SAMPLES, 2 * SAMPLES, 3, 0]))))
        outcome(Pool, tmp_path)

    fuzz(60, one, data=st.data())
