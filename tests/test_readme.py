"""What README, README.ja and the docs tell people to type is real: targets, commands, Python, links."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from omokage.cli.main import app
from omokage.weights.registry import DEFAULT_SET, set_names

ROOT = Path(__file__).resolve().parents[1]
READMES = (ROOT / "README.md", ROOT / "README.ja.md")
PAGES = (*READMES, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
NAMES = [str(p.relative_to(ROOT)) for p in PAGES]
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
needs_weights = pytest.mark.skipif(DEFAULT_SET not in set_names(), reason="no weights are shipped in this tree yet")


def blocks(path: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(path.read_text(encoding="utf-8"))


def shell_lines(path: Path, program: str) -> list[str]:
    """Lines of shell blocks that start with a program, without comments."""
    found = [
        line.split("  #")[0].strip() for kind, text in blocks(path) if kind in ("", "sh") for line in text.splitlines()
    ]
    return [line for line in found if line.split(" ")[0] == program]


def test_both_readmes_show_the_same_commands_and_code() -> None:
    def bare(path: Path) -> list[tuple[str, list[str]]]:
        return [(kind, [re.sub(r"\s*#.*", "", line) for line in text.splitlines()]) for kind, text in blocks(path)]

    assert bare(READMES[0]) == bare(READMES[1])
    pictures = [re.findall(r"!\[[^\]]*\]\(([^)]*)\)", p.read_text(encoding="utf-8")) for p in READMES]
    assert pictures[0] == pictures[1]
    headings = [re.findall(r"^#+", p.read_text(encoding="utf-8"), re.MULTILINE) for p in READMES]
    assert headings[0] == headings[1], "a section is missing in one of the two languages"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_set_up_commands_exist(page: Path) -> None:
    targets = set(re.findall(r"^    ([a-z]+)\)", (ROOT / "run").read_text(), re.MULTILINE))
    assert {line.split()[2] for line in shell_lines(page, "sh")} <= targets


def test_the_readmes_give_the_two_commands() -> None:
    for page in READMES:
        assert [line.split()[2] for line in shell_lines(page, "sh")] == ["demo", "test"]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_are_understood(page: Path) -> None:
    """Every `omokage` line is parsed by the real command line, without being run."""
    root = typer.main.get_command(app)
    for line in shell_lines(page, "omokage"):
        command, words, context = root, shlex.split(line)[1:], None
        while hasattr(command, "resolve_command"):
            context = typer.Context(command, info_name="omokage", parent=context)
            _, command, words = command.resolve_command(context, words)
            assert command is not None, line
        command.make_context("omokage", list(words), parent=context).close()


@needs_weights
@pytest.mark.parametrize("page", READMES, ids=[p.name for p in READMES])
def test_python_of_the_readme_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pytest.importorskip("skimage.data")
    from PIL import Image

    Image.fromarray(data.astronaut()).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    code = [text for kind, text in blocks(page) if kind == "python"]
    assert len(code) == 1
    assert len([line for line in code[0].splitlines() if line]) == 3, "three lines of Python"
    exec(compile(code[0], str(page), "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_python_of_the_docs_compiles_and_its_imports_exist(page: Path) -> None:
    for kind, text in blocks(page):
        if kind == "python":
            compile(text, str(page), "exec")
            imports = [line for line in text.splitlines() if re.match(r"(from|import) omokage", line)]
            exec("\n".join(imports), {})


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"
