"""Scripts that packages want run when they are linked: run as conda would, reported or refused; kept with the build."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.database.blob_references import owned_blob, products_owner
from jupyter_envstore.engine import link_scripts
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.sandbox import Unbounded
from jupyter_envstore.engine.script_products import Watched, apply_products, write_products
from jupyter_envstore.errors import PackageError
from jupyter_envstore.policy import RESTRICTIONS
from tests.conftest import PYTHON
from tests.helpers import Store, opened_stores
from tests.nasty import add

BUSY = r"""#!/bin/bash
echo "$PREFIX/share" > "$PREFIX/share/busy-path"
printf '%s|' "$PKG_NAME" "$PKG_VERSION" "$PKG_BUILDNUM" "$ROOT_PREFIX" "$FROM_PACKAGE" "$PWD" > "$PREFIX/busy-env"
env | sort > "$PREFIX/busy-seen"
echo appended >> "$PREFIX/share/shared.txt"
rm "$PREFIX/share/gone.txt"
chmod +x "$PREFIX/share/made-executable"
ln -s "$PREFIX/share/shared.txt" "$PREFIX/share/absolute-link"
mkdir -p "$PREFIX/share/empty-folder"
echo left > "$HOME/left-at-home"
echo "order: $(cat "$PREFIX/order" 2>/dev/null)" >> "$PREFIX/order"
echo "restart your shell" >> "$PREFIX/.messages.txt"
echo "working"
echo "grumbling" >&2
mkfifo "$PREFIX/share/pipe"
"""
FILES = {"share/shared.txt": "shared\n", "share/gone.txt": "gone\n", "share/made-executable": "x\n"}


def package(folder: Path, name: str, files: dict[str, str], depends: tuple[str, ...] = ()) -> None:
    def fill(root: Path) -> None:
        for place, text in files.items():
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if place.startswith("bin/") else 0o644)

    add(folder, name, fill, depends=list(depends))


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("scripts")
    variables = {"etc/conda/env_vars.d/v.json": json.dumps({"FROM_PACKAGE": "yes"})}
    package(folder, "busy", {"bin/.busy-post-link.sh": BUSY, **FILES, **variables}, ("z-first",))
    package(folder, "z-first", {"bin/.z-first-post-link.sh": 'echo first > "$PREFIX/order"\n'})
    fails = "echo why >> $PREFIX/.messages.txt\necho broken >&2\nexit 3\n"
    package(folder, "fails", {"bin/.fails-post-link.sh": fails})
    machine = 'printf \'bin\\0%s/lib\\0tail\' "$PREFIX" > "$PREFIX/machine"\n'
    package(folder, "machine", {"bin/.machine-post-link.sh": machine})
    package(folder, "pre", {"bin/.pre-pre-link.sh": "touch $PREFIX/pre\n", "bin/.pre-pre-unlink.sh": "exit 1\n"})
    package(folder, "quiet", {"bin/.other-post-link.sh": "touch $PREFIX/other\n", "bin/quiet": "#!/bin/sh\n"})
    package(folder, "stays", {"bin/.stays-post-link.sh": "(setsid sleep 1234 &) \nsleep 1234 &\n"})
    package(folder, "leaks", {"bin/.leaks-post-link.sh": 'printf "%s/../x" "$PREFIX" > "$PREFIX/fine"\n'})
    package(folder, "outside", {"bin/.outside-post-link.sh": 'dirname "$PREFIX" > "$PREFIX/outside"\n'})
    site = f"lib/python{PYTHON}/site-packages/edited.py"
    edit = f'echo "VALUE = 2" > "$PREFIX/{site}"\n"$PREFIX/bin/python" -c "import edited; assert edited.VALUE == 2"\n'
    package(folder, "edits", {"bin/.edits-post-link.sh": edit, site: "VALUE = 1\n"}, (f"python {PYTHON}.*",))
    leads = 'ln -s /etc/hostname "$PREFIX/share/outside"\nln -s "$PREFIX/bin" "$PREFIX/share/inside"\n'
    package(folder, "leads", {"bin/.leads-post-link.sh": leads, "share/x": "x"})
    package(folder, "wipes", {"bin/.wipes-post-link.sh": 'rm -rf "$PREFIX"/*\n'})
    package(folder, "forges", {"bin/.forges-post-link.sh": 'echo "{}" > "$PREFIX/conda-meta/new-1-0.json"\n'})
    package(folder, "pins", {"bin/.pins-post-link.sh": 'echo "python 3" > "$PREFIX/conda-meta/pinned"\n'})
    colours = "printf '\\033[31mred\\033[0m \\033]0;title\\007\\n'; exit 1\n"
    package(folder, "colours", {"bin/.colours-post-link.sh": colours})
    package(folder, "share-too", {"share/shared-too.txt": "x"})
    index_channel(folder)
    return folder.as_uri()


@pytest.fixture(scope="module")
def make(base: Path, package_cache: Path) -> Iterator[Callable[..., Store]]:
    with opened_stores(package_cache) as open_one:

        def open_store(**settings: Any) -> Store:
            chosen = {"artifacts_at_once": [], "installer_maker": "self-extracting", **settings}
            return open_one(settings=chosen, docker_base_image=f"oci:{base}")

        yield open_store


@pytest.fixture(scope="module")
def store(make: Callable[..., Store]) -> Store:
    return make()


def build(store: Store, scripted: str, *names: str, name: str = "") -> dict[str, Any]:
    listed = ", ".join(names)
    return store.build(f"name: {name or names[0]}\nchannels: ['{scripted}']\ndependencies: [{listed}]")


@pytest.fixture(scope="module")
def busy(store: Store, scripted: str) -> dict[str, Any]:
    view = build(store, scripted, "busy")
    assert view["status"] == "COMPLETED", view["reason"]
    return view


def test_they_run_as_conda_runs_them_in_the_order_of_dependencies(busy: dict[str, Any]) -> None:
    prefix = Path(busy["prefix"])
    told = (prefix / "busy-env").read_text().split("|")
    assert told[:6] == ["busy", "1.0", "0", str(prefix), "yes", str(prefix / "bin")]
    assert (prefix / "share" / "busy-path").read_text() == f"{prefix}/share\n"
    assert (prefix / "order").read_text() == "first\norder: first\n"
    seen = dict(line.split("=", 1) for line in (prefix / "busy-seen").read_text().splitlines() if "=" in line)
    assert seen["CONDA_PREFIX"] == str(prefix)
    assert seen["PATH"].split(":")[0] == f"{prefix}/bin"
    assert not {"NETRC", "CONDARC", "RATTLER_AUTH_FILE", "UV_INDEX_URL", "VIRTUAL_ENV"} & set(seen)
    assert not Path(seen["HOME"]).exists()


def test_what_they_say_is_in_the_log_and_their_messages_are_taken_away(store: Store, busy: dict[str, Any]) -> None:
    log = store.envstore.logs.read(busy["id"])
    said = ("busy: working", "busy: grumbling", "busy says: restart your shell")
    for words in (*said, "running the post-link script of"):
        assert words in log
    assert not (Path(busy["prefix"]) / ".messages.txt").exists()
    told = [(warning["kind"], warning["path"]) for warning in busy["warnings"]]
    assert told == [("link_script", "share/pipe")]  # what cannot be kept


def test_the_cache_and_other_environments_stay_as_they_were(store: Store, scripted: str, busy: dict[str, Any]) -> None:
    prefix = Path(busy["prefix"])
    assert (prefix / "share" / "shared.txt").read_text() == "shared\nappended\n"
    for path in (store.root / "pkgs" / "conda").glob("busy-*/share/shared.txt"):
        assert path.read_text() == "shared\n"
    again = build(store, scripted, "busy", name="again")
    assert (Path(again["prefix"]) / "share" / "shared.txt").read_text() == "shared\nappended\n"
    untouched = prefix / "etc" / "conda" / "env_vars.d" / "v.json"
    assert untouched.stat().st_nlink > 2  # shared with the cache and the other environment


def contents(prefix: Path) -> dict[str, bytes]:
    """Return what scripts had to do with, by its path."""
    names = ["busy-env", "busy-seen", "order", *(f"share/{n}" for n in ("busy-path", "shared.txt"))]
    return {name: (prefix / name).read_bytes() for name in names}


def test_a_prefix_comes_back_with_the_same_bytes_and_nothing_is_run(
    store: Store, scripted: str, busy: dict[str, Any]
) -> None:
    prefix = Path(busy["prefix"])
    before = contents(prefix)
    build(store, scripted, "busy")  # the active one stays
    assert store.retention.pack_away(busy["id"])
    assert not prefix.exists()
    store.envstore.prefixes.restore(busy["id"], "tester")
    view = store.wait(busy["id"])
    assert view["prefix"] == str(prefix)
    assert contents(prefix) == before
    assert not (prefix / "share" / "gone.txt").exists()
    assert (prefix / "share" / "made-executable").stat().st_mode & 0o111
    assert (prefix / "share" / "absolute-link").readlink() == prefix / "share" / "shared.txt"
    assert (prefix / "share" / "empty-folder").is_dir()
    assert store.envstore.logs.read(busy["id"]).count("running the post-link script of busy") == 1


def check_elsewhere(prefix: Path, target: str, root: Path) -> None:
    """Check what scripts had done, in an artifact that lies at ``prefix`` and says ``target``."""
    assert (prefix / "share" / "busy-path").read_text() == f"{target}/share\n"
    assert (prefix / "share" / "shared.txt").read_text() == "shared\nappended\n"
    assert not (prefix / "share" / "gone.txt").exists()
    assert (prefix / "share" / "made-executable").stat().st_mode & 0o111
    assert str((prefix / "share" / "absolute-link").readlink()) == "shared.txt"
    for path in prefix.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert str(root).encode() not in path.read_bytes(), path


def artifact(store: Store, view: dict[str, Any], kind: str) -> dict[str, Any]:
    found = store.envstore.artifacts.request(view["id"], kind)
    store.wait(view["id"])
    return store.envstore.artifacts.get(found)


@pytest.fixture(scope="module")
def plain(store: Store, scripted: str) -> dict[str, Any]:
    """A build whose scripts leave nothing in machine code, which archives refuse."""
    folder = Path(scripted.removeprefix("file://"))
    script = BUSY.replace("env | sort", "true")  # a home folder is no path that may leave
    package(folder, "plain", {"bin/.plain-post-link.sh": script, **FILES})
    index_channel(folder)
    view = build(store, scripted, "plain")
    assert view["status"] == "COMPLETED", view["reason"]
    return view


def extract(path: Path, folder: Path) -> None:
    with tarfile.open(path) as tar:
        tar.extractall(folder, filter="tar") if sys.version_info >= (3, 12) else tar.extractall(folder)  # noqa: S202


def extract_layers(store: Store, made: dict[str, Any], folder: Path) -> None:
    """Extract all of an image but its base."""
    manifest = json.loads(store.envstore.artifacts.path(made["sha256"]).read_bytes())
    for layer in manifest["layers"][1:]:
        extract(store.envstore.artifacts.path(layer["digest"].removeprefix("sha256:")), folder)


def test_archive_image_and_installer_have_what_they_did_with_their_own_path(
    store: Store, plain: dict[str, Any], tmp_path: Path
) -> None:
    made = artifact(store, plain, "archive")
    assert made["state"] == "ready", made["reason"]
    extract(store.envstore.artifacts.path(made["sha256"]), tmp_path / "archive")
    check_elsewhere(tmp_path / "archive", "/opt/envstore_archive_placeholder", store.root)
    unpack = tmp_path / "archive" / "bin" / "conda-unpack"
    subprocess.run([sys.executable, str(unpack)], check=True, capture_output=True)
    check_elsewhere(tmp_path / "archive", str(tmp_path / "archive"), store.root)
    made = artifact(store, plain, "installer")
    assert made["state"] == "ready", made["reason"]
    prefix = tmp_path / "installed"
    path = store.envstore.artifacts.path(made["sha256"])
    done = subprocess.run(
        ["/bin/sh", "-eu", str(path), "-b", "-t", "-p", str(prefix)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    check_elsewhere(prefix, str(prefix), store.root)
    subprocess.run(["/bin/bash", "-euo", "pipefail", f"{prefix}/uninstall.sh", "-b"], check=True, capture_output=True)
    assert not prefix.exists()
    made = artifact(store, plain, "docker")
    assert made["state"] == "ready", made["reason"]
    extract_layers(store, made, tmp_path / "image")
    check_elsewhere(tmp_path / "image" / "opt" / "conda", "/opt/conda", store.root)


def test_paths_in_machine_code_are_set_in_images_and_refused_where_nothing_could_set_them_later(
    store: Store, scripted: str, tmp_path: Path
) -> None:
    view = build(store, scripted, "machine")
    made = artifact(store, view, "archive")
    assert made["state"] == "failed"
    assert "machine, which a script of a package made, holds its path in machine code" in made["reason"]
    made = artifact(store, view, "docker")
    assert made["state"] == "ready", made["reason"]
    extract_layers(store, made, tmp_path)
    before = (Path(view["prefix"]) / "machine").read_bytes()
    after = (tmp_path / "opt" / "conda" / "machine").read_bytes()
    assert len(after) == len(before)
    assert after.startswith(b"bin\0/opt/conda/lib\0")
    assert after.endswith(b"\0tail")


def test_a_file_that_tells_of_the_server_does_not_leave_it(store: Store, scripted: str) -> None:
    view = build(store, scripted, "outside")
    made = artifact(store, view, "archive")
    assert made["state"] == "failed"
    assert "outside" in made["reason"]
    assert "holds a path of this machine" in made["reason"]


def test_one_that_fails_fails_the_build_with_its_last_words(store: Store, scripted: str) -> None:
    view = build(store, scripted, "fails")
    assert view["status"] == "FAILED"
    for words in ("post-link script of fails 1.0", "exit code 3", "why", "broken", "link_scripts"):
        assert words in view["reason"]
    assert not any(path.startswith("builds/") and path.endswith(f"-{view['id']}") for path in store.files())


def test_a_link_out_that_a_script_made_is_told_and_one_that_stays_inside_is_not(store: Store, scripted: str) -> None:
    view = build(store, scripted, "leads")
    assert view["status"] == "COMPLETED", view["reason"]
    (told,) = view["warnings"]
    assert (told["kind"], told["package"], told["path"]) == ("outside_link", "leads", "share/outside")
    assert "/etc/hostname" in told["message"]


@pytest.mark.parametrize(
    ("name", "does"), [("wipes", "removes conda-meta/"), ("forges", "makes conda-meta/new-1-0.json")]
)
def test_a_script_that_changes_the_records_of_the_environment_fails_the_build(
    store: Store, scripted: str, name: str, does: str
) -> None:
    view = build(store, scripted, name)
    assert view["status"] == "FAILED"
    assert f"the post-link script of {name} 1.0" in view["reason"]
    assert does in view["reason"]
    assert "link_scripts" in view["reason"]


def test_a_script_may_write_what_is_no_record(store: Store, scripted: str) -> None:
    view = build(store, scripted, "pins")
    assert view["status"] == "COMPLETED", view["reason"]
    assert (Path(view["prefix"]) / "conda-meta" / "pinned").read_text() == "python 3\n"


def test_what_scripts_say_to_a_terminal_is_shown_and_not_heeded(store: Store, scripted: str) -> None:
    view = build(store, scripted, "colours")
    assert "red \\x1b]0;title\\x07" in view["reason"]
    assert "\x1b" not in view["reason"] + store.envstore.logs.read(view["id"])


def test_what_stays_behind_is_ended(store: Store, scripted: str) -> None:
    view = build(store, scripted, "stays")
    assert view["status"] == "COMPLETED", view["reason"]
    running = subprocess.run(["pgrep", "-f", "sleep 1234"], capture_output=True, text=True, check=False).stdout
    assert running == ""


def test_one_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prefix" / "bin").mkdir(parents=True)
    (tmp_path / "prefix" / "bin" / ".slow-post-link.sh").write_text("echo so far\nsleep 60\n")
    script = link_scripts.LinkScript("slow", "1", 0, link_scripts.POST_LINK, "bin/.slow-post-link.sh")
    monkeypatch.setattr(link_scripts, "SECONDS", 1.0)
    started = time.monotonic()
    with pytest.raises(PackageError, match="does not end within 1 s: so far"):
        link_scripts.run_link_scripts([script], tmp_path / "prefix", tmp_path / "scratch", Unbounded(), Silent(), 60)
    assert time.monotonic() - started < 20


def test_pre_link_scripts_are_not_run_and_told_and_scripts_of_other_names_are_none(store: Store, scripted: str) -> None:
    view = build(store, scripted, "pre", "quiet")
    prefix = Path(view["prefix"])
    assert not (prefix / "pre").exists()
    assert not (prefix / "other").exists()
    (told,) = view["warnings"]
    assert (told["kind"], told["package"], told["path"]) == ("link_script", "pre", "bin/.pre-pre-link.sh")
    assert "was not run" in told["message"]


def test_reported_ones_are_named_package_by_package(make: Callable[..., Store], scripted: str) -> None:
    store = make(link_scripts="report")
    view = build(store, scripted, "busy", "fails")
    assert view["status"] == "COMPLETED", view["reason"]
    assert {(told["kind"], told["package"]) for told in view["warnings"]} == {
        ("link_script", name) for name in ("busy", "fails", "z-first")
    }
    assert not (Path(view["prefix"]) / "order").exists()
    assert "warning: the post-link script of busy" in store.envstore.logs.read(view["id"])


def test_refused_ones_fail_the_build_with_the_names_of_all(make: Callable[..., Store], scripted: str) -> None:
    store = make(link_scripts="refuse")
    view = build(store, scripted, "busy", "pre")
    assert view["status"] == "FAILED"
    for name in ("busy 1.0 (post-link)", "z-first 1.0 (post-link)", "pre 1.0 (pre-link)"):
        assert name in view["reason"]
    assert build(store, scripted, "share-too")["status"] == "COMPLETED"


def test_the_setting_binds_people() -> None:
    assert "link_scripts" in RESTRICTIONS


def test_a_source_that_a_script_changed_has_no_byte_code_of_what_was_packaged(
    store: Store, scripted: str, channel: str
) -> None:
    text = f"name: edits\nchannels: ['{scripted}', '{channel}']\ndependencies: [edits]"
    for name in ("edits", "edits-again"):  # the second time, byte code of what was packaged may lie in the cache
        view = store.build(text, name=name)
        assert view["status"] == "COMPLETED", view["reason"]
        python = Path(view["prefix"]) / "bin" / "python"
        command = [str(python), "-c", "import edited; print(edited.VALUE)"]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "2\n"


def test_what_they_did_goes_when_the_build_goes(store: Store, scripted: str) -> None:
    view = build(store, scripted, "leaks")
    build(store, scripted, "leaks")
    with store.envstore.database.read() as session:
        assert owned_blob(session, products_owner(view["id"])) is not None
    store.envstore.builds.delete(view["id"], "tester")
    with store.envstore.database.read() as session:
        assert owned_blob(session, products_owner(view["id"])) is None


def test_a_folder_that_a_script_moved_and_linked_comes_back(tmp_path: Path) -> None:
    prefix, again = tmp_path / "prefix", tmp_path / "again"
    for place in (prefix, again):
        (place / "lib" / "old" / "deep").mkdir(parents=True)
        (place / "lib" / "old" / "deep" / "a").write_text("a")
        (place / "lib" / "file").mkdir()
        (place / "lib" / "file" / "b").write_text("b")
    with Watched(prefix, tmp_path / "scratch") as watched:
        (prefix / "lib" / "old").rename(prefix / "lib" / "new")
        (prefix / "lib" / "old").symlink_to("new")
        (prefix / "lib" / "file" / "b").unlink()
        (prefix / "lib" / "file").rmdir()
        (prefix / "lib" / "file").write_text("a file now")
    products = tmp_path / "products"
    with products.open("wb") as file:
        assert write_products(prefix, watched.touched, file) == []
    apply_products(products, again, again, tmp_path / "store")
    assert (again / "lib" / "old").readlink() == Path("new")
    assert (again / "lib" / "old" / "deep" / "a").read_text() == "a"
    assert (again / "lib" / "file").read_text() == "a file now"
