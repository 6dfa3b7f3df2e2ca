"""What the package's metadata say that pyproject.toml cannot: README.md with whole addresses, for the page of an index.

In the repository the links are relative, so that they work in every checkout and on every host of it.
"""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup

# THE PLACE OF THE PROJECT: it has no public address yet, and .example is nobody's. Whoever publishes it sets this line.
ADDRESS = "https://triptych.example/triptych"
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s]+)\)")  # [text](docs/design.md#rooms), not [text](#rooms), not a whole address
PICTURES = (".png", ".svg", ".gif")


def whole(readme: str) -> str:
    """README.md with each relative link made a whole address."""

    def address(found: re.Match[str]) -> str:
        place = "raw" if found[1].endswith(PICTURES) else "blob"
        return f"]({ADDRESS}/{place}/main/{found[1]})"

    return LINK.sub(address, readme)


if __name__ == "__main__":
    setup(
        long_description=whole(Path(__file__).with_name("README.md").read_text(encoding="utf-8")),
        long_description_content_type="text/markdown",
        project_urls={
            "Source": ADDRESS,
            "Documentation": f"{ADDRESS}/blob/main/README.md",
            "Changelog": f"{ADDRESS}/blob/main/CHANGELOG.md",
            "Issues": f"{ADDRESS}/issues",
        },
    )
