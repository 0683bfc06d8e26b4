"""What a log line shows, and what it must not."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from config import logs

log = logging.getLogger("connectors.wecom.api")


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


def told(output: io.StringIO) -> dict[str, Any]:
    (line,) = output.getvalue().splitlines()
    read: dict[str, Any] = json.loads(line)
    return read


def test_a_line_is_json_with_its_fields(output: io.StringIO) -> None:
    logs.set_up("INFO", to=output)
    log.warning("平台 %s 无应答", "wecom", extra={"action": "send", "attempts": 2, "ok": None})
    line = told(output)
    assert line["event"] == "平台 wecom 无应答"
    assert (line["logger"], line["level"]) == ("connectors.wecom.api", "warning")
    assert (line["action"], line["attempts"], line["ok"]) == ("send", 2, None)
    assert line["timestamp"].endswith("Z")
    assert "平台" in output.getvalue()


@pytest.mark.parametrize(
    "fields",
    [
        {"secret": "geheim"},
        {"access_token": "geheim"},
        {"aes_key": "geheim"},
        {"settings": {"wecom": [{"app_secret": "geheim"}]}},
        {"headers": {"Authorization": "Bearer geheim"}},
        {"url": "https://qyapi.example.com/cgi-bin/send?key=geheim&x=1"},
        {"urls": ["https://oapi.example.com/gettoken?appsecret=geheim"]},
        {"database": "postgresql+asyncpg://gendan:geheim@db/gendan"},
        {"error": ValueError("https://a.example.com/x?token=geheim")},
        {"reason": '{"access_token": "geheim", "expires_in": 7200}'},
        {"reason": "corpsecret=geheim is wrong"},
        {"raw": b"geheim"},
    ],
)
def test_secrets_are_blanked_wherever_they_stand(
    fields: dict[str, Any], output: io.StringIO
) -> None:
    logs.set_up("DEBUG", to=output)
    log.debug("called", extra=fields)
    assert told(output)["event"] == "called"
    assert "geheim" not in output.getvalue()


def test_numbers_of_persons_are_masked(output: io.StringIO) -> None:
    logs.set_up("INFO", to=output)
    log.warning("refused 13812345678", extra={"reason": ["ID 33010619900307123X"]})
    assert told(output)["event"] == "refused 138****5678"
    assert told(output)["reason"] == ["ID 330***********123X"]


def test_a_secret_in_the_sentence_is_blanked(output: io.StringIO) -> None:
    logs.set_up("INFO", to=output)
    log.info("GET %s", "https://qyapi.example.com/cgi-bin/gettoken?corpsecret=geheim")
    assert told(output)["event"] == "GET https://qyapi.example.com/cgi-bin/gettoken?***"


def test_a_secret_in_a_trace_is_blanked(output: io.StringIO) -> None:
    logs.set_up("INFO", to=output)
    try:
        raise ConnectionError("no answer from https://a.example.com/send?access_token=geheim")
    except ConnectionError:
        log.exception("sending failed")
    assert (
        "ConnectionError: no answer from https://a.example.com/send?***"
        in (told(output)["exception"])
    )
    assert "geheim" not in output.getvalue()


def test_what_people_wrote_is_measured_above_debug(output: io.StringIO) -> None:
    logs.set_up("DEBUG", to=output)
    log.warning("dead letter", extra={"body": "王总嫌贵", "id": 7})
    line = told(output)
    assert (line["body"], line["id"]) == ("4 long", 7)


def test_what_people_wrote_is_told_at_debug(output: io.StringIO) -> None:
    logs.set_up("DEBUG", to=output)
    log.debug("read", extra={"text": "王总嫌贵"})
    assert told(output)["text"] == "王总嫌贵"


def test_below_the_level_nothing_is_told(output: io.StringIO) -> None:
    logs.set_up("ERROR", to=output)
    log.warning("x")
    logging.getLogger("alembic").warning("x")
    assert output.getvalue() == ""


def test_libraries_that_chatter_are_heard_from_warning_on(output: io.StringIO) -> None:
    logs.set_up("DEBUG", to=output)
    logging.getLogger("aiohttp.access").info("GET /wecom/sales?msg_signature=x")
    logging.getLogger("jieba").debug("building prefix dict")
    assert output.getvalue() == ""


def test_lines_for_people_blank_secrets_too(output: io.StringIO) -> None:
    logs.set_up("INFO", human=True, to=output)
    log.info("called", extra={"token": "geheim", "channel": "wecom:sales:app"})
    assert "wecom:sales:app" in output.getvalue()
    assert "geheim" not in output.getvalue()
