"""The published files are fetched from a hub on the loopback: once, in parts, and with the right hash or not at all."""

import functools
import hashlib
import http.server
import json
import shutil
import threading
from pathlib import Path

import pytest

from vampkit.errors import VampkitError
from vampkit.pipeline import load_vamp
from vampkit.weights import finetunes, hub, load_codec

FILES = Path(__file__).parents[1] / "fixtures" / "upstream"


class Hub(http.server.BaseHTTPRequestHandler):
    """A small copy of the hub: addresses, hashes and parts of files."""

    def __init__(self, state, *arguments):
        self.state = state
        super().__init__(*arguments)

    def do_HEAD(self):  # noqa: N802
        self.answer(body=False)

    def do_GET(self):  # noqa: N802
        self.answer(body=True)

    def answer(self, body):
        if self.path.startswith(f"/api/models/{hub.REPOSITORY}"):
            files = self.state.folder.rglob("*.pth")
            about = {
                "id": hub.REPOSITORY,
                "siblings": [{"rfilename": str(p.relative_to(self.state.folder))} for p in files],
            }
            return self.send(200, json.dumps(about).encode(), {"Content-Type": "application/json"})
        path = self.state.folder / self.path.removeprefix(f"/{hub.REPOSITORY}/resolve/main/")
        if not path.is_file():
            return self.send(404, b"", {"X-Error-Code": "EntryNotFound"})
        content = path.read_bytes()
        head = {"ETag": f'"{self.state.etag or hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": "0" * 40}
        first, code = 0, 200
        if wanted := self.headers.get("Range"):
            first, code = int(wanted.removeprefix("bytes=").rstrip("-")), 206
            head["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        if body:
            self.state.asked.append(first)
        return self.send(code, content[first:], head, body)

    def send(self, code, content, head, body=True):
        self.send_response(code)
        for name, value in {"Content-Length": str(len(content)), **head}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            cut = self.state.cuts.pop(0) if self.state.cuts and code in (200, 206) and len(content) > 20_000 else None
            self.wfile.write(content[:cut])
            if cut is not None:
                self.close_connection = True

    def log_message(self, *words):
        pass


class State:
    def __init__(self, folder):
        self.folder, self.cuts, self.asked, self.etag = folder, [], [], ""


@pytest.fixture
def host(tmp_path, monkeypatch):
    folder = tmp_path / "host"
    folder.mkdir()
    for name in ("codec", "coarse", "c2f"):
        shutil.copy(FILES / f"{name}.pth", folder)
    for name in ("opera", "choir"):
        shutil.copytree(FILES, folder / "loras" / name, ignore=shutil.ignore_patterns("codec.pth", "lora.pth", "*.npz"))
    state = State(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Hub, state))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("VAMPKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield state
    server.shutdown()


def test_the_published_pipeline_is_fetched_once(host, monkeypatch):
    vamp = load_vamp("vampnet")
    assert vamp.name == "vampnet" and vamp.weights_hash == load_vamp(FILES).weights_hash
    assert len(host.asked) == 3
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert load_vamp("vampnet").codec.hash == load_codec("vampnet").hash == vamp.codec.hash


def test_fine_tunes_have_names(host, monkeypatch):
    assert finetunes() == ["choir", "opera"]
    assert load_vamp("vampnet/opera").name == "vampnet/opera"
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert finetunes() == ["opera"]
    with pytest.raises(VampkitError, match="choir/coarse.pth of VampNet could not be fetched"):
        load_vamp("vampnet/choir")
    with pytest.raises(FileNotFoundError, match="no model called"):
        load_vamp("vampnet/../coarse")


def test_a_transfer_that_breaks_off_goes_on(host):
    host.cuts = [100_000, 200_000]
    assert hub.fetched("codec.pth").read_bytes() == (FILES / "codec.pth").read_bytes()
    assert host.asked == [0, 100_000, 300_000]


def test_a_later_call_goes_on_where_an_earlier_one_stopped(host):
    host.cuts = [100_000, 0, 0, 0, 0, 0]
    with pytest.raises(VampkitError, match="goes on after the 100000 bytes") as error:
        hub.fetched("codec.pth")
    assert str(hub.folder() / "codec.pth") in str(error.value) and "\n" not in str(error.value)
    assert not (hub.folder() / "codec.pth").exists()
    host.cuts, host.asked = [], []
    assert hub.fetched("codec.pth").read_bytes() == (FILES / "codec.pth").read_bytes()
    assert host.asked == [100_000] and not list(hub.folder().glob("*.part"))


@pytest.mark.parametrize("etag", ["ab" * 32, "cd" * 20])
def test_a_wrong_hash_is_refused_and_nothing_stays(host, etag):
    host.etag = etag
    with pytest.raises(VampkitError, match="has the hash .* was expected"):
        load_codec("vampnet")
    assert not [path for path in hub.folder().rglob("*") if path.is_file()]


def test_without_a_network_it_says_what_to_put_where(host, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for call in (lambda: load_vamp("vampnet"), finetunes):
        with pytest.raises(VampkitError, match="by hand") as error:
            call()
        assert str(hub.folder()) in str(error.value) and "\n" not in str(error.value)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(VampkitError, match="HF_HUB_OFFLINE is set.*codec.pth by hand"):
        load_codec("vampnet")
    hub.folder().mkdir(parents=True)
    for name in ("codec", "coarse", "c2f"):
        shutil.copy(FILES / f"{name}.pth", hub.folder())
    assert load_vamp("vampnet").name == "vampnet"
