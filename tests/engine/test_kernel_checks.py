"""Files of kernels as packages really bring them: put right where that is safe, left out with the reason where not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpec

from jupyter_envstore.engine.kernel_checks import MOST_RESOURCE, BroughtKernel, brought_kernels, kernel_faults
from jupyter_envstore.kernels.kernel_specs import kernel_id

GOOD: dict[str, Any] = {"argv": ["tool", "{connection_file}"], "display_name": "Tool", "language": "tool"}
SEARCHED = "/usr/bin:/bin"


def prefix_with(folder: Path, data: bytes | str | dict[str, Any] | list[Any], name: str = "k") -> Path:
    """Return a prefix with a program ``tool`` and one kernel."""
    prefix = folder / "prefix"
    kernels = prefix / "share" / "jupyter" / "kernels" / name
    kernels.mkdir(parents=True)
    (prefix / "conda-meta").mkdir()
    (prefix / "bin").mkdir()
    (prefix / "bin" / "tool").write_text("#!/bin/sh\n")
    (prefix / "bin" / "tool").chmod(0o755)
    text = json.dumps(data) if isinstance(data, dict | list) else data
    (kernels / "kernel.json").write_bytes(text.encode() if isinstance(text, str) else text)
    meta = {"name": "owner", "files": [f"share/jupyter/kernels/{name}/kernel.json"]}
    (prefix / "conda-meta" / "owner-1-0.json").write_text(json.dumps(meta))
    return prefix


def only(prefix: Path) -> BroughtKernel:
    (kernel,) = brought_kernels(prefix, SEARCHED)
    return kernel


TEXT = json.dumps(GOOD)


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        b"\xef\xbb\xbf" + TEXT.encode(),
        b"\xff\xfe" + TEXT.encode("utf-16-le"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        {**GOOD, "resource_dir": "/x"},
        {**GOOD, "metadata": None},
        {**GOOD, "interrupt_mode": "Message"},
        {key: GOOD[key] for key in ("argv", "language")},
        {key: GOOD[key] for key in ("argv", "display_name")},
    ],
)
def test_what_is_good_or_can_be_put_right_without_a_loss_is_taken_silently(data: Any, tmp_path: Path) -> None:
    kernel = only(prefix_with(tmp_path, data))
    assert kernel.faults == ()
    assert kernel.spec is not None
    KernelSpec(resource_dir="/x", **kernel.spec)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("{ not json", "is not JSON"),
        ("", "is not JSON"),
        ("[]", "is a list"),
        ('"text"', "is a text"),
        ("null", "is null"),
        (b'{"argv": ["tool"], "display_name": "gr\xfcn"}', "is not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ('{"argv": ["tool"], "metadata": {"a": NaN}}', "NaN"),
        (" " * (2 << 20), "more than 1 MB"),
        ({"display_name": "x"}, "has no argv"),
        ({**GOOD, "argv": []}, "has no argv"),
        ({**GOOD, "argv": "tool"}, "argv is a text"),
        ({**GOOD, "argv": [["tool"]]}, "no word"),
        ({**GOOD, "argv": ["tool", None]}, "no word"),
        ({**GOOD, "argv": ["tool", "a\0b"]}, "no word"),
        ({**GOOD, "argv": ["", "x"]}, "empty word"),
        ({**GOOD, "argv": ["no-such-program-here"]}, "no-such-program-here is not in the environment"),
        ({**GOOD, "argv": ["/no/such/program"]}, "/no/such/program is not in the environment"),
        ({**GOOD, "argv": ["{resource_dir}/start"]}, "is not in the environment"),
        ({**GOOD, "argv": ["{resource_dir}/kernel.json"]}, "cannot be run"),
    ],
)
def test_what_cannot_start_is_left_out_with_its_reason_package_and_path(data: Any, reason: str, tmp_path: Path) -> None:
    prefix = prefix_with(tmp_path, data)
    assert only(prefix).spec is None
    (fault,) = kernel_faults(prefix, SEARCHED)
    assert (fault.package, fault.path) == ("owner", "share/jupyter/kernels/k/kernel.json")
    assert fault.message.startswith("kernel k of owner is left out: ")
    assert reason in fault.message


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"display_name": 5}, "a number as display_name"),
        ({"language": ["x"]}, "a list as language"),
        ({"kernel_protocol_version": 5.3}, "a number as kernel_protocol_version"),
        ({"metadata": []}, "a list as metadata"),
        ({"env": "A=b"}, "a text as env"),
        ({"env": {"A": None}}, "'A' to null"),
        ({"env": {"A=B": "x"}}, "'A=B'"),
        ({"env": {"A": {"b": 1}}}, "'A' to an object"),
        ({"interrupt_mode": "politely"}, "'politely' as interrupt_mode"),
        ({"interrupt_mode": 3}, "'3' as interrupt_mode"),
        ({"argv": ["tool"]}, "no {connection_file}"),
        ({"argv": ["ls", "{connection_file}"]}, "of this machine"),
    ],
)
def test_what_is_wrong_and_not_needed_for_a_start_is_told(more: dict[str, Any], told: str, tmp_path: Path) -> None:
    kernel = only(prefix_with(tmp_path, {**GOOD, **more}))
    assert kernel.spec is not None
    KernelSpec(resource_dir="/x", **kernel.spec)
    (fault,) = kernel.faults
    assert told in fault
    assert all(isinstance(value, str) for value in kernel.spec["env"].values())


def test_numbers_in_argv_and_env_become_texts(tmp_path: Path) -> None:
    kernel = only(prefix_with(tmp_path, {**GOOD, "argv": ["tool", 1, "{connection_file}"], "env": {"N": 1}}))
    assert kernel.spec is not None
    assert kernel.spec["argv"][1] == "1"
    assert kernel.spec["env"] == {"N": "1"}


def test_nothing_outside_of_the_prefix_is_read_or_taken(tmp_path: Path) -> None:
    secret = tmp_path / "outside"
    secret.mkdir()
    (secret / "kernel.json").write_text(json.dumps(GOOD))
    (secret / "secret").write_text("secret")
    prefix = prefix_with(tmp_path, GOOD)
    folder = prefix / "share" / "jupyter" / "kernels"
    (folder / "linked").symlink_to(secret)
    (folder / "k" / "logo-64x64.png").symlink_to(secret / "secret")
    (folder / "k" / "dangling.png").symlink_to("nowhere")
    (folder / "k" / "logo-svg.svg").write_text("<svg/>")
    (folder / "k" / "alias.svg").symlink_to("logo-svg.svg")
    with (folder / "k" / "huge.bin").open("wb") as file:
        file.truncate(MOST_RESOURCE + 1)
    os.mkfifo(folder / "k" / "pipe")
    found = {kernel.name: kernel for kernel in brought_kernels(prefix, SEARCHED)}
    assert found["linked"].spec is None
    assert "leads out of the environment" in found["linked"].faults[0]
    told = " ".join(found["k"].faults)
    for name in ("logo-64x64.png", "dangling.png", "huge.bin", "pipe"):
        assert f"without {name}" in told
    assert "svg" not in told


def test_a_kernel_json_that_is_a_folder_takes_no_other_kernel_away(tmp_path: Path) -> None:
    prefix = prefix_with(tmp_path, GOOD)
    (prefix / "share" / "jupyter" / "kernels" / "folder" / "kernel.json").mkdir(parents=True)
    found = {kernel.name: kernel.spec is not None for kernel in brought_kernels(prefix, SEARCHED)}
    assert found == {"k": True, "folder": False}


def test_ids_are_what_jupyter_takes_and_no_two_names_share_one() -> None:
    names = ["ir", "IR", "Ir", "i.r", "i_r", "ïr", "ÏR", "i r", "☃", "☃0", "&03", "r-é", "python3", "Python3"]
    ids = [kernel_id("team", "data", name) for name in names]
    assert len(set(ids)) == len(names)
    for found in ids:
        assert set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-"), found
