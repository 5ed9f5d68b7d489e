"""The built site as a test sees it: its pages, a server for them, and what a page is asked in a browser."""

import functools
import http.server
import re
import threading
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "site"
PAGES = sorted(path.relative_to(BUILT).as_posix() for path in BUILT.rglob("*.html") if "_static" not in path.parts)
PAGES = [page for page in PAGES if page != "api/index.html"]  # it leads on to api/vampkit.html
LOCAL = ("data:", "blob:", "about:")


class Links(HTMLParser):
    """What a page links to or shows, and the places in it that links can lead to."""

    TAKES = {"a": "href", "link": "href", "img": "src", "script": "src", "audio": "src", "source": "src"}

    def __init__(self, text: str):
        super().__init__()
        self.targets, self.places = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.places |= {found[name] for name in ("id", "name") if found.get(name)}
        if target := found.get(self.TAKES.get(tag, "")):
            self.targets.append(target)


@functools.cache
def links(page: str) -> Links:
    """The links of a page of the site."""
    return Links((BUILT / page).read_text(encoding="utf-8"))


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *words):
        pass


@contextmanager
def served(folder: Path):
    """The address of a folder on the loopback."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(10)


@contextmanager
def opened(browser, address: str, own: str, scheme: str = "light", may_fail: str = ""):
    """A page of the site in the browser. At the end nothing outside was asked for, and no script has failed.

    own: how the addresses begin that a page may ask for. may_fail: an error of this pattern is none.
    """
    page = browser.new_page(viewport={"width": 1300, "height": 900}, color_scheme=scheme)
    outside, errors = [], []
    page.set_default_timeout(60_000)
    page.on("request", lambda r: None if r.url.startswith((own, *LOCAL)) else outside.append(r.url[:200]))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.on("requestfailed", lambda r: errors.append(f"{r.url[:200]}: {r.failure}"))
    try:
        page.goto(address)
        page.evaluate(UNFOLDED)
        yield page
        assert not outside, f"asked for outside: {outside}"
        errors = [error for error in errors if not may_fail or not re.search(may_fail, error)]
        assert not errors, f"errors in the console: {errors}"
    finally:
        page.close()


UNFOLDED = """() => {
    for (const part of document.querySelectorAll("details")) part.open = true;
    for (const fading of document.getAnimations()) fading.finish();
}"""
"""Opens what is folded, at once: the theme fades it in, and until then its colours are not those that are read."""

BLANK = """async () => {
    const blank = [];
    const canvas = Object.assign(document.createElement("canvas"), { width: 48, height: 48 });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    for (const image of document.images) {
        if (image.closest("[hidden]")) continue; // the still of a player that plays
        image.loading = "eager";
        const name = image.alt || image.src.slice(0, 80);
        try { await image.decode(); } catch (error) { blank.push(`${name}: ${error.message}`); continue; }
        pen.clearRect(0, 0, 48, 48);
        pen.drawImage(image, 0, 0, 48, 48);
        const seen = pen.getImageData(0, 0, 48, 48).data;
        let varied = false;
        for (let i = 4; i < seen.length && !varied; i++) varied = Math.abs(seen[i] - seen[i % 4]) > 3;
        if (!varied) blank.push(`${name}: one colour`);
        if (!image.hasAttribute("alt")) blank.push(`${name}: no text in its place`);
    }
    for (const output of document.querySelectorAll(".cell_output")) {
        const shows = output.innerText.trim() || output.querySelector("img, svg, audio, math");
        if (!shows || output.getBoundingClientRect().height < 5) blank.push(`empty: ${output.outerHTML.slice(0, 200)}`);
    }
    return blank;
}"""
"""Pictures that do not load, have one colour, or no text in their place; outputs that show nothing."""

PLAYED = """async () => {
    const until = async (true_) => {
        for (let i = 0; i < 400 && !true_(); i++) await new Promise(go => setTimeout(go, 25));
        return true_();
    };
    const silent = [];
    let count = 0;
    for (const player of document.querySelectorAll(".vampkit-player")) {
        const button = player.querySelector(".vk-play");
        if (!button) { if (player.querySelector("audio")) silent.push(`no button: ${player.ariaLabel}`); continue; }
        count += 1;
        button.click();
        const plays = await until(() => Number(player.dataset.position) > 0.03);
        if (!plays) silent.push(`does not play: ${player.ariaLabel}`);
        button.click();
        await until(() => player.dataset.playing === "0");
    }
    const decoder = new OfflineAudioContext(1, 1, 44100), audible = new Map();
    for (const sound of document.querySelectorAll("audio")) {
        const player = sound.closest(".vampkit-player") ?? sound;
        const name = sound.ariaLabel || sound.currentSrc.slice(0, 80);
        const bytes = await (await fetch(sound.src || sound.querySelector("source").src)).arrayBuffer();
        const heard = await decoder.decodeAudioData(bytes).catch(error => null);
        if (!heard?.length) silent.push(`cannot be decoded: ${name}`);
        const loud = heard?.getChannelData(0).some(sample => Math.abs(sample) > 1e-4);
        audible.set(player, audible.get(player) || loud);
        if (player !== sound) continue;
        count += 1;
        sound.muted = false;
        await sound.play().catch(() => null);
        if (!await until(() => sound.currentTime > 0.03)) silent.push(`does not play: ${name}`);
        sound.pause();
    }
    audible.forEach((heard, player) => { if (!heard) silent.push(`silent: ${player.ariaLabel}`); });
    return [count, silent];
}"""
"""How many players there are, and those that do not play, cannot be decoded, or hold nothing but silence."""
