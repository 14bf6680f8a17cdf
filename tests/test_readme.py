"""The README and the pages in docs/ show what the tool prints.

Each ```console block is a session: lines that begin with `$` are commands (`interleave`, or `python`
with a file of the page), what follows one is its output. Each ```python block whose first line is `# name.py` is that file, there for the sessions of
its page. `python tests/test_readme.py` writes the present output, and the picture, into the pages.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from interleave.cli import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "models" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PICTURE = ROOT / "docs" / "images" / "counterexample.png"
DRAWN = ["check", "models/counter/without_lock.py", "--diagram"]

SESSION = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"^```python\n(# (\w+\.py)\n.*?)^```$", re.DOTALL | re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
NAMED_BY_THE_USER = ("parameters", "initial", "final", "changes", "state")
"""Keys of the JSON whose values have the names of parameters or variables for keys."""

LINK = re.compile(r"\]\(([^)#]+)(#[^)]*)?\)")


@contextlib.contextmanager
def workplace(page: str) -> Iterator[None]:
    """A folder with the models and with the files that a page shows, as working directory."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("models", "examples"):
            os.symlink(ROOT / name, Path(folder, name))
        for text, name in FILE.findall(page):
            Path(folder, name).write_text(text, encoding="utf-8")
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def run(command: str) -> tuple[str, int]:
    """What a command prints, on standard output and standard error, and its exit code."""
    name, *arguments = shlex.split(command)
    if name == "python":
        return run_python(arguments)
    assert name == "interleave", command
    result = CliRunner().invoke(main, arguments, prog_name=name)
    assert result.exit_code in (0, 1, 2, 3), result.output  # else it is no output to show
    return result.output, result.exit_code


def run_python(arguments: list[str]) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, "-X", "utf8", *arguments], capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, 0


def rerun(session: str) -> str:
    """A session, with the output that its commands have now."""
    lines = []
    exit_code = 0
    for line in session.splitlines():
        if line == "$ echo $?":
            lines.append(f"{line}\n{exit_code}\n")
        elif line.startswith("$ "):
            output, exit_code = run(line[2:])
            lines.append(f"{line}\n{output}")
    return "".join(lines)


def sessions() -> list[tuple[Path, int]]:
    return [
        (page, number)
        for page in PAGES
        for number, _ in enumerate(SESSION.findall(page.read_text(encoding="utf-8")))
    ]


def shown(parameter: object) -> str:
    return parameter.name if isinstance(parameter, Path) else str(parameter)


@pytest.mark.parametrize(("page", "number"), sessions(), ids=shown)
def test_a_session_shows_what_is_printed(page: Path, number: int) -> None:
    text = page.read_text(encoding="utf-8")
    session = SESSION.findall(text)[number]
    with workplace(text):
        assert rerun(session) == session


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    for target, _ in LINK.findall(text):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_the_readme_begins_with_a_command_and_a_picture() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    picture = text.index(f"]({PICTURE.relative_to(ROOT).as_posix()})")
    assert text.index("interleave race ") < picture < text.index("```python")
    assert PICTURE.read_bytes().startswith(b"\x89PNG")


def test_the_readme_shows_the_model_that_is_drawn() -> None:

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    model = (ROOT / DRAWN[1]).read_text(encoding="utf-8")
    body = model[model.index("    counter = 0") : model.index("\n    SCENARIO")]
    assert body in readme


def test_the_page_on_json_names_every_key() -> None:
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    page = page[page.index("## `interleave check --format json`") :]
    first_cells = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    named = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    with workplace(""):
        found: set[str] = set()
        for path in (
            "models/counter/without_lock.py",
            "models/deadlock/dining_philosophers.py",
            "models/deadlock/busy_waiting.py",
            "models/races/publication.py",
            "models/asyncio/half_done.py",
        ):
            _keys(_document(path), found)
        Path("broken.py").write_text("1 / 0", encoding="utf-8")
        _keys(_document(f"broken.py {path} --max-states 3"), found)
    assert named == found


def _document(arguments: str) -> object:
    output, _ = run(f"interleave check --format json {arguments}")
    return json.JSONDecoder().raw_decode(output, output.index("{"))[0]


def _keys(value: object, found: set[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _keys(item, found)
    elif isinstance(value, dict):
        for key, item in value.items():
            found.add(key)
            if key not in NAMED_BY_THE_USER:
                _keys(item, found)


def write() -> None:
    """Bring the pages and the picture up to date."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        with workplace(text):
            text = SESSION.sub(lambda found: rerun(found[1]), text)
        page.write_text(text, encoding="utf-8")
    with workplace(""):
        run(shlex.join(["interleave", *DRAWN, str(PICTURE)]))


if __name__ == "__main__":
    sys.exit(write())
