"""The algorithms, by name. One file each: its config, its network, its loss and the batch it wants; `base.py` says what each must answer.

May be in here: settings, and what is put together of `losses`. May not: a buffer, a game, a framework, a training.
"""

from __future__ import annotations

from collections.abc import Callable

from triptych.algorithms import a2c, a3c, base, dqn, drqn, ppo
from triptych.algorithms.base import Algorithm as Algorithm
from triptych.algorithms.base import Config as Config

ALGORITHMS: dict[str, Algorithm] = {
    found.kind: found for found in (dqn.algorithm, drqn.algorithm, a2c.algorithm, ppo.algorithm, a3c.algorithm)
}


def definition(config: Config) -> Algorithm:
    """The algorithm whose settings these are."""
    return ALGORITHMS[config.kind]


def register_algorithm(
    config: type[Config], *, make_loss: Callable, batch: type | None = None, network: Callable | None = None
) -> None:
    """Makes an algorithm of one's own known, as those here are. To be known to the processes that compare, prove or resume,
    call this from the recipe's file.

    Args:
        config: a frozen dataclass that inherits from `dqn.Config`, `drqn.Config`, `a2c.Config`, `ppo.Config` or `a3c.Config`, with a `kind` of its own.
        make_loss: closes over the settings and returns `loss(xp, online, target, batch) -> (scalar, (error, scalars))`.
        batch: what the loss takes; None: as the algorithm that `config` inherits from.
        network: None: as the algorithm that `config` inherits from.

    Raises:
        InputError: another class has that kind, or `config` inherits from none of ours.
    """
    parents = {found.config: found for found in ALGORITHMS.values() if found.kind != config.__dict__.get("kind")}
    parent = next((parents[base] for base in config.__mro__[1:] if base in parents), None)
    base.check(parent is not None, "algorithm", config.__name__, "a subclass of the Config of one of ours")
    base.check("kind" in config.__dict__, "algorithm", config.__name__, "a class with a kind of its own")
    assert parent is not None
    base.add(ALGORITHMS, Algorithm(config, network or parent.network, make_loss, batch or parent.batch))
