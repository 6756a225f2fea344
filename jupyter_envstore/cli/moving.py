"""What is told of environments that move from one store to another: a line for each."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from jupyter_envstore.cli.common import print_json

THERE, FAILED = "there already", "failed"


@dataclass(frozen=True)
class Line:
    """What became of one: ``source`` where it comes from, ``target`` where it goes, and why."""

    source: str
    target: str
    result: str
    reason: str = ""


def tell_lines(lines: Iterable[Line], options: argparse.Namespace) -> list[Line]:
    """Print each line as it comes, with ``--json`` all of them at the end; return them."""
    told = []
    for line in lines:
        told.append(line)
        if not options.json:
            print(f"{line.result:<13} {line.source} -> {line.target}  {line.reason}".rstrip(), flush=True)
    if options.json:
        print_json([asdict(line) for line in told])
    return told
