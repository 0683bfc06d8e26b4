"""The section [queue]: what it may say, and that what is secret in it is not told."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.policy import ConfigError
from config.settings import load_settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gendan.toml"


def test_an_address_is_all_it_takes(file: Path) -> None:
    file.write_text('[queue]\nurl = "nats://a:4222, tls://b:4222"')
    given = load_settings(file).queue.revealed()
    assert given["url"] == "nats://a:4222, tls://b:4222"
    assert (given["stream"], given["replicas"]) == ("GENDAN", 1)


def test_without_one_there_is_no_queue(file: Path) -> None:
    file.write_text("")
    assert load_settings(file).queue.revealed()["url"] == ""


def test_no_secret_of_it_is_shown(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hidden-2\n")
    file.write_text(
        f'[queue]\nurl = "nats://u:hidden-1@a:4222"\npassword_file = "{secret}"\ntoken = "hidden-3"'
    )
    queue = load_settings(file).queue
    assert "hidden" not in repr(queue)
    assert queue.revealed()["password"] == "hidden-2"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ('url = "http://a"', "queue.url：应为 nats://"),
        ('url = "nats://a:4222,b:4222"', "queue.url：应为 nats://"),
        ('stream = "a.b"', "queue.stream：应为 大写字母"),
        ("replicas = 7", "queue.replicas：应为 1 到 5"),
        ('cert = "a.pem"', "queue.cert：与 key 要么都写"),
        ("max_mb = 0", "queue.max_mb：应为 正整数"),
    ],
)
def test_a_mistake_is_one_line(file: Path, given: str, line: str) -> None:
    file.write_text(f"[queue]\n{given}")
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
