"""The loop of A2C and PPO as `triptych show --loop` writes it into a file. No run imports this: it is copied as text.

See `choose.py` for the marks.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from triptych.report.show.loops.seeds import game_seeds, generator

Played = namedtuple("Played", "obs reset action log_prob mask value reward terminated ended")
Rollout = namedtuple("Rollout", "obs reset action log_prob mask advantage returns state")


def draw(logits, rng):
    """An action for each game, drawn from its policy (the largest log probability with Gumbel noise), and its log probability."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    actions = np.argmax(log_probs - np.log(-np.log(rng.random(logits.shape))), axis=1)
    return actions, log_probs[np.arange(len(actions)), actions]


def rollout_of(args, played, last_value, state, floats):
    """The steps played, with generalised advantages (Schulman et al. 2016) and what the values should have been."""
    stacks = map(np.stack, zip(*played, strict=True))
    obs, reset, action, log_prob, mask, value, reward, terminated, ended = stacks
    value = np.concatenate([value, last_value[None]]).astype(np.float64)
    # There is nothing beyond a terminal state; an episode cut by a time limit is worth what its last observation is.
    error = reward + args.gamma * ~terminated * value[1:] - value[:-1]
    advantage, after = np.zeros_like(error), np.zeros_like(error[0])
    for t in reversed(range(len(error))):
        after = advantage[t] = error[t] + args.gamma * args.gae_lambda * ~ended[t] * after
    obs = obs.astype(floats)  # only: not pictures
    return Rollout(
        obs=obs,  # [T, N, ...]
        reset=reset,  # [T, N] the episode begins here
        action=action.astype(np.int32),  # [T, N]
        log_prob=log_prob.astype(floats),  # [T, N] of the action, then
        mask=mask.astype(floats),  # [T, N] 1 where an action was taken
        advantage=(advantage * mask).astype(floats),  # [T, N]
        returns=((advantage + value[:-1]) * mask).astype(floats),  # [T, N] what the value is drawn to
        state=state,  # [N, S] of the memory before the first step
    )


def minibatches(args, rollout, rng):  # only: ppo
    """Every step once, in batches of equal size: whole sequences of games with a memory, else single steps."""
    for chosen in np.split(rng.permutation(args.num_envs), args.minibatches):  # only: memory
        yield Rollout(*(array[:, chosen] for array in rollout[:-1]), rollout.state[chosen])
    steps = [array.reshape(1, -1, *array.shape[2:]) for array in rollout[:-1]]  # only: not memory
    for chosen in np.split(rng.permutation(steps[1].size), args.minibatches):  # only: not memory
        yield Rollout(*(array[:, chosen] for array in steps), np.zeros((len(chosen), 0), rollout.state.dtype))


def evaluate(args, games, agent, number):  # only: tests
    """The mean score of whole games, actions drawn as in training."""
    seeds = game_seeds(args.seed, "evaluation", number, args.evaluate_games)
    obs, _ = games.reset(seed=seeds)
    rng, state = generator(seeds[0], "evaluation"), agent.initial_state(args.evaluate_games)
    started, playing = np.ones((2, args.evaluate_games), bool)
    score = np.zeros(args.evaluate_games)
    for _ in range(args.evaluate_steps):
        outputs, state = agent.act(obs, state, started)
        obs, reward, terminated, truncated, _ = games.step(draw(outputs[:, :-1], rng)[0])
        score += reward * playing
        playing &= ~(terminated | truncated)
        started[:] = False
        if not playing.any():
            break
    return score.mean()


def train(args, make_games, agent, log):
    """Plays and learns until the run is over."""
    # What is drawn by chance comes from here alone, in this order; another order would be another run.
    explore = generator(args.seed, "explore")
    sample = generator(args.seed, "sample")  # only: ppo
    games = make_games(args.num_envs)
    obs, _ = games.reset(seed=game_seeds(args.seed, "games", 0, args.num_envs))
    ended, started = np.zeros(args.num_envs, bool), np.ones(args.num_envs, bool)
    state, played = agent.initial_state(args.num_envs), []
    while log.steps < args.steps:
        if not played:
            began_at, state_then = log.steps, state
        outputs, state_after = agent.act(obs, state, started)
        actions, log_prob = draw(outputs[:, :-1], explore)
        # In the step after its last one a game only begins anew: no action is taken then.
        acted = ~ended
        next_obs, reward, terminated, truncated, _ = games.step(actions)
        learned = reward  # only: raw and not scaled
        learned = args.reward_scale * reward  # only: scaled
        learned = np.sign(reward)  # only: sign
        learned = np.clip(args.reward_scale * reward, -1, 1)  # only: clipped
        over = terminated | truncated
        played.append(Played(obs, started, actions, log_prob, acted, outputs[:, -1], learned, terminated, over))
        obs, state, started, ended = next_obs, state_after, ended, over
        log.step(reward, acted, ended)

        if len(played) == args.rollout_steps:
            last_value = agent.act(obs, state, started)[0][:, -1]
            rollout, played = rollout_of(args, played, last_value, state_then, agent.floats), []
            # What changes over the run is read where the rollout began.
            rate = args.learning_rate  # only: not final_rate
            rate = np.interp(began_at, [0, args.steps], [args.learning_rate, args.final_rate])  # only: final_rate
            weight, clip = args.entropy_weight, args.clip  # only: ppo
            weight = args.entropy_weight  # only: not ppo and not entropy_end
            weight = np.interp(began_at, [0, args.steps], [args.entropy_weight, args.entropy_end])  # only: entropy_end
            clip = np.interp(began_at, [0, args.steps], [args.clip, args.clip_end])  # only: clip_end
            if rollout.mask[args.burn_in :].any():  # only: not ppo
                losses = agent.update(rollout, rate, weight)
                log.updates += 1
            for _ in range(args.epochs):  # only: ppo
                for batch in minibatches(args, rollout, sample):
                    if batch.mask[args.burn_in :].any():
                        losses = agent.update(batch, rate, weight, clip)
                        log.updates += 1
        if log.is_due("metrics", args.log_every, log.steps) and log.updates:
            log.row("metrics", score=np.mean(log.scores or np.nan), **losses)
        if log.is_due("tests", args.evaluate_every, log.EVALUATE_UNIT):  # only: tests
            score = evaluate(args, make_games(args.evaluate_games), agent, log.passed["tests"])
            log.row("tests", evaluation_mean=score)
        if log.episodes >= args.episodes:  # only: episodes
            break
        if len(log.scores) == 100 and np.mean(log.scores) > args.solved_at:  # only: solved_at
            break
    print("written to" if log.folder.exists() else "too short to write to", log.folder)
