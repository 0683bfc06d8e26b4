"""Interactive cards: created, delivered, updated, pressed (protocol notes section 4)."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from .dingtalk_calls import Calls, Carry, Delivery, Push
from .dingtalk_content import Shown
from .dingtalk_crypto import sign_card
from .dingtalk_errors import NewError, invalid
from .dingtalk_gate import Body, Gate
from .dingtalk_robot import Robot
from .dingtalk_stream import CARDS, Stream
from .dingtalk_templates import TEMPLATES, Card, Template, find_template, variables_of
from .world import Said, World

_SPACES = "dtv1.card//"
_MODELS = {
    "IM_GROUP": ("imGroupOpenSpaceModel", "imGroupOpenDeliverModel"),
    "IM_ROBOT": ("imRobotOpenSpaceModel", "imRobotOpenDeliverModel"),
}
TOAST = "操作失败，请稍后再试"


@dataclass(slots=True)
class Cards:
    """limit_s: how long a press waits. presses: how often each press calls back."""

    world: World
    gate: Gate
    robot: Robot
    calls: Calls
    stream: Stream
    limit_s: float = 2.0
    presses: int = 1
    templates: dict[str, Template] = field(
        default_factory=lambda: {template.template_id: template for template in TEMPLATES}
    )
    _cards: dict[str, Card] = field(default_factory=dict)
    _routes: dict[str, tuple[str, str]] = field(default_factory=dict)  # key -> url, secret

    def routes(self) -> list[web.RouteDef]:
        new = self.gate.new
        return [
            new("POST", "v1.0/card/instances", self._create),
            new("PUT", "v1.0/card/instances", self._update),
            new("POST", "v1.0/card/instances/createAndDeliver", self._create_and_deliver),
            new("POST", "v1.0/card/instances/deliver", self._deliver),
            new("POST", "v1.0/card/callbacks/register", self._register),
        ]

    async def press(
        self, said: Said, sender: str, action: str, values: dict[str, str]
    ) -> dict[str, Any]:
        """The card as it then stands for the presser.

        Raises ValueError when this person cannot press that, ConnectionError with the text
        of the client's toast when the bot gave no usable answer.
        """
        card = self._cards.get(said.wire.get("outTrackId", ""))
        if card is None:
            raise ValueError("这不是一张可以回调的卡片")
        _check_press(card.seen_by(sender), action, values)
        is_taken = True
        for _ in range(self.presses):
            card.waiting += 1
            try:
                answer = await self._call_back(card, said, sender, action, values)
            finally:
                card.waiting -= 1
            is_taken = self._apply(card, sender, answer) and is_taken
        await self._redraw(card)
        if not is_taken:
            self.world.count("dingtalk:toast")
            raise ConnectionError(TOAST)
        return card.seen_by(sender)

    def _create(self, arguments: Body) -> Body:
        out_track_id = arguments.get("outTrackId")
        find_template(self.templates, arguments.get("cardTemplateId"))
        if not isinstance(out_track_id, str) or not out_track_id:
            raise invalid("param.outTrackIdEmpty")
        if arguments.get("userIdType", 1) != 1:
            raise invalid("param.invalid", "userIdType 2 在此不支持")
        if not arguments.get("cardData") and not arguments.get("privateData"):
            raise invalid("param.cardDataAndPrivateDataBothEmpty")
        callback_type = arguments.get("callbackType", "")
        if callback_type == "HTTP" and not arguments.get("callbackRouteKey"):
            raise invalid("param.empty", "callbackRouteKey")
        public = variables_of(arguments.get("cardData") or {"cardParamMap": {}}, "cardData")
        private = _private(arguments)
        if out_track_id in self._cards:
            raise invalid("param.cardAlreadyExist")
        self._cards[out_track_id] = Card(
            out_track_id=out_track_id,
            callback_type=callback_type,
            route_key=arguments.get("callbackRouteKey", ""),
            public=public,
            private=private,
        )
        return {"success": True, "result": out_track_id}

    async def _create_and_deliver(self, arguments: Body) -> Body:
        spaces = _spaces(arguments)  # checked before anything is made
        self._create(arguments)
        card = self._cards[arguments["outTrackId"]]
        results = [await self._deliver_to(card, *space, arguments) for space in spaces]
        result = {"outTrackId": card.out_track_id, "deliverResults": results}
        return {"success": True, "result": result}

    async def _deliver(self, arguments: Body) -> Body:
        card = self._existing(arguments)
        spaces = _spaces(arguments, creating=False)
        results = [await self._deliver_to(card, *space, arguments) for space in spaces]
        return {"success": True, "result": results}

    async def _update(self, arguments: Body) -> Body:
        card = self._existing(arguments)
        if not arguments.get("cardData") and not arguments.get("privateData"):
            raise invalid("param.cardDataAndPrivateDataBothEmpty")
        if card.waiting:
            self.world.count("dingtalk:card-updated-inside-callback")
        options = arguments.get("cardUpdateOptions") or {}
        if arguments.get("cardData"):
            public = variables_of(arguments["cardData"], "cardData")
            card.change_public(public, by_key=options.get("updateCardDataByKey") is True)
        for user_id, variables in _private(arguments).items():
            by_key = options.get("updatePrivateDataByKey") is True
            card.change_private(user_id, variables, by_key=by_key)
        await self._redraw(card)
        return {"success": True, "result": True}

    def _register(self, arguments: Body) -> Body:
        key, url = arguments.get("callbackRouteKey"), arguments.get("callbackUrl")
        if not isinstance(key, str) or not key or not isinstance(url, str) or not url:
            raise invalid("param.empty", "callbackRouteKey, callbackUrl")
        if key in self._routes and arguments.get("forceUpdate") is not True:
            raise NewError(500, "param.callbackRouteKeyExist")
        secret = arguments.get("apiSecret") or ""
        self._routes[key] = (url, secret)
        return {"success": True, "result": {"callbackUrl": url, "apiSecret": secret}}

    def _existing(self, arguments: Body) -> Card:
        out_track_id = arguments.get("outTrackId")
        if not out_track_id:
            raise invalid("param.outTrackIdEmpty")
        if out_track_id not in self._cards:
            raise invalid("param.cardNotExist")
        return self._cards[out_track_id]

    async def _deliver_to(self, card: Card, kind: str, space_id: str, arguments: Body) -> Body:
        """One entry of deliverResults; a space may fail while the call succeeds."""
        result = {"spaceType": kind, "spaceId": space_id, "success": False, "carrierId": ""}
        chat = self.world.chat("dingtalk", space_id) if kind == "IM_GROUP" else None
        member = self.world.member("dingtalk", space_id) if kind == "IM_ROBOT" else None
        if chat is None and (member is None or member.status != 1):
            return result | {"errorMsg": "spaceId is invalid"}
        deliver = arguments[_MODELS[kind][1]]
        carrier = base64.b64encode(secrets.token_bytes(15)).decode()
        seen = card.seen_by(member.user_id if member else None)
        wire = {
            "outTrackId": card.out_track_id,
            "carrierId": carrier,
            "recipients": deliver.get("recipients"),
            "spaceId": space_id,
        }
        said = await self.robot.post(
            Shown("card", seen["title"], card=seen),
            chat=chat.chat_id if chat else None,
            to=member.user_id if member else None,
            wire=wire,
        )
        self.robot.note_carrier(carrier, said)
        return result | {"success": True, "carrierId": carrier, "errorMsg": ""}

    async def _redraw(self, card: Card) -> None:
        """Put the new state into every message that shows this card."""
        for said in self.world.said:
            if said.platform == "dingtalk" and said.wire.get("outTrackId") == card.out_track_id:
                said.card = card.seen_by(said.to)
                said.text = said.card["title"]
                said.updated_at = self.world.now()
        await self.world.changed()

    async def _call_back(
        self, card: Card, said: Said, sender: str, action: str, values: dict[str, str]
    ) -> bytes | None:
        """The bot's answer; None when there was none in time, or nobody to ask.

        Each card says for itself which way its presses go.
        """
        app = self.gate.app()
        params = {"revision": card.public.get("revision", ""), **values}
        body = _callback(card, action, params) | {
            "corpId": app.corp_id,
            "userId": sender,
            "spaceId": said.wire["spaceId"],
        }

        if card.callback_type == "STREAM":
            to, carry = "stream", self._over_stream(body)
        else:
            to, secret = self._routes.get(card.route_key, (app.cards_url, app.card_secret))
            carry = self._by_http(body, to, secret)
        if card.callback_type not in ("HTTP", "STREAM") or not to:
            return None
        return await self.calls.deliver(
            Delivery(
                kind="card",
                key=f"{card.out_track_id}:{action}",
                to=to,
                carry=carry,
                pauses_s=(),
                is_taken=lambda status, answer: status == 200 and _answered(answer) is not None,
                turn=card.out_track_id,
            )
        )

    def _by_http(self, body: Body, url: str, secret: str) -> Carry:
        def make() -> Push:
            timestamp = str(int(self.world.now().timestamp() * 1000))
            headers = {"x-ddpaas-signature-timestamp": timestamp}
            if secret:
                headers["x-ddpaas-signature"] = sign_card(timestamp, secret)
            return Push({}, headers, json.dumps(body, ensure_ascii=False).encode())

        return self.calls.posting(url, make, limit_s=self.limit_s)

    def _over_stream(self, body: Body) -> Carry:
        """There the answer stands under `response`, which may be null (notes 2.3)."""
        push = self.stream.pushing("CALLBACK", CARDS, body, limit_s=self.limit_s)

        async def carry() -> tuple[int, bytes]:
            code, raw = await push()
            answer = _answered(raw) or {}
            return code, json.dumps(answer.get("response") or {}).encode()

        return carry

    def _apply(self, card: Card, sender: str, answer: bytes | None) -> bool:
        """Take over what the bot answered; False when that was nothing usable."""
        body = _answered(answer) if answer is not None else None
        if body is None:
            return False
        options = body.get("cardUpdateOptions") or {}
        try:
            if body.get("cardData"):
                public = variables_of(body["cardData"], "cardData")
                card.change_public(public, by_key=options.get("updateCardDataByKey") is True)
            if body.get("userPrivateData"):
                own = variables_of(body["userPrivateData"], "userPrivateData")
                by_key = options.get("updatePrivateDataByKey") is True
                card.change_private(sender, own, by_key=by_key)
        except NewError:
            self.world.count("dingtalk:card-answer-refused")
            return False
        return True


def sent_text(action: str) -> str | None:
    """The text a dtmd link makes the client send as the user's own message."""
    parts = urlsplit(action)
    if (parts.scheme, parts.netloc, parts.path) != ("dtmd", "dingtalkclient", "/sendMessage"):
        return None
    return parse_qs(parts.query).get("content", [""])[0]


def _callback(card: Card, action: str, params: dict[str, str]) -> Body:
    """The body of a press, but for who and where; content is JSON inside JSON."""
    content = {"cardPrivateData": {"actionIds": [action], "params": params}}
    return {
        "type": "actionCallback",
        "outTrackId": card.out_track_id,
        "userIdType": 1,
        "spaceType": "IM",
        "extension": "{}",
        "content": json.dumps(content, ensure_ascii=False),
    }


def _private(arguments: Body) -> dict[str, dict[str, str]]:
    private = arguments.get("privateData") or {}
    return {user: variables_of(data, f"privateData.{user}") for user, data in private.items()}


def _spaces(arguments: Body, *, creating: bool = True) -> list[tuple[str, str]]:
    """(IM_GROUP or IM_ROBOT, id) for each space of openSpaceId, its models checked."""
    text = arguments.get("openSpaceId")
    if not text:
        raise invalid("param.openSpaceIdEmpty")
    if not isinstance(text, str) or not text.startswith(_SPACES):
        raise invalid("param.openSpaceIdInvalid")
    spaces: list[tuple[str, str]] = []
    for part in text.removeprefix(_SPACES).split(";"):
        kind, _, space_id = part.partition(".")
        kind = kind.upper()
        if kind not in _MODELS or not space_id:
            raise invalid("param.openSpaceIdInvalid")
        space_model, deliver_model = (arguments.get(name) for name in _MODELS[kind])
        if creating and not (isinstance(space_model, dict) and "supportForward" in space_model):
            raise invalid("param.openSpaceModelInvalid", _MODELS[kind][0])
        if not isinstance(deliver_model, dict) or not deliver_model:
            raise invalid("param.openDeliverModelEmpty", _MODELS[kind][1])
        if kind == "IM_GROUP" and not deliver_model.get("robotCode"):
            raise invalid("param.openDeliverModelError", "robotCode")
        if kind == "IM_ROBOT" and deliver_model.get("spaceType") != "IM_ROBOT":
            raise invalid("param.openDeliverModelError", "spaceType")
        spaces.append((kind, space_id))
    return spaces


def _check_press(card: dict[str, Any], action: str, values: dict[str, str]) -> None:
    if action not in [button.get("action") for button in card["buttons"]]:
        raise ValueError("这张卡片上没有这个按钮（可能已处理完）")
    fields = {row["key"]: row for row in card.get("fields", [])}
    for key, value in values.items():
        if key not in fields:
            raise ValueError(f"这张卡片上没有「{key}」这一项")
        options = [option["id"] for option in fields[key].get("options") or []]
        if options and value and value not in options:
            raise ValueError(f"「{fields[key].get('label', key)}」没有「{value}」这个选项")


def _answered(answer: bytes) -> dict[str, Any] | None:
    """The response object of a card callback; None when it is not one."""
    try:
        body = json.loads(answer)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
