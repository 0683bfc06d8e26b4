"""Every page that there is, on a bad day: on each width, in both themes, before axe."""

from __future__ import annotations

from itertools import groupby

import pytest
from playwright.async_api import Browser, Page

from tests.browsers import need_axe, watched
from tests.handlers.pages.test_role_matrix import TABLE
from tests.pages.browsing import WIDTHS, looks_well
from tests.pages.test_states import NO_PAGES
from tests.pages.website import Website
from tests.scenarios.shot_states import BESIDE, troubled_website

pytestmark = pytest.mark.browser

PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "/": (("li", "/"),),
    "/customers": (("li", "/customers"), ("", "/customers")),
    "/customers/{number}": (("li", "/customers/2"), ("li", "/customers/99")),
    "/opportunities/{number}": (("li", "/opportunities/2"),),
    "/refusals": (("li", "/refusals"),),
    "/diagnosis": (("li", "/diagnosis"),),
    "/forecast": (("li", "/forecast"),),
    "/supply": (("wang", "/supply"),),
    "/payouts": (("zhang", "/payouts"), ("qian", "/payouts")),
    "/disputes": (("qian", "/disputes"),),
    "/fund": (("zhang", "/fund"),),
    "/rules": (("he", "/rules"), ("zhang", "/rules")),
    "/rules/versions": (("he", "/rules/versions?rule=提成"),),
    "/rules/{number}": (("he", "/rules/1"), ("he", "/rules/2")),
    "/side": (("zhang", "/side"),),
    "/side/{kind}/{key}": (
        ("zhang", BESIDE), ("zhang", f"{BESIDE}?told=1"), ("zhang", "/side/contact/wmAlone"),
        ("zhang", "/side/contact/wmLong"), ("zhang", "/side/group/wrBound"), ("chen", BESIDE),
    ),
    "/in": (("", "/in"),),
    "/in/{ticket}": (("", "/in/nothing"), ("", "/in/nothing/more")),
    "/admin": (("zhao", "/admin"), ("wang", "/admin"), ("zhang", "/admin")),
    "/admin/people": (("zhao", "/admin/people"), ("zhao", "/admin/people?q=zzz")),
    "/admin/people/{number}": (("zhao", "/admin/people/1"), ("zhao", "/admin/people/999")),
    "/admin/bindings": (("zhao", "/admin/bindings"),),
    "/admin/bindings/unbound": (
        ("zhao", "/admin/bindings/unbound"), ("zhao", "/admin/bindings/unbound?kind=group"),
    ),
    "/admin/bindings/bound": (("zhao", "/admin/bindings/bound"),),
    "/admin/libraries": (("zhao", "/admin/libraries"),),
    "/admin/libraries/{key}": (("zhao", "/admin/libraries/medical?team=李敏"),),
    "/admin/policies": (("zhao", "/admin/policies"),),
    "/admin/policies/{key}": (
        ("zhao", "/admin/policies/lights.yellow_days?value=2"),
        ("zhao", "/admin/policies/lights.yellow_days?value=99"),
        ("zhao", "/admin/policies/drafts.auto_confirm"),
    ),
    "/admin/calendar": (("zhao", "/admin/calendar"), ("zhao", "/admin/calendar?year=2031")),
    "/admin/operations": (("zhao", "/admin/operations"),),
    "/admin/dead-letters": (
        ("zhao", "/admin/dead-letters"), ("zhao", "/admin/dead-letters?box=inbox"),
    ),
    "/admin/audit": (("zhao", "/admin/audit"), ("zhao", "/admin/audit?who=无此人")),
    "/admin/exports": (("zhao", "/admin/exports"),),
}  # fmt: skip
"""Address -> who looks at it, and where; "": nobody is signed in."""

ELSEWHERE = {
    "/disputes/{number}": "needs a locked month: test_payouts_in_browser.py",
    "/rules/{number}/edit": "the canvas, which scrolls by itself: test_rules_in_browser.py",
}
"""Address -> why it is not among them, and who looks at it."""


def test_no_page_is_left_out() -> None:
    """A page that comes to the program comes into one of these tables too."""
    pages = {path for method, path in TABLE if method == "GET"} - NO_PAGES
    assert pages == PLACES.keys() | ELSEWHERE.keys()
    assert not PLACES.keys() & ELSEWHERE.keys()


@pytest.mark.parametrize("width", WIDTHS)
async def test_every_page_fits_its_screen_and_pleases_axe(chrome: Browser, width: int) -> None:
    need_axe()
    places = sorted(place for some in PLACES.values() for place in some)
    size = {"width": width, "height": WIDTHS[width]}
    async with troubled_website() as website:
        for who, theirs in groupby(places, key=lambda place: place[0]):
            async with watched(chrome, viewport=size, reduced_motion="reduce") as page:
                await _come_in(page, website, who)
                for _, path in theirs:
                    await page.goto(website.url + path)
                    await _looks_well_in_both_themes(page)


async def _come_in(page: Page, website: Website, who: str) -> None:
    if who:
        await page.goto(website.url + await website.link(who))
        await page.wait_for_url(lambda url: "/in" not in url)


async def _looks_well_in_both_themes(page: Page) -> None:
    await page.emulate_media(color_scheme="light")
    await looks_well(page)
    await page.emulate_media(color_scheme="dark")
    await looks_well(page)
