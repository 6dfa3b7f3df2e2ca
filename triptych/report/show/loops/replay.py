"""The replays of DQN and DRQN as `triptych show --loop` writes them into a file. No run imports this: it is copied as text.

See `choose.py` for the marks.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np

Transition = namedtuple("Transition", "obs action reward discount next_obs")
Sequence = namedtuple("Sequence", "obs reset state action reward discount ahead mask")


class Replay:
    """What the games showed last, with the action taken there and what came of it.

    A ring of rows, a row a step of all games, so that what follows an observation lies one row below it. An episode's
    last observation has a row of its own, in which no action was taken (`acted` is False). Of stacked pictures only the
    newest is kept; the stack is put together again when it is read.
    """

    def __init__(self, args, shape, dtype, state_size=0, floats=None):
        self.args, self.stack, self.count = args, 1, 0  # rows so far
        self.stack, *shape = shape  # only: pictures
        self.rows = max(self.stack + 4, -(-args.replay_size // args.num_envs))
        size = (self.rows, args.num_envs)
        self.obs = np.zeros((*size, *shape), dtype)  # takes memory as it fills
        self.action, self.age = np.zeros((2, *size), np.int32)  # age: steps since the episode began
        self.reward = np.zeros(size)  # only: not stored_state
        self.reward, self.state = np.zeros(size), np.zeros((*size, state_size), floats)  # only: stored_state
        self.terminated, self.acted = np.zeros((2, *size), bool)
        self.state_size = state_size  # only: drqn and not stored_state
        self.transitions = 0  # steps kept whose outcome is known  # only: learn_from

    def add(self, obs, action, reward, terminated, acted, state=None):
        """A row in place of the oldest one."""
        slot, last = self.count % self.rows, (self.count - 1) % self.rows
        self.transitions += int(self.acted[last].sum()) - int(self.acted[slot].sum())  # only: learn_from
        self.age[slot] = np.where(self.acted[last], self.age[last] + 1, 0)
        self.obs[slot] = obs  # only: not pictures
        self.obs[slot] = obs[:, -1]  # only: pictures
        self.action[slot], self.reward[slot] = action, reward
        self.terminated[slot], self.acted[slot] = terminated, acted
        self.state[slot] = state  # only: stored_state
        self.count += 1

    def draw(self, rng, tries, before, every):
        """Rows [B] and games [B] where samples begin, all with equal chance. What does not fit is drawn again."""
        games, oldest = self.args.num_envs, max(0, self.count - self.rows)
        missing = np.arange(self.args.batch_size)
        drawn = np.empty((2, len(missing)), np.int64)
        while len(missing):
            places = rng.integers(oldest * games, self.count * games, size=(len(missing), tries))
            rows, game = places = np.array(np.divmod(places, games))
            age = self.age[rows % self.rows, game]
            fits = self.acted[rows % self.rows, game] & (rows + 1 < self.count) & (age % every == 0)
            fits &= rows - np.minimum(age, self.stack - 1 + before) >= oldest  # what was seen before is kept, too
            first = np.arange(len(missing)), fits.argmax(axis=1)
            drawn[:, missing] = places[:, *first]
            missing = missing[~fits[first]]
        return drawn

    def stacks(self, rows, games):  # only: stack
        """The newest picture at rows and games with those before it; what lies before an episode's first one is black."""
        back = np.arange(self.stack - 1, -1, -1)
        pictures = self.obs[(rows[..., None] - back) % self.rows, games[..., None]]
        pictures[back > self.age[rows % self.rows, games][..., None]] = 0
        return pictures

    def returns(self, rows, games):  # only: dqn and n_step
        """The discounted sum of the next n rewards, the discount of what follows, and how many rows ahead that is."""
        total, discount, ahead = np.zeros(rows.shape), np.ones(rows.shape), np.zeros(rows.shape, np.int32)
        goes_on = np.ones(rows.shape, bool)
        for step in range(self.args.n_step):
            slots, after = (rows + step) % self.rows, rows + step + 1
            total += np.where(goes_on, discount * self.reward[slots, games], 0)
            ahead += goes_on
            lives = ~self.terminated[slots, games]
            discount = np.where(goes_on, discount * self.args.gamma * lives, discount)
            goes_on &= lives & self.acted[after % self.rows, games] & (after + 1 < self.count)
        return total, discount, ahead

    def sample(self, rng, floats):  # only: dqn
        rows, games = self.draw(rng, tries=1, before=0, every=1)
        here, ahead = (rows % self.rows, games), 1
        reward, discount, ahead = self.returns(rows, games)  # only: n_step
        reward, discount = self.reward[here], self.args.gamma * ~self.terminated[here]  # only: not n_step
        obs, next_obs = self.stacks(rows, games), self.stacks(rows + ahead, games)  # only: stack
        next_obs = self.obs[(rows + ahead) % self.rows, games][:, None]  # only: pictures and not stack
        obs = self.obs[here][:, None]  # a picture of one channel  # only: pictures and not stack
        obs = self.obs[here].astype(floats)  # only: not pictures
        next_obs = self.obs[(rows + ahead) % self.rows, games].astype(floats)  # only: not pictures
        return Transition(
            obs=obs,  # [B, ...]
            action=self.action[here],  # [B] int32
            reward=reward.astype(floats),  # [B]
            discount=discount.astype(floats),  # [B] of what follows: 0 beyond a terminal state, not beyond a time limit
            next_obs=next_obs,  # [B, ...]
        )

    def sample_pieces(self, rng, floats):  # only: drqn
        """An episode is cut into pieces of L steps, each drawn with equal chance. What lies beyond its end is masked."""
        before, learned = 0, self.args.sequence_length  # only: not burn_in
        before, learned = self.args.burn_in, self.args.sequence_length - self.args.burn_in  # only: burn_in
        first, games = self.draw(rng, 2 * learned, before, learned)  # about one place in L begins a piece
        rows = first - before + np.arange(before + learned + self.args.n_step)[:, None]  # [T + n, B]  # only: n_step
        rows = first - before + np.arange(before + learned + 1)[:, None]  # [T + 1, B]  # only: not n_step
        slots, games = rows % self.rows, np.broadcast_to(games, rows.shape)
        age = self.age[first % self.rows, games[0]] + rows - first
        lives = np.logical_and.accumulate((self.acted[slots, games] & (rows + 1 < self.count))[before:])  # one episode
        obs = self.stacks(rows, games)  # only: stack
        obs = self.obs[slots, games][:, :, None]  # pictures of one channel  # only: pictures and not stack
        obs = self.obs[slots, games].astype(floats)  # only: not pictures
        state = self.state[slots[0], games[0]] * (age[0] > 0)[:, None]  # the agent's own, there  # only: stored_state
        state = np.zeros((len(first), self.state_size), floats)  # only: not stored_state
        action, rewards, terminated = (t[slots, games][before:] for t in (self.action, self.reward, self.terminated))
        mask = lives[:learned]  # only: not n_step
        reward, discount = rewards[:learned], self.args.gamma * ~terminated[:learned]  # only: not n_step
        mask, ahead = lives[:learned], np.zeros((learned, len(first)), np.int32)  # only: n_step
        reward, discount = np.zeros(mask.shape), np.ones(mask.shape)  # only: n_step
        for step in range(self.args.n_step):  # n-step returns, which stop where the episode does  # only: n_step
            now = np.s_[step : step + learned]
            reward += np.where(lives[now], discount * rewards[now], 0)
            discount = np.where(lives[now], discount * self.args.gamma * ~terminated[now], discount)
            ahead += lives[now]
        return Sequence(
            obs=obs,  # [T + n, B, ...]
            reset=age == 0,  # [T + n, B], the memory is cleared before this
            state=state,  # [B, S] of the memory before the first step
            action=action[:learned],  # [L, B] int32
            reward=reward.astype(floats),  # [L, B]
            discount=discount.astype(floats),  # [L, B] of what follows: 0 beyond a terminal state
            ahead=ahead,  # [L, B] how many steps on that is  # only: n_step
            mask=mask.astype(floats),  # [L, B] 1 where an action was taken, 0 beyond the episode's end
        )
