"""DingTalk's own Stream client as a program: says what it hears, a line each.

`python -m tests.connectors.sandbox.sdk_listener CLIENT_ID CLIENT_SECRET`, with the API's address
in DINGTALK_OPENAPI_ENDPOINT. A process of its own, because it asks for tickets with a blocking
client and knows no end.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from dingtalk_stream import (
    AckMessage,
    CallbackHandler,
    CardCallbackMessage,
    ChatbotMessage,
    Credential,
    DingTalkStreamClient,
    EventHandler,
)


def tell(door: str, what: str) -> None:
    sys.stdout.write(f"{door} {what}\n")
    sys.stdout.flush()


class Messages(CallbackHandler):
    async def process(self, callback: Any) -> tuple[int, None]:
        tell("robot", ChatbotMessage.from_dict(callback.data).message_id)
        return AckMessage.STATUS_OK, None


class Cards(CallbackHandler):
    async def process(self, callback: Any) -> tuple[int, dict[str, Any]]:
        press = CardCallbackMessage.from_dict(callback.data)
        tell("cards", press.card_instance_id)
        return AckMessage.STATUS_OK, {}


class Events(EventHandler):
    async def process(self, event: Any) -> tuple[int, str]:
        tell("events", event.headers.event_type)
        return AckMessage.STATUS_OK, "OK"


def main() -> None:
    client = DingTalkStreamClient(Credential(*sys.argv[1:]))
    client.register_all_event_handler(Events())
    client.register_callback_handler(ChatbotMessage.TOPIC, Messages())
    client.register_callback_handler(CallbackHandler.TOPIC_CARD_CALLBACK, Cards())
    asyncio.run(client.start())


if __name__ == "__main__":
    main()
