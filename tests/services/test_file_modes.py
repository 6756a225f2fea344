"""What other accounts of the machine may do with the files of a store."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import StorageError
from jupyter_envstore.services.backup import back_up, bring_back
from jupyter_envstore.services.doctor import examine
from jupyter_envstore.services.file_modes import OURS, close_to_others
from jupyter_envstore.services.root_folder import check_root
from jupyter_envstore.services.store import EnvStore
from tests.conftest import PYTHON
from tests.helpers import Store

NOBODY = 65_534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def stranger(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program as another account."""
    return subprocess.run(
        [str(word) for word in command], user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True,
        check=False, cwd="/", env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip


@pytest.fixture
def reachable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let other accounts pass the folders above those of tests."""
    base = tmp_path_factory.getbasetemp()
    folders = [folder for folder in (base, *base.parents) if not folder.stat().st_mode & stat.S_IXOTH]
    before = [(folder, mode(folder)) for folder in folders]
    for folder in folders:
        folder.chmod(0o711)
    yield
    for folder, old in before:
        folder.chmod(old)


def open_to_others(root: Path) -> list[str]:
    """Return what others can reach and read or change in a store."""
    found = []
    for path in (root, *root.rglob("*")):
        above = [folder for folder in path.parents if folder == root or root in folder.parents]
        if all(mode(folder) & 0o011 for folder in above) and not path.is_symlink() and mode(path) & 0o066:
            found.append(str(path.relative_to(root)))
    return found


def test_a_new_store_is_closed_whatever_the_umask(root: Path) -> None:
    root.chmod(0o755)
    old = os.umask(0)
    try:
        for folder in (root, root / "deeper" / "store"):
            store = EnvStore.open(StoreConfig(str(folder)))
            store.close()
            assert open_to_others(folder) == []
            assert mode(folder / "envstore.sqlite") == 0o600
            assert mode(folder) == 0o700 if folder != root else True
    finally:
        os.umask(old)


@as_root
@pytest.mark.usefixtures("reachable")
def test_a_built_environment_is_closed_or_shared_and_all_else_is_closed(store: Store, channel: str) -> None:
    view = store.build(f"name: data\nchannels: [{channel}]\ndependencies: [python={PYTHON}]")
    python = Path(view["prefix"]) / "bin" / "python"
    for path in (store.root, store.root / "envstore.sqlite", store.root / "builds", store.root / "logs"):
        assert stranger("ls", path).returncode != 0
    assert stranger("cat", store.root / "envstore.sqlite").stdout == ""
    assert could_not_run(python)
    assert open_to_others(store.root) == []
    shared = StoreConfig(str(store.root), share_prefixes=True)
    assert check_root(shared) == []
    done = stranger(python, "-c", "import sys; print(sys.prefix)")
    assert done.stdout.strip() == view["prefix"], done.stderr
    assert stranger("touch", Path(view["prefix"]) / "mine").returncode != 0
    for name in ("envstore.sqlite", "blobs", "logs", "pkgs/x", "staging", "envs", "builds"):
        assert stranger("ls", f"{store.root / name}/").returncode != 0, name
        assert stranger("cat", store.root / name).returncode != 0, name
    found = {finding.what: finding for finding in examine(shared)}["other accounts"]
    assert (found.state, found.text) == ("ok", "may read environments only")
    assert check_root(StoreConfig(str(store.root))) == [
        f"{path} was open to other accounts (mode {old}); now it is not (mode 700)"
        for path, old in ((store.root, "711"), (store.root / "builds", "711"), (store.root / "shims", "755"))
        if path.exists()
    ]
    assert could_not_run(python)


def could_not_run(program: Path) -> bool:
    """Whether other accounts may not run a program; subprocess raises what exec gave."""
    try:
        stranger(program, "-c", "print(1)")
    except PermissionError:
        return True
    return False


def test_a_store_of_an_older_version_is_closed_and_told_once(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    EnvStore.open(StoreConfig(str(root))).close()
    for path in (root, root / "staging"):
        path.chmod(0o755)
    (root / "envstore.sqlite").chmod(0o644)
    with caplog.at_level(logging.WARNING):
        EnvStore.open(StoreConfig(str(root))).close()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 3
    assert (
        f"envstore: {root / 'envstore.sqlite'} was open to other accounts (mode 644); now it is not (mode 600)" in told
    )
    assert open_to_others(root) == []
    caplog.clear()
    EnvStore.open(StoreConfig(str(root))).close()
    assert caplog.records == []


def test_a_folder_with_other_things_in_it_stays_as_it_is(root: Path) -> None:
    (root / "notes").mkdir(mode=0o755)
    (root / "notes").chmod(0o755)
    root.chmod(0o755)
    config = StoreConfig(str(root))
    EnvStore.open(config).close()
    assert (mode(root), mode(root / "notes"), mode(root / "staging")) == (0o755, 0o755, 0o700)
    root.chmod(0o775)
    assert check_root(config) == [
        f"other accounts may change {root} (mode 775), and so remove the store: chmod go-w {root}"
    ]
    assert {finding.what: finding for finding in examine(config)}["other accounts"].state == "warning"
    root.chmod(0o1777)  # as /tmp: nobody removes what is another's
    assert check_root(config) == []


def test_links_lead_nowhere_else(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "cache"
    elsewhere.mkdir()
    elsewhere.chmod(0o755)
    (root / "pkgs").symlink_to(elsewhere)
    EnvStore.open(StoreConfig(str(root))).close()
    assert mode(elsewhere) == 0o755


def test_a_database_elsewhere_is_closed_too(root: Path, tmp_path: Path) -> None:
    config = StoreConfig(str(root), database_url=f"sqlite:///{tmp_path / 'other.sqlite'}")
    EnvStore.open(config).close()
    (tmp_path / "other.sqlite").chmod(0o664)
    assert close_to_others(config) == [
        f"{tmp_path / 'other.sqlite'} was open to other accounts (mode 664); now it is not (mode 600)"
    ]


@as_root
@pytest.mark.usefixtures("reachable")
def test_a_store_of_another_account_is_refused_and_what_is_not_one_s_own_is_told(root: Path) -> None:
    config = StoreConfig(str(root))
    EnvStore.open(config).close()
    os.chown(root / "envstore.sqlite", 1, 1)
    os.chown(root, NOBODY, NOBODY)
    said = in_child(lambda: check_root(config))
    assert "belongs to the account daemon; two accounts cannot share its files" in said
    os.chown(root / "envstore.sqlite", NOBODY, NOBODY)
    (root / "staging").chmod(0o755)
    assert f"as root, who owns it: chmod 700 {root / 'staging'}" in in_child(lambda: check_root(config))


def in_child(action: Callable[[], object]) -> str:
    """Return what an action returns or raises in a process of another account."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        try:
            said = str(action())
        except StorageError as error:
            said = str(error)
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as file:
        return file.read()


def test_backups_are_closed_and_so_is_what_is_made_of_them(root: Path, tmp_path: Path) -> None:
    EnvStore.open(StoreConfig(str(root))).close()
    old = os.umask(0)
    try:
        back_up(StoreConfig(str(root)), tmp_path / "b.tar")
        assert mode(tmp_path / "b.tar") == 0o600
        again = StoreConfig(str(tmp_path / "again"))
        bring_back(again, tmp_path / "b.tar")
        assert check_root(again) == []
        assert open_to_others(tmp_path / "again") == []
    finally:
        os.umask(old)


def test_the_modes_of_an_environment_do_not_depend_on_the_umask(store: Store, nasty_channel: str) -> None:
    old = os.umask(0o077)
    try:
        view = store.build(f"name: a\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    finally:
        os.umask(old)
    files = [path for path in Path(view["prefix"]).rglob("*") if not path.is_symlink()]
    assert files
    assert [path for path in files if not mode(path) & 0o044] == []


def test_everything_that_a_store_makes_at_its_top_is_known(store: Store, nasty_channel: str) -> None:
    store.build(f"name: a\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    from fnmatch import fnmatch

    unknown = [path.name for path in store.root.iterdir() if not any(fnmatch(path.name, pattern) for pattern in OURS)]
    assert unknown == []
