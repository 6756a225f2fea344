"""Settings per scope (global, namespace, environment), and what they allow."""

from jupyter_envstore.policy.rules import apply_policy
from jupyter_envstore.policy.settings import (
    SETTINGS,
    SettingKind,
    check_platform,
    check_settings,
    effective,
    normalized,
)

__all__ = ["SETTINGS", "SettingKind", "apply_policy", "check_platform", "check_settings", "effective", "normalized"]
