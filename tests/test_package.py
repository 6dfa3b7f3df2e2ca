"""What is published: wheel, source distribution, their metadata, and the links and words around them."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import yaml

import triptych

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IS_CHECKOUT = not (ROOT / "PKG-INFO").exists()  # else an unpacked source distribution, which has no runs under results/
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md"]


def sources(folder: str, *, ends: str = "") -> set[str]:
    """Files of a folder of the project, but what Python and tools leave there."""
    found = (path for path in (ROOT / folder).rglob(f"*{ends}") if path.is_file())
    made = {"__pycache__", ".environments", ".hypothesis", ".pytest_cache", ".ruff_cache"}
    return {path.relative_to(ROOT).as_posix() for path in found if not made & set(path.parts)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that was built from it."""
    copy, out = tmp_path_factory.mktemp("project") / "triptych", tmp_path_factory.mktemp("dist")
    made = (".*_cache", "__pycache__", "*.egg-info", ".venv*", ".git", ".environments")
    heavy = ("*.safetensors", "*.csv", "*.json", "*.html", "*.mp4", "*.png")  # of the runs under results/
    copy.mkdir()
    for path in ROOT.iterdir():
        if path.name in ("runs", "build", "dist") or any(path.match(pattern) for pattern in made):
            continue
        if path.is_dir():
            patterns = made + heavy if path.name == "results" else made
            shutil.copytree(path, copy / path.name, ignore=shutil.ignore_patterns(*patterns))
        else:
            shutil.copy(path, copy)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(built.glob("*.whl")))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


@pytest.fixture(scope="module")
def unpacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path_factory.mktemp("unpacked"), filter="data")
        return tmp_path_factory.getbasetemp() / "unpacked0" / archive.getnames()[0].partition("/")[0]


def test_the_wheel_is_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == sources("triptych")
    assert {"triptych/py.typed", "triptych/report/published/a3c_atari57.csv"} < inside
    assert {name for name in inside if "/templates/" in name} == sources("triptych/report/templates")


def test_the_wheel_runs_and_its_hints_are_those_of_an_index(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Unpacked into a folder of packages, as an installer does it."""
    wheel.extractall(tmp_path)
    code = (
        "import triptych; from triptych.utils.install import install_hint; from triptych.cli.main import run;"
        "print(triptych.__file__); print(install_hint('pixels')); run(['recipes'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(
        command,
        env=environment | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == [str(tmp_path / "triptych" / "__init__.py"), 'pip install "triptych[pixels]"'], done.stderr
    assert any("cartpole" in line for line in lines[2:]), done.stdout


def test_the_metadata_say_what_an_index_shows(metadata: Message) -> None:
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Version"] == PROJECT["version"] == triptych.__version__
    classifiers = metadata.get_all("Classifier", [])
    assert "Typing :: Typed" in classifiers
    assert [one.rpartition(" ")[2] for one in classifiers if "Python :: 3." in one] == ["3.11", "3.12", "3.13"]
    urls = dict(one.split(", ") for one in metadata.get_all("Project-URL", []))
    assert set(urls) == {"Source", "Documentation", "Changelog", "Issues"}
    assert all(url.startswith("https://") for url in urls.values())


def test_the_description_has_whole_addresses_only(metadata: Message) -> None:
    """An index shows README.md away from its folder."""
    text = str(metadata.get_payload())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert LINK.findall(readme), "in the repository they are relative"
    assert LINK.findall(text) == []
    assert text.count("](https://") == readme.count("](https://") + len(LINK.findall(readme))
    assert "/raw/main/docs/pictures/three-frameworks.gif)" in text, "a picture, not a page about it"
    assert "/blob/main/docs/trust.md)" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    runs = (
        set() if IS_CHECKOUT else {target for target in targets if "results/" in target and not target.endswith(".md")}
    )
    assert [target for target in targets if target not in runs and not (page.parent / target).exists()] == []


def test_the_source_distribution_has_all_that_its_tests_need(unpacked: Path) -> None:
    inside = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    wanted = set.union(*(sources(folder) for folder in ("triptych", "tests", "docs", "benchmarks")))
    assert wanted - inside == set()
    around = {
        "Makefile",
        "constraints.txt",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CITATION.cff",
        "CHANGELOG.md",
        "LICENSE",
    }
    assert around - inside == set()
    assert [name for name in inside if name.startswith("results/") and not name.endswith((".md", ".py"))] == []
    assert not any("__pycache__" in name for name in inside)


@pytest.mark.skipif(not IS_CHECKOUT, reason="the source distribution has no runs")
def test_the_results_are_small() -> None:
    """Pages are built when they are wanted (results/pages.py), and weights stay where a text or a test uses them."""
    listed = subprocess.run(["git", "ls-files", "-z", "results"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert len(files) > 100
    assert sum(file.stat().st_size for file in files if file.exists()) < 55e6
    assert [file for file in files if file.name in ("study.html", "report.html")] == []


def test_the_tests_of_the_source_distribution_run(unpacked: Path) -> None:
    """Some of each kind: those that read the source, the docs, the examples; that train; that start another process."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTEST_ADDOPTS")}
    some = [
        "tests/test_house.py", "tests/test_drawing.py", "tests/utils/test_processes.py", "tests/utils/test_reading.py",
        "tests/losses/test_losses.py", "tests/envs/test_toys.py",
        "tests/test_examples.py::test_it_is_stopped_resumed_tested_and_reported[layer]", "tests/test_package.py::test_links_lead_to_files",
    ]  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *some]
    done = subprocess.run(command, env=environment, cwd=unpacked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"\d\d+ passed", done.stdout)
    assert "skipped" not in done.stdout


def test_the_demo_needs_no_test_tools() -> None:
    """`make demo` installs the extra `all`, `make test` the rest on top of it."""
    extras = PROJECT["optional-dependencies"]
    tools = {re.split(r"[>=\[]", one)[0] for one in extras["dev"]} - {"triptych"}
    needed = {
        re.split(r"[>=\[;]", one)[0] for name, found in extras.items() if name not in ("dev", "all") for one in found
    }
    assert {"pytest", "ruff", "mypy", "hypothesis"} <= tools
    assert not tools & needed
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^demo: \.venv/ready$", make, re.M)
    recipe = make.partition(".venv/ready:")[2].partition("\n\n")[0]
    assert "'.[all]'" in recipe
    assert "dev" not in recipe


def test_the_pins_know_every_package_that_is_asked_for() -> None:
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in pins()}
    asked = {
        re.split(r"[>=\[;]", one)[0].lower()
        for one in [
            *PROJECT["dependencies"],
            *(one for found in PROJECT["optional-dependencies"].values() for one in found),
        ]
        if "!= 'x86_64'" not in one  # what other processors need instead
    }
    assert asked - pinned == {"triptych"}


def pins() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_citation_can_be_read_and_is_of_this_version() -> None:
    """The keys that version 1.2.0 of the format asks for, and what must agree with the package."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert all(isinstance(cited[key], str) and cited[key] for key in ("message", "title"))
    assert cited["authors"]
    assert all("name" in author or "family-names" in author for author in cited["authors"])
    assert cited["type"] == "software"
    assert (cited["version"], cited["license"]) == (PROJECT["version"], PROJECT["license"])
