"""The loop of DQN and DRQN as `triptych show --loop` writes it into a file. No run imports this: it is copied as text.

See `choose.py` for the marks.
"""

from __future__ import annotations

import numpy as np

from triptych.report.show.loops.seeds import generator


def evaluate(args, games, agent, number):  # only: tests
    """The mean score of whole games, the best action always."""
    seeds = generator(args.seed, "evaluation", number).integers(2**31 - 1, size=args.evaluate_games)
    obs, _ = games.reset(seed=seeds)  # only: pictures
    obs, _ = games.reset(seed=seeds.tolist())  # only: not pictures
    score, playing = np.zeros(len(seeds)), np.ones(len(seeds), bool)
    state, started = np.zeros((len(seeds), agent.state_size), agent.floats), ~playing  # only: drqn
    for _ in range(args.evaluate_steps):
        values = agent.act(obs)  # only: dqn
        values, state = agent.act(obs, state, started)  # only: drqn
        obs, reward, terminated, truncated, _ = games.step(values.argmax(axis=1))
        score += reward * playing
        playing &= ~(terminated | truncated)
        if not playing.any():
            break
    return score.mean()


def train(args, make_games, agent, replay, log):
    """Plays and learns until the run is over."""
    # What is drawn by chance comes from these two alone, in this order; another order would be another run.
    explore, sample = generator(args.seed, "explore"), generator(args.seed, "sample")
    games = make_games(args.num_envs)
    seeds = generator(args.seed, "games", 0).integers(2**31 - 1, size=args.num_envs)
    obs, info = games.reset(seed=seeds)  # only: life_loss
    obs, _ = games.reset(seed=seeds)  # only: pictures and not life_loss
    obs, _ = games.reset(seed=seeds.tolist())  # only: not pictures
    lives = np.array(info["lives"])  # only: life_loss
    ended, credit = np.zeros(args.num_envs, bool), 0
    state, started = np.zeros((args.num_envs, agent.state_size), agent.floats), ended  # only: drqn
    agent.sync_target()
    while log.steps < args.steps:
        step, span = log.steps, args.epsilon_start - args.epsilon_end  # only: exponential
        step = max(0, log.steps - args.epsilon_from)  # only: epsilon_from
        epsilon = args.epsilon_end + span * np.exp(-step / args.epsilon_steps)  # only: exponential
        epsilon = np.interp(log.steps, [0, args.epsilon_steps], [args.epsilon_start, args.epsilon_end])  # only: linear
        epsilon = np.interp(step, [0, args.epsilon_steps], [args.epsilon_start, args.epsilon_end])  # only: linear_from
        epsilon = 1.0 if log.steps < args.warm_up else epsilon  # the share of random actions
        greedy = explore.random(args.num_envs) >= epsilon  # drawn for every game, as the next, needed or not
        actions = explore.integers(games.single_action_space.n, size=args.num_envs)
        if greedy.any():  # only: dqn
            actions = np.where(greedy, agent.act(obs).argmax(axis=1), actions)
        values, state_after = agent.act(obs, state, started)  # the memory sees what chance does, too  # only: drqn
        actions = np.where(greedy, values.argmax(axis=1), actions)  # only: drqn

        # Each step earns a part of an update, once there is enough to learn from.
        rate = args.learning_rate  # only: not final_rate
        rate = np.interp(log.steps, [0, args.steps], [args.learning_rate, args.final_rate])  # only: final_rate
        if replay.transitions < args.learn_from:  # only: learn_from
            credit = 0
        if log.steps < args.warm_up or replay.count < 2:  # only: not learn_from
            credit = 0
        while credit >= args.update_every:
            credit -= args.update_every
            losses = agent.update(replay.sample(sample, agent.floats), rate)  # only: dqn
            losses = agent.update(replay.sample_pieces(sample, agent.floats), rate)  # only: drqn
            log.updates += 1

        # In the step after its last one a game only begins anew: no action is taken then.
        acted = ~ended
        next_obs, reward, terminated, truncated, info = games.step(actions)  # only: life_loss
        next_obs, reward, terminated, truncated, _ = games.step(actions)  # only: not life_loss
        learned = reward  # only: not sign
        learned = np.sign(reward)  # only: sign
        learned = np.where(info["lives"] < lives, args.life_loss_reward, learned)  # only: life_loss
        lives = np.array(info["lives"])  # only: life_loss
        replay.add(obs, actions, learned, terminated, acted)  # only: dqn
        replay.add(obs, actions, learned, terminated, acted, state)  # only: drqn
        credit += int(acted.sum())  # only: not skip_first
        credit += int((acted & (log.length >= args.skip_first)).sum())  # only: skip_first
        state, started = state_after, ended  # only: drqn
        obs, ended = next_obs, terminated | truncated
        log.step(reward, acted, ended)

        if log.is_due("target", args.target_every, log.TARGET_UNIT):
            agent.sync_target()
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
