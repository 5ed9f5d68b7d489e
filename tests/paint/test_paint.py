"""Covers: captions and pictures by rule, tokens, the model that paints, and what it paints."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vampkit import cli, music, sampling
from vampkit.errors import VampkitError
from vampkit.files import data_folder, read_safetensors
from vampkit.model import ModelConfig
from vampkit.paint import (
    SLOTS,
    Caption,
    CoverModel,
    Painter,
    Tokenizer,
    agreement,
    blocks,
    caption_of,
    draw_captions,
    grid_of,
    load_painter,
    paint_cover,
    paint_covers,
    read_caption,
    save_gallery,
    save_painter,
)
from vampkit.paint import painter as painter_module
from vampkit.paint.model import SIDE, numbers
from vampkit.paint.painter import restored, stored, tables_of
from vampkit.sampling import sample
from vampkit.train import painter as training
from vampkit.train.painter import PAINTER_PRESETS, Codebook, train_painter

CAPTION = Caption("jazz", "fast", "D", "minor", "calm")


@pytest.fixture(scope="module")
def painter():
    return load_painter()


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A painter trained for three steps a part."""
    return train_painter("ci", tmp_path_factory.mktemp("painter"))


def small_model(seed=0, conditioning=0):
    config = ModelConfig(
        codebooks=1 + conditioning, conditioning=conditioning, layers=2, width=16, heads=2, entries=8, dropout=0.0
    )
    torch.manual_seed(seed)
    return CoverModel(config, torch.randn(config.codebooks, 8, 8)).eval().requires_grad_(False)


# captions


@pytest.mark.parametrize(
    "text, caption",
    [
        ("fast jazz in D minor", Caption("jazz", "fast", "D", "minor")),
        ("a slow, wild drum and bass", Caption("drum and bass", "slow", energy="wild")),
        ("An A major waltz", Caption("waltz", tonic="A", mode="major")),
        ("Hip-Hop", Caption("hip-hop")),
        ("", Caption()),
    ],
)
def test_captions_are_read_from_words(text, caption):
    assert read_caption(text) == caption
    assert read_caption(str(caption) if caption != Caption() else "") == caption


def test_wrong_words_are_named():
    with pytest.raises(ValueError, match="'polka' is no word of a caption"):
        read_caption("fast polka")
    with pytest.raises(ValueError, match="one tempo was expected"):
        read_caption("slow fast jazz")
    with pytest.raises(ValueError, match="the mode is 'dorian', one of major, minor"):
        Caption(mode="dorian")


def test_the_composer_knows_the_caption_of_its_piece():
    for seed in range(8):
        piece = music.compose(seed, genre=music.GENRES[2 * seed], seconds=6)
        caption = caption_of(piece)
        assert caption.genre == piece.genre and piece.key.startswith(f"{caption.tonic}:")
        assert (caption.tempo == "slow") == (piece.tempo < 95) and (caption.tempo == "fast") == (piece.tempo >= 125)
        assert all(getattr(caption, slot) for slot in SLOTS)


def test_of_the_pairs_of_genre_and_tonic_one_in_twelve_is_for_choosing_and_one_for_testing():
    pairs = [Caption(genre, tonic=tonic) for genre in SLOTS["genre"] for tonic in SLOTS["tonic"]]
    for part in ("valid", "test"):
        kept = [pair for pair in pairs if pair.part == part]
        assert sorted(pair.genre for pair in kept) == sorted(SLOTS["genre"])  # each genre once
    for part in ("train", "valid", "test"):
        assert {caption.part for caption in draw_captions(50, 3, part)} == {part}
    assert Caption("jazz").part == Caption(tonic="D").part == "train"
    assert draw_captions(4, 1) == draw_captions(4, 1) != draw_captions(4, 2)
    with pytest.raises(ValueError, match="the part is .held out., one of train, test, valid was expected"):
        draw_captions(1, 1, "held out")


# covers by rule


def test_a_cover_is_its_caption_and_seed():
    assert np.array_equal(paint_cover(CAPTION, 1), paint_cover(CAPTION, 1))
    others = {paint_cover(CAPTION, seed).tobytes() for seed in range(12)}
    assert len(others) == 6  # stripes lie or stand, and the plate stands in three places
    assert len(np.unique(paint_cover(CAPTION, 1).reshape(-1, 3), axis=0)) == 4  # two stripes, the plate and the ink


def test_each_word_is_seen(painter):
    """Changing one word changes the picture, and the judge reads the changed word."""
    for slot, words in SLOTS.items():
        changed = [Caption(**{**{s: getattr(CAPTION, s) for s in SLOTS}, slot: word}) for word in words]
        pictures = paint_covers(changed, [7] * len(words))
        assert len({p.tobytes() for p in pictures}) == len(words)
        assert painter.reader.read(pictures) == changed


def test_unsaid_words_are_drawn_by_the_seed(painter):
    found = painter.reader.read(paint_covers([Caption("funk")] * 30, range(30)))
    assert {c.genre for c in found} == {"funk"} and len({c.tonic for c in found}) > 6


# tokens


def test_blocks_are_what_lies_under_a_token():
    grid = torch.arange(256).view(1, 16, 16)
    assert blocks(grid).shape == (1, 4, 64)
    assert blocks(grid)[0, :, 9].tolist() == [34, 35, 50, 51]  # row 1, column 1
    assert torch.equal(grid_of(blocks(grid)), grid)


def test_the_nearest_entry_is_that_of_the_smallest_angle():
    tokenizer = Tokenizer(4, 32)
    latents = tokenizer.latents(torch.from_numpy(paint_covers([CAPTION], [0])))
    assert latents.shape == (1, 8, 8, 8) and torch.allclose(latents.norm(dim=-1), torch.ones(1, 8, 8), atol=1e-5)
    distance = torch.cdist(latents.flatten(0, 2), tokenizer.table)
    assert torch.equal(tokenizer.nearest(latents).flatten(), distance.argmin(-1))


def test_the_codebook_moves_to_what_chose_it_and_revives_what_none_chose():
    tokenizer = Tokenizer(4, 4)
    codebook = Codebook(tokenizer, torch.Generator().manual_seed(0), decay=0.5)
    wanted = torch.nn.functional.normalize(torch.randn(8), dim=-1)
    for _ in range(20):
        codebook.update(wanted.expand(10, -1), torch.zeros(10, dtype=torch.int64))
    assert torch.allclose(tokenizer.table, wanted.expand(4, -1), atol=1e-3)


def test_sharp_tokens_keep_more_than_rough_ones(painter):
    pictures = paint_covers(draw_captions(24, 10**6), range(10**6, 10**6 + 24))
    codes = painter.encode(pictures)
    rough, sharp = painter.decode(codes[:, :1]), painter.decode(codes)
    errors = [np.abs(made.astype(int) - pictures).mean() for made in (rough, sharp)]
    assert codes.shape == (24, 5, 64) and errors[1] < errors[0] / 2 < 10


# the model


def test_bias_is_looked_up_by_the_step_between_places():
    model = small_model()
    bias = model.bias()[0]
    assert bias.shape == (2, 69, 69) and not bias[:, :5].any()
    for query, key in ((0, 0), (0, 63), (17, 3), (40, 41)):
        down, right = key // SIDE - query // SIDE, key % SIDE - query % SIDE
        assert torch.equal(bias[:, 5 + query, 5 + key], model.near[:, down + 7, right + 7])


@pytest.mark.parametrize("conditioning", [0, 1])
def test_hidden_values_are_ignored_and_only_their_logits_are_asked_for(conditioning):
    model = small_model(conditioning=conditioning)
    codes = torch.randint(8, (2, 1 + conditioning, 64))
    mask = torch.rand(codes.shape) < 0.5
    mask[:, :conditioning] = False
    words = numbers([CAPTION, Caption()])
    whole = model(codes, mask, words)
    other = torch.where(mask, (codes + 1) % 8, codes)
    assert torch.equal(whole, model(other, mask, words))
    assert torch.allclose(whole[mask[:, conditioning:]], model(codes, mask, words, hidden_only=True), atol=1e-5)


def test_words_change_the_logits_and_guidance_pushes_them():
    model = small_model()
    codes, mask = torch.zeros(1, 1, 64, dtype=torch.int64), torch.ones(1, 1, 64, dtype=torch.bool)
    said, unsaid = (model.told(caption)(codes, mask) for caption in (CAPTION, Caption()))
    assert not torch.allclose(said, unsaid)
    assert torch.allclose(model.told(CAPTION, 2.0)(codes, mask), 3 * said - 2 * unsaid, atol=1e-5)
    assert torch.allclose(model.told(CAPTION, 2.0, away=CAPTION)(codes, mask), said, atol=1e-5)
    with pytest.raises(ValueError, match="the guidance is -1"):
        model.told(CAPTION, -1)
    with pytest.raises(ValueError, match="a picture has edges"):
        model.told(CAPTION)(codes, mask, circular=True)


# painting


def test_the_loop_is_the_one_for_music():
    assert painter_module.sample is sampling.sample is sample


def test_a_cover_depends_on_its_own_seed_alone(painter):
    pair = painter.paint(CAPTION, [1, 2])
    assert torch.equal(pair[:1], painter.paint(CAPTION, [1])) and not torch.equal(pair[0], pair[1])
    assert int(pair.min()) >= 0 and pair.shape == (2, 5, 64)


def test_only_hidden_places_are_filled(painter):
    codes = painter.encode(paint_covers([CAPTION], [0]))
    hidden = torch.zeros(1, 64, dtype=torch.bool)
    hidden[:, 20:30] = True
    other = painter.fill(codes, hidden, Caption("house"), [3])
    assert torch.equal(other[:, :, ~hidden[0]], codes[:, :, ~hidden[0]])
    assert not torch.equal(other, codes)


def test_repainting_without_a_mask_changes_what_the_caption_says(painter):
    codes = painter.encode(paint_covers([CAPTION] * 4, range(4)))
    wanted = Caption("jazz", "fast", "A", "minor", "calm")  # the next in the circle of fifths
    found = painter.reader.read(painter.decode(painter.repaint(codes, wanted, range(4))))
    assert [c.tonic for c in found].count("A") >= 3


@pytest.mark.parametrize("part", ["train", "valid"])
def test_captions_are_read_back_from_what_is_painted(painter, part):
    captions = draw_captions(16, 5, part)
    pictures = [painter.decode(painter.paint(c, [i]))[0] for i, c in enumerate(captions)]
    real = agreement(painter.reader.read(paint_covers(captions, range(16))), captions)
    made = agreement(painter.reader.read(np.stack(pictures)), captions)
    assert real.mean() > 0.98 and made.mean() >= 0.95 * real.mean()  # words


# files and training


def test_a_painter_is_written_and_read_back(toy, tmp_path):
    first = load_painter(toy)
    again = load_painter(save_painter(first, tmp_path / "again.safetensors"))
    assert torch.equal(first.paint(CAPTION, [1]), again.paint(CAPTION, [1]))
    with pytest.raises(VampkitError, match="is of kind"):
        load_painter(data_folder() / "models" / "tagger.safetensors")


def test_training_gives_the_same_painter_again(toy, tmp_path):
    first, again = (read_safetensors(path, painter_module.FORMAT) for path in (toy, train_painter("ci", tmp_path)))
    assert first[0] == again[0] and all(torch.equal(w, again[1][name]) for name, w in first[1].items())
    with pytest.raises(ValueError, match="no painter preset"):
        train_painter("huge", tmp_path)


def test_models_are_trained_on_what_the_file_will_hold(tmp_path):
    tokenizer = stored(Tokenizer(4, 32), tmp_path / "part.safetensors")
    before = tokenizer.table.clone()
    assert torch.equal(stored(tokenizer, tmp_path / "again.safetensors").table, before)
    assert torch.equal(restored(Tokenizer(4, 32), tmp_path / "part.safetensors").table, before)
    assert tables_of(tokenizer, tokenizer).shape == (5, 32, 8)


def test_a_training_that_was_stopped_goes_on_with_the_part_it_was_at(toy, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(training, "train_model", stop)
        train_painter("ci", tmp_path)
    done = {path.stem: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")}
    assert set(done) == {"rough", "sharp", "reader"}
    monkeypatch.setattr(training, "train_tokenizer", stop)  # what is done is not done again
    assert train_painter("ci", tmp_path).read_bytes() == toy.read_bytes()
    assert all((tmp_path / f"{name}.safetensors").stat().st_mtime_ns == then for name, then in done.items())
    with pytest.raises(VampkitError, match=r"other settings \(covers 64 then, 65 now"):
        train_painter(replace(PAINTER_PRESETS["ci"], covers=65), tmp_path)
    (tmp_path / "settings.json").unlink()
    with pytest.raises(VampkitError, match="no run to go on with"):
        train_painter("ci", tmp_path)


def test_the_bundled_painter_is_small_and_of_the_preset(painter):
    assert (data_folder() / "models" / "painter.safetensors").stat().st_size < 2**19
    preset = PAINTER_PRESETS["laptop"]
    assert isinstance(painter, Painter)
    assert (painter.base.config, painter.finer.config) == (preset.base, preset.finer)


def test_a_terminal_trains_it_and_refuses_what_it_does_not_take(tmp_path, capsys):
    cli.main(["train", "painter", "--preset", "ci", "--out", str(tmp_path)])
    assert capsys.readouterr().out.strip().endswith("painter.safetensors")
    with pytest.raises(SystemExit):
        cli.main(["train", "painter", "--minutes", "1"])
    assert "covers of its own" in capsys.readouterr().err


# the gallery


def test_a_gallery_is_one_page_without_scripts_or_links(tmp_path):
    clips = [music.render(music.compose(seed, seconds=1)) for seed in range(2)]
    covers = paint_covers([CAPTION, Caption("folk")], [0, 1])
    page = save_gallery(covers, clips, ["jazz <1>", "folk"], tmp_path / "gallery.html").read_text(encoding="utf-8")
    assert page.count("<audio controls") == page.count("<img alt") == 2 and "jazz &lt;1&gt;" in page
    assert "<script" not in page and "http" not in page
    with pytest.raises(ValueError, match="2 covers, 1 clips and 2 captions"):
        save_gallery(covers, clips[:1], ["a", "b"], tmp_path / "other.html")
