"""What a store tells a server elsewhere of an active build, for its kernels."""

from __future__ import annotations

from typing import TypedDict


class NamedKernel(TypedDict):
    """A kernel: the name that its package gives to it, how it is shown, its language."""

    name: str
    label: str
    language: str


class KernelBuild(TypedDict):
    """An active build for a server elsewhere; ``prefix`` where other accounts may read it, ``kernels`` as known."""

    environment_id: int
    namespace: str
    environment: str
    build_id: int
    number: int
    record: str
    prefix: str | None
    kernels: list[NamedKernel]
