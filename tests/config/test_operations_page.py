"""docs/operations.md says what the program does: its keys, its defaults, its example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from config.settings import (
    AibotSettings,
    BucketSettings,
    DingtalkSettings,
    LlmSettings,
    OcrSettings,
    Settings,
    SpeechSettings,
    StorageSettings,
    SupplySettings,
    WecomSettings,
    load_settings,
)
from config.settings.archive import ArchiveSettings
from config.settings.erp import (
    ErpSettings,
    KingdeeCustomerSettings,
    KingdeeForecastSettings,
    KingdeeFormSettings,
    KingdeeOrderSettings,
    U9cCustomerSettings,
    U9cEntitySettings,
    U9cForecastSettings,
    U9cOrderSettings,
)
from config.settings.mail import MailSettings
from config.settings.queue import QueueSettings
from config.settings.site import SiteSettings
from config.settings.telemetry import TelemetrySettings

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
SECTIONS: dict[str, type[BaseModel]] = {
    "### The file itself": Settings,
    "### `[storage]`": StorageSettings,
    "### `[storage.s3]`": BucketSettings,
    "### `[queue]`": QueueSettings,
    "### `[llm]`": LlmSettings,
    "### `[speech]`": SpeechSettings,
    "### `[ocr]`": OcrSettings,
    "### `[supply]`": SupplySettings,
    "### `[telemetry]`": TelemetrySettings,
    "### `[wecom.<name>]`, one table an application": WecomSettings,
    "### `[wecom.<name>.archive]`": ArchiveSettings,
    '### `[wecom.<name>]` with `kind = "aibot"`': AibotSettings,
    "### `[dingtalk.<name>]`": DingtalkSettings,
    "### `[erp.<name>]`": ErpSettings,
    "### `[site.<name>]`": SiteSettings,
    "### `[mail.<name>]`": MailSettings,
    "### `[erp.<name>.receipts]`": KingdeeFormSettings,
    "### `[erp.<name>.customers]`": KingdeeCustomerSettings,
    "### `[erp.<name>.orders]`": KingdeeOrderSettings,
    "### `[erp.<name>.forecasts]`": KingdeeForecastSettings,
    "### `[erp.<name>.entity]`": U9cEntitySettings,
    "### `[erp.<name>.customer_entity]`": U9cCustomerSettings,
    "### `[erp.<name>.order_entity]`": U9cOrderSettings,
    "### `[erp.<name>.forecast_entity]`": U9cForecastSettings,
}


@pytest.mark.parametrize("heading", SECTIONS)
def test_each_key_has_its_row_and_each_row_its_key(heading: str) -> None:
    section = SECTIONS[heading]
    body = PAGE.partition(heading)[2].partition("\n#")[0]
    first_cells = re.findall(r"^\| (`[^|]+) \|", body, re.MULTILINE)
    keys = {key for cell in first_cells for key in re.findall(r"`(\w+)`", cell)}
    subsections = {
        "storage",
        "queue",
        "llm",
        "speech",
        "ocr",
        "supply",
        "telemetry",
        "wecom",
        "dingtalk",
        "erp",
        "site",
        "mail",
        "archive",
        "s3",
    }
    assert keys == set(section.model_fields) - subsections


def test_the_example_is_a_configuration_that_loads(tmp_path: Path) -> None:
    block = PAGE.partition("### An example with everything")[2].partition("\n###")[0]
    secret = tmp_path / "secret"
    secret.write_text("a" * 43)
    token = tmp_path / "token"
    token.write_text("a" * 24)
    example = "\n".join(line.removeprefix("    ") for line in block.splitlines())
    example = re.sub(r"/run/secrets/\S+-token", str(token), example)
    path = tmp_path / "gendan.toml"
    path.write_text(re.sub(r"/run/secrets/[\w-]+", str(secret), example), encoding="utf-8")
    settings = load_settings(path)
    assert (list(settings.wecom), list(settings.dingtalk)) == (["sales"], ["sales"])
    assert settings.wecom["sales"].webhooks
