"""The reference code's own files load, agree with what it computes from them, and cannot do harm."""

import collections
import resource
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from vampkit.audio import Clip
from vampkit.codec import lac
from vampkit.errors import VampkitError
from vampkit.files import read_safetensors
from vampkit.pipeline import Vamp, load_vamp
from vampkit.prompts import Periodic
from vampkit.weights import convert, load_adapters, load_codec, load_model, upstream

FILES = Path(__file__).parents[1] / "fixtures" / "upstream"
SHORT = dict(passes=3, fine_passes=2)


@pytest.fixture(scope="module")
def codec():
    return load_codec(FILES / "codec.pth")


@pytest.fixture(scope="module")
def expected():
    return np.load(FILES / "expected.npz")


@pytest.fixture(scope="module")
def clip(expected):
    return Clip(expected["sound"][0], 44_100, "sound")


def logits(model, expected):
    codes, mask = torch.from_numpy(expected["codes_in"].astype(np.int64)), torch.from_numpy(expected["mask"])
    codes, mask = codes[:, : model.config.codebooks], mask[:, : model.config.codebooks].clone()
    mask[:, : model.config.conditioning] = False
    return model(codes, mask).permute(0, 3, 2, 1).flatten(2).numpy()


def edited(path, change):
    """A copy of the coarse model's file with some of its content changed."""
    saved = torch.load(FILES / "coarse.pth", weights_only=True)
    change(saved)
    torch.save(saved, path)
    return path


@pytest.mark.parametrize("name, key", [("coarse", "coarse_logits"), ("c2f", "c2f_logits")])
def test_logits_are_the_references(codec, expected, name, key):
    model = load_model(FILES / f"{name}.pth", codec)
    assert np.abs(logits(model, expected) - expected[key]).max() < 1e-5
    assert model.licence == "CC BY-NC-SA 4.0"


def test_codes_and_sound_are_the_references(codec, expected):
    codes = codec.encode_samples(expected["sound"][0, 0])
    assert np.array_equal(codes.numpy(), expected["codes"])
    assert np.abs(codec.decode_codes(codes) - expected["audio"][0]).max() < 1e-5


def test_long_sound_in_windows_is_the_same_as_at_once(codec):
    """The context of a window covers what LAC's decoder sees."""
    codes = torch.randint(0, 64, (1, 14, 1500), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = codec.model.decode(codec.model.quantizer.from_codes(codes)[0])[:, 0].numpy()
    assert np.abs(codec.decode_codes(codes) - whole).max() < 1e-5


def test_odd_rates_give_as_many_samples_as_were_asked_for():
    model = lac.build_lac(encoder_dim=2, encoder_rates=[3, 5], decoder_dim=8, decoder_rates=[5, 3], n_codebooks=2)
    with torch.no_grad():
        assert model.decode(torch.randn(1, model.latent_dim, 7)).shape == (1, 1, 105)
    strided = [m for m in model.encoder.modules() if isinstance(m, torch.nn.Conv1d) and m.stride[0] > 1]
    assert [m.padding for m in strided] == [(1,), (2,)]


def test_adapters_alone_are_those_inside(codec, expected):
    _, weights, inside = upstream.read_masked(FILES / "coarse.pth")
    alone = upstream.read_adapters(FILES / "lora.pth")
    assert alone.keys() == inside.keys() and all(torch.equal(alone[n][0], inside[n][0]) for n in alone)
    plain = load_model(FILES / "coarse.pth", codec)
    plain.load_state_dict(weights)
    assert np.abs(logits(plain, expected) - expected["coarse_logits"]).max() > 1e-2
    adapted = load_adapters(FILES / "lora.pth", plain)
    assert np.abs(logits(adapted, expected) - expected["coarse_logits"]).max() < 1e-5
    with pytest.raises(VampkitError, match="do not fit this model of 2 layers"):
        load_adapters(FILES / "lora.pth", load_model(FILES / "c2f.pth", codec))


def test_a_file_without_adapters_and_one_of_a_compiled_model_with_new_names(codec, tmp_path):
    def change(saved):
        renamed = {}
        for name, value in saved["state_dict"].items():
            if "lora" not in name:
                name = name.replace("weight_g", "parametrizations.weight.original0")
                renamed["_orig_mod." + name.replace("weight_v", "parametrizations.weight.original1")] = value
        saved["state_dict"] = renamed

    model = load_model(edited(tmp_path / "coarse.pth", change), codec)
    _, weights, _ = upstream.read_masked(FILES / "coarse.pth")
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("base", [False, True])
def test_adapters_that_were_saved_merged_count_once(codec, expected, tmp_path, capsys, base):
    """The reference code saves W + B A / 8 together with A and B, and would add B A / 8 again."""
    folder = tmp_path / "loras" / "style"
    folder.mkdir(parents=True)

    def change(saved):
        state = saved["state_dict"]
        for name in [n for n in state if n.endswith("lora_A")]:
            layer = name.removesuffix(".lora_A")
            state[f"{layer}.weight"] = state[f"{layer}.weight"] + state[f"{layer}.lora_B"] @ state[name] / 8

    path = edited(folder / "coarse.pth", change)
    if base:
        shutil.copy(FILES / "coarse.pth", tmp_path / "coarse.pth")
    model = load_model(path, codec)
    assert "already contains its adapters" in capsys.readouterr().err
    assert np.abs(logits(model, expected) - expected["coarse_logits"]).max() < 1e-5
    load_model(FILES / "coarse.pth", codec)
    assert "already contains" not in capsys.readouterr().err


def test_adapters_that_are_too_small_to_tell_are_added_and_it_is_said(codec, tmp_path, capsys):

    def change(saved):
        for name in [n for n in saved["state_dict"] if n.endswith("lora_B")]:
            saved["state_dict"][name] *= 1e-3

    load_model(edited(tmp_path / "coarse.pth", change), codec)
    assert "cannot be told" in capsys.readouterr().err


def test_a_folder_of_theirs_is_a_pipeline_and_its_records_say_the_licence(clip, capsys, tmp_path):
    vamp = load_vamp(FILES)
    assert capsys.readouterr().err.count("CC BY-NC-SA 4.0") == 1
    take = vamp.vamp(clip, Periodic(7), seed=1, **SHORT)
    assert take.record["licence"] == "CC BY-NC-SA 4.0" and take.clip.seconds == pytest.approx(0.5)
    assert torch.equal(vamp.again(take.record, clip).tokens.codes, take.tokens.codes)
    style = tmp_path / "loras" / "style"
    style.mkdir(parents=True)
    shutil.copy(FILES / "codec.pth", tmp_path)
    for name in ("coarse.pth", "c2f.pth"):
        shutil.copy(FILES / name, style)
    assert load_vamp(style).weights_hash == vamp.weights_hash and load_vamp(style).name == "style"


def test_the_coarse_model_alone(clip, tmp_path):
    for name in ("codec.pth", "coarse.pth"):
        shutil.copy(FILES / name, tmp_path)
    vamp, both = load_vamp(tmp_path), load_vamp(FILES)
    take = vamp.vamp(clip, Periodic(7), seed=1, passes=3)
    whole = both.vamp(clip, Periodic(7), seed=1, **SHORT)
    assert torch.equal(take.tokens.codes, whole.tokens.codes[:4]) and take.mask.shape == take.tokens.codes.shape
    alone = both.codec.decode(whole.tokens, codebooks=4).samples
    assert np.allclose(take.clip.samples, alone, atol=1e-6)
    assert torch.equal(vamp.again(take.record, clip).tokens.codes, take.tokens.codes)
    assert np.allclose(np.concatenate([b.samples for b in vamp.stream(clip, Periodic(7), seed=1, passes=3)], 1), alone)
    with pytest.raises(VampkitError, match="other models|weights"):
        both.again(take.record, clip)


@pytest.mark.parametrize("dtype, most", [("float32", 1e-5), ("float16", 2e-2), ("bf16", 2e-1)])
def test_converted_files_are_the_same_models(expected, clip, tmp_path, dtype, most):
    made = convert(FILES, tmp_path / "out", dtype)
    assert [path.name for path in made] == ["codec.safetensors", "coarse.safetensors", "fine.safetensors"]
    vamp = load_vamp(tmp_path / "out")
    assert np.abs(logits(vamp.coarse, expected) - expected["coarse_logits"]).max() < most
    assert np.abs(logits(vamp.fine, expected) - expected["c2f_logits"]).max() < most
    assert vamp.licence == "CC BY-NC-SA 4.0" and isinstance(vamp.codec.model.decoder, lac.Decoder)
    if dtype == "float32":
        assert vamp.weights_hash == load_vamp(FILES).weights_hash and vamp.codec.hash == load_vamp(FILES).codec.hash
    else:
        assert made[1].stat().st_size < 0.6 * (FILES / "coarse.pth").stat().st_size


def test_converted_adapters_are_files_of_their_own(expected, tmp_path):
    convert(FILES, tmp_path, adapters=True)
    plain, adapted = load_vamp(tmp_path), load_vamp(tmp_path, adapters=tmp_path / "adapters")
    assert np.abs(logits(plain.coarse, expected) - expected["coarse_logits"]).max() > 1e-2
    assert np.abs(logits(adapted.coarse, expected) - expected["coarse_logits"]).max() < 1e-5
    assert np.abs(logits(adapted.fine, expected) - expected["c2f_logits"]).max() < 1e-5
    single = load_vamp(tmp_path, adapters=FILES / "lora.pth")
    assert np.abs(logits(single.coarse, expected) - expected["coarse_logits"]).max() < 1e-5
    assert single.licence == "CC BY-NC-SA 4.0" and single.fine is single.fine


def test_single_files_are_converted(codec, tmp_path):
    (made,) = convert(FILES / "codec.pth", tmp_path / "codec.safetensors")
    assert load_codec(made).hash == codec.hash
    (made,) = convert(FILES / "coarse.pth", tmp_path / "coarse.safetensors", "float16")
    assert read_safetensors(made, "vampkit.model/1")[0]["licence"] == "CC BY-NC-SA 4.0"
    shutil.copy(FILES / "coarse.pth", tmp_path / "alone")
    lonely = tmp_path / "alone.pth"
    shutil.copy(FILES / "coarse.pth", lonely)
    (tmp_path / "codec.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="--codec"):
        convert(lonely, tmp_path / "x.safetensors")
    convert(lonely, tmp_path / "x.safetensors", codec=FILES / "codec.pth")
    with pytest.raises(ValueError, match="float32, float16, bf16"):
        convert(lonely, tmp_path / "x.safetensors", "int3")
    with pytest.raises(ValueError, match="safetensors was expected"):
        convert(FILES / "codec.pth", tmp_path / "x.pth")
    with pytest.raises(FileNotFoundError, match="nothing to convert"):
        convert(tmp_path, tmp_path / "y")


class Harm:
    """What a hostile pickle asks for."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def kwargs(**changes):
    return lambda saved: saved["metadata"]["kwargs"].update(changes)


def state(**changes):
    return lambda saved: saved["state_dict"].update(changes)


HOSTILE = {
    "code": (lambda s: s.update(more=Harm(Path.touch, (Path("harm"),))), "asks for"),
    "memory": (lambda s: s.update(more=Harm(bytearray, (10**12,))), "asks for"),
    "many layers": (kwargs(n_layers=10**9), "n_layers as 1000000000"),
    "a few layers more": (kwargs(n_layers=200), "lacks"),
    "width": (kwargs(embedding_dim=16000), "in shape"),
    "negative": (kwargs(vocab_size=-1), "vocab_size as -1"),
    "text": (kwargs(n_heads="4"), "n_heads as '4'"),
    "heads": (kwargs(n_heads=5), "5 heads"),
    "conditioning": (kwargs(n_conditioning_codebooks=4), "4 conditioning codebooks"),
    "dropout": (kwargs(dropout=7.0), "dropout"),
    "flash": (kwargs(flash_attn=True), "flash_attn True"),
    "noise": (kwargs(noise_mode="random"), "noise_mode 'random'"),
    "conditions": (kwargs(ctrl_dims={"a": 1}), "ctrl_dims"),
    "no kwargs": (lambda s: s.pop("metadata"), "metadata.kwargs"),
    "a list": (lambda s: s.update(state_dict=[1]), "no tensors by name"),
    "a number": (state(extra=1.0), "no tensor of floating-point numbers"),
    "extra": (state(extra=torch.zeros(2)), "holds 'extra', which its model does not have"),
    "missing": (lambda s: s["state_dict"].pop("transformer.norm.weight"), "lacks 'transformer.norm.weight'"),
    "NaN": (state(**{"transformer.norm.weight": torch.full((48,), float("nan"))}), "not finite"),
    "endless": (lambda s: s["state_dict"]["transformer.norm.weight"].fill_(float("inf")), "not finite"),
    "repeated": (state(**{"transformer.norm.weight": torch.zeros(1).expand(10**10)}), "does not fit the file"),
    "half an adapter": (
        lambda s: s["state_dict"].pop("transformer.layers.0.self_attn.fc.lora_A"),
        "one half of the adapter",
    ),
    "adapter of keys": (
        state(
            **{
                "transformer.layers.0.self_attn.w_ks.lora_A": torch.zeros(8, 48),
                "transformer.layers.0.self_attn.w_ks.lora_B": torch.zeros(48, 8),
            }
        ),
        "w_ks",
    ),
    "adapter's shape": (
        state(**{"transformer.layers.0.self_attn.fc.lora_A": torch.zeros(7, 48)}),
        "do not fit together",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_get_one_sentence(codec, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    change, words = HOSTILE[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(VampkitError, match=words) as error:
        load_model(edited(tmp_path / "coarse.pth", change), codec)
    assert "\n" not in str(error.value) and not (tmp_path / "harm").exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


CODECS = {
    "rates": (kwargs(decoder_rates=[12, 8, 4, 4]), "different products"),
    "no rates": (kwargs(encoder_rates=7), "no rates"),
    "absurd": (kwargs(codebook_size=10**12), "codebook_size"),
    "large": (kwargs(encoder_dim=4096), "in shape"),
    "small": (kwargs(decoder_dim=8), "decoder_dim of 8"),
    "none": (lambda s: s["metadata"].update(kwargs={}), "no codec"),
    "missing": (lambda s: s["state_dict"].pop("encoder.block.0.bias"), "lacks"),
}


@pytest.mark.parametrize("name", CODECS)
def test_hostile_codecs_get_one_sentence(tmp_path, name):
    saved = torch.load(FILES / "codec.pth", weights_only=True)
    change, words = CODECS[name]
    change(saved)
    torch.save(saved, tmp_path / "codec.pth")
    with pytest.raises(VampkitError, match=words) as error:
        load_codec(tmp_path / "codec.pth")
    assert "\n" not in str(error.value)


def test_damaged_and_foreign_archives_get_one_sentence(codec, tmp_path):
    path, whole = tmp_path / "coarse.pth", (FILES / "coarse.pth").read_bytes()
    for content in (whole[:-1000], whole[:5000], whole[:4], b"", b"no archive", whole[1000:]):
        path.write_bytes(content)
        with pytest.raises(VampkitError, match="damaged or incomplete"):
            load_model(path, codec)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("coarse/data.pkl", b"\x80\x02}." + b" " * 10**6)
    with pytest.raises(VampkitError, match="compressed"):
        load_model(path, codec)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("coarse/data.pkl", b"\x80\x02}." + b" " * 5 * 2**20)
    with pytest.raises(VampkitError, match="far too long"):
        load_model(path, codec)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("package/other.txt", b"hello")
    with pytest.raises(VampkitError, match="0 pickles"):
        load_model(path, codec)
    torch.save(collections.OrderedDict(a=torch.zeros(2)), path)
    with pytest.raises(VampkitError, match="without the arguments"):
        load_model(path, codec)
    with pytest.raises(VampkitError, match="no adapters"):
        load_adapters(path, load_model(FILES / "coarse.pth", codec))


def test_a_storage_that_claims_more_than_the_file_holds(codec, tmp_path):
    """A pickle whose tensor is larger than its storage must not make torch allocate it."""
    path = edited(tmp_path / "big.pth", lambda s: s["state_dict"].pop("transformer.norm.weight"))
    tensor = torch.zeros(10)
    claim = Harm(
        torch._utils._rebuild_tensor_v2,
        (
            torch.storage.TypedStorage(wrap_storage=tensor.untyped_storage(), dtype=tensor.dtype, _internal=True),
            *(0, (10**10,), (1,), False, collections.OrderedDict()),
        ),
    )
    path = edited(path, lambda s: s["state_dict"].update({"transformer.norm.weight": claim}))
    with pytest.raises(VampkitError, match="plain weights"):
        load_model(path, codec)


def test_models_and_codecs_that_do_not_fit_together(codec, small_codec):
    with pytest.raises(VampkitError, match="reads 4 codebooks of 64 entries"):
        load_model(FILES / "coarse.pth", small_codec)
    with pytest.raises(VampkitError, match="fit together"):
        Vamp(codec, load_model(FILES / "c2f.pth", codec), load_model(FILES / "c2f.pth", codec))


def test_converting_on_the_command_line(expected, tmp_path, capsys):
    from vampkit.cli import main

    main(["convert", str(FILES), str(tmp_path / "out"), "--dtype", "float32", "--adapters"])
    assert len(capsys.readouterr().out.split()) == 5
    adapted = load_vamp(tmp_path / "out", adapters=tmp_path / "out" / "adapters")
    assert np.abs(logits(adapted.coarse, expected) - expected["coarse_logits"]).max() < 1e-5
    with pytest.raises(SystemExit):
        main(["convert", str(tmp_path / "nowhere.pth"), str(tmp_path / "x.safetensors")])
    assert "there is no file" in capsys.readouterr().err
