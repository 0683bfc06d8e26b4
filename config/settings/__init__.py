"""Environment and files -> one frozen Settings, read once at start; a module for each section.

`gendan.toml` holds what may be read by everybody; secrets come from the environment
(`GENDAN_WECOM__SALES__SECRET`) or from files named in it (`secret_file = "/run/…"`).
"""

from config.settings.dingtalk import DingtalkSettings
from config.settings.engines import LlmSettings, OcrSettings, SpeechSettings
from config.settings.reading import (
    config_path,
    load_configured,
    load_engines,
    load_settings,
    read_toml,
)
from config.settings.storage import BucketSettings, StorageSettings
from config.settings.supply import SupplySettings
from config.settings.wecom import AibotSettings, WecomSettings
from config.settings.whole import Settings

__all__ = [
    "AibotSettings",
    "BucketSettings",
    "DingtalkSettings",
    "LlmSettings",
    "OcrSettings",
    "Settings",
    "SpeechSettings",
    "StorageSettings",
    "SupplySettings",
    "WecomSettings",
    "config_path",
    "load_configured",
    "load_engines",
    "load_settings",
    "read_toml",
]
