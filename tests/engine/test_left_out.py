"""Wheels that are fetched and have files which lead elsewhere: refused as those of this machine's disk are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_envstore.engine.finish import finish_prefix
from jupyter_envstore.engine.link import link_conda
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.engine.sandbox import Unbounded
from jupyter_envstore.engine.solve import current_platform, solve
from jupyter_envstore.errors import PipError
from tests.conftest import PYTHON
from tests.helpers import Store, serve
from tests.hostile import locked_wheel, wheel

LIES: Mapping[str, tuple[str, str]] = {
    "above": ("../../../../victim/file", "leads out"),
    "absolute": ("/victim/file", "is absolute"),
    "within": ("bad/../../../../victim/file", "leads out"),
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a server of the wheels in ``wheels``."""
    folder = tmp_path / "wheels"
    wheel(folder, "fine", {"fine.py": "x = 1\n"})
    with serve(str(folder)) as place:
        yield f"http://{place}"


def install(tmp_path: Path, channel: str, served: str, names: list[str]) -> Path:
    """Make an environment of Python and wheels of a server."""
    wheels = [locked_wheel(tmp_path / "wheels" / f"{name}-1.0-py3-none-any.whl") for name in names]
    fetched = tuple(entry | {"url": f"{served}/{entry['filename']}"} for entry in wheels)
    conda = solve([f"python={PYTHON}"], [channel], current_platform(), tmp_path / "repodata").records
    lock = PlatformLock(tuple(conda))
    prefix = tmp_path / f"prefix-{len(list(tmp_path.iterdir()))}"
    (tmp_path / "pkgs").mkdir(exist_ok=True)
    linked = link_conda(lock, current_platform(), prefix, prefix, tmp_path / "pkgs" / "conda", Silent())
    record = BuildRecord("lies", (), {current_platform(): replace(lock, pip=fetched)})
    finish_prefix(
        record,
        current_platform(),
        prefix,
        prefix,
        tmp_path / "uv",
        Unbounded(),
        lambda _: tmp_path / "none",
        Silent(),
        linked,
    )
    return prefix / f"lib/python{PYTHON}/site-packages"


@pytest.mark.parametrize("kind", LIES)
def test_a_fetched_wheel_that_lies_is_refused_by_name_whenever_it_is_tried(
    tmp_path: Path, channel: str, served: str, kind: str
) -> None:
    path, words = LIES[kind]
    wheel(tmp_path / "wheels", "bad", {"bad.py": "", path: "x"})
    for _ in range(2):  # uv has the rest of it in its cache after the first time, as if nothing were wrong
        with pytest.raises(PipError, match=words) as caught:
            install(tmp_path, channel, served, ["bad", "fine"])
        assert "PyPI package bad 1.0 (bad-1.0-py3-none-any.whl" in str(caught.value)
        assert path in str(caught.value)
    assert (install(tmp_path, channel, served, ["fine"]) / "fine.py").is_file()


def test_a_build_that_would_have_such_a_wheel_fails_with_its_name(
    store: Store, tmp_path: Path, channel: str, served: str
) -> None:
    wheel(tmp_path / "wheels", "bad", {"bad.py": "", "../../../../victim/file": "x"})
    lines = f"['--index-url {served}', '--find-links {served}', bad, fine]"
    text = f"name: e\nchannels: ['{channel}']\ndependencies: [python={PYTHON}, pip, {{pip: {lines}}}]"
    for _ in range(2):
        view = store.build(text)
        assert view["status"] == "FAILED"
        assert "PyPI package bad 1.0 (bad-1.0-py3-none-any.whl" in view["reason"]
        assert "'../../../../victim/file' leads out of where it belongs" in view["reason"]
