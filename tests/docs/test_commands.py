"""The commands of the tutorials and of the README work, in the virtual environment that the first tutorial makes.

Every ``console`` block of these pages is run, in the order of the page, by one shell for each page. HTML comments
before a block, which readers do not see, say more::

    <!-- not run: REASON -->       a test cannot run it
    <!-- run in the checkout -->   the text says so, too
    <!-- file: NAME -->            a block that the reader is asked to write into a file

Some things are not as they are for readers, since conda-forge cannot be asked here, and to save time. The
configuration sets ``channel_alias``, as a site with a mirror does: the name ``conda-forge`` leads to the channel of the
tests. It turns ``check_imports`` off. Packages are unpacked in a cache that tests share, and pip compiles no byte code.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from jupyter_envstore.engine.prefix import remove_tree
from tests.conftest import end_workers

ROOT = Path(__file__).parent.parent.parent
TUTORIALS = ROOT / "docs" / "tutorials"
INSTALL = TUTORIALS / "install.md"
PAGES = [INSTALL, TUTORIALS / "command-line.md", TUTORIALS / "jupyterlab.md", ROOT / "README.md"]
BLOCK = re.compile(
    r"^(?:<!-- (?P<note>[^\n]*) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
SECONDS = 500

pytestmark = pytest.mark.timeout(SECONDS + 60)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the comment before it."""

    language: str
    text: str
    note: str

    @property
    def reason(self) -> str:
        """Why it is not run; empty where it is."""
        return self.note.removeprefix("not run: ") if self.note.startswith("not run: ") else ""

    @property
    def file(self) -> str:
        """The file that it is the text of; empty for commands."""
        return self.note.removeprefix("file: ") if self.note.startswith("file: ") else ""


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    found = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(each["language"], each["text"], each["note"] or "") for each in found]


class Reader:
    """Somebody who does what the pages say, in a folder of their own, with a store of their own."""

    def __init__(self, folder: Path, channel: str, packages: Path) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.store.mkdir()
        (self.store / "pkgs").symlink_to(packages)
        channels = folder / "channels"
        channels.mkdir()
        (channels / "conda-forge").symlink_to(url2pathname(urlsplit(channel).path))
        configuration = folder / "config"
        configuration.mkdir()
        (configuration / "jupyter_envstore_config.py").write_text(
            f"c.EnvStoreApp.root_dir = {str(self.store)!r}\nc.EnvStoreApp.channel_alias = {channels.as_uri()!r}\n"
            "c.EnvStoreApp.default_settings = {'check_imports': False}\n"
        )
        self.work = folder / "work"
        self.environment = folder / "work" / "install" / "envstore"
        """What the first tutorial makes."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        path = os.pathsep.join([str(self.environment / "bin"), os.environ["PATH"]])
        self.variables = kept | {"PATH": path, "JUPYTER_CONFIG_DIR": str(configuration), "PIP_NO_COMPILE": "1"}

    def follow(self, page: Path) -> str:
        """Run a page's commands in a folder of the page's name; return what they print."""
        here = self.work / page.stem
        here.mkdir(parents=True)
        lines = ["set -euo pipefail"]
        for block in blocks_of(page):
            if block.file:
                (here / block.file).write_text(block.text, encoding="utf-8")
            elif block.language == "console" and not block.reason:
                place = ROOT if block.note == "run in the checkout" else here
                lines += [f"cd '{place}'", block.text]
        script = "\n".join(lines)
        done = subprocess.run(
            ["bash", "-c", script], cwd=here, env=self.variables, capture_output=True, text=True, check=False,
            timeout=SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{script}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def reader(channel: str, package_cache: Path) -> Iterator[Reader]:
    """Somebody who has read the first tutorial."""
    folder = Path(tempfile.mkdtemp(prefix="es-"))
    found = Reader(folder, channel, package_cache)
    found.follow(INSTALL)
    yield found
    end_workers(found.store)
    remove_tree(folder)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_is_run_or_says_why_not(page: Path) -> None:
    commands = [block for block in blocks_of(page) if block.language == "console"]
    assert len(commands) == page.read_text(encoding="utf-8").count("```console")
    for block in commands:
        assert block.note in ("", "run in the checkout") or len(block.reason) > 20, block
    files = [block for block in blocks_of(page) if block.language == "yaml"]
    assert all(block.file for block in files)


def test_all_tutorials_are_among_these_pages() -> None:
    assert set(TUTORIALS.glob("*.md")) - {TUTORIALS / "index.md"} == set(PAGES) - {ROOT / "README.md"}


def test_the_first_tutorial_installs_jupyter_envstore_and_jupyterlab(reader: Reader) -> None:
    code = "import jupyter_envstore, jupyterlab; print(jupyter_envstore.__file__, jupyterlab.__file__)"
    python = str(reader.environment / "bin" / "python")
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, cwd=reader.folder)
    places = done.stdout.split()
    assert all(Path(place).is_relative_to(reader.environment) for place in places), places


def test_the_tutorial_of_the_command_line_builds_changes_and_shares_an_environment(reader: Reader) -> None:
    printed = reader.follow(TUTORIALS / "command-line.md")
    assert "default/first:1 is ready" in printed
    assert "default/first:2 is ready" in printed
    assert re.search(r"^added +pandas ", printed, re.MULTILINE)
    assert "default/first:1 is active" in printed
    made = {path.name for path in (reader.work / "command-line").iterdir()}
    assert "conda-lock.yml" in made
    assert any(re.fullmatch(r"first-[\w-]+\.tar\.gz", name) for name in made), made


def test_the_commands_of_the_readme_build_use_and_share_an_environment(reader: Reader) -> None:
    printed = reader.follow(ROOT / "README.md")
    assert "default/data:1 is ready" in printed
    made = {path.name for path in (reader.work / "README").iterdir()}
    assert "conda-lock.yml" in made
    assert any(re.fullmatch(r"data-[\w-]+\.sh", name) for name in made), made
