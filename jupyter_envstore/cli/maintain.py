"""Commands for who keeps a store: doctor, backup and its way back."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from jupyter_envstore.application.configuration import read_files
from jupyter_envstore.cli.common import print_json
from jupyter_envstore.cli.look_elsewhere import examine_elsewhere
from jupyter_envstore.cli.opening import config_beside_files, store_elsewhere
from jupyter_envstore.services.backup import Saved, back_up, bring_back
from jupyter_envstore.services.doctor import BAD, GOOD, Finding, examine
from jupyter_envstore.services.forget_place import forget_place, told
from jupyter_envstore.services.move_blobs import move_blobs
from jupyter_envstore.services.move_database import go_back, move_database
from jupyter_envstore.spec.wording import counted, human_size

MARKS = {"ok": "✓", "warning": "!", "error": "✗"}


def doctor(options: argparse.Namespace) -> int:
    """Look at everything that a build needs."""
    found = []
    files = read_files()
    names = ", ".join(files.files_read)
    read = Finding("configuration", GOOD, f"read from {names}" if names else "no file of it is there")
    url = store_elsewhere(options, files)
    findings = examine_elsewhere(files, url) if url else examine(files.command_config(options.root))
    for finding in chain([read], findings):
        found.append(finding)
        if not options.json:
            print(f"{MARKS[finding.state]} {finding.what}: {finding.text}", flush=True)
    if options.json:
        print_json([asdict(finding) for finding in found])
    return 1 if any(finding.state == BAD for finding in found) else 0


def backup(options: argparse.Namespace) -> int:
    """Write the store into one file."""
    saved = back_up(
        config_beside_files(options, "backup"), Path(options.file), not options.without_archives, options.packages
    )
    _report(saved, options, f"saved in {options.file}")
    return 1 if saved.missing else 0


def restore_backup(options: argparse.Namespace) -> int:
    """Make a store of a backup."""
    config = config_beside_files(options, "restore-backup")
    saved = bring_back(config, Path(options.file))
    _report(saved, options, f"brought back to {config.root}")
    return 0


def move(options: argparse.Namespace) -> int:
    """Move the rows of a store from its file of SQLite into the database that the configuration names."""
    config = config_beside_files(options, "move-database")
    if options.back:
        file = go_back(config)
        print(f"{file} is used again, as it was when it was moved; take database_url out of the configuration")
        return 0
    moved = move_database(config)
    if options.json:
        print_json(asdict(moved))
        return 0
    print(f"{moved.rows} rows of {moved.source} are in the database {moved.target} now; start the servers again")
    print("the file takes no more writes; go back to it with: jupyter envstore move-database --back")
    return 0


def forget_folder(options: argparse.Namespace) -> int:
    """Forget a folder of the store that is gone."""
    forgotten = forget_place(config_beside_files(options, "forget-place"), options.number)
    if options.json:
        print_json(asdict(forgotten))
    else:
        print(told(forgotten))
    return 0


def move_files(options: argparse.Namespace) -> int:
    """Copy the files of a store into the bucket that the configuration names, or back."""

    def report(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done} of {total} files", end="\n" if done == total else "", file=sys.stderr, flush=True)

    moved = move_blobs(config_beside_files(options, "move-blobs"), report, options.back, options.copied)
    if options.json:
        print_json(asdict(moved))
        return 1 if moved.missing else 0
    if options.copied:
        print(f"all {counted(moved.there, 'file')} of the store are in {moved.target}; start the servers again")
        return 0
    print(
        f"{counted(moved.copied, 'file')} ({human_size(moved.size)}) of {moved.source} are in {moved.target} now, "
        f"{moved.there} were there before"
    )
    if moved.missing:
        print(f"{counted(len(moved.missing), 'file')} were not to be had: {', '.join(moved.missing[:5])}")
    elif options.back:
        print("take blob_url out of the configuration, and start the servers again")
    else:
        print(f"start the servers again; if all works, {moved.source} can be removed")
    return 1 if moved.missing else 0


def _report(saved: Saved, options: argparse.Namespace, done: str) -> None:
    if options.json:
        print_json(asdict(saved))
        return
    print(f"{done}: the database and {saved.files} files ({human_size(saved.size)})")
    for digest in saved.missing:
        print(f"missing in the store: {digest}", file=sys.stderr)
