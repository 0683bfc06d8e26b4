"""Each dependency that is called over HTTP × each way in which a call can go wrong.

A cell says what the user did, what went wrong meanwhile, and that afterwards all is as if nothing
had, with no manual step: nothing lost, and nothing twice but where a platform cannot tell."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from tests.faults import readings
from tests.faults.bench import HELP, REPS, Bench, benched, customer_of
from tests.faults.proxy import Fault
from tests.scenarios.driver import Sandbox, Speaker, last_card, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

AFTER_ACTING = {Fault.HALF, Fault.DRIPS, Fault.LOST}
CONTRACT = "HT-2026-022"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with benched(tmp_path_factory.mktemp("matrix")) as bench:
        yield bench


async def sends(bench: Bench, speaker: Speaker, fault: Fault) -> None:
    """«帮助» is answered."""
    await bench.settle(7)  # WeCom knows a repetition by its text, for some minutes
    await speaker.look()
    bench.proxy.arm(SEND[speaker.platform], fault, 2)
    seen = await speaker.say("帮助")
    await bench.settle()
    count = words(seen + await speaker.look()).count(HELP)
    # DingTalk's plain messages have no key to know them by: a copy more, and none lost.
    twice = speaker.platform == "dingtalk" and fault in AFTER_ACTING
    assert count == (3 if twice else 1)


async def renews_a_token(bench: Bench, speaker: Speaker, fault: Fault) -> None:
    """The token has expired, and fetching another goes wrong: «帮助» is answered once."""
    await bench.settle(7)
    await speaker.look()
    expired = {"wecom": 42001, "dingtalk": "InvalidAuthentication"}[speaker.platform]
    refused = {"api": SEND[speaker.platform], "errcode": expired, "times": 1}
    await bench.sandbox.post("fault", platform=speaker.platform, **refused)
    bench.proxy.arm({"wecom": "gettoken", "dingtalk": "accessToken"}[speaker.platform], fault, 2)
    seen = await speaker.say("帮助")
    await bench.settle()
    assert words(seen + await speaker.look()).count(HELP) == 1


async def changes_a_card(bench: Bench, speaker: Speaker, fault: Fault) -> None:
    """A press is confirmed: the record is there once, and its outcome is told."""
    before = await recorded(bench.sandbox, speaker)
    customer = await customer_of(bench.sandbox, speaker)
    said = f"刚和{customer['name']}通了25分钟电话，嫌价格高，下周三再联系"
    card = last_card(await speaker.say(said))
    api = {"wecom": "update_template_card", "dingtalk": "card/instances"}[speaker.platform]
    bench.proxy.arm(api, fault, 2)
    seen = await speaker.press(card, "确认")
    await bench.settle()
    seen += [one for one in await speaker.all() if one["message_id"] == card["message_id"]]
    assert "有效跟进" in words(seen + await speaker.look())
    assert await recorded(bench.sandbox, speaker) == before + 1


async def fetches_a_file(bench: Bench, speaker: Speaker, fault: Fault) -> None:
    """A file is kept and asked about."""
    await speaker.say("全部取消")
    api = {"wecom": "media/get", "dingtalk": "messageFiles/download"}[speaker.platform]
    bench.proxy.arm(api, fault, 1)
    name = f"报价-{fault.name}.pdf"
    data = f"%PDF-1.4 {fault}".encode()
    seen = await speaker.send_file(name, data)
    await bench.settle(5)
    assert name in words(seen + await speaker.look())
    assert await bench.sandbox.bot.outside.files.get(hashlib.sha256(data).hexdigest()) == data


async def reads_the_erp(bench: Bench, speaker: Speaker, fault: Fault) -> None:
    """A receipt is booked while the ERP does not answer: it is found afterwards, once."""
    bench.booked += 1
    booked = {"contract": CONTRACT, "amount": "100"}
    bench.proxy.arm("ExecuteBillQuery", fault, 2)
    async with bench.sandbox.http.post("/sandbox/kingdee/receipts", json=booked) as answer:
        assert answer.status == 200
    # While the clock jumps it is read once a day, and after a fault an hour later again.
    await bench.settle(28 * 60)
    assert f"已收 {bench.booked * 100:,}元" in words(await speaker.say("回款 南海铝业"))


SEND = {"wecom": "message/send", "dingtalk": "batchSend"}
DOES: dict[str, Callable[[Bench, Speaker, Fault], Awaitable[None]]] = {
    "message": sends,
    "token": renews_a_token,
    "card": changes_a_card,
    "file": fetches_a_file,
    "erp": reads_the_erp,
    "upload": readings.sends_a_file,
    "directory": readings.learns_of_a_member,
    "contacts": readings.learns_of_a_contact,
    "approvals": readings.learns_of_an_approval,
    "attendance": readings.learns_where_somebody_was,
    "archive": readings.reads_the_archive,
}
NOT_OURS = {("archive", Fault.DRIPS)}
"""How long Tencent's library waits for a byte is its own affair; it has a process of its own."""
CELLS = [
    (platform, what, fault)
    for platform, what in (
        *(
            (platform, what)
            for what in ("message", "token", "card", "file", "upload", "directory", "contacts")
            for platform in REPS
        ),
        ("dingtalk", "erp"),
        *(("wecom", what) for what in ("approvals", "attendance", "archive")),
    )
    for fault in Fault
    if (what, fault) not in NOT_OURS
]


@pytest.mark.parametrize(
    ("platform", "what", "fault"), CELLS, ids=[f"{p}-{w}-{f.name}" for p, w, f in CELLS]
)
async def test_afterwards_all_is_as_if_nothing_had_been(
    bench: Bench, platform: str, what: str, fault: Fault
) -> None:
    speaker = Speaker(bench.sandbox, platform, REPS[platform][0])
    await DOES[what](bench, speaker, fault)
    assert bench.proxy.broken, "nothing was broken"
    async with bench.sandbox.http.get("/readyz") as answer:
        assert answer.status == 200, await answer.text()


async def recorded(sandbox: Sandbox, speaker: Speaker) -> int:
    customer = await customer_of(sandbox, speaker)
    told = await sandbox.get("stream", customer=str(customer["id"]))
    return len(told["activities"])
