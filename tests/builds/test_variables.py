"""Variables that packages bring: set wherever an environment is used, and told where they cannot be."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.kernels.kernel_specs import KernelSpecs
from jupyter_envstore.kernels.stored_builds import StoredBuilds
from jupyter_envstore.services.store import EnvStore
from tests.helpers import LEASE_SECONDS, Store, executor_of, store_config
from tests.nasty import SHORT, Fill, add

HOSTILE = 'it\'s "fine" $HOME ${PATH} `id` \\ \n& two'
GOOD = {"FROM_PACKAGE": "package", "BOTH": "package", "GONE": "package", "DATA": f"{SHORT}/share", "HOSTILE": HOSTILE}
KERNEL = {"argv": ["tool", "{connection_file}"], "display_name": "Tool", "language": "tool"}


def files(**contents: str | bytes) -> Fill:
    """Fill a package with files; ``__`` stands for a slash, two in a row for a dot."""

    def fill(root: Path) -> dict[str, tuple[str, str]]:
        held = {}
        for name, content in contents.items():
            place = name.replace("____", ".").replace("__", "/")
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            data = content.encode() if isinstance(content, str) else content
            path.write_bytes(data)
            path.chmod(0o755 if place.startswith("bin/") else 0o644)
            if SHORT.encode() in data:
                held[place] = (SHORT, "text")
        return held

    return fill


def variables(name: str, content: str | bytes) -> Fill:
    return files(**{f"etc__conda__env_vars____d__{name}____json": content})


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("variables")
    add(folder, "good", variables("good", json.dumps(GOOD)))
    add(folder, "later", variables("later", json.dumps({"FROM_PACKAGE": "later"})))
    kinds = {"N": 1, "B": True, "L": [1], "O": {}, "Z": None, "small": "s"}
    add(folder, "kinds", variables("kinds", json.dumps(kinds)))
    names = {"PATH": "/x", "CONDA_PREFIX": "/x", "a-b": "1", "": "1", "1A": "1", "A=B": "1", "NUL": "a\0b", "OK": "ok"}
    add(folder, "names", variables("names", json.dumps(names)))
    add(folder, "broken", variables("broken", '{"A": "1",}'))
    add(folder, "latin", variables("latin", b'{"A": "gr\xfcn"}'))
    add(folder, "listed", variables("listed", "[]"))
    add(folder, "deep", variables("deep", "[" * 100_000))
    add(folder, "marked", variables("marked", b"\xef\xbb\xbf" + b'{"MARKED": "yes"}'))
    add(folder, "huge", variables("huge", json.dumps({"A": "x" * (2 << 20)})))
    add(folder, "endless", variables("endless", json.dumps({"ENDLESS": "x" * (128 << 10), "SHORT": "1"})))
    for part in range(12):  # each may be, all together may not
        many = {f"MANY_{part}_{number}": "x" * 1000 for number in range(100)}
        add(folder, f"many-{part:02}", variables(f"many-{part:02}", json.dumps(many)))
    add(folder, "state", files(**{"conda-meta__state": json.dumps({"env_vars": {"FROM_STATE": "1"}})}))
    add(folder, "no-state", files(**{"conda-meta__state": "{}"}))
    add(folder, "bad-state", files(**{"conda-meta__state": "not JSON"}))
    add(folder, "listed-state", files(**{"conda-meta__state": '{"env_vars": [1]}'}))
    rich = {"KEPT": "kept", "REPLACED": "theirs", "SAME": "same", "GONE": "theirs", "PLACE": f"{SHORT}/share"}
    more = {"version": 1, "more": {"of": "conda"}, "env_vars": rich}
    add(folder, "rich-state", files(**{"conda-meta__state": json.dumps(more)}))
    reads = {"etc__conda__activate____d__r____sh": 'export READ="$FROM_PACKAGE"\n'}
    kernel = {"share__jupyter__kernels__tool__kernel____json": json.dumps(KERNEL), "bin__tool": "#!/bin/sh\n"}
    add(folder, "tool", files(**reads, **kernel))
    index_channel(folder)
    return folder.as_uri()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Iterator[Store]:
    root = tmp_path_factory.mktemp("es")
    settings: dict[str, Any] = {"artifacts_at_once": [], "installer_maker": "self-extracting", "check_imports": False}
    config = store_config(root, lease_seconds=LEASE_SECONDS, settings=settings, docker_base_image=f"oci:{base}")
    opened = Store(EnvStore.open(config, executor_of(config)))
    yield opened
    opened.end_workers()
    opened.close()
    remove_tree(root)


@pytest.fixture(scope="module")
def good(store: Store, channel: str) -> dict[str, Any]:
    """A build with variables of packages, of its own, and one that it takes back."""
    return store.build(
        f"""
        name: good
        channels: [{channel}]
        dependencies: [good, later, tool]
        variables:
          BOTH: environment
          GONE: '***unset***'
        """
    )


def warned(view: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return package, file and message of each warning."""
    return [(told["package"], told["path"].rpartition("/")[2], told["message"]) for told in view["warnings"]]


SEEN = ["FROM_PACKAGE", "BOTH", "GONE", "DATA", "HOSTILE", "READ"]
PRINT = f"import os; print([os.environ.get(name) for name in {SEEN!r}])"


def expected(prefix: object) -> list[str | None]:
    return ["later", "environment", None, f"{prefix}/share", HOSTILE, "later"]


def test_run_sets_them(store: Store, good: dict[str, Any]) -> None:
    program = str(Path(sys.executable).with_name("jupyter-envstore"))
    command = [program, "run", "--root", str(store.root), "team/good", "--", sys.executable, "-c", PRINT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == repr(expected(good["prefix"]))


def test_kernels_have_them(store: Store, good: dict[str, Any]) -> None:
    kernels = KernelSpecs(store.envstore.config, StoredBuilds(store.envstore.config, store.envstore.database))
    kernels.sync()
    (path,) = kernels.directory.glob("envstore-team--good--tool/kernel.json")
    found = json.loads(path.read_text())["env"]
    # Jupyter writes $$ for a dollar that stays.
    assert [found[name].replace("$$", "$") if name in found else None for name in SEEN] == expected(good["prefix"])


def test_archive_and_installer_set_them_where_they_are_unpacked(
    store: Store, good: dict[str, Any], tmp_path: Path
) -> None:
    for kind in ("archive", "installer"):
        artifact = store.envstore.artifacts.request(good["id"], kind)
        store.wait(good["id"])
        made = store.envstore.artifacts.get(artifact)
        assert made["state"] == "ready", made["reason"]
        path = store.envstore.artifacts.path(made["sha256"])
        prefix = tmp_path / kind
        if kind == "archive":
            with tarfile.open(path) as tar:
                tar.extractall(prefix, filter="tar") if sys.version_info >= (3, 12) else tar.extractall(prefix)  # noqa: S202
        else:
            subprocess.run(["/bin/sh", "-eu", str(path), "-b", "-p", str(prefix)], check=True, capture_output=True)
        script = f'. {prefix}/bin/activate; {sys.executable} -c "$0"; deactivate; echo "[${{FROM_PACKAGE-}}]"'
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script, PRINT],
            capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert done.stdout.splitlines() == [repr(expected(prefix)), "[]"], (kind, done.stderr)
        assert not (prefix / "conda-meta" / "frozen").exists()


def test_images_have_them_in_their_configuration(store: Store, good: dict[str, Any]) -> None:
    artifact = store.envstore.artifacts.request(good["id"], "docker")
    store.wait(good["id"])
    made = store.envstore.artifacts.get(artifact)
    assert made["state"] == "ready", made["reason"]
    manifest = json.loads(store.envstore.artifacts.path(made["sha256"]).read_bytes())
    digest = manifest["config"]["digest"].removeprefix("sha256:")
    entries = json.loads(store.envstore.artifacts.path(digest).read_bytes())["config"]["Env"]
    found = dict(entry.split("=", 1) for entry in entries)
    assert [found.get(name) for name in SEEN[:-1]] == expected("/opt/conda")[:-1]


def test_what_two_packages_set_otherwise_is_told(good: dict[str, Any]) -> None:
    (told,) = warned(good)
    assert told[:2] == ("later", "later.json")
    assert "sets FROM_PACKAGE, as etc/conda/env_vars.d/good.json does" in told[2]


def recorded(view: dict[str, Any]) -> dict[str, str]:
    text = (Path(view["prefix"]) / "conda-meta" / "envstore-activation").read_text()
    found: dict[str, str] = json.loads(text)
    return found


def test_values_that_are_no_texts_are_what_conda_makes_of_them_and_told(store: Store, channel: str) -> None:
    view = store.build(f"name: kinds\nchannels: [{channel}]\ndependencies: [kinds]")
    found = recorded(view)
    assert [found.get(name) for name in ("N", "B", "L", "O", "Z", "small", "SMALL")] == [
        "1", "True", None, None, "", "s", "s",
    ]  # fmt: skip
    told = warned(view)
    assert {package for package, _, _ in told} == {"kinds"}
    for name in "NBLOZ":
        assert any(f"sets {name} to " in message for _, _, message in told), told


def test_names_that_are_none_are_left_out_and_told(store: Store, channel: str) -> None:
    view = store.build(f"name: names\nchannels: [{channel}]\ndependencies: [names]")
    found = recorded(view)
    assert found["OK"] == "ok"
    assert found["CONDA_PREFIX"] == view["prefix"]
    assert "/x" not in found["PATH"].split(":")
    assert not {"a-b", "", "1A", "A=B", "NUL"} & set(found)
    told = " ".join(message for _, _, message in warned(view))
    for name in ("PATH", "CONDA_PREFIX", "'a-b'", "''", "'1A'", "'A=B'", "NUL"):
        assert f"sets {name}" in told


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        ("broken", "is not JSON"),
        ("latin", "is not UTF-8"),
        ("listed", "is a list"),
        ("deep", "nested too deeply"),
        ("huge", "more than 1 MB"),
        ("bad-state", "is not JSON"),
    ],
)
def test_files_that_cannot_be_read_are_told_with_package_and_path(
    store: Store, channel: str, package: str, reason: str
) -> None:
    view = store.build(f"name: {package}\nchannels: [{channel}]\ndependencies: [{package}, good]")
    assert view["status"] == "COMPLETED", view["reason"]
    assert recorded(view)["FROM_PACKAGE"] == "package"
    (told,) = warned(view)
    assert told[0] == package
    assert reason in told[2]
    assert f"of {package}" in told[2]


def test_values_that_no_program_could_be_given_are_left_out_and_told(store: Store, channel: str) -> None:
    view = store.build(f"name: endless\nchannels: [{channel}]\ndependencies: [endless, good]")
    assert view["status"] == "COMPLETED", view["reason"]
    found = recorded(view)
    assert "ENDLESS" not in found
    assert (found["SHORT"], found["FROM_PACKAGE"]) == ("1", "package")
    ((package, _, message),) = warned(view)
    assert (package, "ENDLESS to more than 128 kB" in message) == ("endless", True)


def test_many_variables_are_set_up_to_what_a_program_can_be_given(store: Store, channel: str) -> None:
    names = ", ".join(f"many-{part:02}" for part in range(12))
    view = store.build(f"name: many\nchannels: [{channel}]\ndependencies: [{names}]")
    assert view["status"] == "COMPLETED", view["reason"]
    found = recorded(view)
    assert {f"MANY_{part}_{number}" for part in range(10) for number in range(100)} <= set(found)
    assert "MANY_11_99" not in found
    assert {package for package, _, _ in warned(view)} == {"many-10", "many-11"}


def test_a_mark_in_front_and_a_state_of_a_package_are_read(store: Store, channel: str) -> None:
    view = store.build(f"name: marked\nchannels: [{channel}]\ndependencies: [marked, state]")
    found = recorded(view)
    assert (found["MARKED"], found["FROM_STATE"]) == ("yes", "1")
    assert view["warnings"] == []
    bare = store.build(f"name: bare\nchannels: [{channel}]\ndependencies: [no-state]")
    assert (bare["status"], bare["warnings"]) == ("COMPLETED", [])


@pytest.mark.parametrize("kind", ["archive", "installer"])
def test_variables_of_a_specification_are_added_to_the_state_of_a_package_and_what_they_replace_is_told(
    store: Store, channel: str, kind: str, tmp_path: Path
) -> None:
    view = store.build(
        f"""
        name: merged
        channels: [{channel}]
        dependencies: [rich-state]
        variables: {{OWN: own, REPLACED: mine, SAME: same, GONE: '***unset***'}}
        """
    )
    expected = {"KEPT": "kept", "OWN": "own", "REPLACED": "mine", "SAME": "same", "GONE": None}
    found = recorded(view)
    assert {name: found.get(name) for name in expected} == expected
    assert found["PLACE"] == f"{view['prefix']}/share"
    state = json.loads((Path(view["prefix"]) / "conda-meta" / "state").read_bytes())
    assert state["more"] == {"of": "conda"}
    told = warned(view)
    assert [(package, file) for package, file, _ in told] == [("rich-state", "state")] * 2
    assert "sets GONE, which the variables of the specification replace" in told[0][2]
    assert "sets REPLACED, which" in told[1][2]
    artifact = store.envstore.artifacts.request(view["id"], kind)
    store.wait(view["id"])
    made = store.envstore.artifacts.get(artifact)
    assert made["state"] == "ready", made["reason"]
    path, prefix = store.envstore.artifacts.path(made["sha256"]), tmp_path / "there"
    if kind == "archive":
        with tarfile.open(path) as tar:
            tar.extractall(prefix, filter="tar") if sys.version_info >= (3, 12) else tar.extractall(prefix)  # noqa: S202
        subprocess.run([sys.executable, str(prefix / "bin" / "conda-unpack")], check=True)
    else:
        subprocess.run(["/bin/sh", str(path), "-b", "-t", "-p", str(prefix)], check=True, capture_output=True)
    again = json.loads((prefix / "conda-meta" / "state").read_bytes())
    assert again["env_vars"] == {**state["env_vars"], "PLACE": f"{prefix}/share"}


@pytest.mark.parametrize(
    ("package", "reason"), [("bad-state", "is not JSON"), ("listed-state", "has a list as env_vars")]
)
def test_a_state_that_cannot_be_read_is_replaced_and_told(
    store: Store, channel: str, package: str, reason: str
) -> None:
    view = store.build(f"name: x\nchannels: [{channel}]\ndependencies: [{package}]\nvariables: {{A: b}}")
    assert recorded(view)["A"] == "b"
    ((whose, _, message),) = warned(view)
    assert whose == package
    assert reason in message
    assert message.endswith("; the variables of the specification replace the file")


def test_prefixes_are_frozen_for_conda_with_a_message_that_says_how_to_add_a_package(good: dict[str, Any]) -> None:
    message = json.loads((Path(good["prefix"]) / "conda-meta" / "frozen").read_text())["message"]
    assert "Add the package to the environment's specification and build it again:\njupyter envstore build" in message
