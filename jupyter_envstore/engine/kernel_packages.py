"""Which kernel a package brings, known without looking into it: for environments that are not on the disk yet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class KnownKernel(NamedTuple):
    """A kernel that a package always brings: the name of its folder, how it is shown, and its language."""

    name: str
    label: str
    language: str


KERNELS = {
    "ipykernel": KnownKernel("python3", "Python", "python"),
    "r-irkernel": KnownKernel("ir", "R", "R"),
}
"""By the name of the package. ``share/jupyter/kernels`` of the packages themselves is the source; what other packages
bring is seen when an environment is on the disk."""


def known_kernels(packages: Iterable[str]) -> list[KnownKernel]:
    """Return the kernels that packages are known to bring.

    >>> [kernel.name for kernel in known_kernels(["numpy", "ipykernel"])]
    ['python3']
    """
    names = set(packages)
    return [kernel for package, kernel in KERNELS.items() if package in names]
