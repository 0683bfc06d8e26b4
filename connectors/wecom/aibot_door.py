"""The door at which an intelligent robot is called: verify, decrypt, store, let the work
begin, and answer with what it brings forth.

Unlike at other doors the work begins before the answer: a pressed card can only be changed
inside the answer to the press, which the platform makes once and waits 5 s for. Sources:
developer.work.weixin.qq.com/document/path/100719, 101027, 101031, 101033.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import orjson
from aiohttp import web
from prometheus_client import Counter

from bot.clock import Clock
from bot.messages import Envelope, Kind
from bot.ports import Accept
from connectors.doors import NotTaken, read_body
from connectors.watching.answers import timed
from connectors.wecom import aibot_read
from connectors.wecom.aibot_read import part, read_object, text_in
from connectors.wecom.aibot_render import Body, stream_body
from connectors.wecom.aibot_replies import Chance, Replies, Taker
from connectors.wecom.crypto import Crypto
from connectors.wecom.gate import Gate, encrypted_in_json
from connectors.wecom.settings import Aibot

log = logging.getLogger(__name__)

PRESS_WITHIN_S = 4.5  # of the platform's 5
MESSAGE_WITHIN_S = 3.5  # then a stream says that it takes longer

AT_WORK = "正在处理…"
SEE_BELOW = "结果见下一条消息。"
DONE = "处理好了。"
LATE = "这条处理得比较久，有结果会另外发给你。"

_MARKS = Counter(
    "gendan_wecom_aibot_feedback_total",
    "Marks that people gave answers of the robot: 1 helpful, 2 not, 3 taken back.",
    ["app", "mark"],
)


def routes(
    robot: Aibot,
    replies: Replies,
    accept: Accept,
    clock: Clock,
    *,
    is_at_work: Callable[[str], bool],
    also_fresh_by: Sequence[Clock] = (),
    is_home: Callable[[], bool] = lambda: True,
) -> list[web.RouteDef]:
    """GET (address check) and POST of /wecom/{robot.name}/aibot. is_at_work: whether something
    of that conversation is being handled. also_fresh_by: as at the application's door. is_home:
    False where another process speaks for robots: 503, and the proxy asks the next one. Raises
    ValueError when the robot's EncodingAESKey is not one."""
    door = _Door(
        robot,
        replies,
        accept,
        clock,
        is_at_work=is_at_work,
        also_fresh_by=also_fresh_by,
        is_home=is_home,
    )
    path = f"/wecom/{robot.name}/aibot"
    return [
        web.get(path, door.check_address, allow_head=False),
        web.post(path, timed(robot.channel, door.receive)),
    ]


class _Door:
    def __init__(
        self,
        robot: Aibot,
        replies: Replies,
        accept: Accept,
        clock: Clock,
        *,
        is_at_work: Callable[[str], bool],
        also_fresh_by: Sequence[Clock],
        is_home: Callable[[], bool],
    ) -> None:
        self._is_home = is_home
        self._robot = robot
        self._replies = replies
        self._accept = accept
        self._clock = clock
        self._is_at_work = is_at_work
        self._crypto = Crypto(token=robot.token, aes_key=robot.aes_key, receive_id="")
        self._gate = Gate(
            robot.name,
            robot.channel,
            self._crypto,
            clocks=(clock, *also_fresh_by),
            slack_s=robot.slack_s,
        )

    async def check_address(self, request: web.Request) -> web.Response:
        return await self._gate.check_address(request)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        if not self._is_home():
            return web.Response(status=503)
        try:
            self._gate.check_query(query)
            raw = await read_body(request)
            if raw.lstrip().startswith(b"<"):
                raise _wrong_door()
            encrypted = encrypted_in_json(raw)
            self._gate.verify(query, encrypted)
            message = self._gate.decrypt(encrypted)
        except NotTaken as refused:
            return self._gate.refuse(refused)
        if message is None:
            self._gate.note_unread()
            reason = "signed, but not encrypted with our key"
            letter = aibot_read.dead_letter(self._robot, raw, self._clock.now(), reason)
            return await self._keep(request, letter, None)
        body = read_object(message) or {}
        if text_in(body, "msgtype") == "stream":
            return await self._poll(request, text_in(part(body, "stream"), "id"))
        self._count_mark(body)
        envelope = aibot_read.to_envelope(self._robot, message, self._clock.now())
        return await self._keep(request, envelope, self._chance(body, envelope))

    def _chance(self, body: aibot_read.Body, envelope: Envelope) -> Chance | None:
        """What the callback lets us say in its answer; None when nothing, or when the same one
        has come before."""
        if envelope.unreadable is not None:
            return None
        read = aibot_read.parse_or_none(self._robot, envelope)
        if read is None or read.kind in (Kind.IGNORED, Kind.UNSUPPORTED):
            return None
        kind = {Kind.CARD_ACTION: "press", Kind.ENTER: "welcome"}.get(read.kind, "message")
        event = part(part(body, "event"), "template_card_event") or part(body, "event")
        chance = Chance(
            aibot_read.source_of(envelope),
            read.origin,
            kind,
            task_id=text_in(event, "task_id"),
            direct=Taker(),
        )
        return chance if self._replies.add(chance) else None

    async def _keep(
        self, request: web.Request, envelope: Envelope, chance: Chance | None
    ) -> web.StreamResponse:
        """Store, work, answer. 500 when it could not be stored."""
        try:
            release = await self._accept(envelope)
        except Exception:
            fields = {"channel": envelope.channel, "delivery_id": envelope.delivery_id}
            log.exception("a delivery could not be stored", extra={"action": "accept", **fields})
            if chance is not None:
                self._replies.drop(chance)
            return web.Response(status=500)
        release()
        if chance is None or chance.direct is None:
            return web.Response()
        direct, where = chance.direct, envelope.conversation
        limit_s = MESSAGE_WITHIN_S if chance.kind == "message" else PRESS_WITHIN_S
        answer = await direct.wait(limit_s, is_at_work=lambda: self._is_at_work(where))
        if answer is not None:
            return await self._answer(request, answer, direct)
        if chance.kind != "message" or not self._is_at_work(where):
            return web.Response()
        stream = f"s-{envelope.delivery_id}"
        self._replies.begin_stream(chance, stream)
        return await self._answer(request, stream_body(stream, AT_WORK, is_finished=False))

    async def _poll(self, request: web.Request, stream: str) -> web.StreamResponse:
        """The platform asks how a stream goes on: answered at once, with all of it."""
        chance = self._replies.stream(stream)
        direct = chance.direct if chance is not None else None
        if chance is None or direct is None:
            return await self._answer(request, stream_body(stream, SEE_BELOW, is_finished=True))
        answer = direct.fetch()
        if answer is not None:
            response = await self._answer(request, answer, direct)
            self._replies.end_stream(stream)
            return response
        told = self._last_words(chance, direct)
        if told:
            self._replies.end_stream(stream)
        body = stream_body(stream, told or AT_WORK, is_finished=bool(told))
        return await self._answer(request, body)

    def _last_words(self, chance: Chance, direct: Taker) -> str:
        """With which a stream ends that has got no answer; "" while it may get one."""
        if not direct.is_free:
            return SEE_BELOW
        if self._replies.is_over(chance):
            return LATE
        is_at_work = self._is_at_work(chance.to.key)
        return DONE if self._replies.is_idle(chance, is_at_work=is_at_work) else ""

    async def _answer(
        self, request: web.Request, body: Body, taker: Taker | None = None
    ) -> web.StreamResponse:
        """Written completely, and the one who gave the answer told so."""
        response = web.json_response(self._sealed(request.query.get("nonce", ""), body))
        went_out = False
        try:
            await response.prepare(request)
            await response.write_eof()
            went_out = True
        except ConnectionError:
            log.info("nobody waited for an answer", extra={"action": "answer"})
        finally:
            if taker is not None:
                taker.written(went_out)
        return response

    def _sealed(self, nonce: str, body: Body) -> dict[str, str | int]:
        stamp = int(self._clock.now().timestamp())
        encrypted = self._crypto.encrypt(orjson.dumps(body))
        signature = self._crypto.sign(timestamp=str(stamp), nonce=nonce, encrypted=encrypted)
        return {
            "encrypt": encrypted.decode(),
            "msgsignature": signature,
            "timestamp": stamp,
            "nonce": nonce,
        }

    def _count_mark(self, body: aibot_read.Body) -> None:
        mark = part(part(body, "event"), "feedback_event").get("type")
        if isinstance(mark, int):
            _MARKS.labels(self._robot.name, str(mark)).inc()


def _wrong_door() -> NotTaken:
    log.warning(
        "XML at a robot's door: the application's callback address was entered for the robot",
        extra={"action": "callback_refused"},
    )
    return NotTaken("xml", 400)
