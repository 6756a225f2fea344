"""Commands that send build records to registries and bring them back as environments."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace

from jupyter_envstore.artifacts.artifact_reach import WORDS, reach_of_artifact
from jupyter_envstore.cli.build import new_place, see_through
from jupyter_envstore.cli.common import find, tell, who
from jupyter_envstore.cli.notebook import asking
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.errors import ConflictError
from jupyter_envstore.images.reference import RECORD_SCHEME, parse_record
from jupyter_envstore.spec.names import suggest_name
from jupyter_envstore.spec.selectors import current_subdir
from jupyter_envstore.spec.wording import human_size


def push_record(options: argparse.Namespace) -> None:
    """Send the record of a build to a registry."""
    target = parse_record(options.target)
    with open_store(options) as store:
        reference = find(store, options.environment)
        record = store.records.read(reference.id)
        if not target.tag and not target.digest:
            target = replace(target, tag=store.builds.show(reference.id)["key"])
        reach = WORDS[reach_of_artifact("lockfile", record, current_subdir()) or "anywhere"]
        if reach:
            print(f"warning: the addresses of its packages: {reach}", file=sys.stderr)
        pushed = store.shared_records.push(reference.id, target, who(), part_reporter(options))
    address = f"{RECORD_SCHEME}{target}"
    exact = f"{RECORD_SCHEME}{target.host}/{target.name}@{pushed.digest}"
    lines = [address if not pushed.attached_to else f"{address}, which is an image: the record refers to it"]
    lines += [exact, f"{human_size(pushed.sent)} sent", f"Bring it back: jupyter envstore pull {address}"]
    told = {"record": address, "digest": pushed.digest, "sent": pushed.sent, "attached_to": pushed.attached_to or None}
    tell(options, told, "\n".join(lines))


def pull(options: argparse.Namespace) -> int:
    """Build the environment whose record is in a registry."""
    source = parse_record(options.source)
    with open_store(options) as store:
        pulled = store.shared_records.pull(source)
        target = new_place(store, options.name or suggest_name(pulled.record.name))
        print(f"found at {source}: sha256:{pulled.artifact.digest}", file=sys.stderr)
        here = store.shared_records.builds_with(pulled)
        if here and not options.name:
            msg = f"{here[0]} has this very build record; --name NAME makes another environment of it"
            raise ConflictError(msg)
        with asking("the build record"):
            reference = store.shared_records.build(pulled, target, who(), options.accept or (), options.later)
        return see_through(store, reference, options)


def part_reporter(options: argparse.Namespace) -> Callable[[str, int, bool], None]:
    """Return what tells people of each part that is sent."""

    def report(what: str, size: int, sent: bool) -> None:
        if not options.json:
            print(f"  {'sent   ' if sent else 'there  '} {what[:19]}  {human_size(size)}", file=sys.stderr)

    return report
