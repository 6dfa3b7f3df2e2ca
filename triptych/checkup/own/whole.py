"""The whole checkup of a user's object: whatever its methods allow."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from triptych.checkup.findings import Finding
from triptych.checkup.looks import Checkup
from triptych.checkup.own import actor_critic
from triptych.checkup.own.learning import updates
from triptych.checkup.own.loop import loop
from triptych.checkup.own.losses import loss
from triptych.checkup.own.probes import copies, environment, network, target
from triptych.checkup.own.protocol import Own
from triptych.checkup.own.replay import replay
from triptych.utils.checks import InputError

# What is looked at, what does it, and the methods that it needs. An object that is no factory's is looked at in this order, so that
# its updates are followed from its first one on.
LOOKS: tuple[tuple[str, Callable[[Own], Iterator[Finding]], tuple[str, ...]], ...] = (
    ("the environment", environment, ("make_env",)),
    ("the network", network, ("values",)),
    ("the target network", target, ("values", "target_values")),
    ("updates beside NumPy's", updates, ("values", "learn", "weights")),
    ("the loss", loss, ("values", "learn")),
    ("copies of the target", copies, ("values", "target_values", "learn")),
    ("the loop", loop, ("make_env", "train")),
    ("the replay", replay, ("observe", "sample")),
)


ACTOR_CRITIC: tuple[tuple[str, Callable[[Own], Iterator[Finding]], tuple[str, ...]], ...] = (
    ("the environment", environment, ("make_env",)),
    ("the policy and the value", actor_critic.outputs, ("policy", "values")),
    ("the loss", actor_critic.loss, ("policy", "values", "learn")),
    ("the advantages", actor_critic.advantages, ("advantages",)),
)  # of an object that has a `policy`


def check_own(given: Any, name: str = "the object", tell: Callable[[str], Any] = str) -> Checkup:
    """Looks at everything that a user's object offers.

    Args:
        given: the object; or what makes it, a class or a function without arguments: each look then has a new one.
        tell: is called with each thing that is looked at, before it is.

    Raises:
        InputError: a method is missing that all need, fails, or answers in another shape.
    """
    makes = isinstance(given, type) or inspect.isroutine(given)
    own, found = Own(made_by(given, name) if makes else given, name), Checkup(name)
    for what, look, needs in looks_of(own):
        missing = [method for method in needs if method not in own.has]
        if missing:
            found.leave_out(what, f"no method {', '.join(missing)}")
        elif not makes and what == "the replay" and "train" in own.has:
            found.leave_out(what, "the loop has filled it; give the class, not an object of it")
        else:
            tell(what)
            found.look(what, lambda look=look, own=own: list(look(own)))  # type: ignore[misc]
            own = Own(made_by(given, name), name) if makes else own
    return found


def looks_of(own: Own) -> tuple[Any, ...]:
    """Those of an actor-critic where the methods are one's; a learner of values may have a method `policy` as well."""
    of_values = {"target_values", "sample", "observe"} & own.has
    return ACTOR_CRITIC if "advantages" in own.has or ("policy" in own.has and not of_values) else LOOKS


def made_by(make: Callable[[], Any], name: str) -> Any:
    try:
        return make()
    except InputError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        called = getattr(make, "__name__", "it")
        raise InputError(f"{name}: {called}() fails: {said}; allowed: one that runs without arguments") from error
