"""A recipe as a Python file of its own, which `train` takes."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from triptych import envs, spec
from triptych.recipes.recipe import Recipe
from triptych.utils.files import write_whole

ALGORITHMS = "triptych.algorithms."
LONGEST = 120  # letters of a line that is not cut


def write_recipe(path: Path, recipe: Recipe, told: str) -> None:
    """Writes the file; `told` is its first line."""
    text = to_python(recipe, told)
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def to_python(recipe: Recipe, told: str) -> str:
    """The source of a recipe: each setting that is not as its class has it by default.

    A recipe from a file of the user's runs that file first: it may register what the recipe is made of.
    """
    source = Source(recipe.source)
    made = source.call(dataclasses.replace(recipe, source=""), "")
    imports = "\n".join(source.lines())
    own = f"\n\nown = run_file(Path({literal(recipe.source)}))" if recipe.source else ""
    quoted = told.replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{quoted}"""\n\n{imports}{own}\n\nrecipe = {made}\n'


class Source:
    """What is written, and what must be imported for it. `file` is the user's own, where the recipe came from one."""

    def __init__(self, file: str):
        self.file = file
        self.imports: dict[str, set[str]] = {}  # module -> the names from it; none: the module itself
        if file:
            self.imports |= {"pathlib": {"Path"}, "triptych.recipes.load": {"run_file"}}

    def lines(self) -> list[str]:
        """The imports."""
        return [
            f"from {module} import {', '.join(sorted(names))}" if names else f"import {module}"
            for module, names in sorted(self.imports.items())
        ]

    def take(self, module: str, name: str) -> None:
        self.imports.setdefault(module, set()).add(name)

    def call(self, config: Any, indent: str) -> str:
        """A dataclass as the call that makes it."""
        name = self.name(type(config))
        if isinstance(config, envs.GameConfig) and name == "EnvConfig":
            given = [literal(config.id)] + [
                f"{key}={literal(value)}" for key, value in changed(config).items() if key != "id"
            ]
            return f"{name}({', '.join(given)})"
        words = {key: self.value(value, indent + "    ") for key, value in changed(config).items()}
        given = [f"{key}={word}" for key, word in words.items()]
        line = f"{name}({', '.join(given)})"
        if len(indent) + len(line) <= LONGEST and "\n" not in line and not isinstance(config, Recipe):
            return line
        return f"{name}(\n" + "".join(f"{indent}    {word},\n" for word in given) + f"{indent})"

    def value(self, value: Any, indent: str) -> str:
        if dataclasses.is_dataclass(value):
            return self.call(value, indent)
        if isinstance(value, tuple) and any(dataclasses.is_dataclass(item) for item in value):
            return (
                "(\n" + "".join(f"{indent}    {self.value(item, indent + '    ')},\n" for item in value) + f"{indent})"
            )
        return literal(value)

    def name(self, kind: type) -> str:
        """How a class is called in the file, which imports it."""
        module, name = kind.__module__, kind.__qualname__
        if kind is Recipe:
            self.take("triptych", "Recipe")
            return name
        if issubclass(kind, envs.GameConfig) and module.startswith("triptych."):
            self.take("triptych.envs", "EnvConfig")
            return "EnvConfig"
        if getattr(spec, name, None) is kind:
            self.take("triptych.spec", name)
            return name
        if module.startswith(ALGORITHMS):
            short = module.removeprefix(ALGORITHMS)
            self.take("triptych.algorithms", short)
            return f"{short}.{name}"
        if self.file and getattr(sys.modules.get(module), "__file__", None) == self.file:
            return f"own.{name}"
        self.imports.setdefault(module, set())
        return f"{module}.{name}"


def literal(value: Any) -> str:
    """A plain value, its texts in double quotes."""
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    return repr(value)


def changed(config: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not as they are by default."""
    found = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        if field.init and (default is dataclasses.MISSING or value != default or type(value) is not type(default)):
            found[field.name] = value
    return found
