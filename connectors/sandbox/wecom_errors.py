"""WeCom's error codes as the server words them."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

ERRORS = {
    -1: "system busy",
    40001: "invalid credential",
    40003: "invalid userid",
    40004: "invalid media type",
    40005: "invalid file type",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40023: "invalid sub button size",
    40029: "invalid code",
    40031: "invalid userid list",
    40056: "invalid agentid",
    40058: "invalid Request Parameter",
    40063: "some parameters are empty",
    41001: "access_token missing",
    41002: "corpid missing",
    41004: "corpsecret missing",
    41005: "media data missing",
    42001: "access_token expired",
    42014: "invalid task_id",
    42015: "template card of another application",
    42016: "task_id does not exist",
    42031: "invalid card_type",
    42033: "title missing in vertical_content_list or jump_list",
    42035: "invalid horizontal_content_list size",
    42036: "invalid vertical_content_list size",
    42037: "invalid option_list size",
    42038: "invalid button text",
    42039: "invalid button key",
    42040: "invalid option id",
    42041: "invalid option text",
    42042: "invalid jump_list size",
    42043: "invalid question_key",
    42044: "invalid card_image.url",
    42045: "card_action missing",
    42046: "invalid submit_button key",
    42047: "invalid select_list size",
    42049: "invalid submit_button text",
    43001: "require GET method",
    43002: "require POST method",
    43012: "callback url of the application is not configured",
    44001: "empty media data",
    44004: "text content is empty",
    45001: "media size out of limit",
    45002: "content size out of limit",
    45009: "api freq out of limit",
    45033: "api concurrent out of limit",
    46003: "menu no exist",
    46004: "user no exist",
    47001: "data format error",
    48002: "api forbidden",
    50100: "invalid cursor",
    60003: "department not found",
    60020: "not allow to access from your ip",
    60111: "userid not found",
    60123: "invalid party id",
    60140: "invalid response_code, maybe expired",
    81013: "user & party & tag all invalid",
    81017: "too many ids, use a filter",
    82001: "no valid user, party or tag",
    82002: "invalid party list size",
    82003: "invalid tag list size",
    84061: "not external contact",
    84074: "no permission to external contact",
    86001: "invalid chatid",
    86003: "chat does not exist",
    86004: "invalid chat name",
    86005: "invalid chat owner",
    86006: "invalid chat member list size",
    86007: "chat member does not exist",
    86215: "chatid existed",
    90501: "chatid is not external group chat",
    93000: "invalid webhook url",
    93001: "not allowed",
    93006: "invalid chatid",
    93008: "bot not in chat",
    93017: "content is empty",
    93019: "invalid bot id",
    301002: "agentid not allowed to use this access_token",
    701008: "user is not licensed",
    301059: "no such internal chat",
    301060: "too many pairs",
    301061: "no such member or external contact",
    846605: "invalid req_id",
    846608: "stream message update expired",
    846609: "aibot websocket not subscribed",
}


class WecomError(Exception):
    """A call refused. detail: what exactly, put before the platform's own words."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def body(self, *, now: datetime, ip: str) -> dict[str, Any]:
        """The answer in the platform's long form, with hint, address and link."""
        words = ERRORS.get(self.code, "unknown error")
        reason = f"{self.detail}. {words}" if self.detail else words
        hint = f"{int(now.timestamp() * 1000)}{secrets.randbelow(10**11):011d}"
        return {
            "errcode": self.code,
            "errmsg": f"{reason}, hint: [{hint}], from ip: {ip}, more info at "
            f"https://open.work.weixin.qq.com/devtool/query?e={self.code}",
        }
