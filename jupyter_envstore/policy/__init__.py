"""Settings per scope (global, namespace, environment), and what they allow."""

from jupyter_envstore.policy.rules import LockedPackage, apply_policy, channel_of, check_channels, check_lock_policy
from jupyter_envstore.policy.settings import (
    LINK_SCRIPTS_REFUSE,
    LINK_SCRIPTS_RUN,
    RESTRICTIONS,
    SETTINGS,
    SettingKind,
    check_folders,
    check_platform,
    check_settings,
    effective,
    normalized,
)

__all__ = [
    "LINK_SCRIPTS_REFUSE",
    "LINK_SCRIPTS_RUN",
    "RESTRICTIONS",
    "SETTINGS",
    "LockedPackage",
    "SettingKind",
    "apply_policy",
    "channel_of",
    "check_channels",
    "check_folders",
    "check_lock_policy",
    "check_platform",
    "check_settings",
    "effective",
    "normalized",
]
