"""What kernels are made of: an environment, and where its active build is. Needs no database to be imported."""

from __future__ import annotations

from typing import NamedTuple


class ActiveBuild(NamedTuple):  # lighter than a dataclass: there is one for each environment, at each change
    """An environment, and where its active build is; None without one. Or another build, which is not ``active``."""

    environment_id: int
    namespace: str
    name: str
    build_id: int | None
    number: int | None
    directory: str | None
    present: bool
    active: bool = True
