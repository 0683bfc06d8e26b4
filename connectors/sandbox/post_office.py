"""The demo company's mailboxes, and how a mail gets into them."""

from __future__ import annotations

import itertools
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from .api_input import BadRequest, Fields, NotThere, read_moment
from .api_output import to_json
from .imap import FAULTS, Account, ImapServer
from .world import World

HOST = "hengyuan.example"
CODE = "an emulated code for mail clients"  # worthless: nothing outside takes it
BOXES = {"sales": "", "zhangwei": "wecom:zhangwei"}
"""Mailboxes, and whose own they are; the first is the company's."""

_ONLY_WHEN_ASKED_S = 3600
"""The sandbox has mailboxes read whenever it is asked to be quiet."""


class PostOffice:
    """Shut until it is opened; the bot is told of mailboxes only after that."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._numbers = itertools.count(1)
        self.server = ImapServer(world.now, id_wanted=True)

    async def open(self) -> None:
        """Mails are in memory, so after a restart the mailboxes are others: another UIDVALIDITY."""
        for box in BOXES:
            validity = int(self._world.now().timestamp())
            self.server.accounts[address_of(box)] = Account(CODE, validity=validity)
        await self.server.start()

    async def close(self) -> None:
        await self.server.stop()

    def configuration(self) -> dict[str, Any]:
        """The sections `[mail.…]` as an operator would write them."""
        if not self.server.port:
            return {}
        return {
            box: {
                "host": "127.0.0.1",
                "port": self.server.port,
                "tls": "none",
                "user": address_of(box),
                "password": CODE,
                "owner": owner,
                "poll_s": _ONLY_WHEN_ASKED_S,
            }
            for box, owner in BOXES.items()
        }

    async def receive(self, request: web.Request) -> web.Response:
        """A mail arrives: from, subject, text; box, to, message_id, in_reply_to, at, files (name
        -> text), headers. Or raw, as it is."""
        fields = await Fields.read(request)
        box = fields.optional_text("box") or next(iter(BOXES))
        if box not in BOXES:
            raise NotThere(f"no mailbox {box!r}: {', '.join(BOXES)}")
        at = read_moment(fields.text("at")) if fields.has("at") else self._world.now()
        if fields.has("raw"):
            raw, message_id = fields.text("raw").encode(), ""
        else:
            mail = self._mail(fields, box, at)
            raw, message_id = mail.as_bytes().replace(b"\n", b"\r\n"), mail["Message-ID"]
        letter = self.server.put(address_of(box), raw, at=at)
        return to_json({"message_id": message_id, "uid": letter.uid})

    async def misbehave(self, request: web.Request) -> web.Response:
        """faults: all that the server has from now on; [] for none."""
        faults = set((await Fields.read(request)).list_of_texts("faults"))
        if faults - FAULTS:
            raise BadRequest(f"faults must be of {', '.join(sorted(FAULTS))}")
        self.server.faults = faults
        return to_json({"ok": True})

    def _mail(self, fields: Fields, box: str, at: datetime) -> EmailMessage:
        mail = EmailMessage()
        number = f"<{at:%Y%m%d%H%M%S}.{next(self._numbers)}@{HOST}>"
        mail["From"] = fields.text("from")
        mail["To"] = fields.optional_text("to") or address_of(box)
        mail["Subject"] = fields.optional_text("subject") or ""
        mail["Date"] = format_datetime(at)
        mail["Message-ID"] = fields.optional_text("message_id") or number
        if fields.has("in_reply_to"):
            mail["In-Reply-To"] = fields.text("in_reply_to")
        for name, value in fields.texts("headers").items():
            mail[name] = value
        mail.set_content(fields.text("text"))
        for name, text in fields.texts("files").items():
            data = text.encode()
            mail.add_attachment(data, maintype="application", subtype="pdf", filename=name)
        return mail


def address_of(box: str) -> str:
    return f"{box}@{HOST}"
