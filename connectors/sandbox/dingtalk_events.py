"""Event pushes: by HTTP, encrypted, tried three times, then kept in the list of failures; or
over Stream, where it is not known whether failures are listed.

Protocol notes 2.2 and 5.2 to 5.6.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from .dingtalk_calls import Calls, Delivery, Push
from .dingtalk_crypto import EventCrypto, same
from .dingtalk_directory import wire_id
from .dingtalk_gate import Body, Gate
from .dingtalk_stream import Stream
from .world import Dept, Member, World

_FAILED_PER_CALL = 200
_FAILED_AFTER = timedelta(minutes=3)
_LIMIT_S = 2.5
_STREAM_LIMIT_S = 3.0


@dataclass(frozen=True, slots=True)
class _Failure:
    entry: Body
    readable_at: datetime


@dataclass(slots=True)
class Events:
    """owner_key: what the encryption is bound to; empty for the appKey, as console
    subscriptions are. old_casing: the older generation of bodies, without eventId.
    pauses_s: real seconds before the retries that DingTalk makes after 10 and 30 s.
    """

    world: World
    gate: Gate
    calls: Calls
    stream: Stream
    owner_key: str = ""
    old_casing: bool = False
    pauses_s: tuple[float, ...] = (0.1, 0.3)
    _failed: list[_Failure] = field(default_factory=list)
    _handed_out: int = 0

    def routes(self) -> list[web.RouteDef]:
        path = "call_back/get_call_back_failed_result"
        return [self.gate.old("GET", path, self._failed_list)]

    async def verify(self) -> bool:
        """Saving the URL in the console: whether it answers `success`, encrypted."""
        return await self._deliver("check_url", {"EventType": "check_url"}, pauses_s=())

    def people_changed(self, event: str, user_ids: list[str], **more: Any) -> None:
        """user_add_org, user_modify_org, user_leave_org."""
        self._push(event, {"userId": user_ids, **more})

    def departments_changed(self, event: str, depts: Iterable[Dept]) -> None:
        """org_dept_create, org_dept_modify, org_dept_remove."""
        self._push(event, {"deptId": [wire_id(dept) for dept in depts]})

    def happened(self, event: str, body: Body) -> None:
        """Any other event: of approvals, of attendance."""
        self._push(event, body)

    def _push(self, event: str, body: Body) -> None:
        if self.gate.app().mode == "stream":
            self.calls.start(self._push_over_stream(event, body))
        elif self.gate.app().events_url:
            self.calls.start(self._push_or_keep(event, body))

    async def _push_over_stream(self, event: str, body: Body) -> None:
        """LATER, no answer or a late one brings it again. An answer without a status is taken:
        the official SDK sends none."""
        now_ms, event_id = str(_ms(self.world.now())), secrets.token_hex(16)
        headers = {
            "eventType": event,
            "eventId": event_id,
            "eventCorpId": self.gate.app().corp_id,
            "eventBornTime": now_ms,
            "eventUnifiedAppId": self.gate.app().agent_id,
        }
        data = {"timeStamp": now_ms, **body}
        delivery = Delivery(
            kind="event",
            key=event_id,
            to="stream",
            carry=self.stream.pushing("EVENT", "*", data, limit_s=_STREAM_LIMIT_S, more=headers),
            pauses_s=self.pauses_s,
            is_taken=lambda code, raw: code == 200 and not _is_later(raw),
            turn="events",
        )
        await self.calls.deliver(delivery)

    async def _push_or_keep(self, event: str, body: Body) -> None:
        now_ms = _ms(self.world.now())
        if await self._deliver(event, self._envelope(event, body, now_ms), self.pauses_s):
            return
        inner = {key.lower(): value for key, value in body.items()}
        corp = {"corpid": self.gate.app().corp_id}
        entry = {"call_back_tag": event, "event_time": now_ms, event: corp | inner}
        self._failed.append(_Failure(entry, self.world.now() + _FAILED_AFTER))

    def _envelope(self, event: str, body: Body, now_ms: int) -> Body:
        corp_id = self.gate.app().corp_id
        if self.old_casing:
            capitalised = {key[0].upper() + key[1:]: value for key, value in body.items()}
            return {"EventType": event, "TimeStamp": now_ms, "CorpId": corp_id} | capitalised
        return {
            "EventType": event,
            "EventTime": now_ms,
            "CorpId": corp_id,
            "BizId": str(now_ms),
            "eventId": secrets.token_hex(16),
            "timeStamp": str(now_ms),
            **body,
        }

    async def _deliver(self, event: str, body: Body, pauses_s: tuple[float, ...]) -> bool:
        app = self.gate.app()
        crypto = EventCrypto(app.token, app.aes_key, self.owner_key or app.app_key)

        def make() -> Push:
            timestamp, nonce = str(_ms(self.world.now())), secrets.token_hex(4)
            sealed = crypto.encrypt(json.dumps(body, ensure_ascii=False))
            signature = crypto.sign(timestamp, nonce, sealed)
            # Older pages name it signature, current code msg_signature; both are sent.
            query = {
                "msg_signature": signature,
                "signature": signature,
                "timestamp": timestamp,
                "nonce": nonce,
            }
            return Push(query, {}, json.dumps({"encrypt": sealed}).encode())

        answer = await self.calls.deliver(
            Delivery(
                kind="event",
                key=body.get("eventId", event),
                to=app.events_url,
                carry=self.calls.posting(app.events_url, make, limit_s=_LIMIT_S),
                pauses_s=pauses_s,
                is_taken=lambda status, raw: status == 200 and _is_success(crypto, raw),
                turn="events",
            )
        )
        return answer is not None

    def _failed_list(self, _: Body) -> Body:
        """Each call deletes what the one before it returned."""
        del self._failed[: self._handed_out]
        now = self.world.now()
        ready = [failure.entry for failure in self._failed if failure.readable_at <= now]
        page = ready[:_FAILED_PER_CALL]
        self._handed_out = len(page)
        return {"has_more": len(ready) > len(page), "failed_list": page}


def changed_fields(before: Member, after: Member) -> Body:
    """diffInfo of user_modify_org: what the organisation keeps about a person."""
    names = {"name": "name", "email": "email", "mobile": "telephone"}
    names["direct_leader"] = "managerUserid"
    prev, curr = {}, {}
    for ours, theirs in names.items():
        if getattr(before, ours) != getattr(after, ours):
            prev[theirs], curr[theirs] = getattr(before, ours), getattr(after, ours)
    return {"userid": after.user_id, "prev": prev, "curr": curr}


def _is_success(crypto: EventCrypto, raw: bytes) -> bool:
    """The answer must be signed like a push, and say `success`."""
    try:
        answer = json.loads(raw)
        sealed = answer["encrypt"]
        signature = crypto.sign(str(answer["timeStamp"]), answer["nonce"], sealed)
        return same(answer["msg_signature"], signature) and crypto.decrypt(sealed) == "success"
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _is_later(raw: bytes) -> bool:
    try:
        answer = json.loads(raw)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("status") == "LATER"


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
