"""A report as Markdown, with its figures as pictures in a folder beside it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from triptych.report.films import FilmFile, link
from triptych.report.handin.document import (
    Block,
    Cell,
    Code,
    Curves,
    Document,
    Figure,
    Films,
    Heading,
    Links,
    Sources,
    Table,
    Text,
)  # fmt: skip
from triptych.report.handin.draw import draw, file_names
from triptych.report.handin.figures import described
from triptych.report.handin.stills import still
from triptych.utils.files import write_whole

ON_SCREEN = ("everything",)  # parts whose figures nothing stands in for
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&$])")


def figures_beside(path: Path) -> Path:
    """The folder of a page's pictures."""
    return path.with_name(f"{path.stem}-figures")


class Writer:
    """Writes one document; `folder` takes its pictures."""

    def __init__(self, document: Document, path: Path):
        self.document, self.path = document, path
        self.folder = figures_beside(path)
        self.names = file_names(document.figures)

    def write(self) -> list[Path]:
        """The Markdown, whole or not at all, after its pictures; returns what was written, the Markdown first."""
        pictures = draw(self.document.figures, self.folder, ("png",)) if self.document.figures else {}
        text = "\n\n".join(filter(None, self.lines())) + "\n"
        write_whole(self.path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
        return [self.path, *(file for files in pictures.values() for file in files)]

    def lines(self) -> list[str]:
        document = self.document
        found = [f"# {plain(document.title or document.question)}"]
        found += [f"**{plain(document.question)}**"] if document.title else []
        found.append(f"*{plain(' · '.join(filter(None, (document.author, document.date))))}*")
        found += [self.block(block) for block in document.lead]
        shown = [part for part in document.parts if part.id not in ON_SCREEN]
        written = {part.id: list(filter(None, map(self.block, part.blocks))) for part in shown}
        there = [part for part in shown if written[part.id]]
        found.append("## Contents\n\n" + "\n".join(f"- [{plain(part.title)}](#{part.id})" for part in there))
        for part in there:  # an anchor of its own: what viewers make of a heading differs
            found += [f'<a id="{part.id}"></a>\n\n## {plain(part.title)}', *written[part.id]]
        return found

    def block(self, block: Block) -> str:
        match block:
            case Table():
                return table(block)
            case Text():
                text = "\n\n".join(plain(line) for line in block.text.splitlines() if line.strip())
                if block.kind == "own":
                    return "\n>\n".join(f"> {line}" for line in text.split("\n\n"))
                return f"**{text}**" if block.kind in ("verdict", "warning") else text
            case Heading():
                return f"### {plain(block.text)}"
            case Code():
                return f"{plain(block.title)}\n\n{fenced(block.text, block.language)}"
            case Links():
                return "\n".join(f"- [{plain(text)}]({address(to)})" for text, to in block.items)
            case Figure():
                return self.figure(block)
            case Curves():
                return "\n\n".join(map(self.figure, block.figures))
            case Films():
                return self.films(block.films)
            case Sources():
                return sources(block)

    def figure(self, figure: Figure) -> str:
        file = f"{quote(self.folder.name)}/{self.names[figure.name]}.png"
        return f"![{plain(described(figure))}]({file})\n\n{plain(figure.caption)}".strip()

    def films(self, films: list[FilmFile]) -> str:
        """A picture of each film, which leads to it."""
        found = []
        for number, film in enumerate(films):
            to, name = link(film.file, self.path), plain(f"{film.run}: {film.name}")
            picture = still(film.file)
            if picture is None:
                found.append(f"- [{name}]({to})")
                continue
            self.folder.mkdir(exist_ok=True)
            file = self.folder / f"film-{number + 1}.png"
            write_whole(file, lambda temporary, picture=picture: temporary.write_bytes(picture))  # type: ignore[misc]
            found.append(f"[![{name}]({quote(self.folder.name)}/{file.name})]({to})\n\n{name}")
        return "\n\n".join(found)


def plain(text: str) -> str:
    """A text that Markdown takes as it stands, in one line: no tag, no emphasis, no link."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def address(to: str) -> str:
    return to.replace("(", "%28").replace(")", "%29").replace("<", "%3C").replace(">", "%3E")


def fenced(text: str, language: str = "") -> str:
    """A block of code, whatever backquotes stand in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def table(block: Table) -> str:
    head = "| " + " | ".join(plain(title) for title in block.head) + " |"
    sides = "|" + "|".join("---:" if place >= block.numbers else "---" for place in range(len(block.head))) + "|"
    rows = ["| " + " | ".join(map(cell, row)) + " |" for row in block.rows]
    return "\n".join([head, sides, *rows]) + (f"\n\n{plain(block.caption)}" if block.caption else "")


def cell(one: Cell) -> str:
    text = plain(one.text)
    text = f"[{text}]({address(one.link)})" if one.link else text
    text = f"**{text}**" if one.strong and text else text
    return f"{text} ({plain(one.small.strip('()'))})" if one.small else text


def sources(block: Sources) -> str:
    """The agents' sources: layers, then each part in each framework."""
    found = []
    for labels, layers in block.found["layers"]:
        rows = [
            [Cell(name, strong=True), Cell(str(kind)), Cell(" x ".join(map(str, shape))), Cell(f"{weights:,}")]
            for name, kind, shape, weights in layers
        ]
        title = f"### Layers: {plain('; '.join(labels))}" if len(block.found["layers"]) > 1 else "### Layers"
        found += [title, table(Table(["layer", "kind", "output size", "weights"], rows, numbers=2))]
    for part in block.found["parts"]:
        found.append(f"### {plain(part['name'].capitalize())}")
        for variant in part["variants"]:
            found += variant_lines(variant, block.found, part["variants"][0]["labels"])
    return "\n\n".join(found)


def variant_lines(variant: dict[str, object], sources: dict[str, object], first: list[str]) -> list[str]:
    """One agent's texts: one a framework, or one that all share."""
    labels, texts, titles = variant["labels"], variant["texts"], sources["titles"]
    assert isinstance(labels, list)
    assert isinstance(texts, list)
    assert isinstance(titles, list)
    found = (
        [
            f"**{plain('; '.join(labels))}**"
            + (f", what differs from {plain('; '.join(first))}" if variant["is_changes"] else "")
        ]
        if sources["several"]
        else []
    )
    language = "diff" if variant["is_changes"] else "python"
    if variant["is_cut"]:
        return [*found, "Too long for this page; `triptych show` prints it."]
    if len(texts) == 1:
        return [*found, fenced(texts[0], language)]
    for title, text in zip(titles, texts, strict=True):
        found += [plain(title), fenced(text, language)]
    return found
