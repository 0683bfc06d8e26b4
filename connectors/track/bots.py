"""Who is no person. Crawlers that say so, tools without a browser, and pages fetched ahead.

This keeps honest machines out of the figures and no more: whoever wants to pass for a person can.
What a script in the browser can tell besides (that it is driven by a program) it keeps to itself
and sends nothing (`web/src/track.js`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_MACHINE = re.compile(
    r"bot\b|bot[/_;-]|crawl|spider|slurp|scrape|fetch(?:er|url)|headless|phantomjs|puppeteer|playwright"
    r"|selenium|lighthouse|pagespeed|pingdom|uptime|monitor|preview|facebookexternalhit|embedly"
    r"|curl/|wget/|libwww|python-|aiohttp|httpx|okhttp|go-http|java/|axios|node-fetch|postman"
    r"|bingpreview|baiduspider|sogou web|yisou|360spider|bytespider|petalbot|yandex",
    re.IGNORECASE,
)


def is_machine(headers: Mapping[str, str]) -> bool:
    """A browser says who it is; who says nothing is none."""
    agent = headers.get("User-Agent", "")
    ahead = headers.get("Sec-Purpose", "") or headers.get("Purpose", "")
    return not agent or "prefetch" in ahead or _MACHINE.search(agent) is not None
