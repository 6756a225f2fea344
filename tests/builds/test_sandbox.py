"""Code of packages that looks for what is the store's: in a sandbox, it finds nothing, and builds succeed."""

from __future__ import annotations

import http.server
import ipaddress
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.engine.bounded_run import run_bounded
from jupyter_envstore.engine.bytecode import _check_compiled
from jupyter_envstore.engine.foreign_files import is_regular_below, read_regular
from jupyter_envstore.engine.guarded_interpreter import ask, write_guard
from jupyter_envstore.engine.pip import PipTarget, resolve_pip
from jupyter_envstore.engine.prefix import remove_tree, seal_prefix
from jupyter_envstore.engine.sandbox import (
    NONE,
    OWN_PROCESSES,
    Bubblewrap,
    Reach,
    Sandbox,
    Unbounded,
    check_sandbox,
    counts_apart,
    sandbox_of,
)
from jupyter_envstore.engine.uv_lock import without_claims
from jupyter_envstore.errors import InvalidInputError, PackageError, PipError, StorageError
from jupyter_envstore.services.doctor import examine
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.spec.lock_entries import PypiEntry
from jupyter_envstore.spec.specification import PipOptions
from tests import postgresql
from tests.conftest import PYTHON
from tests.helpers import Store, opened_stores, store_config
from tests.nasty import add


def works() -> bool:
    try:
        check_sandbox(Bubblewrap())
    except InvalidInputError:
        return False
    return True


pytestmark = pytest.mark.skipif(not works(), reason="needs bubblewrap and user namespaces")

SPY = """
import glob, json, os, socket, subprocess, sys
found = {}
def note(name, action):
    try:
        found[name] = action()
    except BaseException as error:
        found[name] = type(error).__name__
store = SECRET_STORE
note("database", lambda: open(f"{store}/envstore.sqlite", "rb").read(16).decode("latin-1"))
note("store", lambda: sorted(os.listdir(store)))
note("prefixes", lambda: sorted(os.listdir(f"{store}/builds")))
note("cache", lambda: sorted(os.listdir(f"{store}/pkgs/conda")))
note("processes", lambda: len([name for name in os.listdir("/proc") if name.isdigit()]))
note("secrets", lambda: [p for p in glob.glob("/proc/*/environ") if b"SECRET_OF_THE_WORKER" in open(p, "rb").read()])
note("network", lambda: socket.create_connection(("127.0.0.1", PORT), 2).recv(9).decode())
note("home", lambda: sorted(os.listdir("/root")) if os.path.isdir("/root") else [])
note("etc", lambda: os.path.exists("/etc/shadow"))
note("user", lambda: open("/proc/self/status").read().split("CapEff:")[1].split()[0])
note("outside", lambda: open(OUTSIDE, "w").write("x"))
note("prefix", lambda: open(os.path.join(sys.prefix, "written"), "w").write("x"))
subprocess.Popen(["sleep", "4321"], start_new_session=True, stdin=-3, stdout=-3, stderr=-3)
"""


LOOK = """
import json, os, socket, urllib.error, urllib.request
from setuptools import setup
found = {}
def note(name, action):
    try:
        found[name] = action()
    except urllib.error.HTTPError as error:
        found[name] = str(error.code)
    except Exception as error:
        found[name] = type(error).__name__
def abstract():
    with socket.socket(socket.AF_UNIX) as one:
        one.connect("\\0" + NAME)
    return "connected"
note("port", lambda: socket.create_connection(("127.0.0.1", PORT), 2).recv(10).decode())
note("abstract", abstract)
note("proxied", lambda: urllib.request.urlopen("http://127.0.0.1:PORT/", timeout=9).read().decode())
if not os.path.exists("looksrc/__init__.py"):
    open("looksrc/__init__.py", "w").write("FOUND = " + json.dumps(found))
setup(name="looksrc", version="1.0", packages=["looksrc"])
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server of this machine that says something to whoever comes."""

    class Hello(http.server.BaseHTTPRequestHandler):
        def handle(self) -> None:
            self.request.sendall(b"reached it")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def make(package_cache: Path) -> Iterator[Callable[..., Store]]:
    os.environ["SECRET_OF_THE_WORKER"] = "1"
    with opened_stores(package_cache) as open_one:

        def open_store(sandbox: str = "bubblewrap") -> Store:
            return open_one(settings={"artifacts_at_once": [], "check_imports": True}, sandbox=sandbox)

        yield open_store
    del os.environ["SECRET_OF_THE_WORKER"]


@pytest.fixture(scope="module")
def store(make: Callable[..., Store]) -> Store:
    return make()


def spying(folder: Path, store: Store, port: int, channel: str) -> str:
    """Make a channel with a package whose code looks around wherever it is run."""
    spy = SPY.replace("SECRET_STORE", repr(str(store.root))).replace("PORT", str(port))
    spy = spy.replace("OUTSIDE", repr(str(folder / "escaped")))

    def fill(root: Path) -> None:
        site = root / "lib" / f"python{PYTHON}" / "site-packages"
        for path, text in {
            site / "spy" / "__init__.py": f"{spy}\nimport json, os\nraise ImportError(json.dumps(found))\n",
            root / "bin" / ".spy-post-link.sh": (
                'cat > "$PREFIX/spy.py" <<"END"\n' + spy + '\nprint(json.dumps(found))\nEND\n"$PREFIX/bin/python" '
                '"$PREFIX/spy.py" > "$PREFIX/link-found"\n'
            ),
            root / "etc" / "conda" / "activate.d" / "spy.sh": (
                'SPY_FOUND="$("$CONDA_PREFIX/bin/python" "$CONDA_PREFIX/spy.py")"\nexport SPY_FOUND\n'
            ),
        }.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)

    add(folder, "spy", fill, depends=[f"python {PYTHON}.*"])
    index_channel(folder)
    return (
        f"name: spied\nchannels: ['{folder.as_uri()}', '{channel}']\ndependencies: [spy, ipykernel, 'python={PYTHON}']"
    )


NOTHING: dict[str, Any] = {
    "database": "FileNotFoundError",
    "store": ["builds"],
    "cache": "FileNotFoundError",
    "secrets": [],
    "etc": False,
    "user": "0000000000000000",
}


def check(found: dict[str, Any], prefix: Path, may_write: bool) -> None:
    """Compare what code found with what it may find."""
    expected = NOTHING | ({"store": ["builds", "staging"]} if "staging" in found["store"] else {})
    assert {name: found[name] for name in expected} == expected
    python = Path(sys.base_prefix)  # which is there where the worker's own Python is needed
    assert set(found["home"]) <= ({python.parts[2]} if python.is_relative_to("/root") else set())
    assert found["prefixes"] == [prefix.name]
    assert found["processes"] < 12
    assert found["network"] in ("ConnectionRefusedError", "OSError")
    assert found["outside"] == "FileNotFoundError"
    assert found["prefix"] == (1 if may_write else "OSError")


def sleepers() -> list[int]:
    return [process.pid for process in psutil.process_iter(["cmdline"]) if "4321" in (process.info["cmdline"] or ())]


def test_code_of_packages_finds_nothing_of_the_store_at_any_step(
    store: Store, channel: str, port: int, tmp_path: Path
) -> None:
    other = store.build(f"name: other\nchannels: [{channel}]\ndependencies: [python={PYTHON}]", "others")
    assert other["status"] == "COMPLETED", other["reason"]
    view = store.build(spying(tmp_path, store, port, channel))
    assert view["status"] == "COMPLETED", view["reason"]
    prefix = Path(view["prefix"])
    check(json.loads((prefix / "link-found").read_text()), prefix, may_write=True)
    activation = json.loads((prefix / "conda-meta" / "envstore-activation").read_text())
    check(json.loads(activation["SPY_FOUND"]), prefix, may_write=False)
    store.until(lambda: not store.envstore.builds.progress(view["id"])["busy"], 120)
    warnings = store.envstore.builds.show(view["id"])["warnings"]
    (told,) = [warning["message"] for warning in warnings if "import spy fails: " in warning["message"]]
    check(json.loads(told[told.index("{") :]), prefix, may_write=False)
    assert not [warning for warning in warnings if "kernel" in warning["message"]]
    deadline = time.monotonic() + 5
    while sleepers():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_without_a_sandbox_it_finds_all_of_it(
    make: Callable[..., Store], channel: str, port: int, tmp_path: Path
) -> None:
    store = make("none")
    view = store.build(spying(tmp_path, store, port, channel))
    assert view["status"] == "COMPLETED", view["reason"]
    found = json.loads((Path(view["prefix"]) / "link-found").read_text())
    assert postgresql.WANTED or found["database"].startswith("SQLite format 3")
    assert found["network"] == "reached i"
    assert (tmp_path / "escaped").exists()


def test_an_environment_with_pypi_packages_is_made_in_it(store: Store, channel: str, tmp_path: Path) -> None:
    text = (
        f"name: pip\nchannels: [{channel}]\ndependencies:\n  - python={PYTHON}\n  - ipykernel\n  - numpy\n  - pip\n"
        "  - pip: [cowsay]\n"
    )
    view = store.build(text)
    assert view["status"] == "COMPLETED", view["reason"]
    prefix = Path(view["prefix"])
    code = "import cowsay, numpy, sys; print(sys.prefix)"
    done = subprocess.run([prefix / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(prefix)
    assert (prefix / "bin" / "cowsay").read_text().startswith(f"#!{prefix}/bin/python")
    compiled = list(prefix.glob(f"lib/python{PYTHON}/site-packages/cowsay/__pycache__/*.pyc"))
    assert compiled
    assert not (store.root / "pkgs" / "bytecode").resolve().is_relative_to(store.root)  # the tests' own cache
    store.until(lambda: not store.envstore.builds.progress(view["id"])["busy"], 120)
    assert store.envstore.builds.show(view["id"])["warnings"] == []
    shutil.rmtree(store.root / "pkgs" / "bytecode-of", ignore_errors=True)


def test_a_source_archive_is_built_in_it(store: Store, channel: str, tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    source = tmp_path / "spysrc-1.0"
    (source / "spysrc").mkdir(parents=True)
    (source / "setup.py").write_text(
        f"from setuptools import setup\nimport os\nseen = os.path.exists({str(store.root / 'envstore.sqlite')!r})\n"
        "open('spysrc/__init__.py', 'w').write(f'SEEN = {seen}\\nNETRC = ' + repr(os.environ.get('NETRC')))\n"
        "setup(name='spysrc', version='1.0', packages=['spysrc'])\n"
    )
    folder.mkdir()
    subprocess.run(["tar", "-czf", folder / "spysrc-1.0.tar.gz", "spysrc-1.0"], cwd=tmp_path, check=True)
    text = (
        f"name: src\nchannels: [{channel}]\ndependencies:\n  - python={PYTHON}\n  - pip\n"
        f"  - pip: ['--find-links {folder.as_uri()}', spysrc]\n"
    )
    store.envstore.namespaces.create("src", "tests")
    store.envstore.settings.change({"pypi_allow_sdists": True}, ("src",), "tests")
    view = store.build(text, "src")
    assert view["status"] == "COMPLETED", view["reason"]
    made = next(Path(view["prefix"]).glob(f"lib/python{PYTHON}/site-packages/spysrc/__init__.py")).read_text()
    assert made == "SEEN = False\nNETRC = None"


@pytest.mark.parametrize("sandbox", [Bubblewrap(), Unbounded()])
def test_a_lock_that_a_build_may_have_written_is_not_believed(tmp_path: Path, sandbox: Sandbox) -> None:
    source = tmp_path / "es-spy-built-1.0"
    source.mkdir()
    (source / "setup.py").write_text("from setuptools import setup; setup(name='es-spy-built', version='1.0')")
    folder = tmp_path / "dist"
    folder.mkdir()
    subprocess.run(["tar", "-czf", folder / "es-spy-built-1.0.tar.gz", "es-spy-built-1.0"], cwd=tmp_path, check=True)
    options = PipOptions(find_links=(folder.as_uri(),))
    target = PipTarget("linux-64", f"{PYTHON}.0")

    def resolve(*allowed: str) -> tuple[PypiEntry, ...]:
        return resolve_pip(
            ["es-spy-built"], options, target, [], tmp_path / "uv", sandbox, sdists=True, allowed=allowed
        )

    assert [package["name"] for package in resolve(folder.as_uri())] == ["es-spy-built"]
    if sandbox.name == NONE:
        assert resolve("https://index.example/simple") == resolve()
        return
    with pytest.raises(PipError, match=r"es-spy-built: its file file://.* is not below https://index.example/simple"):
        resolve("https://index.example/simple")


def test_of_a_lock_that_is_not_believed_the_address_counts() -> None:
    entry: PypiEntry = {
        "name": "a",
        "version": "1",
        "url": "https://files.example/a-1-py3-none-any.whl",
        "filename": "a-1-py3-none-any.whl",
        "sha256": "0" * 64,
        "size": 1,
        "index": "https://index.example/simple",
        "dependencies": [],
    }
    assert without_claims(entry, ())["index"] == ""
    assert without_claims(entry, ("https://files.example",))["index"] == ""
    with pytest.raises(PipError, match="the index that this lock names is not believed"):
        without_claims(entry, ("https://index.example/simple",))
    own: PypiEntry = {**entry, "url": "https://index.example/simple/a-1-py3-none-any.whl"}
    assert without_claims(own, ("https://index.example/simple",)) == own


def test_a_program_that_says_without_an_end_is_ended(tmp_path: Path) -> None:
    for stream in (1, 2):
        done = run_bounded(["/bin/sh", "-c", f"yes >&{stream}"], {"PATH": os.defpath}, tmp_path, 60.0, 1000)
        assert not done.is_whole
        assert len(done.stdout) + len(done.stderr) == 1000
    with (tmp_path / "told").open("w+b") as told:
        told.write(b"a" * 1_000_000)
        told.seek(0)
        assert run_bounded(["/bin/true"], {}, None, 60.0, told=told).returncode == 0


def test_what_a_program_leaves_behind_is_not_waited_for(tmp_path: Path) -> None:
    """It holds the streams of the program open."""
    began = time.monotonic()
    behind = run_bounded(["/bin/sh", "-c", "echo said; sleep 50 & echo $! > pid"], {"PATH": os.defpath}, tmp_path, 40.0)
    assert (behind.returncode, behind.stdout, behind.is_whole) == (0, b"said\n", True)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    with pytest.raises(subprocess.TimeoutExpired):
        run_bounded(["/bin/sh", "-c", "sleep 51 & echo $! > pid; wait"], {"PATH": os.defpath}, tmp_path, 4.0)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    with pytest.raises(subprocess.TimeoutExpired):
        run_bounded(["/bin/sh", "-c", "exec sleep 52 > /dev/null 2> /dev/null"], {"PATH": os.defpath}, tmp_path, 4.0)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ('{{"scheme": {{"purelib": "/tmp/elsewhere"}}}}', "names a place outside of it: /tmp/elsewhere"),
        ('{{"scheme": {{"purelib": "{prefix}/../x"}}}}', "names a place outside of it"),
        ('{{"virtualenv": {{"purelib": "../../x"}}}}', "names a place outside of it"),
        ('{{"{prefix}x": 1}}', "names a place outside of it"),
        ('{{"scheme": {{"purelib": "tmp/elsewhere"}}}}', "names a place outside of it: tmp/elsewhere"),
        ('{{"sys_prefix": "tmp"}}', "names a place outside of it: tmp"),
        ('{{"scheme": {{"purelib": "{prefix}/out/lib"}}}}', "names a place outside of it"),
        ("[1]", "does not answer as Pythons do"),
        ("no json", "does not answer"),
    ],
)
def test_a_python_that_lies_about_itself_is_refused(tmp_path: Path, answer: str, reason: str) -> None:
    prefix = tmp_path / "prefix"
    (prefix / "bin").mkdir(parents=True)
    python = prefix / "bin" / "python"
    python.write_text(f"#!/bin/sh\necho '{answer.format(prefix=prefix)}'\n")
    python.chmod(0o755)
    (prefix / "out").symlink_to(tmp_path)
    write_guard(tmp_path, python, tmp_path / "cache", Bubblewrap())
    with pytest.raises(ValueError, match=reason):
        ask(tmp_path / "guard.json", ["-c", ""])
    done = subprocess.run([tmp_path / "python", "-c", ""], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""


def test_what_a_program_may_read_and_write_is_all_that_is_there(tmp_path: Path) -> None:
    for name in ("reads", "writes", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    reach = Reach((tmp_path / "reads", tmp_path / "not-there"), (tmp_path / "writes",))
    script = f"cd {tmp_path}; ls; cat reads/file; echo; echo x > reads/file; echo new > writes/new; echo $?"
    command = Bubblewrap().command(["/bin/sh", "-c", script], reach, tmp_path / "writes")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["reads", "writes", "reads", "0"]
    assert "Read-only file system" in done.stderr
    assert (tmp_path / "writes" / "new").read_text() == "new\n"
    more = Bubblewrap([tmp_path / "other"]).command(["/bin/cat", str(tmp_path / "other" / "file")], Reach(), Path("/"))
    assert subprocess.run(more, capture_output=True, text=True, check=True).stdout == "other"
    killed = Bubblewrap().command(["/bin/sh", "-c", "kill -11 $$"], Reach(), Path("/"))
    assert Bubblewrap().ended(subprocess.run(killed, check=False, capture_output=True).returncode) == -11


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it runs programs as another account, which has limits")
@pytest.mark.skipif(not counts_apart(), reason="needs Linux 5.14, which counts the processes of a sandbox apart")
def test_a_program_that_only_multiplies_leaves_room_for_others() -> None:
    count = "n=0; while [ $n -lt {most} ]; do sleep 60 & n=$((n + 1)); echo $n; done"
    bomb = f"({count.format(most=3 * OWN_PROCESSES)}); echo full; exec sleep 60"
    nobody: Any = {"user": "nobody", "group": "nogroup", "extra_groups": [], "text": True, "stderr": subprocess.STDOUT}

    def command(script: str) -> list[str]:
        return Bubblewrap().command(["/bin/sh", "-c", script], Reach(), Path("/"))

    with subprocess.Popen(command(bomb), stdout=subprocess.PIPE, **nobody) as running:
        try:
            assert running.stdout is not None
            said = list(iter(lambda: running.stdout.readline().strip(), "full"))  # type: ignore[union-attr]
            other = subprocess.run(command(count.format(most=20)), stdout=subprocess.PIPE, check=False, **nobody)
        finally:
            running.kill()
    assert "Cannot fork" in "".join(said)
    assert OWN_PROCESSES - 100 < max(int(line) for line in said if line.isdigit()) < OWN_PROCESSES
    assert (other.returncode, other.stdout.split()[-1]) == (0, "20")
    account = pwd.getpwnam("nobody").pw_uid
    deadline = time.monotonic() + 20  # all that it started ends with it
    while left := [p for p in psutil.process_iter(["uids", "name"]) if p.info["uids"].real == account]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_a_sandbox_that_does_not_work_keeps_the_store_closed(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = store_config(root, sandbox="bubblewrap")
    assert {finding.what: finding.text for finding in examine(config)}["sandbox"].startswith("bubblewrap")
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "bwrap").write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    (broken / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken}:{os.environ['PATH']}")
    with pytest.raises(InvalidInputError, match=r"No permissions .* let accounts use user namespaces"):
        EnvStore.open(config)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    with pytest.raises(InvalidInputError, match="install bubblewrap and util-linux"):
        EnvStore.open(config)
    with pytest.raises(InvalidInputError, match="known: none, bubblewrap"):
        sandbox_of("chroot")
    check_sandbox(Unbounded())


def test_what_a_script_links_to_another_environment_is_not_written_through(
    store: Store, channel: str, tmp_path: Path
) -> None:
    """A folder of modules that a script replaced by a link: byte code is put beside none that is another's."""
    victim = store.build(f"name: victim\nchannels: [{channel}]\ndependencies: [python={PYTHON}, numpy]", "others")
    site = f"lib/python{PYTHON}/site-packages"
    theirs = Path(victim["prefix"]) / site / "numpy"
    store.until(lambda: not store.envstore.builds.progress(victim["id"])["busy"], 120)
    before = {path: path.stat().st_ino for path in theirs.rglob("*.pyc")}
    assert before
    script = f'rm -rf "$PREFIX/{site}/numpy"\nln -s "{theirs}" "$PREFIX/{site}/numpy"\n'

    def fill(root: Path) -> None:
        path = root / "bin" / ".links-post-link.sh"
        path.parent.mkdir(parents=True)
        path.write_text(script)

    add(tmp_path, "links", fill, depends=[f"python {PYTHON}.*", "numpy"])
    index_channel(tmp_path)
    view = store.build(
        f"name: linked\nchannels: ['{tmp_path.as_uri()}', '{channel}']\ndependencies: [links, numpy, python={PYTHON}]"
    )
    store.until(lambda: not store.envstore.builds.progress(view["id"])["busy"], 120)
    assert (Path(view["prefix"]) / site / "numpy").is_symlink()
    assert {path: path.stat().st_ino for path in theirs.rglob("*.pyc")} == before


def test_an_environment_is_not_sealed_through_links(tmp_path: Path) -> None:
    theirs, prefix = tmp_path / "theirs", tmp_path / "prefix"
    (theirs / "lib" / "python3.11").mkdir(parents=True)
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "lib").symlink_to(theirs / "lib")
    seal_prefix(prefix)
    assert not (theirs / "lib" / "python3.11" / "EXTERNALLY-MANAGED").exists()
    assert (prefix / "conda-meta" / "frozen").exists()
    remove_tree(prefix)
    prefix.mkdir()
    (prefix / "conda-meta").symlink_to(theirs)
    with pytest.raises(StorageError, match="leads out of the environment"):
        seal_prefix(prefix)
    assert not (theirs / "frozen").exists()


def hostile(folder: Path, channel: str, files: dict[str, str], name: str = "hostile") -> str:
    """Return a specification with a package that brings these files."""

    def fill(root: Path) -> None:
        for place, text in files.items():
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)

    add(folder, name, fill, depends=[f"python {PYTHON}.*"])
    index_channel(folder)
    return f"name: {name}\nchannels: ['{folder.as_uri()}', '{channel}']\ndependencies: [{name}, python={PYTHON}]"


def test_byte_code_is_not_written_through_links(store: Store, channel: str, tmp_path: Path) -> None:
    site = f"lib/python{PYTHON}/site-packages"
    tag = f"cpython-{PYTHON.replace('.', '')}"
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "file").write_text("theirs")
    script = (
        f'ln -s "{theirs}" "$PREFIX/{site}/first/__pycache__"\nmkdir "$PREFIX/{site}/second/__pycache__"\n'
        f'cd "$PREFIX/{site}/second/__pycache__"\necho x > mod.{tag}.pyc\n'
        f'ln -s "{theirs}/file" mod.{tag}.pyc.new\n'
    )
    files = {f"{site}/first/mod.py": "A = 1\n", f"{site}/second/mod.py": "A = 2\n", "bin/.hostile-post-link.sh": script}
    view = store.build(hostile(tmp_path, channel, files))
    assert view["status"] == "COMPLETED", view["reason"]
    store.until(lambda: not store.envstore.builds.progress(view["id"])["busy"], 120)
    assert [path.name for path in theirs.iterdir()] == ["file"]
    assert (theirs / "file").read_text() == "theirs"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('rm -f activating; ln -s "SECRET" activating; exit 3', "ends the shell"),
        ("rm -f activating; mkfifo activating; exit 3", "ends the shell"),
        ("head -c 100000000 /dev/zero; exit 3", "says more than 4 MB"),
        ("echo 'envstore-environment-follows:[1]'; exit 0", "a script writes where the variables are"),
    ],
)
def test_what_activation_leaves_is_not_believed(
    store: Store, channel: str, tmp_path: Path, script: str, reason: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the-secret")
    place = "etc/conda/activate.d/hostile.sh"
    view = store.build(hostile(tmp_path, channel, {place: script.replace("SECRET", str(secret))}))
    assert view["status"] == "FAILED"
    assert reason in view["reason"]
    assert "the-secret" not in view["reason"]
    assert not Path(view["prefix"] or "/nowhere").exists()


def test_what_a_compiler_leaves_is_byte_code_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "abc").mkdir()
    good = tmp_path / "abc" / "a.pyc"
    good.write_bytes(b"x")
    _check_compiled(tmp_path, {"abc"}, {str(good)})
    for strange in ("abc/b.pyc", "def", "c"):
        (tmp_path / strange).symlink_to("/etc")
        with pytest.raises(PackageError, match="in place of byte code"):
            _check_compiled(tmp_path, {"abc"}, {str(good), str(tmp_path / "abc" / "b.pyc")})
        (tmp_path / strange).unlink()
    good.unlink()
    good.symlink_to("/etc/passwd")
    with pytest.raises(PackageError, match="in place of byte code"):
        _check_compiled(tmp_path, {"abc"}, {str(good)})


def test_files_that_code_had_in_its_hands_are_files_or_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    assert read_regular(tmp_path / "file", 4) == b"text"
    for name, most in (("file", 3), ("link", 9), ("pipe", 9), ("gone", 9)):
        with pytest.raises(OSError):
            read_regular(tmp_path / name, most)
    (tmp_path / "folder").symlink_to(tmp_path)
    assert is_regular_below(tmp_path / "file", tmp_path)
    assert not is_regular_below(tmp_path / "link", tmp_path)
    assert not is_regular_below(tmp_path / "folder" / "file", tmp_path)


def test_folders_with_the_store_or_a_home_are_not_shown_though_they_are_named(
    store: Store, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Bubblewrap(store=store.root)
    assert sandbox.hides(store.root)
    assert sandbox.hides(store.root / "builds")
    assert sandbox.hides(store.root.parent)
    assert sandbox.hides(Path.home())
    assert sandbox.hides(Path("/"))
    assert not sandbox.hides(Path("/usr/share"))
    monkeypatch.setenv("HTTPS_PROXY", "http://jo:secret@proxy.example")
    quiet = sandbox.command(["env"], Reach(), Path("/"))
    assert "secret" not in subprocess.run(quiet, capture_output=True, text=True, check=True).stdout


def test_a_source_archive_that_is_built_reaches_no_more_than_the_checked_network(
    package_cache: Path, channel: str, port: int, tmp_path: Path
) -> None:
    source = tmp_path / "looksrc-1.0"
    (source / "looksrc").mkdir(parents=True)
    name = f"es-tests-{os.getpid()}"
    (source / "setup.py").write_text(LOOK.replace("PORT", str(port)).replace("NAME", repr(name)))
    folder = tmp_path / "dist"
    folder.mkdir()
    subprocess.run(["tar", "-czf", folder / "looksrc-1.0.tar.gz", "looksrc-1.0"], cwd=tmp_path, check=True)
    text = (
        f"name: src\nchannels: [{channel}]\ndependencies:\n  - python={PYTHON}\n  - pip\n"
        f"  - pip: ['--find-links {folder.as_uri()}', looksrc]\n"
    )
    here = ipaddress.ip_network("127.0.0.0/8")
    others = [str(network) for network in ipaddress.ip_network("0.0.0.0/0").address_exclude(here)]
    guarded = {"block_private_addresses": True, "allowed_addresses": others}
    found = {}
    for options in ({}, guarded):
        with opened_stores(package_cache) as make, socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"\0{name}")
            listener.listen()
            settings = {"artifacts_at_once": [], "pypi_allow_sdists": True}
            view = make(sandbox="bubblewrap", settings=settings, **options).build(text)
            assert view["status"] == "COMPLETED", view["reason"]
            made = next(Path(view["prefix"]).glob(f"lib/python{PYTHON}/site-packages/looksrc/__init__.py"))
            found[bool(options)] = json.loads(made.read_text().removeprefix("FOUND = "))
    assert (found[False]["port"], found[False]["abstract"]) == ("reached it", "connected")
    assert found[True] == {"port": "ConnectionRefusedError", "abstract": "ConnectionRefusedError", "proxied": "403"}


@pytest.mark.parametrize("allow", [False, True])
def test_what_a_script_links_to_the_store_is_in_no_artifact(
    package_cache: Path, base: Path, tmp_path: Path, allow: bool
) -> None:
    def fill(root: Path) -> None:
        for name in ("envstore.sqlite", "plain.txt"):
            path = root / "share" / "stolen" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("harmless\n")
        script = root / "bin" / ".thief-post-link.sh"
        script.parent.mkdir()
        script.write_text('rm -r "$PREFIX/share/stolen"; ln -s "$PREFIX/../.." "$PREFIX/share/stolen"\n')
        script.chmod(0o755)

    add(tmp_path, "thief", fill)
    index_channel(tmp_path)
    settings = {"artifacts_at_once": [], "check_imports": False, "installer_maker": "self-extracting"}
    settings |= {"allow_outside_links": allow}
    with opened_stores(package_cache) as make:
        store: Store = make(sandbox="bubblewrap", docker_base_image=f"oci:{base}", settings=settings)
        view = store.build(f"name: x\nchannels: ['{tmp_path.as_uri()}']\ndependencies: [thief]")
        assert view["status"] == "COMPLETED", view["reason"]
        assert (Path(view["prefix"]) / "share" / "stolen").is_symlink()
        for kind in ("archive", "docker", "installer"):
            store.envstore.artifacts.request(view["id"], kind)
            store.wait(view["id"])
            made = store.envstore.artifacts.find(view["id"], kind)
            assert made["state"] == "failed", kind
            assert "share/stolen, which a script of a package made, leads to a place of this machine" in made["reason"]
