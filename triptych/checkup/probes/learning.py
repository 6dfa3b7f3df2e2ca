"""What an update does with a made batch: its loss, its gradient, its target network, the tensors that it moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.probes.network import close
from triptych.checkup.probes.oracle import Misfit
from triptych.checkup.probes.subject import Subject
from triptych.spec import each, first_of
from triptych.spec.batches import Rollout, Transition

SAMPLES = 8  # of a batch that is computed again in NumPy
STEP = 1e-5  # of a weight's size, for finite differences
WRONG = 0.05  # of a tensor's gradient that may differ from the one of NumPy
OFF = 0.02  # of a tensor's part in the slope along all of them
ROUND = 0.3  # beside a number's size, what rounding may be a share of
WHOLE = 1.0  # of the weights' size, which no single healthy update moves them by
LEAST = 1e-3  # of the whole gradient: what is smaller counts as so large

NOT_ONLINE = Signal(
    "target-not-online", "warn", "the target network does not begin as a copy of the online one",
    ("a target that is made anew and never initialised", "weights loaded into one of the two alone"), "where the target is made",
)  # fmt: skip
SHARED = Signal(
    "target-shared", "stop", "an update moves the target network too",
    ("a target that is the online network, not a copy of it",), "where the target is made and copied",
)  # fmt: skip
NOT_COPIED = Signal(
    "target-copy-lost", "stop", "a copy into the target network leaves it as it was",
    ("weights copied the other way round, or not at all",), "the learner's sync_target",
)  # fmt: skip
STILL = Signal(
    "tensors-still", "warn", "an update does not move all weights",
    ("an optimiser that holds other weights than the network's", "a gradient that is cut on the way", "layers frozen by mistake"),
    "the optimiser's parameters, stop_gradient and detach",
)  # fmt: skip
LARGE = Signal(
    "step-too-large", "warn", "single updates change the weights by a large part of their size",
    ("a learning rate that is too high", "a step that is scaled by the number of samples or steps"), "optimiser.learning_rate",
)  # fmt: skip
THAWED = Signal(
    "frozen-moves", "stop", "an update moves frozen weights", ("an optimiser that holds them all the same",), "the recipe's freeze"
)  # fmt: skip
PATHS = Signal(
    "paths-differ", "stop", "acting and learning see different outputs for the same observation",
    ("pixels scaled in one of the two alone, or twice", "learning through another network"),
    "what is done to an observation before it is acted on, and before it is learned from",
)  # fmt: skip
LOSS = Signal(
    "loss-differs", "stop", "the loss of a batch is not what its equation gives",
    (
        "[B] against [B, 1], which makes [B, B]", "a wrong sign, discount, mask or bootstrapped action", "weights or terms left out",
        "bootstrapping from another network than the target",
    ),
    "the loss; algorithm.gamma, n_step, double, loss, value_weight, entropy_weight",
)  # fmt: skip
GRADIENT = Signal(
    "gradient-differs", "stop", "the gradient is not that of the loss",
    (
        "a term that is not differentiated, such as the entropy", "a gradient that passes where none belongs, such as the target",
        "gradients of earlier batches that are never cleared",
    ),
    "stop_gradient and detach in the loss and the network; what clears gradients",
)  # fmt: skip


def tensors(state: dict[str, np.ndarray], which: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(which): array for name, array in state.items() if name.startswith(which)}


def update(subject: Subject) -> Iterator[Finding]:
    """One update with a made batch, and a copy into the target.

    The target equals the online network at step 0, is moved by no update, and is equal again after a copy. All that is not frozen
    moves, and that alone. What the update's network gave, told by its errors, is what acting gives.
    """
    learner, target = subject.learner, subject.config.has_target
    with subject.restored() as state:
        begun, copy = tensors(state, "online/"), tensors(state, "target/")
        apart = max((float(np.abs(begun[name] - copy[name]).max()) for name in copy), default=0.0)
        if target and apart > 0:
            yield Finding(NOT_ONLINE, f"the largest difference of a weight is {apart:.3g}", "0 at step 0")
        batch = pointless(subject)
        said = acted(subject, batch)
        error = learner.to_numpy(learner.update(batch, subject.rate)["td_error"])
        if said is not None:
            yield from paths(subject, said, -np.asarray(error, np.float64).reshape(-1)[: len(said)])
        state = learner.get_state()
        moved, kept = ({n: a.copy() for n, a in tensors(state, which).items()} for which in ("online/", "target/"))
        yield from moves(subject, begun, moved)
        yield from strides(begun, moved)
        if target and any(not np.array_equal(kept[name], copy[name]) for name in copy):
            yield Finding(SHARED, "its weights change with the update", "the same weights until the next copy")
        if target:
            learner.sync_target()
            synced = tensors(learner.get_state(), "target/")
            if any(not np.array_equal(synced[name], moved[name]) for name in synced):
                yield Finding(
                    NOT_COPIED, "it differs from the online network after a copy", "the online network's weights"
                )


def strides(begun: dict[str, np.ndarray], moved: dict[str, np.ndarray]) -> Iterator[Finding]:
    """How far an update moves the weights, beside their size."""
    size = sum(float((np.asarray(array, np.float64) ** 2).sum()) for array in begun.values()) ** 0.5
    move = (
        sum(float(((np.asarray(moved[name], np.float64) - array) ** 2).sum()) for name, array in begun.items()) ** 0.5
    )
    if move > WHOLE * size:
        yield Finding(
            LARGE,
            f"the first update moves them by {move / max(size, 1e-30):,.3g} times their size",
            "some hundredths of it",
        )


def pointless(subject: Subject) -> Any:
    """A made batch without rewards, and without a next value: its errors are the values themselves, with the sign turned."""
    batch = subject.batch()
    if subject.kind is Rollout:
        return batch._replace(returns=np.zeros_like(batch.returns))
    return batch._replace(reward=np.zeros_like(batch.reward), discount=np.zeros_like(batch.discount))


def acted(subject: Subject, batch: Any) -> np.ndarray | None:
    """The values [M] that acting gives for a batch's first observations; None: its errors are none of single steps, or of equations
    that are not known here."""
    if not subject.is_ours:
        return None
    if subject.kind is Transition:
        count = min(len(batch.action), 2 * subject.games, 32)
        outputs = subject.outputs(each(lambda part: part[:count], host(subject, batch.obs)))
        return outputs[np.arange(count), batch.action[:count]]
    if subject.kind is Rollout and not subject.config.unlearned_steps:
        count = min(batch.action.shape[1], 2 * subject.games, 32)
        return subject.outputs(each(lambda part: part[0, :count], batch.obs))[:, -1]
    return None


def paths(subject: Subject, said: np.ndarray, learned: np.ndarray) -> Iterator[Finding]:
    if not close(learned, said, subject.close):
        off = np.abs(learned - said).max() / (1e-6 + np.abs(said).max())
        yield Finding(PATHS, f"they differ by {off:.2g} of the largest one", "the same numbers from both")


def moves(subject: Subject, begun: dict[str, np.ndarray], moved: dict[str, np.ndarray]) -> Iterator[Finding]:
    frozen = set(subject.learner.frozen)
    still = [name for name in begun if name not in frozen and np.array_equal(begun[name], moved[name])]
    if subject.kind is not Transition and first_of(subject.example().obs).shape[0] == 1 and subject.state_size:
        still = [name for name in still if "recurrent" not in name]  # of one step a memory learns nothing
    if still:
        some = ", ".join(still[:4]) + (", ..." if len(still) > 4 else "")
        yield Finding(
            STILL, f"{len(still)} of {len(begun) - len(frozen)} tensors stay as they are: {some}", "all of them moved"
        )
    thawed = [name for name in frozen if not np.array_equal(begun[name], moved[name])]
    if thawed:
        yield Finding(THAWED, ", ".join(thawed[:4]), "frozen tensors as they were")


def host(subject: Subject, obs: Any) -> Any:
    return each(lambda part: part if isinstance(part, np.ndarray) else subject.learner.to_numpy(part), obs)


def recomputed(subject: Subject) -> Iterator[Finding]:
    """A batch's loss and gradient against float64, with a target network that is another one, and a policy that has an opinion."""
    learner, rng = subject.learner, subject.rng
    with subject.restored() as state:
        for name, array in state.items():
            if name.startswith(("online/", "target/")):
                stretch = 30 if name.endswith("policy_kernel") else 1
                state[name] = (stretch * array + 0.05 * rng.normal(size=array.shape)).astype(array.dtype)
        learner.set_state(state)
        batch = subject.batch(SAMPLES if not subject.network.observation.is_picture else SAMPLES // 2)
        online, other = tensors(state, "online/"), tensors(state, "target/")
        gradients, told = learner.gradients(batch)
        again, _ = learner.gradients(batch)
        told = {name: np.asarray(learner.to_numpy(value), np.float64) for name, value in told.items()}
    seen = batch if subject.kind is not Transition else batch._replace(obs=host(subject, batch.obs), next_obs=host(subject, batch.next_obs))  # fmt: skip
    try:
        goal = subject.goal(seen, subject.oracle(online), subject.oracle(other))
    except Misfit:  # the outputs' probe has told it
        return
    right = subject.expected(seen, subject.oracle(online), goal)
    wrong = [name for name, value in right.items() if not near(told[name], value, subject.close)]
    for name in wrong[:1]:
        got, wanted = (float(np.mean(np.abs(value))) for value in (told[name], right[name]))
        yield Finding(LOSS, f"{', '.join(wrong)}: {name} is {got:.5g}", f"{wanted:.5g}, as computed in NumPy")
    apart = [name for name in gradients if not close(again[name], gradients[name], subject.close)]
    if apart and not wrong:
        told_of = f"asked for once more, {apart[0]}'s is {float(np.linalg.norm(again[apart[0]])):.4g} long"
        yield Finding(GRADIENT, told_of, f"{float(np.linalg.norm(gradients[apart[0]])):.4g} again, from the same batch")
    elif not wrong:
        yield from derivative(subject, online, gradients, lambda weights: float(subject.expected(seen, subject.oracle(weights, online), goal)["loss"]))  # fmt: skip


def near(found: np.ndarray, wanted: np.ndarray, share: float) -> bool:
    """Whether each number is as near as its own size allows."""
    wanted = np.asarray(wanted)
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return False
    return bool((np.abs(found - wanted) <= 5 * share * (ROUND + np.abs(wanted))).all())


def derivative(
    subject: Subject,
    weights: dict[str, np.ndarray],
    gradients: dict[str, np.ndarray],
    loss: Callable[[dict[str, np.ndarray]], float],
) -> Iterator[Finding]:
    """The gradient's slope, against finite differences of the loss in float64: along all tensors at once, each counting alike, and
    where that is not right along each by itself."""
    exact = {name: array.astype(np.float64) for name, array in weights.items()}
    sizes = {name: float(np.linalg.norm(gradient.astype(np.float64))) for name, gradient in gradients.items()}
    whole = float(np.linalg.norm(list(sizes.values())))
    if not whole:
        yield Finding(GRADIENT, "it is 0 in all tensors", "a gradient that is not")
        return
    ways = {name: direction(subject, gradient, sizes[name]) for name, gradient in gradients.items()}

    def slopes(some: dict[str, np.ndarray], step: float) -> tuple[float, float]:
        found = sum(float(np.sum(gradients[name] * way, dtype=np.float64)) for name, way in some.items())
        ahead, behind = (loss(exact | {n: exact[n] + sign * step * way for n, way in some.items()}) for sign in (1, -1))
        return found, (ahead - behind) / (2 * step)

    levelled = {name: way / max(sizes[name], LEAST * whole) for name, way in ways.items()}
    found, wanted = slopes(levelled, STEP * min(sizes.values(), default=1.0) + 1e-9)
    if abs(found - wanted) <= OFF * len(gradients) ** 0.5 * max(1.0, abs(wanted) / len(gradients)):
        return
    wrong = []
    for name, way in ways.items():
        found, wanted = slopes({name: way}, STEP)
        if abs(found - wanted) > WRONG * max(sizes[name], abs(wanted)) + LEAST * subject.close * whole:
            wrong.append((name, found, wanted))
    if wrong:
        name, found, wanted = wrong[0]
        some = ", ".join(one for one, *_ in wrong[:4])
        told = f"wrong in {len(wrong)} of {len(gradients)} tensors ({some}): {name}'s slope is {found:.4g}"
        yield Finding(GRADIENT, told, f"{wanted:.4g}, by finite differences")


def direction(subject: Subject, gradient: np.ndarray, size: float) -> np.ndarray:
    """Along the gradient, and along a drawn one: what it has no part of shows too."""
    drawn = subject.rng.normal(size=gradient.shape)
    return drawn / np.linalg.norm(drawn) + (gradient / size if size else 0)
