"""`POST /track` as a browser, a server, and those who are neither call it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from bot.clock import FixedClock, MovableClock
from bot.domain.signals import Arrived
from bot.domain.websites import MaterialLink, Website, sign, ticket_of
from connectors.track.door import TrackDoor

NOW = datetime(2026, 3, 9, 2, tzinfo=UTC)
ORIGIN = "https://www.example.com"
SECRET = "a secret of at least 24 letters"
SITE = Website(
    "main", SECRET, (ORIGIN,),
    pages={"parameters": ("/products/*/specs*",), "white_paper": ("*.pdf",)},
    per_s=40, per_visitor_min=60,
)  # fmt: skip
BROWSER = {"Origin": ORIGIN, "User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0"}
EVENT = {"id": "event-0001", "page": "/products/a/specs?who=li#x", "ago": 60_000, "seconds": 12}
LINK = MaterialLink(
    7, "main", 3, "李总", "白皮书", f"{ORIGIN}/files/wp.pdf?a=1", 1, NOW, NOW + timedelta(days=30)
)


Client = TestClient[web.Request, web.Application]


class Bed:
    def __init__(
        self, client: TestClient[web.Request, web.Application], clock: MovableClock
    ) -> None:
        self.client = client
        self.clock = clock
        self.stored: list[Arrived] = []
        self.broken = False

    async def accept(self, events: Sequence[Arrived]) -> None:
        if self.broken:
            raise OSError("disk full")
        self.stored += events

    async def send(
        self,
        *events: dict[str, Any],
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> ClientResponse:
        told = {"key": SITE.browser_key, "visitor": "browser-1", "events": events or (EVENT,)}
        body = json.dumps({**told, **more}).encode()
        return await self.client.post("/track", data=body, headers=headers or BROWSER)


@pytest.fixture
async def bed(tmp_path: Path) -> AsyncIterator[Bed]:
    script = tmp_path / "track-ABC.js"
    script.write_text("(() => {})();")
    clock = MovableClock(NOW, wall=FixedClock(NOW))
    found: list[Bed] = []

    async def accept(events: Sequence[Arrived]) -> None:
        await found[0].accept(events)

    async def find_link(number: int) -> MaterialLink | None:
        return LINK if number == LINK.id else None

    application = web.Application()
    application.add_routes(TrackDoor([SITE], accept, find_link, [clock], script).routes())
    async with TestClient(TestServer(application)) as client:
        found.append(Bed(client, clock))
        yield found[0]


async def test_a_page_that_was_seen_is_stored_by_its_kind_and_without_its_query(bed: Bed) -> None:
    answer = await bed.send()
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    (event,) = bed.stored
    assert (event.kind, event.page, event.seconds) == ("parameters", "/products/a/specs", 12)
    assert event.at == NOW - timedelta(minutes=1)
    assert (event.consent, event.link_id) == (False, None)


async def test_a_kind_that_the_page_names_goes_before_its_path(bed: Bed) -> None:
    await bed.send({"id": "event-0002", "kind": "price", "page": "/x.pdf"})
    await bed.send({"id": "event-0003", "page": "/x.PDF"})
    await bed.send({"id": "event-0004", "page": "/about"})
    assert [event.kind for event in bed.stored] == ["price", "white_paper", "page"]


async def test_who_came_is_told_only_with_consent_and_a_signature(bed: Bed) -> None:
    ticket = ticket_of(SITE, LINK)
    for more in (
        {"link": ticket}, {"link": ticket, "consent": True}, {"link": ticket[:-2], "consent": True},
        {"link": ticket.replace("7.", "8.", 1), "consent": True}, {"link": 7, "consent": True},
    ):  # fmt: skip
        await bed.send(**more)
    assert [event.link_id for event in bed.stored] == [None, 7, None, None, None]


async def test_a_link_ends(bed: Bed) -> None:
    old = MaterialLink(7, "main", 3, "", "x", ORIGIN, 1, NOW, NOW - timedelta(seconds=1))
    await bed.send(link=ticket_of(SITE, old), consent=True)
    assert bed.stored[0].link_id is None


@pytest.mark.parametrize(
    ("headers", "more", "status"),
    [
        ({**BROWSER, "Origin": "https://evil.example"}, {}, 403),
        ({"User-Agent": BROWSER["User-Agent"]}, {}, 403),
        ({**BROWSER, "Origin": ""} | {"Referer": f"{ORIGIN}/a/b"}, {}, 200),
        (BROWSER, {"key": "main.forged"}, 403),
        (BROWSER, {"key": "other.forged"}, 403),
        (BROWSER, {"key": ""}, 403),
        (BROWSER, {"visitor": "x"}, 400),
        (BROWSER, {"visitor": "a b c d e f g"}, 400),
        (BROWSER, {"events": []}, 400),
        (BROWSER, {"events": [EVENT] * 51}, 400),
        (BROWSER, {"events": ["x"]}, 400),
        (BROWSER, {"events": [{**EVENT, "id": "short"}]}, 400),
        (BROWSER, {"events": [{**EVENT, "kind": "NO KIND"}]}, 400),
        (BROWSER, {"events": [{**EVENT, "ago": "long"}]}, 400),
        (BROWSER, {"events": [{**EVENT, "at": "2026-03-09T10:00"}]}, 400),
        (BROWSER, {"padding": "x" * 70_000}, 413),
    ],
)
async def test_what_is_wrong_is_refused_and_not_stored(
    bed: Bed, headers: dict[str, str], more: dict[str, Any], status: int
) -> None:
    answer = await bed.send(headers=headers, **more)
    assert answer.status == status, await answer.text()
    assert len(bed.stored) == (status == 200)


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[1]", b"\xff\xfe", b'{"key": 1}'])
async def test_what_is_no_json_object_is_refused(bed: Bed, body: bytes) -> None:
    answer = await bed.client.post("/track", data=body, headers=BROWSER)
    assert answer.status == 400


async def test_a_server_signs(bed: Bed) -> None:
    body = json.dumps(
        {"visitor": "server-user-1", "events": [{**EVENT, "at": "2026-03-09T09:00+08:00"}]}
    )
    stamp = str(int(NOW.timestamp()))
    headers = {
        "X-Gendan-Site": "main", "X-Gendan-Timestamp": stamp, "User-Agent": "python-requests/2",
        "X-Gendan-Signature": sign(SECRET, stamp, body.encode()),
    }  # fmt: skip
    assert (await bed.client.post("/track", data=body, headers=headers)).status == 200
    assert bed.stored[0].at == datetime(2026, 3, 9, 1, tzinfo=UTC)
    for wrong in (
        {"X-Gendan-Signature": "0" * 64}, {"X-Gendan-Site": "other"},
        {"X-Gendan-Timestamp": str(int(stamp) - 301)}, {"X-Gendan-Timestamp": "now"},
    ):  # fmt: skip
        refused = await bed.client.post("/track", data=body, headers={**headers, **wrong})
        assert refused.status == 401
    assert len(bed.stored) == 1


@pytest.mark.parametrize(
    "agent",
    [
        "", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0)", "curl/8.5", "python-requests/2.32",
        "Mozilla/5.0 HeadlessChrome/140.0",
    ],
)  # fmt: skip
async def test_machines_are_answered_and_not_counted(bed: Bed, agent: str) -> None:
    answer = await bed.send(headers={**BROWSER, "User-Agent": agent})
    assert answer.status == 200
    assert bed.stored == []


async def test_one_visitor_and_one_site_have_their_limits(bed: Bed) -> None:
    statuses = [(await bed.send({**EVENT, "id": f"event-{n:05}"})).status for n in range(62)]
    assert statuses == [200] * 60 + [429] * 2
    assert (await bed.send(visitor="browser-2")).status == 200
    many = [{**EVENT, "id": f"event-{n:05}"} for n in range(50)]
    assert (await bed.send(*many, visitor="browser-3")).status == 429  # the site's 80 are used up
    bed.clock.move_to(NOW + timedelta(seconds=3))
    assert (await bed.send(*many, visitor="browser-3")).status == 200
    assert (await bed.send(visitor="browser-1")).status == 200


async def test_what_could_not_be_stored_is_to_be_sent_again(bed: Bed) -> None:
    bed.broken = True
    assert (await bed.send()).status == 503


async def test_other_origins_may_ask_whether_they_may(bed: Bed) -> None:
    allowed = await bed.client.options("/track", headers={"Origin": ORIGIN})
    assert (allowed.status, allowed.headers["Access-Control-Allow-Methods"]) == (204, "POST")
    assert (
        await bed.client.options("/track", headers={"Origin": "https://x.example"})
    ).status == 403


async def test_the_script_has_a_name_that_stays_and_is_kept_for_a_day(bed: Bed) -> None:
    answer = await bed.client.get("/track.js")
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert answer.content_type == "text/javascript"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


async def test_a_link_leads_to_its_material_with_a_ticket(bed: Bed) -> None:
    ticket = ticket_of(SITE, LINK)
    answer = await bed.client.get(
        f"/track/to/main/{ticket}", headers=BROWSER, allow_redirects=False
    )
    assert answer.status == 302
    assert answer.headers["Location"] == f"{ORIGIN}/files/wp.pdf?a=1&gdl={ticket}"
    (opened,) = bed.stored
    assert (opened.kind, opened.account_id, opened.link_id, opened.page) == (
        "link",
        3,
        None,
        "白皮书",
    )


async def test_a_machine_that_opens_a_link_is_no_interest(bed: Bed) -> None:
    path = f"/track/to/main/{ticket_of(SITE, LINK)}"
    answer = await bed.client.get(path, headers={"User-Agent": "curl/8"}, allow_redirects=False)
    assert (answer.status, bed.stored) == (302, [])


@pytest.mark.parametrize("ticket", ["x", "7.68000000.AAAA", "7..", "%00", "7.68000000." + "A" * 22])
async def test_a_forged_link_leads_nowhere(bed: Bed, ticket: str) -> None:
    answer = await bed.client.get(f"/track/to/main/{ticket}", allow_redirects=False)
    assert answer.status == 404


async def test_a_link_whose_customer_is_gone_leads_nowhere(bed: Bed) -> None:
    gone = MaterialLink(8, "main", 3, "", "x", ORIGIN, 1, NOW, NOW + timedelta(days=1))
    answer = await bed.client.get(f"/track/to/main/{ticket_of(SITE, gone)}", allow_redirects=False)
    assert answer.status == 404
