"""Interactive cards: registered, created and delivered, updated (protocol notes 4).

outTrackId is our card id, so creating the same card twice creates it once.
"""

from __future__ import annotations

import hashlib
from typing import Any

from bot.errors import Rejected
from bot.messages import Address, Card, Receipt
from connectors.dingtalk.api import Api
from connectors.dingtalk.card_data import card_param_map
from connectors.dingtalk.errors import CARD_EXISTS, DingtalkRejected
from connectors.dingtalk.read import obj, rows, text
from connectors.dingtalk.settings import DingtalkApp

_INSTANCES = "v1.0/card/instances"


class Cards:
    """The cards of one application, all of one template."""

    def __init__(self, app: DingtalkApp, api: Api) -> None:
        self._app = app
        self._api = api
        self._callback_url = ""
        self._registered = ""

    @property
    def are_ready(self) -> bool:
        """Whether a card can be shown and its presses can come back."""
        can_come_back = self._app.is_streamed or self._callback_url
        return bool(self._app.card_template_id and can_come_back)

    async def register(self, callback_url: str) -> None:
        """Presses shall arrive at this address. Tried again with the next card if it fails."""
        self._callback_url = callback_url
        await self._route_key()

    async def create(self, to: Address, card: Card) -> Receipt:
        """Show it in a chat. Raises Rejected when the platform does not deliver it there."""
        body = {
            "cardTemplateId": self._app.card_template_id,
            "outTrackId": card.card_id,
            **await self._way_back(),
            "cardData": {"cardParamMap": card_param_map(card)},
            "userIdType": 1,
            **self._place(to, card.title),
        }
        try:
            answer = await self._api.new("POST", f"{_INSTANCES}/createAndDeliver", body)
        except DingtalkRejected as error:
            if error.code != CARD_EXISTS:
                raise
            return Receipt(handle=card.card_id)  # an earlier try that was never answered
        carrier = ""
        for result in rows(obj(answer, "result"), "deliverResults"):
            if isinstance(result, dict) and result.get("success") is False:
                raise Rejected(f"card not delivered: {text(result, 'errorMsg')}")
            carrier = text(result, "carrierId") if isinstance(result, dict) else carrier
        return Receipt(handle=carrier or card.card_id)  # whoever read it is asked by its carrier

    async def check_template(self, track_id: str) -> None:
        """Whether a card can be made of our template; shows it to nobody. Raises Rejected."""
        body = {
            "cardTemplateId": self._app.card_template_id,
            "outTrackId": track_id,
            "callbackType": "STREAM",
            "cardData": {"cardParamMap": {}},
        }
        try:
            await self._api.new("POST", _INSTANCES, body)
        except DingtalkRejected as error:
            if error.code != CARD_EXISTS:
                raise

    async def update(self, card: Card) -> Receipt:
        """Show its new state where it stands. Raises DingtalkRejected: CARD_GONE if nowhere."""
        body = {
            "outTrackId": card.card_id,
            "cardData": {"cardParamMap": card_param_map(card)},
            # Without it the whole map would be replaced.
            "cardUpdateOptions": {"updateCardDataByKey": True},
            "userIdType": 1,
        }
        await self._api.new("PUT", _INSTANCES, body)
        return Receipt(handle=card.card_id)

    async def _way_back(self) -> dict[str, Any]:
        """Where presses on it go: each card says so for itself."""
        if self._app.is_streamed:
            return {"callbackType": "STREAM"}
        return {"callbackType": "HTTP", "callbackRouteKey": await self._route_key()}

    async def _route_key(self) -> str:
        """One key stands for one address, so a second environment gets a key of its own."""
        digest = hashlib.sha256(self._callback_url.encode()).hexdigest()[:8]
        key = f"gendan-{self._app.name}-{digest}"
        if key != self._registered:
            body = {
                "callbackRouteKey": key,
                "callbackUrl": self._callback_url,
                "apiSecret": self._app.card_callback_secret,
                "forceUpdate": True,
            }
            await self._api.new("POST", "v1.0/card/callbacks/register", body)
            self._registered = key
        return key

    def _place(self, to: Address, title: str) -> dict[str, Any]:
        """Where it is shown, and what the chat list says of it."""
        space = {
            "supportForward": False,
            "lastMessageI18n": {"ZH_CN": title},
            "notification": {"alertContent": title, "notificationOff": False},
        }
        robot = {"robotCode": self._app.robot_code}
        if to.chat_id is not None:
            return {
                "openSpaceId": f"dtv1.card//IM_GROUP.{to.chat_id}",
                "imGroupOpenSpaceModel": space,
                "imGroupOpenDeliverModel": robot,
            }
        return {
            "openSpaceId": f"dtv1.card//IM_ROBOT.{to.user_id}",
            "imRobotOpenSpaceModel": space,
            "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", **robot},
        }
