"""Every address of the pages × every role × own, foreign and missing things: allowed or refused.

TABLE is the whole answer. An address without a row fails here, and so does a row without an
address; nothing is left undecided.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.clock import WallClock
from bot.domain.people import Role
from config.settings import Settings
from config.wiring.building import build
from config.wiring.pages import website as pages_of
from connectors.web.assets import BUILD
from storage.database import Database
from tests.pages.website import Browser, Website, serving

pytestmark = pytest.mark.skipif(
    not (BUILD / "manifest.json").exists(), reason="the front end is not built"
)

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
HENGRUI, YONGJIANG = "杭州恒锐机电有限公司", "宁波甬江轴承有限公司"

ALL = frozenset(Role)
NOBODY: frozenset[Role] = frozenset()
ADMIN = frozenset({Role.ADMIN})
OVERSEERS = frozenset({Role.ADMIN, Role.SALES_DIRECTOR})
LEADING = OVERSEERS | {Role.SUPERVISOR}
AUTHORS = frozenset({Role.HRBP, Role.FINANCE, Role.ADMIN})
SEES_ALL = OVERSEERS | {Role.LEGAL, Role.FINANCE, Role.HRBP}


@dataclass(frozen=True)
class Row:
    """Which roles get in. own: what belongs to the visitor, or where nothing is named, the page
    itself. foreign: of somebody whom the visitor does not lead. missing: what is not there; None
    where the address names nothing. anybody: also without signing in. fields: of the form. ends:
    whether it may end the visitor's own session."""

    own: frozenset[Role]
    foreign: frozenset[Role] | None = None
    missing: frozenset[Role] | None = None
    anybody: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    ends: bool = False


def _of_person(fields: Mapping[str, str] | None = None, *, ends: bool = False) -> Row:
    """A form about somebody: an administrator's, whoever it is about."""
    return Row(ADMIN, ADMIN, NOBODY, fields=fields or {}, ends=ends)


TABLE: dict[tuple[str, str], Row] = {
    # Without signing in
    ("GET", "/assets/{name}"): Row(ALL, anybody=True),
    ("GET", "/in/{ticket}"): Row(ALL, ALL, ALL, anybody=True),  # a door, and nothing behind it
    ("GET", "/in"): Row(ALL),
    ("POST", "/in"): Row(NOBODY),  # the matrix sends no ticket
    # Everybody's
    ("POST", "/out"): Row(ALL, ends=True),
    ("GET", "/customers"): Row(ALL),
    ("GET", "/customers/{number}"): Row(ALL, SEES_ALL, NOBODY),
    ("GET", "/customers/{number}/entries/{entry}/files/{place}"): Row(ALL, SEES_ALL, NOBODY),
    ("GET", "/opportunities/{number}"): Row(ALL, SEES_ALL, NOBODY),
    ("GET", "/forecast"): Row(ALL),
    ("GET", "/payouts"): Row(ALL),
    ("POST", "/payouts/pack"): Row(NOBODY),  # the visitor has no bonus
    ("GET", "/disputes"): Row(ALL),
    ("GET", "/disputes/{number}"): Row(NOBODY, NOBODY, NOBODY),
    ("POST", "/disputes/{number}/ruling"): Row(NOBODY, NOBODY, NOBODY),
    ("POST", "/disputes/{number}/question"): Row(NOBODY, NOBODY, NOBODY),
    ("GET", "/fund"): Row(ALL),
    ("POST", "/fund/consent"): Row(ALL),  # the visitor's own, and there is no fund to agree to
    ("POST", "/fund/redeem"): Row(ALL),
    ("POST", "/fund/redemptions/{number}"): Row(NOBODY, NOBODY, NOBODY),
    # Bonus rules: everybody reads what applies
    ("GET", "/rules"): Row(ALL),
    ("POST", "/rules"): Row(AUTHORS),
    ("GET", "/rules/versions"): Row(NOBODY),  # the matrix names no rule
    ("GET", "/rules/{number}"): Row(NOBODY, NOBODY, NOBODY),
    ("POST", "/rules/{number}"): Row(NOBODY, NOBODY, NOBODY),
    ("GET", "/rules/{number}/edit"): Row(NOBODY, NOBODY, NOBODY),
    ("GET", "/rules/{number}/graph.json"): Row(NOBODY, NOBODY, NOBODY),
    ("POST", "/rules/{number}/check"): Row(NOBODY, NOBODY, NOBODY),
    ("POST", "/rules/{number}/save"): Row(NOBODY, NOBODY, NOBODY),
    ("POST", "/rules/{number}/graph"): Row(NOBODY, NOBODY, NOBODY),
    # Beside a conversation, and signing in by a platform: the matrix has neither
    ("GET", "/side"): Row(ALL),
    ("GET", "/side/{kind}/{key}"): Row(NOBODY, NOBODY, NOBODY),
    ("POST", "/side/{kind}/{key}/bind"): Row(NOBODY, NOBODY, NOBODY, fields={"customer": "987654"}),
    ("POST", "/side/{kind}/{key}/log"): Row(NOBODY, NOBODY, NOBODY, fields={"customer": "987654"}),
    ("GET", "/in/{platform}/{app}"): Row(NOBODY, NOBODY, NOBODY),
    ("POST", "/in/{platform}/{app}"): Row(NOBODY, NOBODY, NOBODY),
    ("GET", "/client/signatures"): Row(NOBODY),
    # Who stocks
    ("GET", "/supply"): Row(OVERSEERS | {Role.WAREHOUSE, Role.PLANNING}),
    # Who leads
    ("GET", "/"): Row(LEADING),
    ("GET", "/live"): Row(LEADING),
    ("GET", "/diagnosis"): Row(LEADING),
    ("GET", "/refusals"): Row(LEADING | {Role.PRODUCT}),
    # Who administers
    ("GET", "/admin"): Row(OVERSEERS),
    ("GET", "/admin/people"): Row(ADMIN),
    ("GET", "/admin/people/{number}"): Row(ADMIN, ADMIN, NOBODY),
    ("POST", "/admin/people/{number}/roles"): _of_person(),
    ("POST", "/admin/people/{number}/supervisor"): _of_person(),
    ("POST", "/admin/people/{number}/leave"): _of_person(),
    ("POST", "/admin/people/{number}/join"): _of_person(),
    ("POST", "/admin/people/{number}/part"): _of_person(),
    ("POST", "/admin/people/{number}/hand-over"): _of_person(),
    ("POST", "/admin/people/{number}/sign-out"): _of_person(ends=True),
    ("GET", "/admin/bindings"): Row(OVERSEERS),
    ("GET", "/admin/bindings/unbound"): Row(OVERSEERS),
    ("GET", "/admin/bindings/bound"): Row(OVERSEERS),
    ("POST", "/admin/bindings/accept"): Row(OVERSEERS),
    ("POST", "/admin/bindings/bind"): Row(OVERSEERS),
    ("POST", "/admin/bindings/unbind"): Row(NOBODY),  # the matrix names no conversation
    ("GET", "/admin/libraries"): Row(OVERSEERS),
    ("GET", "/admin/libraries/{key}"): Row(OVERSEERS, OVERSEERS, NOBODY),
    ("POST", "/admin/libraries/{key}/switch"): Row(ADMIN, ADMIN, NOBODY),
    ("GET", "/admin/policies"): Row(OVERSEERS),
    ("GET", "/admin/policies/{key}"): Row(OVERSEERS, OVERSEERS, NOBODY),
    ("POST", "/admin/policies/{key}"): Row(
        ADMIN, ADMIN, NOBODY, fields={"value": "默认", "was": "3"}
    ),
    ("GET", "/admin/calendar"): Row(OVERSEERS),
    ("GET", "/admin/operations"): Row(ADMIN),
    ("POST", "/admin/operations/archive"): Row(ADMIN),
    ("GET", "/admin/dead-letters"): Row(ADMIN),
    ("POST", "/admin/dead-letters/replay"): Row(ADMIN),
    ("GET", "/admin/audit"): Row(ADMIN),
    ("POST", "/admin/audit/verify"): Row(ADMIN),
    ("GET", "/admin/exports"): Row(ADMIN),
    ("POST", "/admin/exports/{key}"): Row(ADMIN, ADMIN, NOBODY),
}
"""The policy's form is about the organisation: sales directors may change a team's numbers."""

ELSEWHERE = ("/disputes", "/fund", "/rules")
"""Here they only have numbers that nobody has: who may do what with real ones is tried in
tests/pages/test_payout_pages.py and test_rules.py."""

KEYS = {
    "/admin/libraries": ("manufacturing", "medical", "nothing"),
    "/admin/policies": ("lights.yellow_days", "lights.red_days", "no.such"),
    "/admin/exports": ("people", "audit", "nothing"),
}


def _templates(routes: list[web.RouteDef]) -> set[tuple[str, str]]:
    """(method, address) as aiohttp's own router understands them."""
    application = web.Application()
    application.add_routes(routes)
    return {
        (route.method, route.resource.canonical)
        for route in application.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }


async def test_each_address_of_the_program_has_a_row_and_each_row_an_address(
    sqlite_url: str, tmp_path: Path
) -> None:
    """Of the pages as the program itself puts them together."""
    settings = Settings.model_validate(
        {"storage": {"url": sqlite_url, "files": tmp_path / "files"}}
    )
    database = await Database.open(sqlite_url)
    async with aiohttp.ClientSession() as session:
        bot = build(settings, clock=WallClock(), database=database, session=session)
        routes, _ = pages_of(bot)
        found = _templates(routes)
    await database.close()
    assert found - TABLE.keys() == set(), "decide who may: add a row"
    assert TABLE.keys() - found == set(), "nothing answers there any more"
    for (method, path), row in TABLE.items():
        named = "{" in path and "{name}" not in path
        assert (row.foreign is not None and row.missing is not None) == named, (method, path)


@dataclass
class Things:
    """What belongs to the visitor, to somebody else, and to nobody. Each fills an address in."""

    website: Website
    of: Mapping[str, Callable[[str], str]]


async def _things(website: Website) -> Things:
    """陈静 is the visitor, 张伟 somebody else."""
    found: dict[str, dict[str, str]] = {}
    for kind, owner, name in (("own", "chen", YONGJIANG), ("foreign", "zhang", HENGRUI)):
        account = await website.chat.customer(name, owner)
        entry = await website.entry(account, 1, data=PNG, name="现场.png")
        deal = await website.chat.deal(account)
        async with website.chat.database.read() as tx:
            person = await tx.people.find_by_identity("wecom", owner)
        assert person is not None
        found[kind] = {
            "/customers": str(account.id),
            "/opportunities": str(deal.id),
            "/admin/people": str(person.id),
            "entry": str(entry.id),
        }
    found["missing"] = dict.fromkeys(found["own"], "987654")
    asset = next(path.name for path in sorted(BUILD.glob("page-*.css")))

    def filler(place: int, kind: str) -> Callable[[str], str]:
        def fill(path: str) -> str:
            known = found[kind]
            for prefix, number in known.items():
                if path.startswith(prefix):
                    path = path.replace("{number}", number)
            for prefix, keys in KEYS.items():
                if path.startswith(prefix):
                    path = path.replace("{key}", keys[place])
            if path.startswith(ELSEWHERE):
                path = path.replace("{number}", "987654")
            path = path.replace("{platform}", "wecom").replace("{app}", "nobody")
            path = path.replace("{kind}", "contact").replace("{key}", "wmNobody")
            path = path.replace("{entry}", known["entry"]).replace("{place}", "0")
            return path.replace("{name}", asset).replace("{ticket}", "x" * 43)

        return fill

    kinds = ("own", "foreign", "missing")
    return Things(website, {kind: filler(place, kind) for place, kind in enumerate(kinds)})


async def _gets_in(browser: Browser, method: str, path: str, fields: Mapping[str, str]) -> bool:
    """Allowed is whatever is no «who are you», «not yours» and «not there»; a form that misses
    something was allowed too."""
    headers = {"Accept": "text/html", "Origin": browser.url}
    ask = browser.http.request(
        method,
        browser.url + path,
        data=fields if method == "POST" else None,
        headers=headers,
        allow_redirects=False,
    )
    async with ask as answer:
        assert answer.status < 500, (method, path, answer.status)
        return answer.status not in (401, 403, 404)


@pytest.fixture
async def website(database: Database, tmp_path: Path) -> AsyncIterator[Website]:
    async with serving(database, tmp_path / "files") as running:
        yield running


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_gets_in_where_the_table_says_and_nowhere_else(
    website: Website, role: Role
) -> None:
    things = await _things(website)
    async with website.chat.database.begin() as tx:
        chen = website.chat.people["chen"].id
        await tx.people.set_roles(chen, [role])
    wrong = []
    cells = [
        (row.ends, method, path, kind, allowed, row.fields)
        for (method, path), row in TABLE.items()
        for kind, allowed in (("foreign", row.foreign), ("missing", row.missing), ("own", row.own))
        if allowed is not None
    ]
    browser = await website.sign_in("chen")
    key = await browser.form_key()
    for ends, method, path, kind, allowed, fields in sorted(cells, key=lambda cell: cell[0]):
        if ends:
            browser = await website.sign_in("chen")
            key = await browser.form_key()
        where = things.of[kind](path)
        assert "{" not in where, where
        got = await _gets_in(browser, method, where, {**fields, "form_key": key})
        if got != (role in allowed):
            wrong.append(f"{method} {path} ({kind}): {'allowed' if got else 'refused'}")
    assert wrong == []


async def test_whoever_is_not_signed_in_gets_in_nowhere(website: Website) -> None:
    things = await _things(website)
    wrong = []
    for (method, path), row in TABLE.items():
        got = await _gets_in(website.browser(), method, things.of["foreign"](path), row.fields)
        if got != row.anybody:
            wrong.append(f"{method} {path}: {'allowed' if got else 'refused'}")
    assert wrong == []


async def test_a_form_without_the_sessions_key_does_nothing_for_anybody(website: Website) -> None:
    things = await _things(website)
    admin = await website.sign_in("zhao")
    for (method, path), row in TABLE.items():
        if method == "POST" and path != "/in":
            got = await _gets_in(admin, method, things.of["foreign"](path), row.fields)
            assert not got, path
