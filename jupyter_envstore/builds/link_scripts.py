"""Scripts of packages in a build: run, reported or refused, as the setting ``link_scripts`` says."""

from __future__ import annotations

from pathlib import Path

from jupyter_envstore.builds.link_warnings import tell_outside_links
from jupyter_envstore.builds.workspace import Workspace
from jupyter_envstore.database.blob_references import owned_blob, products_owner, refer
from jupyter_envstore.database.warnings import LINK_SCRIPT
from jupyter_envstore.engine.conda_meta import META
from jupyter_envstore.engine.link_scripts import POST_LINK, LinkScript, find_link_scripts, refusal, run_link_scripts
from jupyter_envstore.engine.path_rules import is_record
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.engine.script_products import (
    Touched,
    Watched,
    apply_products,
    links_out,
    note_changed,
    write_products,
)
from jupyter_envstore.errors import PackageError
from jupyter_envstore.policy import LINK_SCRIPTS_REFUSE, LINK_SCRIPTS_RUN
from jupyter_envstore.spec.wording import counted


def check_link_scripts(workspace: Workspace, prefix: Path, lock: PlatformLock, choice: str) -> list[LinkScript]:
    """Return the scripts of a linked prefix; those that are not run are told.

    Raises
    ------
    PackageError
        There are some, and ``choice`` is ``refuse``.
    """
    scripts = find_link_scripts(prefix, lock)
    if scripts and choice == LINK_SCRIPTS_REFUSE:
        raise PackageError(refusal(scripts))
    workspace.clear_warnings(LINK_SCRIPT)
    for script in scripts:
        if script.kind != POST_LINK:
            why = "it could change the package cache; conda has deprecated such scripts"
        elif choice != LINK_SCRIPTS_RUN:
            why = "link_scripts is report; what it would have made is missing"
        else:
            continue
        workspace.warn(LINK_SCRIPT, f"{script} was not run: {why}", script.package, script.path)
    return [script for script in scripts if script.kind == POST_LINK and choice == LINK_SCRIPTS_RUN]


def run_scripts(workspace: Workspace, prefix: Path, scripts: list[LinkScript], links_may_lead_out: bool) -> None:
    """Run scripts in a prefix at its place, and keep what they did with the build.

    Raises
    ------
    PackageError
        One fails, or changes what the environment records of itself.
    """
    if not scripts:
        return
    scratch = workspace.temporary("link-scripts")
    with Watched(prefix, scratch) as watched:
        run_link_scripts(scripts, prefix, scratch, workspace.sandbox, workspace, workspace.time_left())
    touched = watched.touched
    _check_records(prefix, scripts, touched)
    note_changed(prefix, touched)
    _tell(workspace, touched)
    whose = scripts[0].package if len(scripts) == 1 else "a package's script"
    tell_outside_links(workspace, links_out(prefix, prefix, touched, whose), links_may_lead_out)
    with workspace.blobs.create() as writer:
        for path in write_products(prefix, touched, writer):
            workspace.warn(LINK_SCRIPT, f"{path}, which a script made, is no file; it was removed", path=path)
    confirmed = workspace.confirmed(writer.result().digest)
    with workspace.claim.write(workspace.database) as session:
        refer(session, confirmed, writer.result(), products_owner(workspace.claim.build_id))


def bring_back(workspace: Workspace, prefix: Path) -> None:
    """Do to a prefix what the scripts did when the build was made, without running them."""
    with workspace.database.read() as session:
        digest = owned_blob(session, products_owner(workspace.claim.build_id))
    if digest is not None:
        touched = apply_products(workspace.blobs.local_file(digest), prefix, prefix, workspace.config.root)
        note_changed(prefix, touched)
        _tell(workspace, touched)


def _check_records(prefix: Path, scripts: list[LinkScript], touched: Touched) -> None:
    """Refuse scripts that changed what tells which packages there are: nothing would find them any more."""
    for what, paths in (("makes", touched.made), ("changes", touched.changed), ("removes", touched.removed)):
        for path in paths:
            if path.startswith(META) and is_record(path.removeprefix(META)):
                whose = " or ".join(map(str, scripts))
                msg = (
                    f"{whose} {what} {path}, a record of the environment itself; leave the package out, or take "
                    "another version; with the setting link_scripts at report it is not run"
                )
                raise PackageError(msg)


def _tell(workspace: Workspace, touched: Touched) -> None:
    parts = [
        f"{counted(len(paths), 'file')} {what}"
        for paths, what in ((touched.made, "made"), (touched.changed, "changed"), (touched.removed, "removed"))
        if paths
    ]
    workspace.log(f"scripts of packages: {', '.join(parts) or 'no file made'}")
