"""The zip that Stable-Baselines3 saves an agent as: its two files, its tensors, and whether all of it was understood."""

from __future__ import annotations

import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from triptych.utils.checks import InputError, check
from triptych.utils.reading import parse_json

MOST_BYTES = 2_000_000_000  # of the weights; those of a Nature network are 7 MB
ALLOWED = "a zip that Stable-Baselines3's `save` wrote, of DQN, A2C, PPO or RecurrentPPO"
OWN_POLICY = (
    r"stable_baselines3\..*|sb3_contrib\.common\.recurrent\..*"  # the modules of MlpPolicy, CnnPolicy and their like
)
OWN_EXTRACTOR = r".*'stable_baselines3\.common\.torch_layers\.(NatureCNN|FlattenExtractor)'.*"
COPIES = {  # what a zip holds twice: the target network, and features that policy and value share
    "q_net_target.": "q_net.",
    "pi_features_extractor.": "features_extractor.",
    "vf_features_extractor.": "features_extractor.",
}
# What damaged zips make of Python's reader: its own errors, those of the compressions, and those of names and sizes.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    OSError, NotImplementedError, RuntimeError, EOFError, ValueError, LookupError,
)  # fmt: skip


class Tensors(Mapping[str, np.ndarray]):
    """The tensors of a file by name. It remembers which of them were read."""

    def __init__(self, held: Mapping[str, np.ndarray]):
        self.held = held
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> np.ndarray:
        self.used.add(name)
        return self.held[name]

    def __contains__(self, name: object) -> bool:
        return name in self.held

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def left_over(self) -> list[str]:
        """Those that were never read, and are no copy of one that was."""
        return [name for name in self.held if name not in self.used and copied(name) not in self.used]


def copied(name: str) -> str | None:
    """The tensor that one of this name is a copy of."""
    return next((to + name.removeprefix(own) for own, to in COPIES.items() if name.startswith(own)), None)


def shares_features(tensors: Tensors) -> bool:
    """Whether the copies of the features that a shared extractor is saved with are copies."""
    for name, tensor in tensors.held.items():
        if name.startswith(("pi_features_extractor.", "vf_features_extractor.")):
            shared = tensors.held.get(copied(name) or "")
            if shared is None or not np.array_equal(shared, tensor):
                return False
    return True


def contents(path: Path) -> tuple[Any, bytes]:
    """What a zip says of the agent, parsed, and the bytes of its weights.

    Raises:
        InputError: it is no zip, it is damaged, or one of the two is not there.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return parse_json(entry(archive, "data", path), f"{path}: data", any_text=True), entry(
                archive, "policy.pth", path
            )
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; allowed: {ALLOWED}") from None
    except InputError:
        raise
    except DAMAGED as error:
        reason = str(error).split("\n")[0]
        raise InputError(f"{path} is damaged, or no zip ({reason}); allowed: {ALLOWED}") from None


def entry(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    """A file inside, no larger than a network is."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise InputError(f"{path} holds no {name}; allowed: {ALLOWED}") from None
    check(
        info.file_size <= MOST_BYTES, f"size of {name} in {path.name}", info.file_size, f"at most {MOST_BYTES:,} bytes"
    )
    with archive.open(info) as file:
        return file.read(MOST_BYTES)


def readable(data: Mapping[str, Any], space: str, field: str) -> str:
    """What stands beside a pickled space, as text; empty where it does not."""
    found = data.get(space)
    said = found.get(field) if isinstance(found, dict) else None
    return str(said) if isinstance(said, str | int | list) else ""


def check_understood(tensors: Tensors, data: Mapping[str, Any], path: Path) -> None:
    """Refuses an agent that computes more than was read of it: layers, features or a policy of its maker's own.

    Raises:
        InputError: the line names the tensor, or the class.
    """
    left = tensors.left_over()
    if left:
        raise InputError(
            f"{path}: nothing here is its tensor {left[0]}; allowed: agents whose layers are all Stable-Baselines3's own"
        )
    extractor = readable(data, "policy_kwargs", "features_extractor_class")
    if extractor and not re.fullmatch(OWN_EXTRACTOR, extractor, re.DOTALL):
        raise InputError(f"{path}: its features are those of {extractor}; allowed: NatureCNN, FlattenExtractor")
    module = readable(data, "policy_class", "__module__")
    if module and not re.fullmatch(OWN_POLICY, module):
        raise InputError(f"{path}: its policy is a class of {module}; allowed: Stable-Baselines3's own policies")
