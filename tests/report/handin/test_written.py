"""The report as files: HTML, Markdown, figures and PDF, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from pathlib import Path

import pytest

from tests.report.handin.conftest import write_tested
from triptych.__main__ import main
from triptych.report.handin import as_pdf
from triptych.report.handin.as_html import as_html
from triptych.report.handin.as_markdown import fenced, plain
from triptych.report.handin.compose import Composer
from triptych.report.handin.document import Document, Figure
from triptych.report.handin.draw import file_names
from triptych.report.handin.page import hand_in
from triptych.report.handin.request import Reading, Request, sections
from triptych.utils.checks import InputError

QUESTION = 'Is <script>alert(1)</script> "faster" & better?'
PNG, PDF = b"\x89PNG", b"%PDF"


@pytest.fixture(scope="module")
def document(runs: Path, study: Path) -> Document:
    request = Request(
        QUESTION, "A <b>Student</b>", answer="My <i>own</i> words.", sections=(("Bonus: <memory>", (str(study),)),), links=("W&B=https://wandb.ai/a/b",)
    )  # fmt: skip
    found = sections([str(runs)], request, Reading(runs))
    return Composer(found, request, None, runs / "page.html", ["triptych", "report", "--question", QUESTION]).document()


@pytest.fixture(scope="module")
def page(document: Document, runs: Path) -> str:
    return as_html(document, runs / "page.html")


@pytest.fixture(scope="module")
def written(runs: Path, study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Markdown and the figures, in a folder."""
    folder = tmp_path_factory.mktemp("written")
    request = Request(
        QUESTION, "A <b>Student</b>", answer="Mine.\n\nTwo.", sections=(("Bonus: <memory>", (str(study),)),)
    )
    hand_in([str(runs)], request, how=Reading(runs), out=folder / "report.md", figures=folder / "figures")
    return folder


def head(page: str) -> str:
    """The first screen, as text."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.split("<header>")[1].split("</header>")[0])).split())


def test_the_first_screen_is_question_answer_and_contents(page: str) -> None:
    text = head(page)
    assert text.startswith(QUESTION)
    places = [
        text.index(words)
        for words in (
            QUESTION,
            "has the highest mean score",
            "PPO in PyTorch",
            "My <i>own</i> words.",
            "Contents",
            "Bonus: <memory>",
        )
    ]
    assert places == sorted(places)


def test_nothing_that_the_user_writes_is_html(page: str) -> None:
    assert "<script>alert" not in page
    assert "<b>Student" not in page
    assert "<i>own" not in page
    assert "<memory>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_page_loads_nothing_and_its_contents_lead_to_its_parts(page: str) -> None:
    assert not re.search(r'<(?:script|img|video|link)[^>]+(?:src|href)="(?!data:)', page)
    leads = re.findall(r'<li><a href="#([^"]+)">', page)
    assert leads[:4] == ["setup", "learning", "comparison", "thresholds"]
    assert {"section-1", "settings", "sources", "machine", "evaluations", "repeat", "everything"} < set(leads)
    assert leads == re.findall(r'<section id="([^"]+)">', page)


def test_every_figure_of_the_page_has_its_numbers(page: str) -> None:
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.S)
    assert found is not None
    figures = json.loads(found[1])
    assert re.findall(r'id="figure-(\d+)"', page) == [str(place) for place in range(len(figures))]
    names = [figure["name"] for figure in figures]
    assert len(set(names)) == len(names)
    assert {"answer-CartPole-v1", "profile-CartPole-v1", "improvement-CartPole-v1", "learning-1-chain"} <= set(names)


def test_a_bonus_is_a_section_with_what_was_learned(page: str) -> None:
    section = unescape(page.split('<section id="section-1">')[1].split("</section>")[0])
    assert "Question of the study: Which <memory>?" in section
    assert "LSTM wins." in section
    assert "How to read it: How it is read." in section


def test_links_lead_to_the_tests_files_and_to_what_the_author_names(page: str, runs: Path) -> None:
    addresses = re.findall(r'<a href="([^"#]+)">', page)
    tests = [address for address in addresses if address.endswith("best.json")]
    assert len(tests) == 9
    assert all((runs / address).is_file() for address in tests)
    assert "https://wandb.ai/a/b" in addresses


def test_paper_has_no_links_to_files_and_says_an_address(document: Document, runs: Path) -> None:
    page = as_html(document, runs / "page.pdf", paper=True)
    assert "best.json" not in page
    assert '<span class="address">https://wandb.ai/a/b</span>' in page
    assert "data-paper" in page


def test_the_same_in_markdown_with_pictures_that_are_there(written: Path) -> None:
    text = (written / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# Is \\<script\\>alert(1)\\</script\\> ")
    assert "<b>" not in text.replace('<a id="', "")
    assert "\n\n> Mine.\n>\n> Two.\n\n" in text
    pictures = re.findall(r"!\[[^\n]*\]\(([^)]+\.png)\)", text)
    assert len(pictures) > 5
    assert all((written / picture).read_bytes().startswith(PNG) for picture in pictures)
    anchors = re.findall(r'<a id="([^"]+)"></a>', text)
    assert anchors == re.findall(r"- \[[^\n]*\]\(#([^)]+)\)", text)
    assert "everything" not in anchors, "what only a screen has"
    assert "```python\nclass Net(nn.Module):" in text


def test_markdowns_tables_are_whole(written: Path) -> None:
    """As many cells in each row as in the head, whatever stands in them."""
    text = re.sub(r"```.*?```", "", (written / "report.md").read_text(encoding="utf-8"), flags=re.S)
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) > 5
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block}) == 1, block[:3]


def test_figures_alone_are_written_for_pages_slides_and_latex(written: Path) -> None:
    names = {file.stem for file in (written / "figures").iterdir()}
    assert {"answer-cartpole-v1", "learning-cartpole-v1-steps", "profile-cartpole-v1", "profile-1-tasks"} <= names | {
        "profile-1-tasks"
    }
    assert {file.suffix for file in (written / "figures").iterdir()} == {".svg", ".png", ".pdf"}
    assert len(list((written / "figures").iterdir())) == 3 * len(names)


def test_text_of_users_cannot_leave_its_place_in_markdown() -> None:
    assert plain("a | b\n# <i>c</i> [d](e) `f` *g*") == "a \\| b \\# \\<i\\>c\\</i\\> \\[d\\](e) \\`f\\` \\*g\\*"
    assert fenced("```\nx").startswith("````\n"), "backquotes inside end no block"


def test_runs_of_two_games_share_a_scale(tmp_path: Path) -> None:
    for env in ("CartPole-v1", "Acrobot-v1"):
        for seed in range(2):
            from tests.report.test_page import made, write_run

            write_run(tmp_path / f"{env}-{seed}", made("", seed=seed, **{"env.id": env}))
    request = Request("Which game is harder?")
    found = sections([str(tmp_path)], request, Reading(tmp_path))
    text = head(as_html(Composer(found, request, None, tmp_path / "x.html", []).document(), tmp_path / "x.html"))
    assert "all tasks, on one scale" in text


def test_published_scores_lie_beside(tmp_path: Path) -> None:
    run = write_tested(tmp_path, "cartpole", "torch", 0, 400.0)
    (tmp_path / "theirs.csv").write_text("## Smith 2020.\ngame,agent,score\nCartPole,Smith's <DQN>,450\nPong,other,1\n")
    files = hand_in(
        [str(run)], Request("How good?", compare_to=str(tmp_path / "theirs.csv")), how=Reading(tmp_path), out=tmp_path / "x.html"
    )  # fmt: skip
    section = unescape(files[0].read_text(encoding="utf-8").split('<section id="published">')[1].split("</section>")[0])
    assert "Smith 2020." in section
    assert "Smith's <DQN>" in section
    assert "450.0" in section
    assert "400.0" in section


def test_names_of_any_letters_and_length_become_files_of_their_own() -> None:
    names = ["answer-日本", "answer-中文", "answer", "x" * 300, "x" * 301, "Pong v5", "pong-v5"]
    found = file_names([Figure(name, "", "") for name in names])
    assert list(found.values()) == [
        "answer",
        "answer-2",
        "answer-3",
        "x" * 100,
        f"{'x' * 100}-2",
        "pong-v5",
        "pong-v5-2",
    ]


def test_the_same_runs_in_two_sections_have_figures_of_their_own(runs: Path, tmp_path: Path) -> None:
    request = Request("Q?", sections=(("Again", (str(runs),)),))
    found = Composer(sections([str(runs)], request, Reading(runs)), request, None, tmp_path / "x.html", []).document()
    ids = re.findall(r' id="([^"]+)"', as_html(found, tmp_path / "x.html"))
    assert {"learning-0", "learning-1", "recorded-0", "recorded-1"} <= set(ids)
    assert len(ids) == len(set(ids))


# What is refused: one line, exit code 2, and nothing is written


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--author", "A"], "author is given, but no question; allowed: with --question TEXT"),
        (["--pdf"], "pdf is given, but no question"),
        (["--question", " "], "question is ' '; allowed: a text"),
        (["--question", "Q", "--out", "x.doc"], "out is 'x.doc'; allowed: a file that ends on .html, .md or .pdf"),
        (["--question", "Q", "--out", "nowhere/x.md"], "there is no folder 'nowhere'"),
        (["--question", "Q", "--section", "Bonus"], "section is 'Bonus'; allowed: a name, then runs or studies"),
        (["--question", "Q", "--section", "Bonus", "missing"], "no such file or run"),
        (["--question", "Q", "--margin", "0"], "margin is 0.0; allowed: above 0"),
        (["--question", "Q", "--margin", "inf"], "margin is inf; allowed: above 0"),
        (["--question", "Q", "--threshold", "nan"], "threshold is nan; allowed: a number"),
        (["--question", "Q\udcff"], "question is 'Q\\udcff'; allowed: text that can be printed"),
        (["--question", "Q", "--link", "javascript:alert(1)"], "link is 'javascript:alert(1)'; allowed: TEXT=ADDRESS"),
        (["--question", "Q", "--compare-to", "atari58"], "compare-to is 'atari58'; allowed: a CSV file that is there, or atari57; did you mean atari57?"),
        (["--question", "Q", "--figures", "nowhere/figures"], "figures is 'nowhere/figures'; allowed: a folder"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(
    flags: list[str],
    line: str,
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["report", str(runs), *flags])
    assert stop.value.code == 2
    told = capsys.readouterr().err.strip()
    assert line in told
    assert "\n" not in told
    assert list(tmp_path.iterdir()) == []


def test_without_a_browser_a_pdf_is_refused_before_anything_is_read(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(as_pdf, "places", list)
    monkeypatch.delenv(as_pdf.GIVEN, raising=False)
    with pytest.raises(InputError, match="a PDF needs Chromium, Chrome or Edge, and none is found"):
        hand_in([str(runs)], Request("Q?"), how=Reading(runs), out=tmp_path / "x.pdf")
    monkeypatch.setenv(as_pdf.GIVEN, "no-such-browser")
    with pytest.raises(InputError, match="TRIPTYCH_BROWSER is 'no-such-browser'"):
        hand_in([str(runs)], Request("Q?"), how=Reading(runs), out=tmp_path / "x.html", pdf=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_figures_would_lie_is_told(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "x-figures").write_text("mine")
    with pytest.raises(InputError, match="x-figures is a file, and the folder of this page's figures"):
        hand_in([str(runs)], Request("Q?"), how=Reading(runs), out=tmp_path / "x.md")
    assert [file.name for file in tmp_path.iterdir()] == ["x-figures"]


def test_a_browser_that_prints_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(as_pdf.GIVEN, "true" if shutil.which("true") else "python")
    with pytest.raises(InputError, match="prints no PDF"):
        as_pdf.write_pdf(tmp_path / "x.pdf", "<p>page</p>")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.browser
def test_a_browser_prints_the_page(runs: Path, tmp_path: Path) -> None:
    made = hand_in([str(runs)], Request("Q?"), how=Reading(runs), out=tmp_path / "x.pdf")
    assert made == [tmp_path / "x.pdf"]
    content = made[0].read_bytes()
    assert content.startswith(PDF)
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") + content.count(b"/Type/Page") > 3
