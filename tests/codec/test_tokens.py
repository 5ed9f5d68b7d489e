"""Tokens: saved and loaded whole, refused where they are not codes."""

import pickle

import pytest
import torch

from vampkit.codec import Tokens
from vampkit.errors import VampkitError


def made(codes=None, **changes):
    codes = torch.arange(28).reshape(14, 2) if codes is None else codes
    return Tokens(
        codes,
        **{
            "codec": "0123456789abcdef",
            "rate": 44_100,
            "hop": 768,
            "entries": 1024,
            "length": 1500,
            "source_rate": 48_000,
            "gains": (3.5,),
            "name": "a",
        }
        | changes,
    )


def test_saved_and_loaded(tmp_path):
    for tokens in (made(), made(torch.randint(1024, (2, 14, 5)), gains=(1.0, 2.0))):
        back = Tokens.load(tokens.save(tmp_path / "a.safetensors"))
        assert torch.equal(back.codes, tokens.codes)
        assert back.replace(codes=tokens.codes) == tokens.replace(codes=tokens.codes) or back.gains == tokens.gains
        assert (back.length, back.source_rate, back.codec, back.name) == (1500, 48_000, "0123456789abcdef", "a")


def test_arithmetic_of_the_paper():
    tokens = made(torch.zeros(14, 575, dtype=torch.int64), length=441_000)
    assert tokens.bits_per_second == pytest.approx(8039.06, abs=0.01)
    assert (tokens.seconds, tokens.frames, tokens.codebooks) == (10.0, 575, 14)
    assert [tokens.frames_of(s) for s in (0.02, 0.075, 1, 2, 3, 10)] == [2, 5, 58, 115, 173, 575]


@pytest.mark.parametrize(
    "codes, error, words",
    [
        (torch.zeros(14, 2), TypeError, "int64"),
        (torch.zeros(14, 2, dtype=torch.int32), TypeError, "int64"),
        ([[1, 2]], TypeError, "int64"),
        (torch.zeros(5, dtype=torch.int64), ValueError, "shape"),
        (torch.zeros(14, 0, dtype=torch.int64), ValueError, "empty"),
        (torch.full((14, 2), -1), ValueError, "0 to 1023"),
        (torch.full((14, 2), 1024), ValueError, "masked places"),
        (torch.full((14, 2), 5000), ValueError, "0 to 1023"),
    ],
)
def test_codes_that_are_none_are_refused(codes, error, words):
    with pytest.raises(error, match=words):
        made(codes)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        Tokens.load(tmp_path / "missing.safetensors")
    for name, content in (("pickle", pickle.dumps({"codes": [1]})), ("text", b"no tokens here"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(VampkitError, match="pickle" if name == "pickle" else "no safetensors"):
            Tokens.load(tmp_path / name)
    torch.save({"codes": torch.zeros(2)}, tmp_path / "torch.pt")
    with pytest.raises(VampkitError, match="pickle"):
        Tokens.load(tmp_path / "torch.pt")
    path = made().save(tmp_path / "whole.safetensors")
    (tmp_path / "half.safetensors").write_bytes(path.read_bytes()[:-20])
    with pytest.raises(VampkitError, match="damaged"):
        Tokens.load(tmp_path / "half.safetensors")
