"""What somebody who watches the bot sees of a day: metrics, and spans where they are collected."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import func, select

from bot.messages import Address, Platform, Text
from bot.ports import Outgoing
from connectors.watching import tracing
from connectors.watching.collected import CollectedSpans
from connectors.watching.engine import EngineWatch
from storage.tables import inbox, opportunities, outbox
from tests.scenarios.driver import ROOT, Speaker
from tests.scenarios.in_process import InProcess, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERSON = Address(Platform.WECOM, "sales", user_id="chenjing")
SAID = "刚和恒锐机电的王总通了25分钟电话，嫌价格高，下周三再联系"
SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$", re.MULTILINE)


@dataclass
class Watched:
    sandbox: InProcess
    spans: InMemorySpanExporter

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of all samples that have these labels."""
        async with self.sandbox.http.get("/metrics") as answer:
            text = await answer.text()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(
            float(sample["value"])
            for sample in SAMPLE.finditer(text)
            if sample["name"] == name and all(one in (sample["labels"] or "") for one in wanted)
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    kept = InMemorySpanExporter()
    spans = CollectedSpans(SimpleSpanProcessor(kept), share=1.0)
    tracing.switch_on(spans)
    try:
        async with running(tmp_path_factory.mktemp("watched")) as sandbox:
            yield Watched(sandbox, kept)
    finally:
        tracing.switch_on(None)
        spans.close()


@pytest.mark.parametrize(("platform", "user"), [("wecom", "chenjing"), ("dingtalk", "wulei01")])
async def test_what_is_said_is_one_trace_from_the_callback_to_the_call(
    watched: Watched, platform: str, user: str
) -> None:
    speaker = Speaker(watched.sandbox, platform, user)
    await speaker.say("待办")  # whoever speaks for the first time is also told of other things
    watched.spans.clear()
    await speaker.say("帮助")
    spans = watched.spans.get_finished_spans()
    answers = [one for one in spans if one.parent]  # a push begins a trace of its own
    sent = only(answers, f"send {platform}:")
    trace = [one for one in spans if one.context.trace_id == sent.context.trace_id]
    root, handled = only(trace, f"callback {platform}:"), only(trace, f"handle {platform}:")
    call = next(one for one in trace if one.parent and one.parent.span_id == span_id(sent))
    assert root.parent is None
    for below in (handled, sent):
        assert below.parent is not None
        assert below.parent.span_id == span_id(root)
    assert call.name.startswith(f"{platform}:")
    assert (call.attributes or {})["gendan.outcome"] == "2xx"


async def test_an_answer_is_in_its_trace_whichever_process_sends_it(watched: Watched) -> None:
    speaker = Speaker(watched.sandbox, "wecom", "chenjing")
    await speaker.say("待办")
    watched.spans.clear()
    await speaker.say("帮助")
    handled = only(watched.spans.get_finished_spans(), "handle wecom:")
    async with watched.sandbox.bot.database.read() as tx:
        newest = (
            select(outbox).where(outbox.c.dedupe_key.like("wecom:%")).order_by(outbox.c.id.desc())
        )
        row = (await tx._conn.execute(newest.limit(1))).one()
    queued = Outgoing(row.id, row.dedupe_key, PERSON, Text("…"), 0, row.trace)
    watched.spans.clear()
    with EngineWatch().sending(("wecom", "sales"), queued):  # of another process
        pass
    (sent,) = watched.spans.get_finished_spans()
    assert sent.context.trace_id == handled.context.trace_id
    assert sent.parent is not None
    assert handled.parent is not None
    assert sent.parent.span_id == handled.parent.span_id


async def test_what_no_message_has_caused_begins_a_trace(watched: Watched) -> None:
    watched.spans.clear()
    await watched.sandbox.post("clock", advance=24 * 3600)
    pushes = [one for one in watched.spans.get_finished_spans() if one.name.startswith("send ")]
    assert pushes
    assert all(one.parent is None for one in pushes)


async def test_a_trace_is_found_by_what_the_log_says(watched: Watched) -> None:
    watched.spans.clear()
    await Speaker(watched.sandbox, "wecom", "chenjing").say("待办")
    async with watched.sandbox.bot.database.read() as tx:
        newest = select(inbox.c.channel, inbox.c.delivery_id).order_by(inbox.c.id.desc()).limit(1)
        channel, delivery_id = (await tx._conn.execute(newest)).one()
    wanted = hashlib.sha256(f"{channel}:{delivery_id}".encode()).hexdigest()[:32]
    assert wanted in {f"{one.context.trace_id:032x}" for one in watched.spans.get_finished_spans()}


async def test_a_span_holds_nothing_that_was_said_and_nobody(watched: Watched) -> None:
    watched.spans.clear()
    refused = {"api": "message/send", "errcode": 45009, "times": 1}
    await watched.sandbox.post("fault", platform="wecom", **refused)
    await Speaker(watched.sandbox, "wecom", "chenjing").say(SAID)
    await watched.sandbox.post("clock", advance=20 * 60)
    spans = watched.spans.get_finished_spans()
    told = "".join(json.dumps(json.loads(one.to_json())) for one in spans)
    failed = [one for one in spans if not one.status.is_ok]
    assert [one.status.description for one in failed if one.name == "send wecom:sales"]
    for word in (SAID, "恒锐机电", "王总", "25分钟", "chenjing", "access_token", "陈静"):
        assert word not in told
        assert json.dumps(word)[1:-1] not in told


async def test_sends_are_counted_by_the_platforms_own_code(watched: Watched) -> None:
    speaker = Speaker(watched.sandbox, "wecom", "zhangwei")
    labels = {"platform": "wecom", "app": "sales"}
    before = await watched.metric("gendan_sends_total", **labels, outcome="sent", code="")
    limited = {**labels, "outcome": "rate_limited", "code": "45009"}
    limited_before = await watched.metric("gendan_sends_total", **limited)
    refused = {"api": "message/send", "errcode": 45009, "times": 1}
    await watched.sandbox.post("fault", platform="wecom", **refused)
    await speaker.say("帮助")
    await watched.sandbox.post("clock", advance=10 * 60)
    await watched.sandbox.quiesce()
    assert await watched.metric("gendan_sends_total", **limited) == limited_before + 1
    assert await watched.metric("gendan_sends_total", **labels, outcome="sent", code="") > before


async def test_answers_ticks_tokens_and_what_is_open_are_told(watched: Watched) -> None:
    await Speaker(watched.sandbox, "dingtalk", "wulei01").say("帮助")
    answers = "gendan_callback_answer_seconds_count"
    assert await watched.metric(answers, platform="dingtalk", app="sales", door="robot") > 0
    assert await watched.metric(answers, platform="wecom", app="sales", door="app") > 0
    assert await watched.metric("gendan_ticks_total", outcome="done") > 0
    assert await watched.metric("gendan_token_fetches_total", outcome="fetched") >= 2
    assert await watched.metric("gendan_token_expires_timestamp_seconds", platform="wecom") > 1e9
    async with watched.sandbox.bot.database.read() as tx:
        lit = select(opportunities.c.light, func.count()).group_by(opportunities.c.light)
        leads = {row[0]: row[1] for row in await tx._conn.execute(lit)}
    for colour in ("yellow", "red"):
        assert await watched.metric("gendan_lights_open", colour=colour) == leads[colour] > 0
    assert await watched.metric("gendan_disputes_open") == 0
    assert await watched.metric("gendan_outbox_overdue_seconds", platform="wecom") == 0
    assert await watched.metric("gendan_database_connections", state="used") >= 0
    assert await watched.metric("process_open_fds") > 0
    assert await watched.metric("process_resident_memory_bytes") > 1e6


async def test_a_message_that_is_given_up_is_a_dead_letter_of_its_kind(watched: Watched) -> None:
    labels = {"box": "outbox", "kind": "rejected"}
    before = await watched.metric("gendan_dead_letters_total", **labels)
    refused = {"api": "message/send", "errcode": 40008, "times": 1}
    await watched.sandbox.post("fault", platform="wecom", **refused)
    await Speaker(watched.sandbox, "wecom", "zhaoqian").say("帮助")
    assert await watched.metric("gendan_dead_letters_total", **labels) == before + 1


async def test_nothing_is_loaded_where_nothing_is_collected() -> None:
    looked = "import run_bot, sys; sys.exit(any('opentelemetry' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", looked], cwd=ROOT, check=False).returncode == 0  # noqa: ASYNC221, S603


def only(trace: Iterable[ReadableSpan], beginning: str) -> ReadableSpan:
    (found,) = [one for one in trace if one.name.startswith(beginning)]
    return found


def span_id(span: ReadableSpan) -> int:
    return int(span.context.span_id)
