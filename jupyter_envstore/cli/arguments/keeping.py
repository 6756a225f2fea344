"""The commands that keep a store in order, and serve it: space, backups, settings, channels."""

from __future__ import annotations

from jupyter_envstore.cli.arguments.common import Add, add_environment, add_json, add_several, port


def register_keeping(add: Add) -> None:
    """Add the commands that change builds, and bring back or delete them."""
    cancel = add("cancel", "change:cancel", "Stop a build that is queued or runs")
    add_environment(cancel)
    add_json(cancel)
    activate = add("activate", "change:activate", "Make a build the active one: roll back, or forward")
    add_environment(activate)
    add_json(activate)
    delete = add("delete", "change:delete", "Delete an environment with all its builds, or one build")
    add_environment(delete)
    add_json(delete)
    delete.add_argument("--yes", action="store_true", help="do not ask")
    delete.add_argument("--now", action="store_true", help="free an environment's space at once: it cannot come back")
    undelete = add("undelete", "change:undelete", "Bring back an environment deleted in the last ten minutes")
    add_environment(undelete)
    add_json(undelete)
    restore = add("restore", "packages:restore", "Bring the prefix of a packed-away build back, exactly")
    add_environment(restore)
    add_json(restore)
    restore.add_argument("--check", action="store_true", help="only say where each package would come from")
    keep = add(
        "keep",
        "packages:keep",
        "Keep the prefix of a build for good (pin it), or the files of its packages\n"
        "With --packages the build comes back even when its channels are gone.",
    )
    add_environment(keep)
    keep.add_argument("--packages", action="store_true", help="store the files of its packages")
    keep.add_argument("--stop", action="store_true", help="keep it no more")
    add_json(keep)
    collect = add("gc", "change:collect", "Free space: old builds beyond the retention settings, caches nobody needs")
    collect.add_argument("--dry-run", action="store_true", help="say what would be freed")
    collect.add_argument(
        "--gone",
        action="store_true",
        help="environments whose folders are missing are gone for good, even if all are missing",
    )
    add_json(collect)
    setting = add("setting", "change:setting", "Show or change settings")
    add_several(
        setting,
        "assignments",
        nargs="*",
        metavar="KEY=VALUE",
        help="value as JSON or text; null takes the setting of this scope back",
    )
    setting.add_argument("--scope", metavar="NAMESPACE[/NAME]", help="default: the whole store")
    add_json(setting)


def register_site(add: Add) -> None:
    """Add the commands that keep the store in order, and serve it."""
    serve = add(
        "serve",
        "serve:serve",
        "Run the store alone, for a team: as a service of a JupyterHub, or behind a reverse proxy\n"
        "It reads jupyter_envstore_config; --help-all lists what can be set there.",
    )
    serve.add_argument("--help-all", action="store_true", help="list all options of the configuration, and end")
    serve.add_argument("--config", metavar="FILE", help="read this configuration file too")
    serve.add_argument("--ip", help="address to listen on (default: that of the JupyterHub, or 127.0.0.1)")
    serve.add_argument("--port", type=port, help="port to listen on (default: that of the JupyterHub, or 8890)")
    serve.add_argument("--base-url", metavar="PATH", help="path under which a proxy shows the service (default: /)")
    doctor = add("doctor", "maintain:doctor", "Look at disk, limits, tools, proxies and channels, and say what to mend")
    add_json(doctor)
    backup = add(
        "backup",
        "maintain:backup",
        "Write the store into one file, while it is in use\nDatabase, build records, artifacts, logs; no prefixes.",
    )
    backup.add_argument("file", metavar="FILE.tar")
    backup.add_argument("--without-archives", action="store_true", help="leave out what can be made again")
    backup.add_argument("--packages", action="store_true", help="take the kept files of packages along")
    add_json(backup)
    back = add(
        "restore-backup",
        "maintain:restore_backup",
        "Make a store of a backup, where none is yet\nEach prefix comes back with: restore",
    )
    back.add_argument("file", metavar="FILE.tar")
    add_json(back)
    move = add(
        "move-database",
        "maintain:move",
        "Move the store from SQLite into the database that the configuration names\n"
        "Set c.EnvStoreApp.database_url first, and stop the servers. Files of the store stay where they are.",
    )
    move.add_argument("--back", action="store_true", help="use the file of SQLite again, as it was when it was moved")
    add_json(move)
    blobs = add(
        "move-blobs",
        "maintain:move_files",
        "Copy artifacts, layers, records and logs into the bucket that the configuration names\n"
        "Set c.EnvStoreApp.blob_url first, and stop the servers. What was copied is skipped the next time.",
    )
    way = blobs.add_mutually_exclusive_group()
    way.add_argument("--back", action="store_true", help="copy them from the bucket into the store's folder")
    way.add_argument(
        "--copied", action="store_true", help="another program copied them, all with their names: look if all are there"
    )
    add_json(blobs)
    forget = add(
        "forget-place",
        "maintain:forget_folder",
        "Forget a folder of the store whose machine or disk is gone for good\n"
        "doctor lists the folders with their numbers. Records and artifacts stay, and bring each environment back.",
    )
    forget.add_argument("number", type=int, metavar="NUMBER")
    add_json(forget)


def register_channels(add: Add) -> None:
    """Add the commands of local channels."""
    channel = add(
        "channel",
        "channels:channel",
        "Make a conda channel of Python installations and PyPI wheels\nFor sites that reach PyPI only.",
    )
    channel.add_argument("directory", metavar="DIR")
    channel.add_argument("requirements", nargs="*", metavar="REQUIREMENT", help="for example 'pandas>=2'")
    channel.add_argument(
        "--python",
        action="extend",
        nargs="+",
        metavar="PREFIX",
        help="prefixes of CPython installations; write requirements before it, or -- between",
    )
    add_json(channel)
