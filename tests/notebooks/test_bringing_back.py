"""A notebook brings its environment back: from this store, or from the lock that it holds; nothing in it is trusted."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import lzma
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.engine.record_reader import read_foreign_record
from jupyter_envstore.errors import ConflictError, EnvStoreError, InvalidInputError, PolicyError, SpecificationError
from jupyter_envstore.notebooks import bond_reader
from jupyter_envstore.notebooks.bond import bond_of
from jupyter_envstore.notebooks.bond_reader import embedded_record, read_bond, requested_text
from jupyter_envstore.policy.access import EVERYWHERE, Identity
from jupyter_envstore.spec import read_specification
from tests.conftest import PYTHON
from tests.helpers import Store

JO = Identity("jo", "jo", {EVERYWHERE: ["admin"]})
STRANGER = Identity("eve", "eve", {"eve/*": ["admin"]})
Json = dict[str, Any]


def text_of(channel: str, *packages: str) -> str:
    """Return the specification of a small environment."""
    return f"name: data\nchannels: [{channel}]\ndependencies: [{', '.join(('six', *packages))}]"


def packed(record: Json) -> Json:
    """Return the parts of a bond that hold a record, whatever is in it."""
    return packed_bytes(json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def packed_bytes(data: bytes) -> Json:
    """Return the parts of a bond that hold bytes as its lock."""
    text = base64.b64encode(lzma.compress(data)).decode()
    lock = {"encoding": "xz+base64", "size": len(text), "data": text}
    return {"record": f"sha256:{hashlib.sha256(data).hexdigest()}", "lock": lock}


@pytest.fixture(scope="module")
def written(built: Store) -> Json:
    """The bond, with its lock, of a notebook that was written in ``team/data`` of another store."""
    return dict(built.envstore.bonds.of_build(built.data["id"], lock=True))


def record_of(bond: Json) -> Json:
    """Return the record in a bond."""
    found: Json = json.loads(lzma.decompress(base64.b64decode(bond["lock"]["data"])))
    return found


# -- the bond of a notebook --------------------------------------------------------------------------------------------


def test_what_was_written_is_read(built: Store, written: Json) -> None:
    assert read_bond(written) == written
    assert read_bond({**written, "of a later version": 1}) == written
    record = embedded_record(read_bond(written), allow_local_files=True)
    assert record == built.envstore.records.read(built.data["id"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version is 2; this version reads 1: update"),
        ({"version": True}, "version must be 1"),
        ({"version": None}, "version must be 1"),
        ({"namespace": "../x"}, "namespace cannot be used"),
        ({"namespace": "conda-store-dynamic"}, "is reserved"),
        ({"environment": ["data"]}, "environment must be text"),
        ({"environment": "a" * 2000}, "environment must be text of at most"),
        ({"build": 0}, "build must be a whole number"),
        ({"build": 10**30}, "build must be a whole number"),
        ({"record": "sha256:xyz"}, "record must be sha256:"),
        ({"channels": "conda-forge"}, "channels must be a list"),
        ({"channels": ["file:///etc"]}, "local files are not allowed"),
        ({"channels": ["https://jo:secret@example.org/c"]}, "must hold no password"),
        ({"packages": [{"name": "numpy"}]}, "which is no text"),
        ({"packages": ["numpy ;; rm"]}, "packages has 'numpy ;; rm'"),
        ({"packages": ["a"] * 1001}, "packages must be a list of at most 1000"),
        ({"pip": ["--index-url https://evil.example"]}, "is no requirement"),
        ({"pip": ["-e ."]}, "pip has '-e .'"),
        ({"platforms": ["beos-64"]}, "is no platform"),
        ({"left_out": -1}, "left_out must be"),
        ({"store": "javascript:alert(1)"}, "store must be an http or https address"),
        ({"store": "https://jo:secret@example.org"}, "store must be"),
        ({"lock": "abc"}, "lock must be a mapping"),
        ({"lock": {"encoding": "zip", "data": "abc"}}, "lock must have the encoding"),
    ],
)
def test_a_bond_of_another_form_is_refused(written: Json, change: Json, message: str) -> None:
    with pytest.raises(InvalidInputError, match=r"metadata\.envstore of the notebook") as refused:
        read_bond({**written, **change})
    assert message in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("git+https://host.example/team/tool@" + "a" * 40, "tool @ git+https://host.example/team/tool@" + "a" * 40),
        ("https://host.example/x/foo-1.0-py3-none-any.whl", "foo @ https://host.example/x/foo-1.0-py3-none-any.whl"),
        ("foo # why", "foo"),
        ("foo \\\n >=1", "foo>=1"),
        ("foo; os_name ~= 'linux'", 'foo; os_name ~= "linux"'),
        ("foo; 'a' in extras", 'foo; "a" in extras'),
    ],
)
def test_lines_for_pip_are_read_as_a_specification_reads_them(
    store: Store, written: Json, line: str, read: str
) -> None:
    bond = {**written, "pip": [line]}
    bond.pop("lock")
    assert read_bond(bond)["pip"] == [read]
    state = store.envstore.bonds.look(JO, bond)
    assert read_specification(state["specification"]).pip == (read,)


@pytest.mark.parametrize("value", [None, [], "data", 1])
def test_something_else_under_the_name_is_no_bond(value: object) -> None:
    with pytest.raises(InvalidInputError, match="not a mapping"):
        read_bond(value)


@pytest.mark.parametrize("data", ["%%%", "QUJD", base64.b64encode(lzma.compress(b"x" * 99)[:-20]).decode()])
def test_a_damaged_lock_is_refused(written: Json, data: str) -> None:
    bond = read_bond({**written, "lock": {"encoding": "xz+base64", "data": data}})
    with pytest.raises(SpecificationError, match=r"damaged|not that of the build"):
        embedded_record(bond, allow_local_files=True)


def test_a_lock_that_unpacks_to_too_much_is_not_unpacked(written: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bond_reader, "MAX_BYTES", 1000)
    with pytest.raises(SpecificationError, match="larger than 1000 bytes"):
        embedded_record(read_bond({**written, **packed_bytes(b" " * 100_000)}), allow_local_files=True)


def test_a_lock_of_another_build_is_refused(written: Json) -> None:
    bond = read_bond({**written, "record": "sha256:" + "0" * 64})
    with pytest.raises(SpecificationError, match="is not that of the build which the notebook names"):
        embedded_record(bond, allow_local_files=True)


def nested(depth: int) -> object:
    """Return a value with lists in lists."""
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def changed(path: str, value: object) -> Callable[[Json], None]:
    """Return what puts a value into a record, by a path such as ``conda.0.url`` within its platform."""

    def change(record: Json) -> None:
        keys: list[Any] = [int(key) if key.isdigit() else key for key in path.split(".")]
        place: Any = record
        if keys[0] in ("conda", "pip", "virtual_packages"):
            place = next(iter(record["platforms"].values()))
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format", 2, "has format 2; this version reads 1"),
        ("more", 1, "'more' is not known"),
        ("name", 5, "name: must be text"),
        ("channels", ["https://jo:secret@example.org/c"], "must hold no password"),
        ("variables", {"A B": "c"}, "is not the name of an environment variable"),
        ("platforms", {}, "must be a mapping of platforms"),
        ("platforms", {"beos-64": {}}, "is no platform that is known"),
        ("pip_options", {"index_url": None}, "'extra_index_urls' is missing"),
        ("channel_priority", "flexible", "must be one of"),
        ("conda.0", "python", "must be a mapping"),
        ("conda.0.name", "../../etc", "is none of a conda package"),
        ("conda.0.version", "1/../..", "is none of a conda package"),
        ("conda.0.subdir", "win-64", "is not that of"),
        ("conda.0.fn", "../x.conda", "is not the file of"),
        ("conda.0.url", "https://evil.example/linux-64/other-1-0.conda", "the address ends in"),
        ("conda.0.url", "ftp://evil.example/x", "is not an http or https address"),
        ("conda.0.channel", "https://evil.example", "does not lie in the channel"),
        ("conda.0.sha256", "0", "sha256 is not a hash"),
        ("conda.0.depends", [1], "must be text"),
        ("conda.0.depends", None, "must be a list"),
        ("conda.0.license", ["MIT"], "license: must be text"),
        ("conda.0.more", nested(600), "has a value that no build writes: nested"),
        ("conda.0.size", -5, "must be a whole number"),
        ("conda.0.noarch", "all", "noarch must be"),
        ("pip.0.filename", "../x.whl", "is no name of a file"),
        ("pip.0.url", "git+https://example.org/x@0", "is no full commit"),
        ("pip.0.sha256", "x", "sha256 is not a hash"),
        ("pip.0.more", 1, "'more' is not known"),
        ("virtual_packages.0", None, "must be text"),
    ],
)
def test_a_hostile_record_is_refused(written: Json, path: str, value: object, message: str) -> None:
    record = record_of(written)
    changed(path, value)(record)
    bond = read_bond({**written, **packed(record)})
    with pytest.raises(SpecificationError) as refused:
        embedded_record(bond, allow_local_files=True)
    assert message in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_record_that_is_not_unicode_is_refused(written: Json) -> None:
    record = {**record_of(written), "description": "\ud800"}
    data = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(SpecificationError, match="or not Unicode"):
        embedded_record(read_bond({**written, **packed_bytes(data)}), allow_local_files=True)


def test_packages_without_a_hash_and_twice_are_refused(written: Json) -> None:
    record = record_of(written)
    conda = next(iter(record["platforms"].values()))["conda"]
    conda.append(copy.deepcopy(conda[0]))
    for kind in ("sha256", "md5"):
        conda[1].pop(kind, None)
    with pytest.raises(SpecificationError, match="is there twice") as refused:
        embedded_record(read_bond({**written, **packed(record)}), allow_local_files=True)
    assert "has no hash, so it could be anything" in str(refused.value)


def test_a_record_that_is_written_otherwise_is_refused(written: Json) -> None:
    data = json.dumps(record_of(written), indent=1).encode()
    with pytest.raises(SpecificationError, match="is not written as one"):
        read_foreign_record(data, allow_local_files=True)
    with pytest.raises(SpecificationError, match="is not JSON"):
        read_foreign_record(b"{" * 10_000, allow_local_files=True)
    with pytest.raises(SpecificationError, match="local files are not allowed"):
        read_foreign_record(lzma.decompress(base64.b64decode(written["lock"]["data"])), allow_local_files=False)


# -- a store -----------------------------------------------------------------------------------------------------------


def test_a_build_that_is_here_is_found_by_its_record(store: Store, nasty_channel: str) -> None:
    first = store.build(text_of(nasty_channel).replace("six", "nasty-text"))
    second = store.build(text_of(nasty_channel).replace("six", "nasty-text") + "\ndescription: other")
    bonds = store.envstore.bonds
    state = bonds.look(JO, bonds.of_build(first["id"]))
    assert [build["number"] for build in state["builds"]] == [1]
    assert not state["builds"][0]["active"]
    assert state["named"] is not None
    assert (state["named"]["number"], state["named"]["active"]) == (2, True)
    assert state["named"]["record"] == f"sha256:{store.envstore.records.read(second['id']).sha256}"
    assert state["lock"] is None
    assert (state["namespace"], state["environment"]) == ("team", "data-build-1")
    assert state["fitting"] == [{"namespace": "team", "name": "data", "unmet": []}]
    assert not state["deleted"]
    hidden = bonds.look(STRANGER, bonds.of_build(first["id"]))
    assert (hidden["builds"], hidden["named"], hidden["fitting"]) == ([], None, [])
    assert (hidden["namespace"], hidden["environment"]) == ("eve", "data")


def test_a_deletion_that_can_be_undone_is_told_to_those_who_may(store: Store, nasty_channel: str) -> None:
    made = store.build(text_of(nasty_channel).replace("six", "nasty-text"))
    bonds = store.envstore.bonds
    bond = bonds.of_build(made["id"])
    store.envstore.environments.delete("team", "data", "jo")
    assert bonds.look(JO, bond)["deleted"]
    assert not bonds.look(STRANGER, bond)["deleted"]
    assert not bonds.look(JO, {**bond, "record": "sha256:" + "0" * 64})["deleted"]  # another build
    store.build(text_of(nasty_channel).replace("six", "nasty-modes"))
    assert not bonds.look(JO, bond)["deleted"]  # there is a new one of this name


def test_the_lock_in_a_notebook_is_built_on_another_store(store: Store, written: Json, channel: str) -> None:
    bonds = store.envstore.bonds
    state = bonds.look(JO, written)
    assert state["builds"] == []
    assert state["named"] is None
    assert state["lock"] is not None
    assert state["lock"]["refused"] == ""
    assert channel in state["lock"]["places"]  # the settings of this store do not name it
    assert state["lock"]["packages"] > 20
    target = (state["namespace"], state["environment"])
    with pytest.raises(ConflictError, match="which the settings of this store do not name"):
        bonds.build_lock(written, target, "jo")
    assert store.envstore.environments.list_all() == []  # nothing is left of the attempt
    made = bonds.build_lock(written, target, "jo", state["lock"]["places"])
    view = store.wait(made.id)
    assert view["status"] == "COMPLETED", store.envstore.logs.read(made.id)
    assert bonds.of_build(made.id)["record"] == written["record"]
    assert "Find versions" not in store.envstore.logs.read(made.id)
    again = bonds.look(JO, written)
    assert [(build["build_id"], build["active"]) for build in again["builds"]] == [(made.id, True)]
    assert again["fitting"][0] == {"namespace": target[0], "name": target[1], "unmet": []}
    assert store.envstore.builds.get(made.id)["specification"]["spec"]["dependencies"][0] == f"python={PYTHON}"
    assert {package["name"] for package in store.envstore.packages.of_build(made.id)} >= {"numpy", "cowsay"}
    with pytest.raises(ConflictError, match="exists already"):
        bonds.build_lock(written, target, "jo", state["lock"]["places"])


def test_settings_hold_for_a_lock_from_a_notebook(store: Store, written: Json, channel: str) -> None:
    store.envstore.settings.change({"conda_allowed_channels": ["conda-forge"]}, (), "admin")
    state = store.envstore.bonds.look(JO, written)
    assert state["lock"] is not None
    assert f"takes packages from {channel}, which is not allowed" in state["lock"]["refused"]
    with pytest.raises(PolicyError, match="is not allowed"):
        store.envstore.bonds.build_lock(written, ("jo", "data"), "jo", [channel, *state["lock"]["places"]])
    store.envstore.settings.change({"conda_allowed_channels": [channel]}, (), "admin")
    state = store.envstore.bonds.look(JO, written)
    assert state["lock"] is not None
    assert state["lock"]["refused"] == ""
    assert channel not in state["lock"]["places"]


def with_pip(written: Json, **changes: str) -> Json:
    """Return a bond whose lock has another PyPI package."""
    record = record_of(written)
    for lock in record["platforms"].values():
        lock["pip"] = [{**lock["pip"][0], **changes}]
    return {**written, **packed(record)}


def places_of(store: Store, bond: Json) -> list[str]:
    """Return the addresses that a user would be asked about."""
    lock = store.envstore.bonds.look(JO, bond)["lock"]
    assert lock is not None
    return lock["places"]


def test_an_index_vouches_for_its_own_files_alone(store: Store, written: Json) -> None:
    """Anybody can write that a file on their host is from an index that the settings name."""
    index = "https://host.example/team/simple"
    evil = with_pip(written, url="https://evil.example/files/cowsay-6.0-py3-none-any.whl", index=index)
    assert "https://evil.example" in places_of(store, evil)
    good = with_pip(written, url="https://host.example/team/packages/cowsay-6.0-py3-none-any.whl", index=index)
    assert index in places_of(store, good)
    store.envstore.settings.change({"pypi_allowed_indexes": [index]}, (), "admin")
    text = "name: x\nchannels: [conda-forge]\ndependencies: [python, pip: [--index-url https://host.example/team/x, a]]"
    with pytest.raises(PolicyError, match="is not allowed"):  # what lies beside an index may be another one
        store.envstore.builds.submit(read_specification(text), "jo", None, "jo")
    assert index not in places_of(store, good)
    state = store.envstore.bonds.look(JO, evil)
    assert state["lock"] is not None
    assert "takes cowsay from https://evil.example" in state["lock"]["refused"]
    with pytest.raises(PolicyError, match=r"takes cowsay from https://evil\.example"):
        store.envstore.bonds.build_lock(evil, ("jo", "data"), "jo", ["https://evil.example"])


def test_what_installers_bring_beside_comes_from_allowed_channels_only(store: Store, written: Json) -> None:
    record = record_of(written)
    for lock in record["platforms"].values():
        entry = copy.deepcopy(lock["conda"][0])
        entry["channel"] = "https://evil.example/c"
        entry["url"] = f"https://evil.example/c/{entry['subdir']}/{entry['fn']}"
        lock["installer_extras"] = [entry]
    bond = {**written, **packed(record)}
    allowed = [entry["channel"] for lock in record["platforms"].values() for entry in lock["conda"]]
    store.envstore.settings.change({"conda_allowed_channels": sorted(set(allowed))}, (), "admin")
    with pytest.raises(PolicyError, match=r"packages from https://evil\.example/c, which is not allowed"):
        store.envstore.bonds.build_lock(bond, ("jo", "data"), "jo", ["https://evil.example/c"])


def test_addresses_of_all_platforms_and_of_the_specification_are_asked_about(store: Store, written: Json) -> None:
    record = record_of(written)
    record["platforms"]["win-64"] = copy.deepcopy(next(iter(record["platforms"].values())))
    for entry in record["platforms"]["win-64"]["conda"]:
        if entry["subdir"] != "noarch":
            entry["subdir"] = "win-64"
        entry["channel"] = "https://windows.example/c"
        entry["url"] = f"https://windows.example/c/{entry['subdir']}/{entry['fn']}"
    record["channels"].append("https://later.example/c")
    record["pip_options"]["extra_index_urls"] = ["https://more.example/simple"]
    found = places_of(store, {**written, **packed(record)})
    assert {"https://windows.example/c", "https://later.example/c", "https://more.example/simple"} <= set(found)


def test_a_lock_of_another_platform_says_so(store: Store, written: Json) -> None:
    record = BuildRecord("data", ("conda-forge",), {"osx-arm64": PlatformLock(())})
    bond = bond_of(record, record.sha256, "team", "data", 3, lock=True)
    state = store.envstore.bonds.look(JO, bond)
    assert state["lock"] is not None
    assert not state["lock"]["fits"]
    assert "the lock is for osx-arm64, and this server runs" in state["lock"]["refused"]
    with pytest.raises(EnvStoreError, match="locked for osx-arm64, not for"):
        store.envstore.bonds.build_lock(bond, ("jo", "data"), "jo")


def test_without_a_lock_what_was_asked_for_can_be_built(store: Store, written: Json) -> None:
    bond = {key: value for key, value in written.items() if key != "lock"}
    state = store.envstore.bonds.look(JO, bond)
    specification = read_specification(state["specification"])
    assert specification.dependencies == tuple(written["packages"])
    assert specification.pip == ("cowsay",)
    with pytest.raises(SpecificationError, match="holds no lock"):
        store.envstore.bonds.build_lock(bond, ("jo", "data"), "jo")
    assert requested_text({**read_bond(bond), "packages": [], "pip": []}) == ""


def test_environments_that_satisfy_more_come_first(store: Store, nasty_channel: str) -> None:
    store.build(f"name: more\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]", name="z-more")
    store.build(f"name: less\nchannels: [{nasty_channel}]\ndependencies: [nasty-modes]", name="less")
    store.build(f"name: none\nchannels: [{nasty_channel}]\ndependencies: [nasty-links]", name="none")
    record = BuildRecord(
        "x", (), {"linux-64": PlatformLock(())}, requested_conda=("nasty-text >=1", "nasty-modes >=99"),
        requested_pip=('cowsay>=6; python_version > "3"',),
    )  # fmt: skip
    found = store.envstore.bonds.look(JO, bond_of(record, record.sha256, "team", "x", 1))["fitting"]
    assert found == [
        {"namespace": "team", "name": "z-more", "unmet": ["nasty-modes >=99", 'cowsay>=6; python_version > "3"']},
        {"namespace": "team", "name": "less", "unmet": ["nasty-text >=1", *found[0]["unmet"]]},
    ]


def test_what_was_built_from_source_is_built_again(written: Json) -> None:
    """The wheel lies in the other store alone: the record tells its hash, and it is never taken from this one."""
    record = BuildRecord.from_bytes(json.dumps(record_of(written)).encode())
    lock = next(iter(record.platforms.values()))
    wheel = {"filename": "cowsay-6.0-py3-none-any.whl", "sha256": "a" * 64, "size": 5}
    built_there = replace(lock, pip=({**lock.pip[0], "wheel": wheel},))  # type: ignore[typeddict-item]
    changed_record = replace(record, platforms=dict.fromkeys(record.platforms, built_there))
    assert read_foreign_record(changed_record.to_bytes(), allow_local_files=True).wheels == [wheel]
