"""A store under an account of its own, and people with accounts of theirs on the same machine."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.conftest import PYTHON
from tests.team.conftest import UNSANDBOXED, short_folder
from tests.team.live import GUEST, JO, PEOPLE, Account, Service, Terminal

OTHERS_ONLY = "needs root: it makes accounts"
NO_PYTHON = "needs a second Python, of this version, that other accounts can run"
ENTER = "import site; site.addsitedir({site!r})\n"
PEEK = "import os, sys; print([name for name in sys.argv[1:] if os.access(name, os.R_OK)])"


def python_for_all(folder: Path) -> str:
    """Return a Python that every account can run, with what the tests' one has."""
    found = shutil.which(f"python{PYTHON}", path="/usr/local/bin:/usr/bin")
    site = sysconfig.get_path("purelib")
    as_nobody = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    check = [found or "none", "-c", f"{ENTER.format(site=site)}import jupyter_envstore, rattler, sqlalchemy"]
    if found is None or subprocess.run(check, check=False, capture_output=True, cwd="/", **as_nobody).returncode:
        pytest.skip(NO_PYTHON)
    subprocess.run([found, "-m", "venv", "--without-pip", folder], check=True)
    (folder / "lib" / f"python{PYTHON}" / "site-packages" / "tests.pth").write_text(ENTER.format(site=site))
    return str(folder / "bin" / "python")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that every account may go through."""
    if os.geteuid():
        pytest.skip(OTHERS_ONLY)
    with short_folder() as folder:
        folder.chmod(0o711)
        try_it = ["test", "-x", str(folder)]
        if subprocess.run(try_it, user="nobody", group="nogroup", extra_groups=[], check=False).returncode:
            pytest.skip(NO_PYTHON)
        yield folder


@pytest.fixture(scope="module")
def account(place: Path) -> Iterator[Callable[[str], Account]]:
    """Make accounts; they go at the end, with all that they run."""
    python = python_for_all(place / "python")
    made: list[Account] = []

    def make(start: str) -> Account:
        name = f"{start}-{os.getpid()}"  # other processes may run these tests, too
        home = place / start
        subprocess.run(
            ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", home, name], check=True
        )
        home.mkdir(mode=0o700)
        os.chown(home, pwd.getpwnam(name).pw_uid, pwd.getpwnam(name).pw_gid)
        made.append(Account(name, home, python))
        return made[-1]

    yield make
    for found in made:
        subprocess.run(["pkill", "-KILL", "-u", found.name], check=False)
        subprocess.run(["userdel", "--force", found.name], check=False, capture_output=True)


def user_of(account: Account | None) -> int:
    """Return the number of an account."""
    assert account is not None
    return pwd.getpwnam(account.name).pw_uid


def given_to(account: Account, folder: Path) -> Path:
    """Make a folder that is an account's own."""
    folder.mkdir(parents=True)
    os.chown(folder, user_of(account), pwd.getpwnam(account.name).pw_gid)
    return folder


@pytest.fixture(scope="module")
def service(account: Callable[[str], Account]) -> Iterator[Service]:
    """A store of an account of its own, which shares its prefixes; code of packages runs in a sandbox."""
    owner = account("es-store")
    sandbox = "c.EnvStoreApp.sandbox = 'bubblewrap'\n" if shutil.which("bwrap") else UNSANDBOXED
    shared = "c.EnvStoreApp.share_prefixes = True\n"
    folder = given_to(owner, owner.home / "s")
    owner.home.chmod(0o711)
    found = Service(folder, sandbox + shared + PEOPLE, owner).start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def people(account: Callable[[str], Account], service: Service) -> dict[str, Terminal]:
    """The terminals of two people."""
    found = {}
    for name, token in (("es-jo", JO), ("es-guest", GUEST)):
        person = account(name)
        folder = given_to(person, person.home / "work")
        terminal = Terminal(folder, f"{service.origin}/", token, person)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user_of(person), pwd.getpwnam(person.name).pw_gid)
        found[name] = terminal
    return found


@pytest.fixture(scope="module")
def built(service: Service, people: dict[str, Terminal], channel: str) -> str:
    """``team/k`` of the store, which jo built."""
    jo = people["es-jo"]
    file = jo.folder / "k.yml"
    file.write_text(f"name: k\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel]\n")
    file.chmod(0o644)
    service.ask("POST", "namespace/team/")
    jo.run("build", "k.yml", "--name", "team/k")
    return "team/k"


def seen_by(terminal: Terminal, *paths: Path) -> list[str]:
    """Return those of some paths that an account may read."""
    assert terminal.account is not None
    done = subprocess.run(
        [terminal.account.python, "-c", PEEK, *map(str, paths)], capture_output=True, text=True, check=True,
        user=terminal.account.name, group=terminal.account.name, extra_groups=[], cwd="/",
    )  # fmt: skip
    return list(eval(done.stdout))  # noqa: S307 - a list of texts, printed by the line above


def test_an_account_that_is_not_root_builds_in_the_sandbox(service: Service, built: str) -> None:
    files = [path for path in service.root.rglob("*") if not path.is_symlink()]
    assert {path.stat().st_uid for path in files} == {user_of(service.account)}
    assert service.data("GET", "environment/team/k/")["active"]
    assert "runs as root" not in service.log.read_text()


def test_people_run_what_the_store_has_in_place_and_read_nothing_else_of_it(
    service: Service, people: dict[str, Terminal], built: str
) -> None:
    guest = people["es-guest"]
    script = "import os, sys; print(sys.prefix, os.access(sys.prefix, os.W_OK), os.getuid())"
    prefix, may_write, user = guest.run("run", built, "--", "python", "-c", script).stdout.split()
    assert Path(prefix).is_relative_to(service.root)
    assert (may_write, int(user)) == ("False", user_of(guest.account))
    database = service.root / "envstore.sqlite"
    private = [database, service.root / "blobs", service.root / "pkgs", service.root / "staging"]
    assert all(path.exists() for path in private)
    assert seen_by(guest, *private) == []
    assert seen_by(guest, Path(prefix) / "conda-meta") == [f"{prefix}/conda-meta"]


def test_a_notebook_of_another_account_runs_from_the_mount(
    service: Service, people: dict[str, Terminal], built: str
) -> None:
    guest = people["es-guest"]
    notebook = new_notebook(cells=[new_code_cell("import os, sys\nprint(sys.prefix, os.getuid())")])
    path = guest.folder / "n.ipynb"
    nbformat.write(notebook, path)
    path.chmod(0o644)
    guest.run("run-notebook", "n.ipynb", "--environment", built, "-o", "out.ipynb")
    out = nbformat.read(guest.folder / "out.ipynb", as_version=4)
    prefix, user = out.cells[0].outputs[0]["text"].split()
    assert (Path(prefix).is_relative_to(service.root), int(user)) == (True, user_of(guest.account))


def test_what_is_brought_is_the_persons_own(service: Service, people: dict[str, Terminal], built: str) -> None:
    jo, guest = people["es-jo"], people["es-guest"]
    builds = service.root / "builds"
    mode = builds.stat().st_mode
    builds.chmod(0o700)  # as if it were not mounted
    try:
        script = "import os, sys; print(sys.prefix)"
        first = Path(jo.run("run", built, "--", "python", "-c", script).stdout.strip())
        second = Path(guest.run("run", built, "--", "python", "-c", script).stdout.strip())
    finally:
        builds.chmod(mode)
    assert first.is_relative_to(jo.folder)
    assert second.is_relative_to(guest.folder)
    assert first.stat().st_uid == user_of(jo.account)
    assert seen_by(guest, first / "conda-meta") == []
    assert seen_by(jo, second / "conda-meta") == []
