"""Files of tensors say which version of vampkit wrote them, and files without that word are read."""

import torch
from safetensors import safe_open
from safetensors.torch import save_file

import vampkit
from vampkit.files import read_safetensors, write_safetensors


def test_a_file_names_the_version_that_wrote_it(tmp_path):
    path = write_safetensors({"a": torch.ones(3)}, tmp_path / "new.safetensors", "vampkit.test/1", {"b": 2})
    with safe_open(path, "pt") as file:
        assert file.metadata() == {
            "format": "vampkit.test/1",
            "settings": '{"b": 2}',
            "vampkit": vampkit.__version__,
        }
    assert read_safetensors(path, "vampkit.test/1")[0] == {"b": 2}


def test_an_older_file_is_read(tmp_path):
    path = tmp_path / "old.safetensors"
    save_file({"a": torch.ones(3)}, path, metadata={"format": "vampkit.test/1", "settings": '{"b": 2}'})
    settings, tensors = read_safetensors(path, "vampkit.test/1")
    assert settings == {"b": 2} and tensors["a"].tolist() == [1, 1, 1]
