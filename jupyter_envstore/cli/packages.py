"""Commands for builds that last: restored, and kept with the files of their packages."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from jupyter_envstore.cli.build import follow
from jupyter_envstore.cli.common import command, find, print_json, tell, wait, who
from jupyter_envstore.cli.display import table
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.engine.availability import GONE, UNANSWERED
from jupyter_envstore.errors import BuildFailedError
from jupyter_envstore.spec.wording import counted, human_size

PLACES = {
    "kept": "kept in the store",
    "cache": "package cache",
    "channel": "its channel or index",
    UNANSWERED: "does not answer",
    GONE: "gone",
}


def restore(options: argparse.Namespace) -> int:
    """Bring a packed-away build back, or say where its packages would come from."""
    with open_store(options) as store:
        reference = find(store, options.environment)
        if not options.check:
            store.prefixes.check_packed_away(reference.id)
        told = store.prefixes.restore_sources(reference.id)
        sources, missing = told["packages"], told["missing"]
        lost = [source for source in sources if source["place"] in (GONE, UNANSWERED)]
        if options.json and (missing or options.check):
            print_json({"build": str(reference), "missing": missing, "packages": sources, "prefix": None})
            return 5 if missing or lost else 0
        if options.check:
            shown = [[s["name"], s["filename"], PLACES[s["place"]], s["detail"]] for s in sources]
            print(table(["PACKAGE", "FILE", "FROM", ""], shown))
            found = Counter(source["place"] for source in sources)
            print("\n" + ", ".join(f"{found[place]} {words}" for place, words in PLACES.items() if found[place]))
            verb = "can" if not lost else "cannot"
            sentence = "" if lost else ": every package is to be had"
            print(f"{reference} {verb} be brought back{sentence}", file=sys.stderr if lost else sys.stdout)
            if extras := told["not_looked_for"]:
                names = ", ".join(extras[:5]) + (", …" if len(extras) > 5 else "")
                print(f"not looked for: {names}, which constructor's installers bring beside it; they are never kept")
            return 5 if lost else 0
        if missing:
            listed = "\n  ".join(missing)
            msg = (
                f"{reference} cannot be brought back: {len(missing)} packages are not to be had any more:\n"
                f"  {listed}\nWhere each package would come from: {command(f'restore {reference} --check')}"
            )
            raise BuildFailedError(msg)
        store.prefixes.restore(reference.id, who())
        view = follow(store, reference)
        if view["packed_away"]:
            msg = f"{reference} could not be brought back; see: {command(f'logs {reference}')}"
            raise BuildFailedError(msg)
        where = f": {view['prefix']}" if view["prefix"] else ""
        tell(options, {"build": str(reference), "missing": [], "prefix": view["prefix"]}, f"{reference} is back{where}")
    return 0


def keep(options: argparse.Namespace) -> int:
    """Keep a build's prefix, or the files of its packages."""
    with open_store(options) as store:
        reference = find(store, options.environment)
        if not options.packages:
            store.prefixes.pin(reference.id, not options.stop, who())
            words = "is not pinned any more" if options.stop else "is pinned: its prefix is never packed away"
            if not options.stop and store.builds.show(reference.id)["packed_away"]:
                words += f"; it is not here now, and comes with: {command(f'restore {reference}')}"
            tell(options, {"build": str(reference), "pinned": not options.stop}, f"{reference} {words}")
            return 0
        store.packages.keep(reference.id, not options.stop, who())
        if options.stop:
            text = f"{reference} is not kept with its packages any more; gc frees their space"
            tell(options, {"build": str(reference), **store.packages.kept(reference.id)}, text)
            return 0
        wait(store, reference.id)
        kept = store.packages.kept(reference.id)
        log = store.logs.read(reference.id)
    if kept["state"] == "failed":
        msg = f"the packages of {reference} could not be kept: {log.strip().splitlines()[-1][9:]}"
        raise BuildFailedError(msg)
    text = f"{reference} is kept with its packages: {kept['packages']} files, {human_size(kept['size'])}"
    if kept["missing"]:
        reasons = "".join(f"\n  {found['name']}: {found['reason']}" for found in kept["missing_packages"])
        text = f"{reference} is kept but for {counted(kept['missing'], 'package')}:{reasons}"
    tell(options, {"build": str(reference), **kept}, text)
    return 5 if kept["missing"] else 0
