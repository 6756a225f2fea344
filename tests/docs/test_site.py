"""The documentation site builds without a warning, says all that the code has, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

import jupyter_envstore
from jupyter_envstore.application.service import EnvStoreService
from jupyter_envstore.cli.arguments.parser import make_parser
from jupyter_envstore.policy.settings import SETTINGS

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"


class Page(HTMLParser):
    """What a page links to, loads, and can be linked to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.anchors: set[str] = set()
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element's addresses and its id."""
        values = dict(attrs)
        self.anchors |= {found for key in ("id", "name") if (found := values.get(key))}
        if tag == "a" and values.get("href"):
            self.links.add(str(values["href"]))
        if tag in ("script", "img") and values.get("src"):
            self.loaded.add(str(values["src"]))
        if tag == "link" and values.get("rel") in ("stylesheet", "preload", "icon", "modulepreload"):
            self.loaded.add(str(values["href"]))

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.words.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning of Sphinx fails it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--nitpicky", "--fail-on-warning", "--keep-going", "--quiet"]
    command += ["--builder", "html", "--doctree-dir", str(folder / "doctrees"), str(DOCS), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """The pages of the site."""
    return {path: Page(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}


def test_every_link_within_the_site_leads_to_a_page_and_an_anchor(pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            is_there = target.exists() and (not parts.fragment or unquote(parts.fragment) in pages[target].anchors)
            if not is_there:
                broken.append(f"{path.name}: {link}")
    assert len(pages) > 10
    assert not broken


def test_the_site_loads_nothing_from_elsewhere(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        for address in page.loaded:
            parts = urlsplit(address)
            assert not parts.netloc, f"{path.name} loads {address}"
            assert not parts.path or (path.parent / unquote(parts.path)).exists(), f"{path.name} loads {address}"


def test_the_reference_names_every_trait_setting_command_and_operation(pages: dict[Path, Page], site: Path) -> None:
    anchors = {path.stem: page.anchors for path, page in pages.items() if path.parent.name == "reference"}
    application = jupyter_envstore._jupyter_server_extension_points()[0]["app"]
    own = {
        name
        for part in application.__mro__
        if part.__module__.startswith("jupyter_envstore")
        for name in vars(part)
        if name in application.class_traits(config=True)
    }
    assert {"root_dir", "shared"} <= own
    assert {f"confval-c.EnvStoreApp.{name}" for name in own} <= anchors["configuration"]
    alone = {name for name in vars(EnvStoreService) if name in EnvStoreService.class_traits(config=True)}
    assert "allow_unsandboxed" in alone
    assert {f"confval-c.EnvStoreService.{name}" for name in alone} <= anchors["configuration"]
    assert {f"confval-{name}" for name in SETTINGS} <= anchors["settings"]
    commands = make_parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    assert {"build", "restore-backup"} <= set(commands)
    assert set(commands) <= anchors["command-line"]
    (openapi,) = Path(jupyter_envstore.__file__).parent.rglob("openapi.yaml")
    document = yaml.safe_load(openapi.read_text(encoding="utf-8"))
    text = "".join(pages[site / "reference" / "rest-api.html"].words)
    for path, item in document["paths"].items():
        for verb in item.keys() & {"get", "post", "put", "delete"}:
            assert f"{verb.upper()} {path}" in text
    assert {f"schema-{name.lower()}" for name in document["components"]["schemas"]} <= anchors["rest-api"]


def test_the_page_of_the_command_line_has_the_exit_codes_that_its_help_names() -> None:
    page = (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8")
    exits = re.findall(r"(\d+) ([a-z ]+)", str(make_parser().epilog).partition("exit codes:")[2].replace("\n", " "))
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", page, re.MULTILINE)
    assert rows == [(number, meaning.strip()) for number, meaning in exits]
    assert len(rows) > 5


HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(`{3,})[^\n]*\n.*?^\1`*$", re.MULTILINE | re.DOTALL)
MARKDOWN = [*sorted(ROOT.glob("*.md")), *sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts)]


@cache
def headings(path: Path) -> set[str]:
    """Return the anchors of a file's headings, as GitHub makes them."""
    found = HEADING.findall(FENCE.sub("", path.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_markdown_lead_somewhere_without_the_site_too(path: Path) -> None:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        parts = urlsplit(link)
        if parts.scheme or link.startswith("#schema-"):
            continue
        target = (path.parent / parts.path).resolve() if parts.path else path
        assert target.exists(), link
        assert not parts.fragment or parts.fragment in headings(target), link


CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_command_line_knows_the_commands_and_options_that_pages_use(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for block in CONSOLE.findall(path.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            if not line.startswith("jupyter envstore "):
                continue
            try:
                make_parser().parse_args(shlex.split(line, comments=True)[2:])
            except SystemExit as end:  # --help and --version end well
                assert end.code == 0, f"{line}: {capsys.readouterr().err}"


ITALIC = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")
OTHERS = {"\uff0b", "View", "Left Sidebar"}
"""An icon, and menus of Notebook."""


@pytest.mark.parametrize("page", ["tutorials/jupyterlab.md", "how-to/jupyterlab.md"])
def test_what_the_pages_call_labels_of_the_panel_is_in_its_source(page: str) -> None:
    folder = ROOT / "labextension"
    files = [path for part in ("src", "schema") for path in (folder / part).rglob("*") if path.is_file()]
    source = "".join(path.read_text(encoding="utf-8") for path in files if path.suffix in (".ts", ".tsx", ".json"))
    labels = set(ITALIC.findall(FENCE.sub("", (DOCS / page).read_text(encoding="utf-8")))) - OTHERS
    assert len(labels) > 10
    assert not {label for label in labels if label not in source and label.replace("…", "%1") not in source}
