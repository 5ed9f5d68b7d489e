"""What all tests share: few threads, a small codec and small models, and a cache folder of their own."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from jaxtyping import install_import_hook  # noqa: E402

import tests.shapes  # noqa: E402, F401  (the hook finds it there)

CORE = ("masks", "schedules", "model", "sampling", "audio", "codec", "prompts", "weights", "pipeline")
install_import_hook([f"vampkit.{name}" for name in CORE], "tests.shapes.checked")


APART = {
    "browser": "in a browser: run `make browser`, which needs Chromium",
    "site": "in a browser: run `make site-check`, which needs Chromium",
    "course": "grades notebooks: run `make course`, which needs the extra `grading` and bubblewrap",
}
"""Tests that are not run with the others, by their marker, and why."""


def pytest_collection_modifyitems(config, items):
    """Tests in a browser and of grading run where they are asked for by their marker, and then nothing that is missing
    lets them pass."""
    for marker, reason in APART.items():
        if marker not in config.option.markexpr:
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("VAMPKIT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def small_codec():
    """An untrained codec of the paper's geometry, small enough for tests."""
    from vampkit.codec import Codec
    from vampkit.codec.network import build

    torch.manual_seed(3)
    model = build(
        dict(
            encoder_dim=4,
            encoder_rates=[8, 6, 4, 4],
            decoder_dim=32,
            decoder_rates=[4, 4, 6, 8],
            n_codebooks=14,
            codebook_size=1024,
            codebook_dim=8,
            sample_rate=44_100,
        )
    )
    return Codec(model, "small")


@pytest.fixture(scope="session")
def vamp(small_codec):
    """An untrained pipeline on that codec: a coarse and a fine model of one layer."""
    from vampkit.model import MaskedTransformer, ModelConfig
    from vampkit.pipeline import Vamp

    models = []
    for seed, (codebooks, conditioning) in enumerate(((4, 0), (14, 4)), 1):
        torch.manual_seed(seed)
        config = ModelConfig(codebooks=codebooks, conditioning=conditioning, layers=1, width=32, heads=4)
        models.append(MaskedTransformer(config, small_codec.tables[:codebooks]).eval())
    return Vamp(small_codec, *models)


@pytest.fixture(scope="session")
def tone():
    """Two seconds of a chord with a little noise, mono."""
    from vampkit.audio import Clip

    t = np.arange(88_200) / 44_100
    rng = np.random.default_rng(0)
    sound = sum(np.sin(2 * np.pi * f * t) for f in (220, 277.2, 329.6)) * 0.1 * np.exp(-((t % 0.5) * 4))
    return Clip((sound + 0.002 * rng.standard_normal(len(t))).astype(np.float32), 44_100, "tone", "made here")
