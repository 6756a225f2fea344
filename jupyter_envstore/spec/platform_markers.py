"""Markers of Python's requirements (PEP 508) on conda's platforms."""

from __future__ import annotations

MACHINES = {
    "64": ("x86_64", "AMD64"), "32": ("i686", "x86"), "aarch64": ("aarch64",), "arm64": ("arm64", "ARM64"),
    "ppc64le": ("ppc64le",), "s390x": ("s390x",), "riscv64": ("riscv64",), "armv7l": ("armv7l",), "armv6l": ("armv6l",),
}  # fmt: skip
"""What ``platform.machine()`` says on the machines of conda's platforms; on Windows, the second one."""
SYSTEMS = {"linux": ("linux", "Linux"), "osx": ("darwin", "Darwin"), "win": ("win32", "Windows")}
"""What ``sys.platform`` and ``platform.system()`` say."""


def marker_of(platform: str) -> str:
    """Return the marker that holds on one of conda's platforms.

    >>> marker_of("osx-arm64")
    "sys_platform == 'darwin' and platform_machine == 'arm64'"
    """
    system, machine = _names(platform)
    return f"sys_platform == '{SYSTEMS[system][0]}' and platform_machine == '{machine}'"


def marker_environment(platform: str, python: str) -> dict[str, str]:
    """Return the values that markers are evaluated with, for a full version of CPython on one of conda's platforms."""
    system, machine = _names(platform)
    return {
        "sys_platform": SYSTEMS[system][0],
        "platform_system": SYSTEMS[system][1],
        "platform_machine": machine,
        "os_name": "nt" if system == "win" else "posix",
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "implementation_name": "cpython",
        "implementation_version": python,
        "platform_python_implementation": "CPython",
        "extra": "",
    }


def _names(platform: str) -> tuple[str, str]:
    system, _, machine = platform.partition("-")
    known = MACHINES.get(machine, (machine,))
    return system, known[-1 if system == "win" else 0]
