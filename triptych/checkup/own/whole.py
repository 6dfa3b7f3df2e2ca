"""The whole checkup of a user's object: whatever its methods allow."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from triptych.checkup.findings import Finding
from triptych.checkup.looks import Checkup
from triptych.checkup.own import actor_critic, signals
from triptych.checkup.own.beginning import FIRST
from triptych.checkup.own.conversion import conversion
from triptych.checkup.own.convolutions import layers
from triptych.checkup.own.copying import copies_in_loop
from triptych.checkup.own.exploring import exploration
from triptych.checkup.own.learning import updates
from triptych.checkup.own.loop import loop
from triptych.checkup.own.losses import loss
from triptych.checkup.own.memory import learning as of_memory
from triptych.checkup.own.memory import losses as of_pieces
from triptych.checkup.own.memory.probes import remembers
from triptych.checkup.own.memory.protocol import Recurrent, own_of
from triptych.checkup.own.probes import copies, environment, network, target
from triptych.checkup.own.protocol import Own, said_of
from triptych.checkup.own.replay import replay
from triptych.utils.checks import InputError

# What is looked at, what does it, and the methods that it needs. An object that is no factory's is looked at in this order, so that
# its updates are followed from its first one on.
Looks = tuple[tuple[str, Callable[[Own], Iterator[Finding]], tuple[str, ...]], ...]
LOOKS: Looks = (
    ("the environment", environment, ("make_env",)),
    ("the network", network, ("values",)),
    ("the network's layers", layers, ("values", "weights")),
    ("the target network", target, ("values", "target_values")),
    ("updates beside NumPy's", updates, ("values", "learn", "weights")),
    ("the loss", loss, ("values", "learn")),
    ("copies of the target", copies, ("values", "target_values", "learn")),
    ("exploration", exploration, ("epsilon",)),
    ("the loop", loop, ("make_env", "train")),
    ("copies of the target in the loop", copies_in_loop, ("make_env", "train", "values", "target_values")),
    ("the replay", replay, ("observe", "sample")),
    ("the conversion to tensors", conversion, ("values", "learn")),
)


def those(*names: str) -> Looks:
    """Some of them."""
    return tuple(one for one in LOOKS if one[0] in names)


RECURRENT: Looks = (
    *those("the environment", "the network", "the target network"),
    ("the memory", remembers, ("step", "initial_state")),
    ("updates beside NumPy's", of_memory.updates, ("step", "learn", "weights")),
    ("the loss", of_pieces.loss, ("step", "learn")),
    ("the burn-in", of_memory.burn_in, ("learn", "weights")),
    *those("copies of the target", "exploration", "the loop", "copies of the target in the loop"),
    ("the replay", replay, ("observe", "sample")),
)  # of an object that has a `step`
ACTOR_CRITIC: Looks = (
    ("the environment", environment, ("make_env",)),
    ("the policy and the value", actor_critic.outputs, ("policy", "values")),
    ("the memory", remembers, ("step", "initial_state")),
    ("the loss", actor_critic.loss, ("policy", "values", "learn")),
    ("the advantages", actor_critic.advantages, ("advantages",)),
)  # of an object that has a `policy`, or whose `step` gives one


def check_own(given: Any, name: str = "the object", tell: Callable[[str], Any] = str) -> Checkup:
    """Looks at everything that a user's object offers.

    Args:
        given: the object; or what makes it, a class or a function without arguments: each look then has a new one.
        tell: is called with each thing that is looked at, before it is.

    Raises:
        InputError: a method is missing that all need, fails, or answers in another shape.
    """
    makes = isinstance(given, type) or inspect.isroutine(given)
    own, found = own_of(made_by(given, name) if makes else given, name), Checkup(name)
    own.fresh = makes
    for other, name_of_ours in own.meant():
        told = f"`{other}` is none of the methods that are asked; did you mean `{name_of_ours}`?"
        found.findings.append(Finding(signals.MEANT, told))
    later: Looks = ()
    for what, look, needs in looks_of(own):
        missing = [method for method in needs if method not in own.has]
        if missing:
            found.leave_out(what, f"no method {', '.join(missing)}")
        elif not makes and what == "the replay" and "train" in own.has:
            found.leave_out(what, "the loop has filled it; give the class, not an object of it")
        else:
            tell(what)
            found.look(what, partial(look, own))
            if found.looks[-1].left_out.startswith(FIRST) and "learn" in own.has:
                later += ((what, look, needs),)
            if makes:
                seen, own = own.copies, own_of(made_by(given, name), name)
                own.fresh, own.copies = True, seen
    for what, look, _ in later if own.updates else ():
        found.look(f"{what}, after {own.updates} updates", partial(look, own))
    return found


def looks_of(own: Own) -> tuple[Any, ...]:
    """Those of an actor-critic where the methods are one's; a learner of values may have a method `policy` as well."""
    if isinstance(own, Recurrent):
        return tuple(
            one
            for one in (ACTOR_CRITIC if own.acts else RECURRENT)
            if one[0] != "the burn-in" or own.settings["burn_in"]
        )
    of_values = {"target_values", "sample", "observe"} & own.has
    if "advantages" in own.has or ("policy" in own.has and not of_values):
        return tuple(one for one in ACTOR_CRITIC if one[0] != "the memory")
    return LOOKS


def made_by(make: Callable[[], Any], name: str) -> Any:
    try:
        return make()
    except InputError:
        raise
    except Exception as error:
        called = getattr(make, "__name__", "it")
        raise InputError(
            f"{name}: {called}() fails: {said_of(error)}; allowed: one that runs without arguments"
        ) from error
