"""The stored stream against a plain list of everything, through wrap-around, over random episodes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.buffers.replays import make_replay
from triptych import frameworks
from triptych.buffers import compression, pictures
from triptych.buffers.store import Row, Store
from triptych.spec import Observation

PICTURE = Observation((3, 2, 2), "uint8")
VECTOR = Observation((2,), "float32")


class Everything:
    """The oracle: each game's whole history as the agent saw it, stacks and all."""

    def __init__(self, observation: Observation, num_envs: int, fill: str, rng: np.random.Generator):
        self.observation, self.num_envs, self.fill, self.rng = observation, num_envs, fill, rng
        self.rows: list[dict] = []
        self.frames = 0
        self.ended = np.ones(num_envs, bool)
        self.obs = np.zeros((num_envs, *observation.shape), observation.dtype)
        for game in range(num_envs):
            self.see(game, True)
        self.ended[:] = False

    def see(self, game: int, first: bool) -> None:
        self.frames += 1
        frame = np.full(self.observation.shape[-2:], self.frames % 251 + 1, self.observation.dtype)
        if not self.observation.is_picture:
            self.obs[game] = self.rng.standard_normal(2)
            return
        if first:
            self.obs[game] = frame if self.fill == "first" else 0
        self.obs[game, :-1] = self.obs[game, 1:]
        self.obs[game, -1] = frame

    def step(self, end_chance: float) -> dict:
        """One NEXT_STEP step of random games; returns the row that the store is to hold."""
        mask = ~self.ended
        row = {
            "obs": self.obs.copy(),
            "action": self.rng.integers(4, size=self.num_envs),
            "reward": np.where(mask, self.rng.standard_normal(self.num_envs) * 3, 0.0),
            "mask": mask,
        }
        ends = mask & (self.rng.random(self.num_envs) < end_chance)
        row["terminated"] = ends & (self.rng.random(self.num_envs) < 0.5)
        for game in range(self.num_envs):
            self.see(game, first=bool(self.ended[game]))
        self.ended = ends
        self.rows.append(row)
        return row

    def follow(self, r: int, g: int, n_step: int) -> tuple[float, float, int]:
        """Signs of up to n rewards with gamma 0.9, the discount then, and the row to bootstrap from.

        A truncated episode keeps its discount and bootstraps from its own last observation.
        """
        total, discount = 0.0, 1.0
        for step in range(n_step):
            row = self.rows[r + step]
            total += discount * np.sign(row["reward"][g])
            discount *= 0.0 if row["terminated"][g] else 0.9
            after = r + step + 1
            if row["terminated"][g] or not self.rows[after]["mask"][g] or after + 1 == len(self.rows):
                break
        return total, discount, after


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    form=st.sampled_from(["vector", "picture", "compressed"]),
    fill=st.sampled_from(["zeros", "first"]),
    num_envs=st.integers(1, 3),
    capacity=st.integers(1, 60),
    steps=st.integers(3, 150),
    end_chance=st.sampled_from([0.0, 0.05, 0.3, 0.9]),
    n_step=st.integers(1, 4),
)
def test_store_against_a_list_of_everything(seed, form, fill, num_envs, capacity, steps, end_chance, n_step) -> None:
    picture = form != "vector"
    observation = PICTURE if picture else VECTOR
    rng = np.random.default_rng(seed)
    everything = Everything(observation, num_envs, fill, rng)
    store = Store(capacity, num_envs, observation, fill, form == "compressed")
    for _ in range(steps):
        row = everything.step(end_chance)
        store.add(Row(row["obs"], row["action"], row["reward"], row["terminated"], row["mask"]))
    assert store.count == steps
    kept = range(store.oldest, steps)
    assert len(kept) == min(steps, store.rows)
    complete = [(r, g) for r in kept for g in range(num_envs) if everything.rows[r]["mask"][g] and r + 1 < steps]
    assert store.transitions == len(complete)
    replay = make_replay(store, 0.9, "sign", "float64", n_step=n_step)
    rows, games = (np.array(x) for x in np.meshgrid(list(kept), range(num_envs), indexing="ij"))
    rows, games = rows.ravel(), games.ravel()
    start = store.startable(rows, games)
    # Nothing is startable that the oracle has not complete; only stacks that the ring cut are missing.
    assert {(r, g) for r, g in zip(rows[start], games[start], strict=True)} <= set(complete)
    whole = [(r, g) for r, g in complete if r - (observation.shape[0] - 1 if picture else 0) >= store.oldest]
    assert set(whole) <= {(r, g) for r, g in zip(rows[start], games[start], strict=True)}
    batch = replay.batch(rows[start], games[start])
    for index, (r, g) in enumerate(zip(rows[start], games[start], strict=True)):
        row = everything.rows[r]
        reward, discount, after = everything.follow(r, g, n_step)
        assert np.array_equal(batch.obs[index], row["obs"][g])
        assert np.array_equal(batch.next_obs[index], everything.rows[after]["obs"][g])
        assert batch.action[index] == row["action"][g]
        assert batch.reward[index] == pytest.approx(reward, abs=1e-12)
        assert batch.discount[index] == pytest.approx(discount, abs=1e-12)
    if len(whole):
        drawn = replay.sample(np.random.default_rng(0), 50)
        assert drawn.obs.shape == (50, *observation.shape)
        assert drawn.obs.dtype == (np.uint8 if picture else np.float64)
        assert drawn.action.dtype == np.int32
        assert drawn.reward.dtype == drawn.discount.dtype == np.float64


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("was_compressed", [False, True])
def test_segments_bring_a_store_back(compressed: bool, was_compressed: bool) -> None:
    """Also one that keeps its frames in the other form."""
    everything = Everything(PICTURE, 2, "zeros", np.random.default_rng(1))
    store, copy = Store(40, 2, PICTURE, compress=was_compressed), Store(40, 2, PICTURE, compress=compressed)
    segments = []
    for step in range(53):
        row = everything.step(0.1)
        store.add(Row(row["obs"], row["action"], row["reward"], row["terminated"], row["mask"]))
        if step % 9 == 8:
            segments.append((step - 8, store.take(step - 8, step + 1)))
    tail = (45, store.take(45, 53))
    copy.set_state(store.get_state())
    for start, segment in [*segments, tail]:
        copy.put(start, segment)
    for field in ("action", "reward", "terminated", "mask", "age"):
        assert np.array_equal(getattr(copy, field), getattr(store, field)), field
    rows, games = np.repeat(np.arange(store.oldest, 53), 2), np.tile([0, 1], 53 - store.oldest)
    slots = rows % store.rows
    assert np.array_equal(copy.pictures.get(slots, games), store.pictures.get(slots, games))


@pytest.mark.parametrize("fill", ["zeros", "first"])
@pytest.mark.parametrize("observation", [PICTURE, Observation((2, 3, 4, 3), "uint8")], ids=["grey", "colour"])
def test_frames_on_the_device_are_those_in_memory(framework: str, observation: Observation, fill: str) -> None:
    """Through wrap-around: every batch, every segment, and a store that segments bring back."""
    device = frameworks.load(framework).Learner.frames
    rng = np.random.default_rng(4)
    plain, there, copy = (Store(30, 2, observation, fill, device=given) for given in (None, device, device))
    ended = np.zeros(2, bool)
    for _ in range(50):
        obs = rng.integers(1, 256, (2, *observation.shape), np.uint8)
        ends, action = ~ended & (rng.random(2) < 0.2), rng.integers(4, size=2)
        for store in (plain, there):
            store.add(Row(obs, action, np.ones(2), ends, ~ended))
        ended = ends
    draws = [make_replay(store, 0.9, "raw", "float32", n_step=2) for store in (plain, there)]
    batches = [replay.sample(np.random.default_rng(5), 64) for replay in draws]
    for ours, theirs in zip(batches[1], batches[0], strict=True):
        assert np.array_equal(np.asarray(ours), theirs)
    assert not isinstance(batches[1].obs, np.ndarray), "the device's own array"
    copy.set_state(there.get_state())
    copy.put(there.oldest, there.take(there.oldest, there.count))
    slots, games = np.repeat(np.arange(copy.rows), 2), np.tile([0, 1], copy.rows)
    assert np.array_equal(copy.pictures.get(slots, games), plain.pictures.get(slots, games))
    assert there.row_bytes() == plain.row_bytes()


def screens(seed: int, count: int, num_envs: int) -> Iterator[np.ndarray]:
    """Pictures [N, 84, 84] with something in common, as a game's are."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(0, 256, (84, 84), np.uint8)
    for _ in range(count):
        frames = np.repeat(ground[None], num_envs, axis=0)
        for frame in frames:
            x, y = rng.integers(0, 76, 2)
            frame[y : y + 8, x : x + 8] = rng.integers(0, 256, (8, 8))
        yield frames


def test_compressed_frames_through_dictionaries_and_around_the_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact to the byte, with several dictionaries alive, and without the bytes of frames that have gone."""
    monkeypatch.setattr(compression, "FIRST_DICTIONARY", 300)
    monkeypatch.setattr(compression, "MOST_BETWEEN", 400)
    monkeypatch.setattr(compression, "CHUNK_BYTES", 60_000)
    rows, num_envs = 250, 3
    kept = compression.CompressedPictures(rows, num_envs, (84, 84))
    raw = pictures.RawPictures(rows, num_envs, (84, 84), "uint8")
    rng = np.random.default_rng(5)
    for count, frames in enumerate(screens(0, 900, num_envs), start=1):
        for form in (kept, raw):
            form.put((count - 1) % rows, frames)
        if count % 60 == 0:
            slots, games = rng.integers(min(count, rows), size=64), rng.integers(num_envs, size=64)
            assert np.array_equal(kept.get(slots, games), raw.get(slots, games))
    assert len(set(kept.dictionary.ravel().tolist())) >= 2, "old and new ones side by side"
    assert kept.first_chunk > 0
    assert kept.decompressors[0] is None, "nothing uses the first one any more"
    held, used = sum(map(len, kept.chunks)), int(kept.length.sum())
    assert used <= held <= used + 2 * kept.chunk_bytes + len(kept.chunks) * 2_000  # the ends that no frame fitted into
    assert held < 0.15 * raw.array.nbytes
    slots = np.arange(rows)
    frames = np.array(list(compression.frames_of(kept.take(slots), slots, (84, 84), "uint8")))
    assert np.array_equal(frames, raw.array)


def test_noise_is_kept_as_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames that do not compress, and of which no dictionary is made."""
    monkeypatch.setattr(compression, "FIRST_DICTIONARY", 50)
    kept = compression.CompressedPictures(40, 2, (9, 7, 3))
    tried: list[int] = []

    def refuse(size: int, samples: list[bytes], level: int) -> None:
        tried.append(len(samples))
        raise kept.zstd.ZstdError("nothing in common")

    monkeypatch.setattr(kept.zstd, "train_dictionary", refuse)
    frames = np.random.default_rng(0).integers(0, 256, (100, 2, 9, 7, 3), np.uint8)
    for count, row in enumerate(frames):
        kept.put(count % 40, row)
    assert tried == [600]
    assert len(kept.dictionaries) == 1
    slots = np.arange(40)
    for game in (0, 1):
        expected = np.array([frames[80 + slot if slot < 20 else 40 + slot][game] for slot in slots])
        assert np.array_equal(kept.get(slots, np.full(40, game)), expected)


def test_sampling_is_uniform() -> None:
    """Every transition kept has the same chance: none of 100,000 draws' counts is far off."""
    everything = Everything(VECTOR, 2, "zeros", np.random.default_rng(2))
    store = Store(50, 2, VECTOR)
    for _ in range(80):
        row = everything.step(0.2)
        store.add(Row(row["obs"], row["action"], row["reward"], row["terminated"], row["mask"]))
    draws = make_replay(store, 1.0, "raw", "float32").sample(np.random.default_rng(3), 100_000)
    _, counts = np.unique(draws.obs, axis=0, return_counts=True)
    assert len(counts) == store.transitions
    expected = 100_000 / store.transitions
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_rewards_raw_or_by_sign() -> None:
    store = Store(20, 1, VECTOR)
    for reward in (-30.0, 0.0, 5.0, 0.0):
        store.add(Row(np.zeros((1, 2), np.float32), np.zeros(1), np.array([reward]), np.zeros(1), np.ones(1)))
    rows, games = np.arange(3), np.zeros(3, int)
    assert make_replay(store, 1.0, "raw", "float32").batch(rows, games).reward.tolist() == [-30, 0, 5]
    assert make_replay(store, 1.0, "sign", "float32").batch(rows, games).reward.tolist() == [-1, 0, 1]


def test_three_steps_by_hand() -> None:
    """Rewards 1, 2, 4, 8 at gamma 1/2, the episode truncated after the fourth, its last observation below it."""
    store = Store(20, 1, VECTOR)
    for step, (reward, mask) in enumerate(((1.0, 1), (2.0, 1), (4.0, 1), (8.0, 1), (0.0, 0), (0.0, 1))):
        seen = np.full((1, 2), step, np.float32)
        store.add(Row(seen, np.zeros(1), np.array([reward]), np.zeros(1, bool), np.array([mask], bool)))
    batch = make_replay(store, 0.5, "raw", "float32", n_step=3).batch(np.arange(4), np.zeros(4, int))
    assert batch.reward.tolist() == [1 + 1 + 1, 2 + 2 + 2, 4 + 4, 8]
    assert batch.discount.tolist() == [0.125, 0.125, 0.25, 0.5]
    assert batch.next_obs[:, 0].tolist() == [3, 4, 4, 4]


def test_a_lost_life_is_learned_from_and_not_scored() -> None:
    store = Store(100, 1, VECTOR)
    nothing = np.zeros(1)
    for reward, lost in ((4.0, False), (4.0, True), (0.0, True), (0.0, False)):
        raw = np.array([reward])
        store.add(Row(np.zeros((1, 2)), nothing, raw, np.zeros(1, bool), np.ones(1, bool), np.array([lost])))
    slots = np.arange(3), np.zeros(3, int)
    plain = make_replay(store, 0.99, "sign", "float64").batch(*slots)
    punished = make_replay(store, 0.99, "sign", "float64", life_loss_reward=-1.0).batch(*slots)
    assert plain.reward.tolist() == [1, 1, 0]
    assert punished.reward.tolist() == [1, -1, -1]
    assert punished.discount.tolist() == [0.99] * 3, "the episode goes on"
    assert store.reward[:3, 0].tolist() == [4, 4, 0], "the store keeps the raw reward"


def test_space_invaders_million_fits_in_seven_gigabytes() -> None:
    """M1's replay: 1,000,000 observations stored once as uint8, plus a few bytes each."""
    store = Store(10_000, 1, Observation((4, 84, 84), "uint8"))
    assert store.row_bytes() * 1_000_000 < 7.2e9
