"""Files of each kind that is read, of about one megabyte, as their tools write them: for ``parse.py``."""

from __future__ import annotations

import json
from collections.abc import Iterator

HASHES = ("0123456789abcdef" * 2, "0123456789abcdef" * 4)
HOST = "https://host.example"


def conda_lock(count: int) -> str:
    """Return a conda-lock file of so many packages."""
    lines = ["version: 1", "metadata:", "  channels:", "  - url: c", "    used_env_vars: []"]
    lines += ["  platforms:", "  - linux-64", "  sources: []", "  content_hash: {}", "package:"]
    for number in range(count):
        name = f"package-{number}"
        lines += [f"- name: {name}", "  version: 1.2.3", "  manager: conda", "  platform: linux-64", "  dependencies:"]
        lines += [f"    package-{other}: '>=1.0,<2.0a0'" for other in range(max(0, number - 6), number)] or [
            "    a: ''"
        ]
        lines += [f"  url: {HOST}/c/linux-64/{name}-1.2.3-h0_0.conda", "  hash:"]
        lines += [f"    md5: {HASHES[0]}", f"    sha256: {HASHES[1]}", "  category: main", "  optional: false"]
    return "\n".join(lines) + "\n"


def pixi_lock(count: int) -> str:
    """Return a pixi.lock of so many packages in three environments."""
    urls = [f"{HOST}/c/linux-64/package-{number}-1.2.3-h0_0.conda" for number in range(count)]
    lines = ["version: 6", "environments:"]
    for environment in ("default", "docs", "test"):
        lines += [f"  {environment}:", "    channels:", f"    - url: {HOST}/c/", "    packages:"]
        lines += ["      linux-64:", *(f"      - conda: {url}" for url in urls)]
    lines.append("packages:")
    for url in urls:
        lines += [f"- conda: {url}", f"  sha256: {HASHES[1]}", f"  md5: {HASHES[0]}", "  depends:"]
        lines += [f"  - package-{other} >=1.0,<2.0a0" for other in range(6)]
        lines += ["  license: MIT", "  purls: []", "  size: 12345", "  timestamp: 1700000000000"]
    return "\n".join(lines) + "\n"


def explicit(count: int) -> str:
    """Return an ``@EXPLICIT`` list of so many packages."""
    lines = ["# platform: linux-64", "@EXPLICIT"]
    lines += [f"{HOST}/c/linux-64/package-{number}-1.2.3-h0_0.conda#{HASHES[0]}" for number in range(count)]
    return "\n".join(lines) + "\n"


def _hashed(count: int, hashes: int) -> Iterator[str]:
    for number in range(count):
        yield f"package-{number}==1.2.3 \\"
        yield from (f"    --hash=sha256:{HASHES[1]} \\" for _ in range(hashes - 1))
        yield f"    --hash=sha256:{HASHES[1]}"
        yield f"    # via package-{number + 1}"


def requirements(count: int) -> str:
    """Return a requirements.txt of so many packages with ten hashes each, as pip-compile writes it."""
    return "\n".join(_hashed(count, 10)) + "\n"


def environment(count: int) -> str:
    """Return an environment.yml of so many packages of conda and of PyPI, with build strings, comments and hashes."""
    lines = ["name: large", "channels: [conda-forge]", "dependencies:", "  - python=3.12"]
    why = "why it is here " * 5
    lines += [f"  - package-{number}=1.2.3=h{number:07x}_0  # {why}" for number in range(count)]
    hashes = " ".join([f"--hash=sha256:{HASHES[1]}"] * 4)
    lines += ["  - pip:", *(f"      - pypi-{number}==1.2.3 {hashes}" for number in range(count))]
    return "\n".join(lines) + "\n"


def pixi_toml(count: int) -> str:
    """Return a pixi.toml of so many packages, for a system each and for all of them."""
    lines = ["[workspace]", 'name = "large"', 'channels = ["conda-forge"]', 'platforms = ["linux-64", "osx-64"]']
    lines += ["[dependencies]"]
    lines += [f'package-{number} = {{ version = ">=1.2,<2", build = "h{number}_*" }}' for number in range(count)]
    lines += ["[pypi-dependencies]", *(f'pypi-{number} = {{ version = ">=1.2,<2" }}' for number in range(count))]
    for system in ("win-64", "osx-64", "osx-arm64"):
        lines += [f"[target.{system}.dependencies]", *(f'only-{number} = ">=1,<2"' for number in range(count))]
    flags = "--flag " * 12
    for task in range(count):
        lines += [f"[tasks.task-{task}]", f'cmd = "python -m task --number {task} {flags}"']
    return "\n".join(lines) + "\n"


def pyproject(count: int) -> str:
    """Return a pyproject.toml of so many dependencies, with groups, and settings of other tools."""
    lines = ["[project]", 'name = "large"', 'version = "1"', "dependencies = ["]
    lines += [f"  \"package-{number}>=1.2,<2 ; python_version >= '3.10'\"," for number in range(count)]
    lines += ["]", "[dependency-groups]"]
    group = ", ".join(f'"more-{other}>=1,<2"' for other in range(50))
    lines += [f"group-{number} = [{group}]" for number in range(200)]
    words = "some words " * 8
    lines += ["[tool.other]", *(f'setting-{number} = "{words}"' for number in range(count))]
    return "\n".join(lines) + "\n"


def _wheels(number: int, of_file: str) -> Iterator[str]:
    for minor in range(6, 14):
        name = f"package_{number}-1.{number}-cp3{minor}-cp3{minor}-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
        yield f'    {{ url = "{HOST}/packages/{HASHES[1]}/{name}", size = 1234, {of_file} }},'


def pylock(count: int) -> str:
    """Return a pylock.toml of so many packages, with eight wheels each, some for a group alone."""
    lines = ['lock-version = "1.0"', 'created-by = "uv"', 'requires-python = ">=3.10"', 'dependency-groups = ["dev"]']
    hashes = f'hashes = {{ sha256 = "{HASHES[1]}" }}'
    for number in range(count):
        lines += ["[[packages]]", f'name = "package-{number}"', f'version = "1.{number}"', f'index = "{HOST}/simple"']
        lines += ["marker = \"sys_platform == 'linux' or 'dev' in dependency_groups\""]
        lines += ["wheels = [", *_wheels(number, hashes), "]"]
    return "\n".join(lines) + "\n"


def uv_lock(count: int) -> str:
    """Return a uv.lock of so many packages, with eight wheels and up to five needs each, under conditions."""
    lines = ["version = 1", "revision = 3", 'requires-python = ">=3.10"']
    lines += ["[[package]]", 'name = "large"', 'version = "1"', 'source = { virtual = "." }', "dependencies = ["]
    lines += [f'    {{ name = "package-{number}" }},' for number in range(0, count, 4)]
    lines.append("]")
    for number in range(count):
        lines += ["[[package]]", f'name = "package-{number}"', f'version = "1.{number}"']
        lines += [f'source = {{ registry = "{HOST}/simple" }}', "dependencies = ["]
        for other in range(number + 1, min(count, number + 6)):
            marker = f"python_full_version >= '3.{other % 12}' and sys_platform != 'win32'"
            lines.append(f'    {{ name = "package-{other}", marker = "{marker}" }},')
        lines += ["]", "wheels = [", *_wheels(number, f'hash = "sha256:{HASHES[1]}"'), "]"]
    return "\n".join(lines) + "\n"


def script(count: int) -> str:
    """Return a script with a block of so many requirements, and a program of many lines."""
    lines = ["# /// script", "# dependencies = [", *(f'#   "package-{number}>=1.2,<2",' for number in range(count))]
    lines += ["# ]", "# ///", *(f"print({number!r}, 'a line of the program')" for number in range(20 * count))]
    return "\n".join(lines) + "\n"


def notebook(count: int) -> str:
    """Return a notebook whose first cell holds a script block of so many requirements."""
    block = script(count).split("\nprint", 1)[0]
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    rest = [cell | {"source": [f"print({number})\n"] * 20} for number in range(5 * count)]
    cells = [cell | {"source": block.splitlines(keepends=True)}, *rest]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def conda_list(count: int) -> str:
    """Return what ``conda list --export`` prints of so many packages."""
    return "".join(f"package-{number}=1.2.3=h{number:07x}_0\n" for number in range(count))


FILES = {
    "conda-lock.yml": lambda: conda_lock(1_950),
    "pixi.lock": lambda: pixi_lock(1_600),
    "explicit.txt": lambda: explicit(9_600),
    "requirements.txt": lambda: requirements(1_130),
    "environment.yml": lambda: environment(1_950),
    "pixi.toml": lambda: pixi_toml(2_400),
    "pyproject.toml": lambda: pyproject(4_500),
    "pylock.toml": lambda: pylock(400),
    "uv.lock": lambda: uv_lock(340),
    "script.py": lambda: script(1_480),
    "notebook.ipynb": lambda: notebook(370),
    "conda-list.txt": lambda: conda_list(4_900),
}
"""By their names, what makes each; about one megabyte, or as large as the limits on packages allow."""
