"""The step Check: what cannot be imported, started or loaded stands at a build that can be used all the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import zipfile
from pathlib import Path

import pytest

from jupyter_envstore import policy
from jupyter_envstore.builds import module_imports as importing
from jupyter_envstore.builds.module_imports import FailedImport, import_modules
from jupyter_envstore.channel_maker.channel import index_channel, platform_subdir
from jupyter_envstore.channel_maker.package import CondaPackage, write_package
from jupyter_envstore.channel_maker.python_package import patchelf
from jupyter_envstore.engine.package_modules import Installed, top_modules
from jupyter_envstore.engine.sandbox import Unbounded
from jupyter_envstore.engine.shared_objects import check_libraries
from jupyter_envstore.engine.stray_processes import end_strays
from tests.conftest import PYTHON
from tests.helpers import Store

SITE = "site-packages"
BAD_MODULES = {
    "check_raises": "import nowhere_to_be_found",
    "check_exits": "import sys; sys.exit('no licence')",
    "check_crashes": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "check_writes": "import sys, pathlib; print('hello'); pathlib.Path('left').write_text('x')",
}


def write_wheel(folder: Path, name: str, files: dict[str, str]) -> Path:
    """Write a wheel of some text files."""
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"]))
    return wheel


@pytest.fixture(scope="module")
def bad_channel(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A channel of packages that install well and cannot be used, each in a way of its own."""
    channel = tmp_path_factory.mktemp("check")
    for name, code in BAD_MODULES.items():
        root = tmp_path_factory.mktemp(name)
        (root / SITE).mkdir()
        (root / SITE / f"{name}.py").write_text(code + "\n")
        package = CondaPackage(
            name.replace("_", "-"), "1.0", "0", "noarch", root, depends=["python"], noarch_python=True
        )
        write_package(package, channel)
    root = tmp_path_factory.mktemp("kernel")
    kernel = root / "share" / "jupyter" / "kernels" / "lost"
    kernel.mkdir(parents=True)
    argv = ["python", "-c", "raise SystemExit('no such interpreter')", "{connection_file}"]
    spec = {"argv": argv, "display_name": "x", "language": "x"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    write_package(CondaPackage("check-kernel", "1.0", "0", "noarch", root, depends=["python"]), channel)
    root = tmp_path_factory.mktemp("library")
    site = root / "lib" / f"python{PYTHON}" / "site-packages"
    site.mkdir(parents=True)
    library = next(Path(sys.base_prefix, "lib", f"python{PYTHON}", "lib-dynload").glob("_json.*.so"))
    shutil.copy2(library, site / "check_library.so")
    shutil.copy2(library, root / "lib" / "libplugin.so")
    patchelf("--add-needed", "libnowhere.so.7", site / "check_library.so")
    patchelf("--add-needed", "libelsewhere.so.1", root / "lib" / "libplugin.so")
    subdir = platform_subdir()
    (channel / subdir).mkdir(exist_ok=True)
    write_package(CondaPackage("check-library", "1.0", "0", subdir, root, depends=[f"python {PYTHON}.*"]), channel)
    index_channel(channel)
    return channel.as_uri()


@pytest.fixture
def checking(store: Store) -> Store:
    """A store as it is without any setting: it checks."""
    store.envstore.settings.change({"check_imports": True}, (), "tester")
    return store


def test_what_cannot_be_used_stands_at_a_build_that_is_ready(checking: Store, channel: str, bad_channel: str) -> None:
    names = "check-raises, check-exits, check-crashes, check-writes, check-kernel, check-library"
    view = checking.build(f"""
        name: bad
        channels: [{bad_channel}, {channel}]
        dependencies: [python={PYTHON}, ipykernel, numpy, {names}]
    """)
    assert view["status"] == "COMPLETED", view["reason"]
    module = f"lib/python{PYTHON}/site-packages/check_library.so"
    assert {warning["message"] for warning in view["warnings"]} == {
        "check-raises: import check_raises fails: ModuleNotFoundError: No module named 'nowhere_to_be_found'",
        "check-exits: import check_exits fails: SystemExit: no licence",
        "check-crashes: import check_crashes fails: it ends Python with signal 11",
        "check-kernel: the kernel lost does not start: no such interpreter",
        f"check-library: the library libnowhere.so.7 is missing, for {module}",
        "check-library: import check_library fails: ImportError: libnowhere.so.7: cannot open shared object file: "
        "No such file or directory",
    }
    assert all(warning["message"].startswith(f"{warning['package']}: ") for warning in view["warnings"])
    log = checking.envstore.logs.read(view["id"])
    assert "1 kernel started" in log
    assert "libelsewhere.so.1" in log  # nothing loads it by itself: told, and no warning
    assert {warning["kind"] for warning in view["warnings"]} == {"check"}
    prefix = Path(view["prefix"])
    assert not list(prefix.rglob("left"))
    step = next(step for step in view["steps"] if step["name"] == "check")
    assert step["state"] == "done"


def test_nothing_runs_where_the_setting_says_so(store: Store, channel: str, bad_channel: str) -> None:
    assert policy.effective([])["check_imports"] is True
    view = store.build(f"""
        name: quiet
        channels: [{bad_channel}, {channel}]
        dependencies: [python={PYTHON}, check-raises]
    """)
    assert (view["status"], view["warnings"]) == ("COMPLETED", [])
    assert "check" not in {step["name"] for step in view["steps"]}


def test_a_package_of_pypi_is_imported_too_and_a_good_build_says_so(built: Store) -> None:
    view = built.envstore.builds.show(built.data["id"])
    assert view["warnings"] == []
    log = built.envstore.logs.read(view["id"])
    assert "modules imported, 1 kernel started" in log


def test_a_module_that_hangs_is_named_and_the_others_are_tried(
    built: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = Path(built.data["prefix"])
    for name, code in {"hangs": "import time; time.sleep(600)", "breaks": "1 / 0", "fine": ""}.items():
        (tmp_path / f"{name}.py").write_text(code)
    environment = {"PYTHONPATH": str(tmp_path), "PATH": f"{prefix}/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    found = list(import_modules(prefix, ["hangs", "breaks", "fine"], environment, tmp_path, Unbounded(), seconds=3))
    assert found == [
        FailedImport("hangs", "it does not end within 3 s"),
        FailedImport("breaks", "ZeroDivisionError: division by zero"),
    ]


def test_a_module_that_takes_all_memory_fails_alone(
    built: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MEMORY", 300 * 2**20)
    prefix = Path(built.data["prefix"])
    (tmp_path / "large.py").write_text("data = bytearray(2 ** 30)")
    environment = {"PYTHONPATH": str(tmp_path), "PATH": f"{prefix}/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    assert list(import_modules(prefix, ["large", "json"], environment, tmp_path, Unbounded())) == [
        FailedImport("large", "MemoryError")
    ]


def test_a_limit_of_memory_that_is_lower_already_stays(built: Store, tmp_path: Path) -> None:
    prefix = Path(built.data["prefix"])
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nulimit -d {2**20}\nexec "{prefix}/bin/python" "$@"\n')
    python.chmod(0o755)
    assert list(import_modules(tmp_path, ["json"], {"PATH": os.defpath}, tmp_path, Unbounded())) == []


@pytest.mark.parametrize("words", [r"b'no answer\n'", r"b'[1, 2]\n'", r"""b'["json", null]\n'""", "b'x' * 200000"])
def test_a_module_that_writes_where_answers_are_fails_alone(built: Store, tmp_path: Path, words: str) -> None:
    prefix = Path(built.data["prefix"])
    code = (
        f"import os, stat\nfor fd in range(3, 9):\n    try: os.write(fd, eval({words!r}))\n    except OSError: pass\n"
    )
    (tmp_path / "strange.py").write_text(code)
    environment = {"PYTHONPATH": str(tmp_path), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    assert list(import_modules(prefix, ["strange", "json"], environment, tmp_path, Unbounded())) == [
        FailedImport("strange", importing.STRANGE)
    ]


STAYS = """
import subprocess, sys
code = "import os, time; os.fork() and os._exit(0); os.setsid(); time.sleep(900)"
subprocess.Popen([sys.executable, "-c", code, MARK], start_new_session=True)
"""


def test_a_module_that_forks_does_not_answer_twice_and_one_whose_error_has_no_text_is_named(
    built: Store, tmp_path: Path
) -> None:
    prefix = Path(built.data["prefix"])
    code = {
        "forks": "import os; os.fork()",
        "wordless": "class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E",
        "leaves": "import os; os._exit(0)",
    }
    for name, text in code.items():
        (tmp_path / f"{name}.py").write_text(text)
    environment = {"PYTHONPATH": str(tmp_path), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    assert list(
        import_modules(prefix, ["forks", "json", "wordless", "leaves", "csv"], environment, tmp_path, Unbounded())
    ) == [
        FailedImport("wordless", "E"),
        FailedImport("leaves", "it ends Python with code 0"),
    ]


def test_what_a_module_says_before_it_ends_python_stands_in_the_reason(tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python").symlink_to(sys.executable)
    code = {
        "first": "import sys; print('of the first', file=sys.stderr)",
        "quits": "import os, sys; sys.stderr.write('one\\n\\ntwo\\nthree\\nno licence\\n'); os._exit(1)",
        "silent": "import os; os._exit(3)",
        "shouts": "import os\nfor _ in range(4000): os.write(1, b'x' * 1000)\nos.write(2, b'\\xff last'); os.abort()",
        "steers": "import os; os.write(2, b'\\x1b[31mred\\x1b[0m \\x1b]0;title\\x07\\r\\n'); os._exit(2)",
        "hangs": "import os, time; os.write(2, b'waiting for a licence\\n'); time.sleep(900)",
        "talks": "import os, time\nfor _ in range(600): os.write(2, b'on\\n'); time.sleep(0.1)",
    }
    for name, text in code.items():
        (tmp_path / f"{name}.py").write_text(text)
    environment = {"PYTHONPATH": str(tmp_path), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    found = {
        fault.module: fault.reason
        for fault in import_modules(prefix, list(code), environment, tmp_path, Unbounded(), seconds=4)
    }
    assert found["quits"] == "it ends Python with code 1: two; three; no licence"
    assert found["silent"] == "it ends Python with code 3"
    assert found["shouts"].startswith("it ends Python with signal 6: …xxx")
    assert found["shouts"].endswith("\ufffd last")
    assert len(found["shouts"]) < 700
    assert found["steers"] == r"it ends Python with code 2: red \x1b]0;title\x07"
    assert found["hangs"] == "it does not end within 4 s: waiting for a licence"
    assert found["talks"] == "it does not end within 4 s: on; on; on"
    assert "first" not in found


def running(mark: str) -> list[str]:
    """Return the processes whose arguments have a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def write_staying(folder: Path, mark: str, more: str = "") -> str:
    """Write a channel of a package whose module and kernel leave processes behind, and whose kernel looks around."""
    root, channel = folder / "staying", folder / "channel"
    (root / SITE).mkdir(parents=True)
    code = STAYS.replace("MARK", repr(mark))
    (root / SITE / "check_stays.py").write_text(code + more)
    kernel = root / "share" / "jupyter" / "kernels" / "stays"
    kernel.mkdir(parents=True)
    look = "raise SystemExit('it sees ' + ' '.join(sorted(n for n in os.environ if n.startswith(('RATTLER', 'UV_')))))"
    argv = ["python", "-c", f"import os{code}{look}", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "x", "language": "x"}))
    write_package(
        CondaPackage("check-stays", "1.0", "0", "noarch", root, depends=["python"], noarch_python=True), channel
    )
    index_channel(channel)
    return channel.as_uri()


def staying_text(stays: str, channel: str) -> str:
    """Ask for the package."""
    return f"name: stays\nchannels: [{stays}, {channel}]\ndependencies: [python={PYTHON}, check-stays]"


def test_what_modules_and_kernels_leave_running_is_ended_and_they_see_no_credentials(
    checking: Store, channel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATTLER_AUTH_FILE", str(tmp_path / "none.json"))
    mark = f"stays-{tmp_path.name}-{os.getpid()}"
    view = checking.build(staying_text(write_staying(tmp_path, mark), channel))
    assert view["status"] == "COMPLETED", view["reason"]
    assert [warning["message"] for warning in view["warnings"]] == [
        "check-stays: the kernel stays does not start: it sees"
    ]
    assert running(mark) == []


@pytest.mark.parametrize("how", ["canceled", "killed"])
def test_a_check_that_is_stopped_leaves_nothing_running(
    checking: Store, channel: str, tmp_path: Path, how: str
) -> None:
    mark = f"hangs-{tmp_path.name}-{os.getpid()}"
    build = checking.submit(staying_text(write_staying(tmp_path, mark, "import time; time.sleep(900)"), channel))
    checking.until(lambda: bool(running(mark)), 90)
    if how == "canceled":
        checking.envstore.builds.cancel(build.id)
    else:
        job = next(job for job in checking.jobs() if job.kind == "check")
        os.killpg(job.pid, signal.SIGKILL)
        while next(job for job in checking.jobs() if job.kind == "check").state == "running":
            checking.envstore.scheduler.settle_lost()
    assert running(mark) == []
    assert checking.envstore.builds.show(build.id)["status"] == "COMPLETED"
    checking.envstore.builds.cancel(build.id) if how == "killed" else None


def test_nothing_but_marked_processes_is_ended() -> None:
    assert end_strays("ENVSTORE_NOBODY_HAS_THIS", "x") == 0


def test_an_environment_that_works_lacks_no_library(built: Store) -> None:
    found = check_libraries(Path(built.data["prefix"]))
    assert found.count > 50
    assert (found.missing, found.elsewhere) == ([], [])


@pytest.mark.parametrize(
    ("files", "modules"),
    [
        (["six.py"], ["six"]),
        (["yaml/__init__.py", "_yaml/__init__.py"], ["yaml"]),
        (["google/cloud/storage/__init__.py", "google/cloud/storage/blob/__init__.py"], ["google.cloud.storage"]),
        (["fast.cpython-311-x86_64-linux-gnu.so", "slow.abi3.so"], ["fast", "slow"]),
        (["tests/__init__.py", "setup.py", "docs/conf.py", "my-data/x.py"], []),
        (["a/__init__.py", "a/b/__init__.py", "a/c.py"], ["a"]),
        (["a/__init__.cpython-311-x86_64-linux-gnu.so", "a/b.so", "c/__init__.pyc", "d.pyc"], ["a", "c", "d"]),
        (["six.py", "__pycache__/six.cpython-311.pyc", "__pycache__/six.pyc"], ["six"]),
        (["ns/one.py", "ns/deep/two.py"], ["ns.deep.two", "ns.one"]),
        (["a/b/c/d/__init__.py", "a/b/c/d/e.py"], ["a.b.c.d"]),
        (["_private/__init__.py", "_own.py", "__editable__.py"], ["_own", "_private"]),
        (["shown.py", "_own.py", "ns/one.py"], ["shown"]),
    ],
)
def test_the_modules_at_the_top_of_a_package_are_found(files: list[str], modules: list[str]) -> None:
    paths = tuple(f"lib/python3.11/site-packages/{name}" for name in files)
    assert top_modules(Installed("pip", "x", paths)) == modules
