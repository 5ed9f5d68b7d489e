"""`vampkit doctor` finds what is wrong, says what to do, and tells it by its exit code."""

import shutil
import sys
from collections import namedtuple
from importlib import metadata

import pytest

from vampkit import cli
from vampkit.cli import doctor
from vampkit.files import data_folder


def test_here_nothing_is_wrong(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["doctor"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    lines = [line for line in said.splitlines() if not line.startswith(" ")]
    assert [line.split()[1] for line in lines[:-1]] == list(doctor.CHECKS)
    assert {line.split()[0] for line in lines[:-1]} <= {"ok", "note"} and lines[-1] == "nothing is wrong"
    assert f"vampkit {metadata.version('vampkit')}" in said


def test_what_is_wrong_is_told_by_the_exit_code(monkeypatch, capsys):
    def broken():
        raise OSError("libcudart.so cannot be opened\nand more")

    fine, wrong = doctor.Finding("ok", "3.11"), doctor.Finding("wrong", "no room", "make room")
    monkeypatch.setattr(doctor, "CHECKS", {"python": lambda: fine, "torch": broken, "disk": lambda: wrong})
    with pytest.raises(SystemExit) as stop:
        cli.main(["doctor"])
    said = capsys.readouterr().out
    assert stop.value.code == 1 and "wrong: torch, disk" in said and "what to do: make room" in said
    assert "OSError: libcudart.so cannot be opened" in said and "and more" not in said


def test_a_missing_and_an_old_package_are_named(monkeypatch):
    real = metadata.version

    def version(name):
        if name == "torch":
            return "2.1"
        if name == "tyro":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    found = doctor.packages()
    assert found.state == "wrong" and "tyro is missing" in found.fact and "torch is 2.1" in found.fact and found.advice


def test_another_python_is_refused(monkeypatch):
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.9.1")
    assert doctor.python().state == "wrong" and "3.9.1" in doctor.python().fact


@pytest.fixture
def data(tmp_path, monkeypatch):
    for kind in ("models", "clips"):
        shutil.copytree(data_folder() / kind, tmp_path / kind)
    monkeypatch.setattr(doctor, "data_folder", lambda: tmp_path)
    return tmp_path


def test_weights_that_are_missing_or_damaged_are_named(data):
    assert doctor.weights().state == "ok"
    (data / "models" / "fine.safetensors").unlink()
    damaged = data / "models" / "coarse.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    found = doctor.weights()
    assert found.state == "wrong" and "fine.safetensors is missing" in found.fact
    assert "coarse.safetensors is damaged (1,000 bytes)" in found.fact


@pytest.mark.parametrize("free, state", [(10 * 2**30, "ok"), (2**30, "note"), (50 * 2**20, "wrong")])
def test_room_on_the_disk(monkeypatch, free, state):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: namedtuple("Usage", "free")(free))
    assert doctor.disk().state == state


def test_a_machine_without_sound_or_browser_is_no_fault(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.platform, "system", lambda: "Linux")
    monkeypatch.setattr(doctor, "Path", lambda *parts: tmp_path.joinpath("none"))
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    assert doctor.hearing().state == "note" and "browser" in doctor.hearing().advice
    monkeypatch.setenv("PULSE_SERVER", "unix:/x")
    assert doctor.hearing().state == "ok"

    def nothing():
        raise doctor.webbrowser.Error("none")

    monkeypatch.setattr(doctor.webbrowser, "get", nothing)
    assert doctor.browser().state == "note"


def test_a_kernel_of_another_python_is_found(monkeypatch):
    from jupyter_client import kernelspec

    def spec(start):
        return lambda self, name: kernelspec.KernelSpec(argv=[start, "-m", "ipykernel_launcher"])

    for start, state in ((sys.executable, "ok"), ("python", "ok"), ("/opt/other/bin/python3", "wrong")):
        monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", spec(start))
        assert doctor.lab().state == state, start
