"""Mutations that must fail: each patches what is shipped, and the ordinary rung must go red."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import flax
import pytest

from tests.parity import ladder
from tests.parity.op_cases import check_ops
from triptych.losses import value
from triptych.spec import Network


def part(framework: str, name: str) -> Any:
    return importlib.import_module(f"triptych.frameworks.{framework}.{name}")


def std_divides_by_n_minus_1(framework: str) -> tuple[Any, str, Any]:
    ops = part(framework, "ops")
    keep = ops.std

    def std(x: Any, axis: Any = None) -> Any:
        n = x.shape[axis] if axis is not None else x.shape[0] * x.shape[1]
        return keep(x, axis=axis) * (n / (n - 1)) ** 0.5

    return ops, "std", std


def gradient_is_not_stopped(framework: str) -> tuple[Any, str, Any]:
    return part(framework, "ops"), "stop_gradient", lambda x: x * 1


def ties_share_the_gradient(framework: str) -> tuple[Any, str, Any]:
    natives = {
        "torch": lambda x, y: importlib.import_module("torch").maximum(
            x, x.new_tensor(y) if isinstance(y, float) else y
        ),
        "jax": lambda x, y: importlib.import_module("jax.numpy").maximum(x, y),
        "keras": lambda x, y: (x + y + importlib.import_module("tensorflow").abs(x - y)) / 2,
    }
    return part(framework, "ops"), "maximum", natives[framework]


def flatten_is_channels_first(framework: str) -> tuple[Any, str, Any]:
    net = part(framework, "net")
    flat = {
        "torch": lambda placed: importlib.import_module("torch").nn.Flatten(),
        "jax": lambda placed, stored, compute: lambda x: x.transpose(0, 3, 1, 2).reshape(x.shape[0], -1),
        "keras": lambda placed, precision: importlib.import_module("keras").Sequential(
            [importlib.import_module("keras").layers.Permute((3, 1, 2)), net.layers.Flatten()]
        ),
    }[framework]
    return net, "LAYERS", net.LAYERS | {ladder.Flatten: flat}


def no_relu(framework: str) -> tuple[Any, str, Any]:
    net = part(framework, "net")
    if framework == "keras":
        return net, "LAYERS", net.LAYERS | {ladder.Dense: linear_dense}
    return net, "ACTIVATIONS", net.ACTIVATIONS | {"relu": lambda x: x}


def linear_dense(placed: Any, precision: str) -> Any:
    layers = part("keras", "net").layers
    return layers.Dense(placed.layer.units, dtype=precision, name=placed.name)


def relu_on_the_head(framework: str) -> tuple[Any, str, Any]:
    net = part(framework, "net")
    if framework == "keras":
        keep = net.LAYERS[ladder.Dense]

        def dense(placed: Any, precision: str) -> Any:
            layer = keep(placed, precision)
            layer.activation = importlib.import_module("keras").activations.relu
            return layer

        return net, "LAYERS", net.LAYERS | {ladder.Dense: dense}
    return net, "ACTIVATIONS", net.ACTIVATIONS | {"linear": net.ACTIVATIONS["relu"]}


def pixels_are_not_scaled(framework: str) -> tuple[Any, str, Any]:
    net = part(framework, "net")
    if framework == "torch":
        keep = net.Net.__init__

        def init(self: Any, *arguments: Any) -> None:
            keep(self, *arguments)
            self.scale_at = None

        return net.Net, "__init__", init
    if framework == "keras":
        return net.Scale, "call", lambda self, x: x
    keep_call = net.Net.__call__
    return net.Net, "__call__", lambda self, obs: keep_call(self, obs * 1.0 * 255)


def huber_turns_late(framework: str) -> tuple[Any, str, Any]:
    keep = value.huber
    return value, "huber", lambda xp, error, delta: keep(xp, error, 2 * delta)


def no_mask_beyond_the_end(framework: str) -> tuple[Any, str, Any]:
    keep = value.q_learning

    def q_learning(xp: Any, q_tm1: Any, a_tm1: Any, r_t: Any, discount_t: Any, q_t: Any) -> Any:
        return keep(xp, q_tm1, a_tm1, r_t, discount_t * 0 + 0.99, q_t)

    return value, "q_learning", q_learning


def double_chooses_by_the_target(framework: str) -> tuple[Any, str, Any]:
    keep = value.double_q_learning

    def double(xp: Any, q_tm1: Any, a_tm1: Any, r_t: Any, discount_t: Any, q_t_value: Any, q_t_selector: Any) -> Any:
        return keep(xp, q_tm1, a_tm1, r_t, discount_t, q_t_value, q_t_value)

    return value, "double_q_learning", double


def each_tensor_is_clipped_alone(framework: str) -> tuple[Any, str, Any]:
    learner = part(framework, "learner")
    keep = learner.clip_by_global_norm

    def in_place(gradients: Any, max_norm: Any) -> Any:
        norm = keep(gradients, None)
        for gradient in gradients:
            keep([gradient], max_norm)
        return norm

    def listed(gradients: Any, max_norm: Any) -> Any:
        return [keep([g], max_norm)[0][0] for g in gradients], keep(gradients, None)[1]

    def tree(gradients: Any, max_norm: Any) -> Any:
        jax = importlib.import_module("jax")
        return jax.tree.map(lambda g: keep([g], max_norm)[0][0], gradients), keep(gradients, None)[1]

    return learner, "clip_by_global_norm", {"torch": in_place, "jax": tree, "keras": listed}[framework]


def adam_adds_epsilon_elsewhere(framework: str) -> tuple[Any, str, Any]:
    """Keras' own Adam; torch and optax with epsilon inside the root."""
    learner = part(framework, "learner")
    if framework == "keras":
        return learner.ExactAdam, "update_step", importlib.import_module("keras").optimizers.Adam.update_step
    if framework == "jax":
        keep = learner.optax.scale_by_adam
        return learner.optax, "scale_by_adam", lambda b1, b2, eps: keep(b1, b2, eps, eps_root=eps)
    keep_torch = learner.torch.optim.Adam
    return learner.torch.optim, "Adam", lambda *a, **k: keep_torch(*a, **(k | {"eps": k["eps"] * 2}))


def apply_does_not_clip(framework: str) -> tuple[Any, str, Any]:
    learner = part(framework, "learner").Learner
    keep = learner.apply

    def apply(self: Any, gradients: Any, learning_rate: float) -> Any:
        self.settings = dataclasses.replace(self.settings, max_norm=None)
        return keep(self, gradients, learning_rate)

    return learner, "apply", apply


def apply_leaves_the_moments(framework: str) -> tuple[Any, str, Any]:
    learner = part(framework, "learner").Learner
    keep = learner.apply

    def apply(self: Any, gradients: Any, learning_rate: float) -> Any:
        before = self.get_state()
        norm = keep(self, gradients, learning_rate)
        self.set_state({name: (self.get_state() if name.startswith("online/") else before)[name] for name in before})
        return norm

    return learner, "apply", apply


def gradients_changed(name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[str], Any]:
    """A mutation of what `gradients` gives: `change(gradients)` in place of some of them."""

    def mutation(framework: str) -> tuple[Any, str, Any]:
        learner = part(framework, "learner").Learner
        keep = learner.gradients

        def gradients(self: Any, batch: Any) -> Any:
            found, aux = keep(self, batch)
            return found | (change(found) if "dense_2/kernel" in found else {}), aux

        return learner, "gradients", gradients

    mutation.__name__ = name
    return mutation


gradient_of_another_tensor = gradients_changed(
    "gradient_of_another_tensor", lambda found: {"dense_1/bias": found["dense_2/bias"].copy()}
)
gradient_is_transposed = gradients_changed(
    "gradient_is_transposed", lambda found: {"dense_2/kernel": found["dense_2/kernel"].T.copy()}
)
gradient_is_clipped_already = gradients_changed(
    "gradient_is_clipped_already", lambda found: {name: 0.5 * gradient for name, gradient in found.items()}
)


def rmsprop_adds_epsilon_outside(framework: str) -> tuple[Any, str, Any]:
    """As PyTorch's own RMSprop does."""
    learner = part(framework, "learner")
    if framework == "jax":
        keep = learner.optax.scale_by_rms
        return learner.optax, "scale_by_rms", lambda decay, eps, eps_in_sqrt: keep(decay, eps, eps_in_sqrt=False)
    if framework == "torch":
        own = learner.torch.optim.RMSprop
        make = lambda p, spec: own(p, spec.learning_rate, spec.decay, spec.epsilon)  # noqa: E731
        return learner, "OPTIMISERS", learner.OPTIMISERS | {"rmsprop": make}

    def update_step(self: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
        v = self._velocities[self._get_variable_index(variable)]
        v.assign(self.rho * v + (1 - self.rho) * gradient * gradient)
        variable.assign_sub(self.rate * gradient / (importlib.import_module("tensorflow").sqrt(v) + self.epsilon))

    return learner.ExactRMSprop, "update_step", update_step


def rmsprop_forgets_the_past(framework: str) -> tuple[Any, str, Any]:
    """The mean is of the last gradient alone."""
    learner = part(framework, "learner")
    keep = learner.OPTIMISERS["rmsprop"]
    make = lambda *given: keep(*given[:-1], dataclasses.replace(given[-1], decay=1e-9))  # noqa: E731
    return learner, "OPTIMISERS", learner.OPTIMISERS | {"rmsprop": make}


def target_is_never_copied(framework: str) -> tuple[Any, str, Any]:
    return (
        part(framework, "learner").Learner,
        "sync_target",
        never_copied(part(framework, "learner").Learner.sync_target),
    )


def never_copied(keep: Callable[[Any], None]) -> Callable[[Any], None]:
    def sync_target(self: Any) -> None:
        if not hasattr(self, "copied"):
            keep(self)
            self.copied = True

    return sync_target


def target_is_the_online_network(framework: str) -> tuple[Any, str, Any]:
    def sync_target(self: Any) -> None:
        self.target = self.online

    return part(framework, "learner").Learner, "sync_target", sync_target


def padding_is_same(framework: str) -> tuple[Any, str, Any]:
    """The original's JAX network; PyTorch pads by hand, as it refuses strided SAME."""
    net = part(framework, "net")
    if framework == "torch":
        keep = net.conv

        def conv(placed: Any) -> Any:
            module = keep(placed)
            module.padding = (1, 1)
            return module

        return net, "LAYERS", net.LAYERS | {ladder.Conv: conv}
    if framework == "jax":
        keep_conv = net.nn.Conv
        return net.nn, "Conv", lambda *a, **k: keep_conv(*a, **(k | {"padding": "SAME"}))
    keep_keras = net.layers.Conv2D
    return net.layers, "Conv2D", lambda *a, **k: keep_keras(*a, **(k | {"padding": "same"}))


def difference_is_older_minus_newer(framework: str) -> tuple[Any, str, Any]:
    net = part(framework, "net")
    if framework == "jax":
        keep = net.subtract
        return net, "subtract", lambda x: -keep(x)
    owner, name = (net.Difference, "forward") if framework == "torch" else (net.Difference, "call")
    keep_method = getattr(owner, name)
    return owner, name, lambda self, x: -keep_method(self, x)


def colours_are_taken_apart(framework: str) -> tuple[Any, str, Any]:
    """All frames' red first, then all green: as many channels, in another order."""
    net = part(framework, "net")
    if framework == "torch":
        keep = net.Net.forward
        return net.Net, "forward", lambda self, obs: keep(self, mixed(obs, 2))
    if framework == "jax":
        keep_call = net.Net.__call__
        return net.Net, "__call__", lambda self, obs: keep_call(self, mixed(obs, 2))
    keep_reshape = net.layers.Reshape

    def reshape(shape: Any, **options: Any) -> Any:
        layer = keep_reshape(shape, **options)
        keep_layer = layer.call
        layer.call = lambda x: keep_layer(importlib.import_module("keras").ops.swapaxes(x, 3, 4))
        return layer

    return net.layers, "Reshape", reshape


def mixed(obs: Any, stack: int) -> Any:
    """[B, stack, H, W, 3] whose reshape puts the colours before the frames."""
    if obs.ndim != 5:
        return obs
    batch, _, height, width, colours = obs.shape
    swapped = obs.permute(0, 2, 3, 4, 1) if hasattr(obs, "permute") else obs.transpose(0, 2, 3, 4, 1)
    flat = swapped.reshape(batch, height, width, stack, colours)
    return flat.permute(0, 3, 1, 2, 4) if hasattr(flat, "permute") else flat.transpose(0, 3, 1, 2, 4)


def squared_error_is_halved(framework: str) -> tuple[Any, str, Any]:
    keep = value.squared
    return value, "squared", lambda xp, error: 0.5 * keep(xp, error)


OTHER_SHAPES = (ValueError, TypeError, RuntimeError, flax.errors.ScopeParamShapeError)


def bfloat16_is_float32(framework: str) -> tuple[Any, str, Any]:
    return part(framework, "net"), "dtypes", lambda precision: ("float32", "float32")


def weights_are_left_out(framework: str) -> tuple[Any, str, Any]:
    from triptych.algorithms import dqn

    keep = dqn.make_loss

    def make_loss(config: Any) -> Any:
        loss = keep(config)
        return lambda xp, online, target, batch: loss(xp, online, target, batch._replace(weight=0 * batch.weight + 1))

    return dqn, "make_loss", make_loss


def a_part_of_the_batch_counts_twice(framework: str) -> tuple[Any, str, Any]:
    """In place of the other part: what is cut for several threads must come together whole."""
    if framework == "torch":
        return part("torch", "net").Sharded, "outputs", first_part_twice
    if framework == "jax":
        jnp = importlib.import_module("jax.numpy")
        keep = jnp.array_split
        return jnp, "array_split", lambda x, count, axis=0: [keep(x, count, axis)[0]] * count
    learner = part("keras", "learner").Learner
    move = learner.to_device
    return learner, "to_device", lambda self, array: move(self, array[[0, 1, 2, 3] * 2])


def first_part_twice(self: Any, given: Any, grad: bool) -> list[Any]:
    half = (given[0][: len(given[0]) // 2],)
    return list(self.pool.map(partial(part("torch", "net").call, self.module, grad), [half] * 2))


def parts_join_in_another_order(framework: str) -> tuple[Any, str, Any]:
    return Network, "joining", property(lambda self: tuple(reversed(self.observation.others)))


def numbers_are_divided_by_255(framework: str) -> tuple[Any, str, Any]:
    net = part(framework, "net")
    keep = net.beside
    return net, "beside", lambda part, dtype: keep(part, dtype) / (1 if "uint8" in str(part.dtype) else 255)


def bytes_beside_are_not_divided(framework: str) -> tuple[Any, str, Any]:
    net = part(framework, "net")
    keep = net.beside
    return net, "beside", lambda part, dtype: keep(part, dtype) * (255 if "uint8" in str(part.dtype) else 1)


def numbers_join_before_the_flattened_picture(framework: str) -> tuple[Any, str, Any]:
    net = part(framework, "net")
    if framework == "keras":
        keep = net.layers.Concatenate.call
        return net.layers.Concatenate, "call", lambda self, inputs: keep(self, inputs[1:] + inputs[:1])
    owner, name = (net.torch, "cat") if framework == "torch" else (net.jnp, "concatenate")
    join = getattr(owner, name)
    return owner, name, lambda xs, **axis: join([*xs[1:], xs[0]] if len(xs) == 3 else xs, **axis)


def numbers_join_a_layer_late(framework: str) -> tuple[Any, str, Any]:
    keep = Network.placed

    def placed(self: Any) -> Any:
        found = list(keep(self))
        late = [p.joined for p in found]
        more = sum(self.observation.parts[name].shape[0] for name in self.joining)
        for index, p in enumerate(found):
            now = late[index - 1] if index else ()
            size = (p.input_shape[0] - more * bool(p.joined) + more * bool(now),) if p.joined or now else p.input_shape
            yield dataclasses.replace(p, joined=now, input_shape=size)

    return Network, "placed", placed


RUNGS = {
    "ops": check_ops,
    "layer": ladder.check_layer,
    "parts": ladder.check_parts,
    "network": ladder.check_network,
    "loss": ladder.check_loss,
    "gradient": ladder.check_gradient,
    "halves": ladder.check_halves,
    "gradients": lambda framework: ladder.check_gradients((framework,)),
    "update": ladder.check_update,
    "rmsprop": ladder.check_rmsprop,
    "target": ladder.check_target,
    "bfloat16": ladder.check_bfloat16,
    "stream": lambda framework: ladder.check_stream(
        (next(name for name in ladder.NAMES if name != framework), framework), 60
    ),
}
MUTATIONS = [
    ("bfloat16", bfloat16_is_float32),
    ("ops", std_divides_by_n_minus_1),
    ("ops", gradient_is_not_stopped),
    ("ops", ties_share_the_gradient),
    ("layer", flatten_is_channels_first),
    ("layer", padding_is_same),
    ("layer", no_relu),
    ("layer", difference_is_older_minus_newer),
    ("layer", colours_are_taken_apart),
    ("parts", parts_join_in_another_order),
    ("parts", numbers_are_divided_by_255),
    ("parts", bytes_beside_are_not_divided),
    ("parts", numbers_join_before_the_flattened_picture),
    ("parts", numbers_join_a_layer_late),
    ("network", pixels_are_not_scaled),
    ("network", relu_on_the_head),
    ("loss", huber_turns_late),
    ("loss", squared_error_is_halved),
    ("loss", double_chooses_by_the_target),
    ("loss", no_mask_beyond_the_end),
    ("loss", weights_are_left_out),
    ("gradient", each_tensor_is_clipped_alone),
    ("gradient", a_part_of_the_batch_counts_twice),
    ("halves", apply_does_not_clip),
    ("halves", apply_leaves_the_moments),
    ("halves", gradient_of_another_tensor),
    ("halves", gradient_is_transposed),
    ("halves", gradient_is_clipped_already),
    ("gradients", gradient_of_another_tensor),
    ("gradients", gradient_is_transposed),
    ("update", adam_adds_epsilon_elsewhere),
    ("rmsprop", rmsprop_adds_epsilon_outside),
    ("rmsprop", rmsprop_forgets_the_past),
    ("rmsprop", each_tensor_is_clipped_alone),
    ("target", target_is_never_copied),
    ("target", target_is_the_online_network),
    ("stream", adam_adds_epsilon_elsewhere),
    ("stream", target_is_never_copied),
]


@pytest.mark.parametrize(("rung", "mutation"), MUTATIONS, ids=[f"{r}-{m.__name__}" for r, m in MUTATIONS])
def test_mutation_turns_its_rung_red(
    rung: str, mutation: Callable[[str], Any], framework: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = partial(RUNGS[rung], framework)
    ladder.is_green(RUNGS[rung], framework)
    part(framework, "learner")
    owner, name, patched = mutation(framework)
    monkeypatch.setattr(owner, name, patched)
    # SAME padding changes shapes: the next layer then refuses its input, in its framework's own words.
    # JAX itself refuses a target whose buffers were donated.
    late: tuple[type[Exception], ...] = (ValueError,)  # the oracle's products do not fit
    others = {
        numbers_join_a_layer_late: late,
        padding_is_same: OTHER_SHAPES,
        target_is_the_online_network: (RuntimeError,),
    }
    red = (AssertionError, *others.get(mutation, ()))
    with pytest.raises(red):
        check()
