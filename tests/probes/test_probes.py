"""Probes: hooks that leave the model alone, honest splits, skill, answers that are those of the score."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench import probing, probing_songs
from vampkit import music, probes
from vampkit.audio import Clip
from vampkit.probes import QUESTIONS
from vampkit.probes.features import LAGS


@pytest.fixture(scope="module")
def case(vamp):
    codes = torch.randint(0, 1024, (2, 4, 20), generator=torch.Generator().manual_seed(1))
    mask = torch.rand(codes.shape, generator=torch.Generator().manual_seed(2)) < 0.4
    return vamp.coarse, codes, mask


def hooks(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def test_the_states_are_those_of_the_blocks_and_no_hook_is_left(case):
    model, codes, mask = case
    before = model(codes, mask)
    states = probes.hidden_states(model, codes, mask)
    assert states.shape == (len(model.transformer.layers) + 1, 2, 20, model.config.width)
    assert torch.equal(states[0], model.embedding(codes, mask, model.tables))
    assert torch.allclose(model.classifier(model.transformer.norm(states[-1])), before, atol=1e-5)
    assert hooks(model) == 0 and torch.equal(model(codes, mask), before)


def test_attention_by_hooks_makes_the_output_of_the_layer(case):
    model, codes, mask = case
    weights = probes.attention(model, codes, mask)
    assert torch.allclose(weights.sum(-1), torch.ones(weights.shape[:-1]), atol=1e-5)
    block = model.transformer.layers[0]
    x = block.norm_1(probes.hidden_states(model, codes, mask)[0])
    values = block.self_attn.w_vs(x).unflatten(-1, (model.config.heads, -1)).transpose(1, 2)
    mixed = block.self_attn.fc((weights[0] @ values).transpose(1, 2).flatten(2))
    assert torch.allclose(mixed, block.self_attn(x, block.self_attn.position_bias(20)), atol=1e-5)
    assert hooks(model) == 0


def test_steering_adds_to_one_layer_and_ends_with_the_block(case):
    model, codes, mask = case
    usual, push = probes.hidden_states(model, codes, mask), torch.linspace(-1, 1, model.config.width)
    with probes.steered(model, 1, push) as same:
        assert same is model and hooks(model) == 1
        moved = probes.hidden_states(model, codes, mask)
    assert torch.equal(moved[0], usual[0]) and torch.allclose(moved[1], usual[1] + push, atol=1e-5)
    with pytest.raises(ZeroDivisionError), probes.steered(model, 0, push):
        raise ZeroDivisionError
    assert hooks(model) == 0 and torch.equal(probes.hidden_states(model, codes, mask), usual)


def test_steering_says_what_does_not_fit(case):
    model = case[0]
    for layer, width, words in ((9, model.config.width, "layer 9 was asked for"), (0, 3, "of width 3")):
        with pytest.raises(ValueError, match=words), probes.steered(model, layer, torch.zeros(width)):
            pass


def test_states_refuse_what_is_no_codes_and_no_mask(case):
    model, codes, mask = case
    with pytest.raises(TypeError, match="torch.int64"):
        probes.hidden_states(model, codes.float(), mask)
    with pytest.raises(TypeError, match="torch.bool"):
        probes.hidden_states(model, codes, mask.long())


def test_an_untrained_network_has_the_shape_and_other_weights(case):
    model = case[0]
    state = torch.random.get_rng_state()
    first, again, other = (probes.untrained(model, seed) for seed in (11, 11, 12))
    assert torch.equal(torch.random.get_rng_state(), state)
    shapes = [{n: w.shape for n, w in m.state_dict().items()} for m in (model, first)]
    weights = [m.transformer.layers[0].feed_forward.w_1.weight for m in (model, first, again, other)]
    assert shapes[0] == shapes[1] and torch.equal(weights[1], weights[2])
    assert not torch.equal(weights[1], weights[0]) and not torch.equal(weights[1], weights[3])


def test_only_predicted_codebooks_are_hidden(vamp):
    mask = probes.hidden_share(vamp.fine, 400, 0.6, seed=3)
    assert mask.shape == (1, 14, 400) and not mask[:, :4].any()
    assert abs(float(mask[:, 4:].float().mean()) - 0.6) < 0.03
    assert torch.equal(mask, probes.hidden_share(vamp.fine, 400, 0.6, seed=3))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30), st.integers(0, 5))
def test_parts_share_no_piece_and_no_sound(items, seed):
    pieces, sounds = zip(*items, strict=True)
    bound = probes.linked(pieces, sounds)
    for i in range(len(items)):
        for j in range(len(items)):
            if pieces[i] == pieces[j] or sounds[i] == sounds[j]:
                assert bound[i] == bound[j]
    if bound.max() < 2:
        with pytest.raises(ValueError, match="at least 3 were expected"):
            probes.split(pieces, sounds, seed=seed)
        return
    parts = probes.split(pieces, sounds, seed=seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(items))) and all(map(len, parts))
    probes.check_split(parts, pieces, sounds)


def test_items_far_apart_hang_together_by_way_of_others():
    assert len(set(probes.linked([0, 1, 2, 3], [7, 7, 8, 8]))) == 2
    assert len(set(probes.linked([0, 1, 1, 3], [7, 7, 8, 8]))) == 1


def test_a_planted_leak_is_caught():
    """Frames of one piece in two parts; and one piece in another's sound, which a split by piece alone lets through."""
    pieces, sounds = np.repeat(np.arange(10), 6), np.repeat(np.arange(10), 6)
    parts = probes.split(pieces, sounds)
    probes.check_split(parts, pieces, sounds)
    leaking = [np.append(parts[0], parts[2][0]), parts[1], parts[2][1:]]
    with pytest.raises(ValueError, match="lies in part 0 and in part 2"):
        probes.check_split(leaking, pieces)
    sounds[np.isin(pieces, pieces[parts[2]])] = sounds[parts[0][0]]
    by_piece = probes.split(pieces)
    probes.check_split(by_piece, pieces)
    with pytest.raises(ValueError, match="each sound was expected in one part"):
        probes.check_split(by_piece, pieces, sounds)


def test_the_benchmark_judges_every_item_once_and_shares_no_piece(monkeypatch):
    pieces = np.repeat(np.arange(12), 5)
    judged = []
    for train, valid, test in probing.folds_of(pieces):
        assert not {*pieces[train]} & {*pieces[test]} and not {*pieces[valid]} & {*pieces[test]}
        judged += test.tolist()
    assert sorted(judged) == list(range(len(pieces)))
    for folds, shared in ((probing_songs.by_band, False), (probing_songs.by_song, True)):
        parts = list(folds())
        assert sorted(song for *_, test in parts for song in test) == list(range(8))
        for train, valid, test in parts:
            assert not {*train, *valid} & {*test} and not {*train} & {*valid}
            assert bool({song // 4 for song in (*train, *valid)} & {song // 4 for song in test}) == shared
    # A split by frame, planted where the split by piece stands, does not go through.
    whole = probes.split
    monkeypatch.setattr(probes, "split", lambda groups, shares: whole(np.arange(len(groups)), shares=shares))
    with pytest.raises(ValueError, match="each piece and each sound was expected in one part"):
        list(probing.folds_of(pieces))


def test_a_meaningless_label_is_read_where_frames_leak_and_not_where_they_do_not():
    rng = np.random.default_rng(0)
    pieces = np.repeat(np.arange(60), 20)
    states = rng.normal(size=(60, 40))[pieces] + 0.3 * rng.normal(size=(len(pieces), 40))
    label = rng.integers(0, 12, 60)[pieces]
    found = []
    for groups in (pieces, np.arange(len(pieces))):
        train, valid, test = probes.split(groups)
        probe = probes.train_probe(QUESTIONS["chord"], states, label, train, valid)
        found.append((probe(states[test]).argmax(1) == label[test]).mean())
    assert found[0] < 0.25 and found[1] > 0.7


def test_a_probe_finds_the_direction_that_was_planted():
    rng = np.random.default_rng(1)
    question, way = QUESTIONS["tempo"], rng.normal(size=12)
    states = rng.normal(size=(300, 12)) * np.linspace(0.5, 2, 12)
    truth = (states @ way)[:, None] + 0.01 * rng.normal(size=(300, 1))
    train, valid, test = probes.split(np.arange(300))
    probe = probes.train_probe(question, states, truth, train, valid)
    wrong = question.loss(probe(states[test]), truth[test])
    found = probes.skill(wrong, question.loss(question.constant(truth[train]), truth[test]), test)
    assert found.low <= found.mean <= found.high and found.mean > 0.999 and found.n == 60
    assert probe.direction(0) @ way / np.linalg.norm(way) > 0.999 and probe.penalty == 1.0


def test_a_hidden_layer_reads_what_no_straight_line_does():
    rng = np.random.default_rng(2)
    states = rng.normal(size=(3000, 4))
    truth = np.abs(states[:, :1])
    question, (train, valid, test) = QUESTIONS["tempo"], probes.split(np.arange(3000))
    constant = question.loss(question.constant(truth[train]), truth[test])
    found = []
    for hidden in (0, 32):
        probe = probes.train_probe(question, states, truth, train, valid, hidden)
        found.append(probes.skill(question.loss(probe(states[test]), truth[test]), constant, test).mean)
    assert found[0] < 0.1 and found[1] > 0.8


def test_skill_counts_pieces_and_compares_with_the_constant():
    right = probes.skill(np.zeros(6), np.ones(6), [0, 0, 1, 1, 2, 2])
    assert right == (1.0, 1.0, 1.0, 3)
    same = probes.skill(np.ones(6), np.ones(6), range(6))
    assert same.mean == same.low == same.high == 0 and same.n == 6
    with pytest.raises(ValueError, match="always right"):
        probes.skill(np.zeros(3), np.zeros(3), range(3))


def test_losses_by_kind():
    chord, players = QUESTIONS["chord"], QUESTIONS["instruments"]
    truth = np.array([3, 3, 7])
    assert chord.loss(chord.target(truth), truth).tolist() == [0, 0, 0]
    assert chord.loss(chord.constant(truth), truth).tolist() == [0, 0, 1]
    heard = np.array([[True, False, True]])
    assert players.loss(np.array([[0.9, 0.8, 0.2]]), heard).tolist() == pytest.approx([2 / 3])
    assert QUESTIONS["beat"].loss(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).tolist() == [2]


def test_the_answers_are_those_of_the_score():
    piece = music.compose(1_500_003, genre="waltz", seconds=8.0)
    answers = probes.truth(piece, 400)
    times = (np.arange(400) + 0.5) * 768 / 44_100
    assert set(answers) == set(QUESTIONS)
    for chord in piece.chords:
        inside = (times >= chord.start_s) & (times < chord.start_s + chord.duration_s)
        assert (answers["chord"][inside] == chord.root).all()
    assert 2 ** answers["tempo"][0, 0] == pytest.approx(piece.tempo)
    assert music.GENRES[answers["genre"][0]] == "waltz"
    for name, marks in (("beat", piece.beats), ("bar", piece.downbeats)):
        assert np.hypot(*answers[name].T) == pytest.approx(1)
        for mark in (m for m in marks if m < times[-1]):
            assert answers[name][np.abs(times - mark).argmin(), 0] > 0.9
    sounding = {seat.name for seat in piece.instruments}
    assert {probes.PLAYERS[i] for i in np.flatnonzero(answers["instruments"][0])} <= sounding


def test_hearing_gives_the_codes_of_the_codec_and_a_row_a_frame(small_codec):
    t = np.arange(66_150) / 44_100
    clip = Clip((0.2 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)[None], 44_100)
    heard = probes.hear(clip, small_codec)
    assert torch.equal(heard.codes, small_codec.encode(clip).codes)
    frames = heard.codes.shape[1]
    assert {n: f.shape for n, f in heard.features.items() if n != "latents"} == {
        "mel": (frames, 64), "chroma": (frames, 12), "rhythm": (frames, 3),
    }  # fmt: skip
    assert heard.features["latents"].shape[0] == frames and (heard.features["chroma"][9:-9].argmax(1) == 9).all()


def test_pooling_smoothing_and_neighbours():
    rows = np.arange(30.0)[:, None] * [1, 2]
    assert probes.pooled(rows)[0] == pytest.approx([*rows.mean(0), *rows.std(0)])
    wide = probes.around(rows, side=1, step=3)
    assert wide.shape == (30, 6) and wide[10].tolist() == [7, 14, 10, 20, 13, 26] and wide[0, 0] == 0
    assert probes.smoothed(rows, side=2)[10] == pytest.approx(rows[8:13].mean(0))
    pulse = np.zeros((200, 3))
    pulse[::24] = 1
    best = probes.tempogram(pulse)[0].argmax()
    assert LAGS[best] == 24
