"""The types of settings' values."""

from __future__ import annotations

from typing import get_origin, get_type_hints

from jupyter_envstore.policy.setting_values import SettingValues
from jupyter_envstore.policy.settings import SETTINGS, effective


def test_each_setting_has_a_type_that_its_default_fits() -> None:
    types = get_type_hints(SettingValues)
    assert list(types) == list(SETTINGS)
    for key, kind in SETTINGS.items():
        assert (get_origin(types[key]) or types[key]) is type(kind.default), key


def test_none_is_no_value() -> None:
    assert effective([{"retention_builds": 7}, {"retention_builds": None, "storage_threshold": None}]) == {
        **effective([]),
        "retention_builds": 7,
    }
