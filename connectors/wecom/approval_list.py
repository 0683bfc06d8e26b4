"""WeCom's list of approval bills (审批): their numbers, by submission.

Source: developer.work.weixin.qq.com/document/path/91853.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.wecom.errors import in_shape

PERIOD = timedelta(days=31)
"""At most, from `since` to `until`."""

PAGE = 100
_MOST_PAGES = 200
_API = "oa/getapprovalinfo"


async def numbers(
    post: Callable[[str, dict[str, Any]], Awaitable[Mapping[str, Any]]],
    since: datetime,
    until: datetime,
    *,
    filters: Sequence[Mapping[str, str]],
) -> AsyncIterator[str]:
    """Of the bills that were submitted in the period and that the filters let through. A page may
    be empty and have a cursor. Raises as `post` does."""
    cursor = ""
    for _ in range(_MOST_PAGES):
        wanted = {
            "starttime": str(int(since.timestamp())),
            "endtime": str(int(until.timestamp())),
            "new_cursor": cursor,
            "size": PAGE,
            "filters": list(filters),
        }
        page = await post(_API, wanted)
        with in_shape(_API):
            found = [str(number) for number in page.get("sp_no_list") or ()]
        for number in found:
            yield number
        following = str(page.get("new_next_cursor") or "")
        if not following or following == cursor:
            return
        cursor = following
