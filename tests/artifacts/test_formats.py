"""Artifacts for other tools, of a real build with conda and PyPI packages, each read by the tool or its library."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.artifacts.pixi_lock import pixi_lock_of
from jupyter_envstore.artifacts.pixi_manifest import pixi_manifest_of
from jupyter_envstore.artifacts.pylock import pylock_of
from jupyter_envstore.artifacts.requirements import requirements_of
from jupyter_envstore.artifacts.sbom import sbom_of
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.engine.uv import find_uv
from jupyter_envstore.errors import ConflictError, SpecificationError
from jupyter_envstore.policy.settings import PLATFORMS
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.platform_markers import marker_of
from jupyter_envstore.spec.repair import repair
from jupyter_envstore.spec.specification import PipOptions
from tests.helpers import Store, opened_stores

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SPECIFICATION = """
    name: formats
    description: What "others" read
    channels: [{channel}]
    dependencies:
      - python
      - click >=8
      - flask
      - pip: [cowsay]
    variables: {{GREETING: "it's \\"fine\\" $HOME"}}
"""
COMMIT = "c" * 40


@pytest.fixture(scope="module")
def made(channel: str, package_cache: Path) -> Iterator[Store]:
    """A store with one build of conda and PyPI packages, which no artifact was made of yet."""
    with opened_stores(package_cache) as make:
        store = make(settings={"artifacts_at_once": [], "check_imports": False})
        store.data = store.build(SPECIFICATION.format(channel=channel))
        assert store.data["status"] == "COMPLETED"
        yield store


@pytest.fixture(scope="module")
def record(made: Store) -> BuildRecord:
    found: BuildRecord = made.envstore.records.read(made.data["id"])
    return found


def content(store: Store, build_id: int, kind: str) -> bytes:
    """Have an artifact made, and return its bytes."""
    number = store.envstore.artifacts.request(build_id, kind)
    store.wait(build_id)
    found = store.envstore.artifacts.get(number)
    assert found["state"] == "ready", found["reason"]
    return b"".join(store.envstore.artifacts.pieces(build_id, kind))


def packages_of(record: BuildRecord) -> set[tuple[str, str]]:
    """Return addresses and hashes of all packages of the build's platform."""
    lock = next(iter(record.platforms.values()))
    return {(str(entry["url"]), str(entry.get("sha256"))) for entry in (*lock.conda, *lock.pip)}


def locked_packages(text: str, name: str) -> set[tuple[str, str]]:
    """Return addresses and hashes of what a file is read as."""
    found = read_specification(repair(text, name).text).lockfile
    assert found is not None
    return {(entry["url"], entry["hash"].get("sha256", "")) for entry in found["package"]}


def test_uv_installs_what_a_pylock_names(made: Store, tmp_path: Path) -> None:
    from packaging.pylock import Pylock

    text = content(made, made.data["id"], "pylock").decode()
    found = Pylock.from_dict(tomllib.loads(text))
    found.validate()
    assert [package.name for package in found.packages] == ["cowsay"]
    assert found.environments is not None
    assert [marker.evaluate() for marker in found.environments] == [True]
    lock = tmp_path / "pylock.toml"
    lock.write_text(text)
    python = Path(made.data["prefix"]) / "bin" / "python"
    command = [find_uv(), "pip", "install", "--python", str(python), "--target", str(tmp_path / "there"), "--no-deps"]
    subprocess.run([*command, "--require-hashes", "--requirements", str(lock)], check=True, capture_output=True)
    assert (tmp_path / "there" / "cowsay" / "__init__.py").is_file()


def test_pip_installs_the_requirements_and_checks_their_hashes(made: Store, tmp_path: Path) -> None:
    text = content(made, made.data["id"], "requirements").decode()
    python = next(iter(made.envstore.records.read(made.data["id"]).platforms.values())).python
    assert f"Python {python}: the PyPI packages; conda packages are not listed" in text
    file = tmp_path / "requirements.txt"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    file.write_text(text)
    subprocess.run([*command, "--target", str(tmp_path / "there"), "-r", str(file)], check=True, capture_output=True)
    assert (tmp_path / "there" / "cowsay" / "__init__.py").is_file()
    file.write_text(re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", text))
    other = [*command, "--target", str(tmp_path / "other"), "-r", str(file)]
    refused = subprocess.run(other, check=False, capture_output=True, text=True)
    assert refused.returncode
    assert "HASH" in refused.stderr.upper()


def test_rattler_and_our_own_reader_read_the_pixi_workspace(made: Store, record: BuildRecord, tmp_path: Path) -> None:
    from rattler import LockFile

    with zipfile.ZipFile(io.BytesIO(content(made, made.data["id"], "pixi"))) as archive:
        assert sorted(archive.namelist()) == ["formats/pixi.lock", "formats/pixi.toml"]
        archive.extractall(tmp_path)
    folder = tmp_path / "formats"
    environment = LockFile.from_path(folder / "pixi.lock").default_environment()
    assert environment is not None
    lock = next(iter(record.platforms.values()))
    records = environment.conda_repodata_records_for_platform(environment.platforms()[0])
    read = {found.name.normalized: found for found in records or ()}
    assert set(read) == {entry["name"] for entry in lock.conda}
    for entry in lock.conda:
        found = read[entry["name"]]
        assert (str(found.version), str(found.build), found.build_number) == (
            entry["version"], entry["build"], entry["build_number"]
        )  # fmt: skip
        assert (found.url, found.sha256.hex()) == (entry["url"], entry["sha256"])
        assert sorted(found.depends) == sorted(entry["depends"])
        assert found.subdir == entry["subdir"]
    pypi = [each for found in environment.pypi_packages().values() for each in found]
    assert [(found.name, str(found.version), found.location) for found in pypi] == [
        (package["name"], package["version"], package["url"]) for package in lock.pip
    ]
    assert locked_packages((folder / "pixi.lock").read_text(), "pixi.lock") == packages_of(record)
    manifest = read_specification(repair((folder / "pixi.toml").read_text(), "pixi.toml").text)
    assert {*manifest.dependencies} - {"ipykernel"} == {"click >=8", "flask", "python"}
    assert (manifest.pip, manifest.variables) == (("cowsay",), {"GREETING": 'it\'s "fine" $HOME'})
    assert (manifest.name, manifest.description) == ("formats", 'What "others" read')


def test_the_bill_of_materials_is_valid_and_tells_licences_hashes_and_needs(made: Store, record: BuildRecord) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = content(made, made.data["id"], "sbom").decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    by_name = {component["name"]: component for component in bill["components"]}
    click, cowsay = by_name["click"], by_name["cowsay"]
    entry = next(entry for entry in next(iter(record.platforms.values())).conda if entry["name"] == "click")
    assert click["purl"].startswith(f"pkg:conda/click@{entry['version']}?build={entry['build']}&channel=channel")
    assert {"alg": "SHA-256", "content": entry["sha256"]} in click["hashes"]
    assert click["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert cowsay["purl"].startswith("pkg:pypi/cowsay@")
    assert cowsay["licenses"], "the wheel tells it, the record does not"
    needs = {item["ref"]: item.get("dependsOn", []) for item in bill["dependencies"]}
    assert click["bom-ref"] in needs[by_name["flask"]["bom-ref"]]
    asked = needs[bill["metadata"]["component"]["bom-ref"]]
    assert {by_name[name]["bom-ref"] for name in ("python", "click", "flask", "cowsay")} == set(asked)
    assert locked_packages(text, "formats.cdx.json") == packages_of(record)
    again = made.build(text_of_lock(text), name="again")
    assert again["status"] == "COMPLETED", again["reason"]
    assert packages_of(made.envstore.records.read(again["id"])) == packages_of(record)


def text_of_lock(text: str) -> str:
    return repair(text, "formats.cdx.json").text


def test_the_same_record_gives_the_same_bytes(record: BuildRecord) -> None:
    platform = next(iter(record.platforms))
    for make in (
        lambda: sbom_of(record, platform, {"cowsay": "GNU-GPL"}),
        lambda: pixi_lock_of(record) + pixi_manifest_of(record),
        lambda: pylock_of(record, platform) + requirements_of(record, platform),
    ):
        assert make() == make()


def test_a_build_without_pypi_packages_has_no_lists_of_them(store: Store, nasty_channel: str) -> None:
    everything = ["yaml", "pylock", "requirements"]
    store.envstore.settings.change({"artifacts_at_once": everything}, (), "tester")
    view = store.build(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    assert [artifact["type"] for artifact in view["artifacts"]] == ["yaml"]
    listed = {artifact["type"] for artifact in store.envstore.artifacts.of_build(view["id"])}
    assert listed & {"pixi", "sbom", "pylock", "requirements"} == {"pixi", "sbom"}
    for kind in ("pylock", "requirements"):
        with pytest.raises(ConflictError, match="build 1 has no PyPI packages"):
            store.envstore.artifacts.request(view["id"], kind)
        with pytest.raises(ConflictError, match="build 1 has no PyPI packages"):
            store.envstore.artifacts.find(view["id"], kind)


def conda(name: str, version: str = "1.0", **more: Any) -> dict[str, Any]:
    channel = "https://conda.example/forge"
    found = {
        "name": name, "version": version, "build": "h1_0", "build_number": 0, "subdir": "linux-64", "depends": [],
        "fn": f"{name}-{version}-h1_0.conda", "url": f"{channel}/linux-64/{name}-{version}-h1_0.conda",
        "channel": channel, "sha256": "a" * 64, "md5": "b" * 32, "license": "MIT AND BSD-3-Clause",
    }  # fmt: skip
    return found | more


def wheel(name: str, **more: Any) -> dict[str, Any]:
    file = f"{name}-1.0-py3-none-any.whl"
    found = {
        "name": name, "version": "1.0", "filename": file, "url": f"https://files.example/{file}", "sha256": "d" * 64,
        "size": 9, "index": "https://index.example/simple", "dependencies": [],
    }  # fmt: skip
    return found | more


def hand_made() -> BuildRecord:
    """Return a record with all that is unusual: repositories, addresses, indexes, a source archive, two platforms."""
    linux = (
        conda("python", "3.11.4", depends=["__glibc >=2.34", "lib"]),
        conda("lib", build="1e5"),
        conda("only-linux"),
        conda("pinned"),
    )
    mac = tuple(
        {**entry, "subdir": "osx-arm64", "url": entry["url"].replace("linux-64", "osx-arm64")}
        for entry in (conda("python", "3.11.4"), conda("lib"), conda("pinned"))
    )
    pip = (
        wheel("plain", dependencies=["given", "lib"]),
        wheel("given", index=""),
        wheel("repository", url=f"git+https://git.example/a/b@{COMMIT}#subdirectory=c", sha256=COMMIT, index=""),
        wheel("source", filename="source-1.0.tar.gz", url="https://files.example/source-1.0.tar.gz"),
    )
    return BuildRecord(
        "hand",
        ("https://conda.example/forge",),
        {
            "linux-64": PlatformLock(linux, pip, ("__glibc=2.35=0", "__linux=5.10=0", "__cuda=12.4=0")),  # type: ignore[arg-type]
            "osx-arm64": PlatformLock(mac, (), ("__osx=13.0=0",)),  # type: ignore[arg-type]
        },
        requested_conda=("python =3.11", "python <4", "only-linux", "https://conda.example/forge::lib",
                         "pinned[md5=" + "b" * 32 + "]", "gone"),
        requested_pip=("plain[extra]>=1", "given @ https://files.example/given-1.0-py3-none-any.whl",
                       f"repository @ git+https://git.example/a/b@{COMMIT}#subdirectory=c", "source"),
        pip_options=PipOptions("https://index.example/simple", ("https://more.example/simple",), ("./wheels",)),
        channel_priority="disabled",
    )  # fmt: skip


def test_a_manifest_says_what_was_asked_for_as_pixi_does() -> None:
    text = pixi_manifest_of(hand_made())
    found = tomllib.loads(text)
    assert found["dependencies"] == {
        "python": "3.11.*,<4",
        "lib": {"version": "*", "channel": "https://conda.example/forge"},
        "pinned": {"version": "==1.0", "build": "h1_0"},
    }
    linux = found["target"]["linux-64"]
    assert linux["dependencies"] == {"only-linux": "*"}
    assert linux["pypi-dependencies"] == {
        "plain": {"version": ">=1", "extras": ["extra"]},
        "given": {"url": "https://files.example/given-1.0-py3-none-any.whl"},
        "repository": {"git": "https://git.example/a/b", "rev": COMMIT, "subdirectory": "c"},
        "source": "*",
    }
    assert found["workspace"]["channel-priority"] == "disabled"
    assert found["system-requirements"] == {"libc": {"family": "glibc", "version": "2.34"}}
    assert found["pypi-options"]["find-links"] == [{"path": "./wheels"}]
    assert text.startswith("# left out: gone: no platform of the lock has it\n")


def test_a_record_without_requests_asks_for_every_package_as_it_is() -> None:
    record = hand_made()
    plain = BuildRecord("hand", record.channels, record.platforms)
    found = tomllib.loads(pixi_manifest_of(plain))
    assert found["dependencies"]["python"] == {"version": "==3.11.4", "build": "h1_0"}
    assert found["target"]["linux-64"]["dependencies"]["lib"] == {"version": "==1.0", "build": "1e5"}
    assert found["target"]["linux-64"]["pypi-dependencies"]["plain"] == "==1.0"


def test_rattler_reads_repositories_and_words_that_look_like_numbers(tmp_path: Path) -> None:
    from rattler import LockFile

    text = pixi_lock_of(hand_made()).replace("md5: " + "b" * 32, "md5: '" + "1" * 20 + "e" + "1" * 11 + "'")
    (tmp_path / "pixi.lock").write_text(text)
    environment = LockFile.from_path(tmp_path / "pixi.lock").default_environment()
    assert environment is not None
    places = {found.name: found.location for each in environment.pypi_packages().values() for found in each}
    assert places["repository"] == f"git+https://git.example/a/b?rev={COMMIT}&subdirectory=c#{COMMIT}"
    assert sorted(str(platform) for platform in environment.packages_by_platform()) == ["linux-64", "osx-arm64"]
    assert "channel-priority: disabled" in text
    assert "- path: ./wheels" in text
    assert "requires_dist:\n  - given\n" in text  # what conda provides is no PyPI package of the lock
    read = read_specification(repair(text, "pixi.lock").text).lockfile
    assert read is not None
    assert f"git+https://git.example/a/b@{COMMIT}#subdirectory=c" in {entry["url"] for entry in read["package"]}


def test_lists_for_pip_say_repositories_and_addresses_as_pip_takes_them() -> None:
    text = requirements_of(hand_made(), "linux-64")
    assert text.splitlines()[2:] == [
        "--index-url https://index.example/simple",
        "--extra-index-url https://more.example/simple",
        "--find-links ./wheels",
        f"plain==1.0 --hash=sha256:{'d' * 64}",
        f"given @ https://files.example/given-1.0-py3-none-any.whl --hash=sha256:{'d' * 64}",
        f"source==1.0 --hash=sha256:{'d' * 64}",
        "# pip cannot check the hash of a repository; these are at a commit: pip install --no-deps",
        f"#   repository @ git+https://git.example/a/b@{COMMIT}#subdirectory=c",
    ]
    from packaging.pylock import Pylock

    found = {
        package.name: package
        for package in Pylock.from_dict(tomllib.loads(pylock_of(hand_made(), "linux-64"))).packages
    }
    assert found["given"].archive is not None
    assert found["given"].archive.url == "https://files.example/given-1.0-py3-none-any.whl"
    assert found["repository"].vcs is not None
    assert (found["repository"].vcs.commit_id, found["repository"].vcs.subdirectory) == (COMMIT, "c")
    assert found["source"].sdist is not None
    assert found["plain"].index == "https://index.example/simple"


def test_a_bill_tells_repositories_and_that_licences_were_not_looked_up() -> None:
    bill = json.loads(sbom_of(hand_made(), "linux-64", None))
    by_name = {component["name"]: component for component in bill["components"]}
    assert {"name": "jupyter-envstore:pypi-licenses", "value": "not looked up"} in bill["metadata"]["properties"]
    assert by_name["repository"]["externalReferences"][0]["type"] == "vcs"
    assert "hashes" not in by_name["repository"]
    assert by_name["lib"]["licenses"] == [{"expression": "MIT AND BSD-3-Clause"}]
    assert locked_packages(json.dumps(bill), "x.cdx.json") == {
        (str(entry["url"]), str(entry["sha256"]))
        for entry in (*hand_made().platforms["linux-64"].conda, *hand_made().platforms["linux-64"].pip)
    }


@pytest.mark.parametrize(
    ("bill", "message"),
    [
        (
            {"components": [{"name": "a", "version": "1", "purl": "pkg:deb/debian/a@1"}]},
            "no conda and no PyPI packages",
        ),
        ({"components": [{"name": "a", "version": "1", "purl": "pkg:pypi/a@1"}]}, "no address and hash of a 1;"),
        ({"components": "none"}, "lists no conda and no PyPI packages"),
        ({}, "lists no conda and no PyPI packages"),
    ],
)
def test_a_bill_that_tells_too_little_is_refused_with_the_way_out(bill: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecificationError, match=message) as refused:
        repair(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", **bill}), "x.json")
    assert "a lockfile or a pinned environment.yml tells enough" in str(refused.value)


def test_a_bill_that_is_built_without_a_repair_says_what_it_is() -> None:
    text = sbom_of(hand_made(), "linux-64", {})
    with pytest.raises(SpecificationError, match="this is a bill of materials: import it, which repairs and converts"):
        read_specification(text)


def test_there_is_a_marker_for_every_platform() -> None:
    from packaging.markers import Marker

    assert len({str(Marker(marker_of(platform))) for platform in PLATFORMS}) == len(PLATFORMS)


def test_lines_for_pip_hold_together_and_where_their_markers_say() -> None:
    def lock(version: str) -> PlatformLock:
        return PlatformLock((conda("python", "3.11.4"),), (wheel("foo", version=version), wheel("socks")))  # type: ignore[arg-type]

    record = BuildRecord(
        "markers",
        (),
        {"linux-64": lock("1.0"), "win-64": lock("2.0")},
        requested_pip=(
            "foo==1.0; sys_platform == 'linux'",
            "Foo[more]==2.0; sys_platform == 'win32'",
            "socks>=1,<3",
            "socks[extra]!=2",
            "gone; python_version < '3'",
        ),
    )
    found = tomllib.loads(pixi_manifest_of(record))
    assert found["pypi-dependencies"] == {"socks": {"version": "<3,>=1,!=2", "extras": ["extra"]}}
    assert found["target"]["linux-64"]["pypi-dependencies"] == {"foo": "==1.0"}
    assert found["target"]["win-64"]["pypi-dependencies"] == {"foo": {"version": "==2.0", "extras": ["more"]}}


def test_a_system_is_required_only_as_far_as_packages_need_it() -> None:
    def lock(bound: str, has: str) -> PlatformLock:
        return PlatformLock((conda("a", depends=[f"__glibc {bound}", "__cuda >=12.4"]),), (), (f"__glibc={has}=0",))  # type: ignore[arg-type]

    few = BuildRecord("e", (), {"linux-64": lock(">=2.17,<3.0.a0", "2.39")})
    assert tomllib.loads(pixi_manifest_of(few))["system-requirements"] == {"cuda": "12.4"}
    record = BuildRecord("e", (), {"linux-64": lock(">=2.34", "2.39"), "linux-aarch64": lock(">=2.31", "2.31")})
    found = tomllib.loads(pixi_manifest_of(record))["system-requirements"]
    assert found == {"cuda": "12.4", "libc": {"family": "glibc", "version": "2.34"}}


def test_names_and_files_with_codes_are_written_as_other_tools_read_them(tmp_path: Path) -> None:
    from packaging.pylock import Pylock
    from rattler import LockFile

    python = conda("python", "1!3.11", fn="python-1!3.11-h1_0.conda")
    python["url"] = "https://conda.example/forge/linux-64/python-1%213.11-h1_0.conda"
    record = BuildRecord("e", (), {"linux-64": PlatformLock((python,), (wheel("Jinja2"),))})  # type: ignore[arg-type]
    Pylock.from_dict(tomllib.loads(pylock_of(record, "linux-64"))).validate()
    (tmp_path / "pixi.lock").write_text(pixi_lock_of(record))
    environment = LockFile.from_path(tmp_path / "pixi.lock").default_environment()
    assert environment is not None
    (found,) = environment.conda_repodata_records_for_platform(environment.platforms()[0]) or ()
    assert (found.name.normalized, str(found.version)) == ("python", "1!3.11")


def test_the_hash_of_a_file_stands_at_its_address_in_bills_of_others() -> None:
    digest = "e" * 64
    component = {
        "name": "foo",
        "version": "1.0",
        "purl": "pkg:pypi/foo@1.0",
        "bom-ref": "x",
        "externalReferences": [
            {"type": "distribution", "url": "https://index.example/project/foo/"},
            {
                "type": "distribution",
                "url": "https://files.example/foo-1.0-py3-none-any.whl",
                "hashes": [{"alg": "SHA-256", "content": digest.upper()}],
            },
        ],
    }
    bill: dict[str, Any] = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]}
    assert locked_packages(json.dumps(bill), "x.json") == {("https://files.example/foo-1.0-py3-none-any.whl", digest)}
    bill["metadata"] = {"component": {"name": "e", "description": "For all"}}
    assert read_specification(repair(json.dumps(bill), "x.json").text).description == "For all"
    del component["externalReferences"][1]  # type: ignore[attr-defined]
    with pytest.raises(SpecificationError, match=r"no address and hash of foo 1\.0"):
        repair(json.dumps(bill), "x.json")
