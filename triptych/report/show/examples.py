"""The ends of the files that `triptych show` writes: a batch of random numbers, and what is printed of it."""

from __future__ import annotations

RANDOM = '''
def observations(rng, batch):
    """Random observations [*batch, ...]: bytes or normal numbers."""
    shape, dtype = OBSERVATION
    if dtype == "uint8":
        return rng.integers(0, 256, (*batch, *shape), dtype=np.uint8)
    return rng.standard_normal((*batch, *shape)).astype(dtype)
'''

RANDOM_PARTS = '''
def observations(rng, batch):
    """Random observations of several parts [*batch, ...]: bytes or normal numbers."""
    return {
        name: rng.integers(0, 256, (*batch, *shape), dtype=np.uint8)
        if dtype == "uint8"
        else rng.standard_normal((*batch, *shape)).astype(dtype)
        for name, (shape, dtype) in OBSERVATION.items()
    }
'''

TRANSITIONS = '''def example_batch():
    """Random observations, actions, rewards; a fifth of the transitions end their episode."""
    rng, floats = generator(SEED, "example"), PRECISION
    discount = config.gamma * (rng.random(BATCH_SIZE) < 0.8)
    return Transition(
        obs=observations(rng, (BATCH_SIZE,)),
        action=rng.integers(ACTIONS, size=BATCH_SIZE, dtype=np.int32),
        reward=rng.standard_normal(BATCH_SIZE).astype(floats),
        discount=discount.astype(floats),
        next_obs=observations(rng, (BATCH_SIZE,)),
        weight=np.ones(BATCH_SIZE, floats),
    )


if __name__ == "__main__":
    batch = example_batch()
    print("outputs", json.dumps(outputs(batch.obs).tolist()))
    print("loss", json.dumps(update(batch).tolist()))'''

SEQUENCES = '''def example_batch():
    """Random observations, actions, rewards; a tenth of the steps begin an episode."""
    rng, floats = generator(SEED, "example"), PRECISION
    shape, learned = ({steps}, BATCH_SIZE), ({learned}, BATCH_SIZE)
    return Sequence(
        obs=observations(rng, shape),
        reset=rng.random(shape) < 0.1,
        state=np.zeros((BATCH_SIZE, {state}), floats),
        action=rng.integers(ACTIONS, size=learned, dtype=np.int32),
        reward=rng.standard_normal(learned).astype(floats),
        discount=(config.gamma * (rng.random(learned) < 0.8)).astype(floats),
        ahead=np.ones(learned, np.int32),
        mask=np.ones(learned, floats),
        weight=np.ones(BATCH_SIZE, floats),
    )


if __name__ == "__main__":
    batch = example_batch()
    print("outputs", json.dumps(outputs(batch.obs, batch.state, batch.reset).tolist()))
    print("loss", json.dumps(update(batch).tolist()))'''


ROLLOUTS = '''def example_batch():
    """Random observations, actions and advantages; a tenth of the steps begin an episode."""
    rng, floats, shape = generator(SEED, "example"), PRECISION, ({steps}, BATCH_SIZE)
    return Rollout(
        obs=observations(rng, shape),
        reset=rng.random(shape) < 0.1,
        state=np.zeros((BATCH_SIZE, {state}), floats),
        action=rng.integers(ACTIONS, size=shape, dtype=np.int32),
        log_prob=-rng.random(shape).astype(floats),
        advantage=rng.standard_normal(shape).astype(floats),
        returns=rng.standard_normal(shape).astype(floats),
        mask=np.ones(shape, floats),
        entropy_weight=np.asarray(0.01, floats),
        clip=np.asarray(0.1, floats),
    )


if __name__ == "__main__":
    batch = example_batch()
    print("outputs", json.dumps(outputs(batch.obs, batch.state, batch.reset).tolist()))
    print("loss", json.dumps(update(batch).tolist()))'''
