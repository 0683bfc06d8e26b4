"""The emulated chat archive: messages under real RSA keys, files in slices, consents.

The real library speaks an undocumented protocol, so what is emulated is the library
(`archive_library.py`, in the bot's worker process), and this is the server behind it. Its two
routes are of our own making; the calls below /cgi-bin are the documented ones.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from .wecom_archive_key import DEMO_KEY
from .world import World

SECRET = "sandbox-archive-secret-worthless-0123456789"
SLICE_BYTES = 512 * 1024
KEPT_FOR = timedelta(days=5)
MOST_AT_ONCE = 1000

DEADLY = b"\0abort"
"""A message whose plaintext begins so ends the library's process, as a malformed one does."""


@dataclass(frozen=True, slots=True)
class Archived:
    """One message as the server holds it. sealed: as GetChatData delivers it."""

    seq: int
    msgid: str
    at: datetime
    content: Mapping[str, Any]
    sealed: Mapping[str, Any]


@dataclass(slots=True)
class ArchiveState:
    """keys: version -> private key; the newest version seals. consents: (member or group, person
    outside) -> status and since when; who is not in it was told and has said nothing. rooms:
    group -> everybody in it. room_names: of groups of members alone."""

    world: World
    keys: dict[int, rsa.RSAPrivateKey] = field(default_factory=lambda: {1: _demo_key()})
    messages: list[Archived] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    consents: dict[tuple[str, str], tuple[str, datetime]] = field(default_factory=dict)
    rooms: dict[str, list[str]] = field(default_factory=dict)
    room_names: dict[str, str] = field(default_factory=dict)

    def replace_key(self, key: rsa.RSAPrivateKey) -> int:
        """The administrator puts a new public key; its version."""
        version = max(self.keys) + 1
        self.keys[version] = key
        return version

    def add(
        self,
        sender: str,
        to: Sequence[str],
        msgtype: str,
        content: Mapping[str, Any],
        *,
        room: str = "",
        msgid: str = "",
        at: datetime | None = None,
    ) -> Archived:
        """Somebody says something. content: the objects of its type, e.g. {"text": {...}}."""
        at = at or self.world.now()
        if room:
            self.rooms[room] = list(dict.fromkeys([*self.rooms.get(room, ()), sender, *to]))
        plain: dict[str, Any] = {
            "msgid": msgid or f"{secrets.token_hex(16)}_external",
            "action": "recall" if msgtype == "revoke" else "send",
            "from": sender,
            "tolist": list(to),
            "roomid": room,
            "msgtime": int(at.timestamp() * 1000),
            "msgtype": msgtype,
            **content,
        }
        self._note_consent(plain, at)
        body = json.dumps(plain, ensure_ascii=False).encode()
        return self._append(plain["msgid"], at, plain, body)

    def add_plain(self, msgid: str, body: bytes) -> Archived:
        """Anything, as it is, for what a well-behaved platform would not send."""
        return self._append(msgid, self.world.now(), {}, body)

    def add_sealed(self, msgid: str, key: str, body: str, version: int) -> Archived:
        """The same below the encryption."""
        at, seq = self.world.now(), self._next_seq(self.world.now())
        sealed = _sealed(seq, msgid, version, key, body)
        self.messages.append(Archived(seq, msgid, at, {}, sealed))
        return self.messages[-1]

    def put_file(self, data: bytes) -> dict[str, Any]:
        """What a message says of a file: sdkfileid, md5sum, filesize."""
        handle = f"sdk{secrets.token_hex(24)}"
        self.files[handle] = data
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        return {"sdkfileid": handle, "md5sum": digest, "filesize": len(data)}

    def _append(self, msgid: str, at: datetime, plain: Mapping[str, Any], body: bytes) -> Archived:
        seq, version = self._next_seq(at), max(self.keys)
        key, sealed_body = seal(self.keys[version].public_key(), body)
        sealed = _sealed(seq, msgid, version, key, sealed_body)
        self.messages.append(Archived(seq, msgid, at, plain, sealed))
        return self.messages[-1]

    def _next_seq(self, at: datetime) -> int:
        """Ever higher, over restarts too, since the bot remembers how far it read."""
        last = self.messages[-1].seq if self.messages else 0
        return max(last + 1, int(self.world.now().timestamp() * 1000))

    def _note_consent(self, plain: Mapping[str, Any], at: datetime) -> None:
        word = {"agree": "Agree", "disagree": "Disagree"}.get(plain["msgtype"])
        if word is None:
            return
        outsider = plain[plain["msgtype"]].get("userid", "")
        parties = [plain["roomid"]] if plain["roomid"] else [plain["from"], *plain["tolist"]]
        for party in parties:
            self.consents[party.lower() if not plain["roomid"] else party, outsider] = word, at

    def consent(self, party: str, outsider: str) -> dict[str, Any]:
        known = self.consents.get((party, outsider))
        status, since = known or ("Default_Agree", datetime.fromtimestamp(0, UTC))
        return {
            "status_change_time": int(since.timestamp()),
            "exteranalopenid": outsider,
            "agree_status": status,
        }

    def routes(self) -> list[web.RouteDef]:
        """What the emulated library calls."""
        return [
            web.post("/sandbox/wecom/archive/chatdata", self._chat_data),
            web.post("/sandbox/wecom/archive/mediadata", self._media_data),
        ]

    async def _chat_data(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if trouble := self._trouble(asked, "archive/chatdata"):
            return web.json_response(trouble)
        oldest = self.world.now() - KEPT_FOR
        following = [
            one.sealed for one in self.messages if one.seq > asked["seq"] and one.at >= oldest
        ]
        page = following[: min(asked["limit"], MOST_AT_ONCE)]
        return web.json_response({"errcode": 0, "errmsg": "ok", "chatdata": page})

    async def _media_data(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if trouble := self._trouble(asked, "archive/mediadata"):
            return web.json_response(trouble)
        data = self.files.get(asked["file_id"])
        if data is None:
            return web.json_response({"code": 10010})
        start = int(asked["mark"].removeprefix("Range:bytes=").partition("-")[0] or 0)
        part, end = data[start : start + SLICE_BYTES], start + SLICE_BYTES
        mark = f"Range:bytes={end}-{end + SLICE_BYTES - 1}" if end < len(data) else ""
        return web.json_response({"mark": mark, "data": base64.b64encode(part).decode()})

    def _trouble(self, asked: Mapping[str, Any], api: str) -> dict[str, Any] | None:
        """A fault to play: a code of the library, one of the platform, or (drop) its death."""
        self.world.count(f"wecom:{api}")
        ours = (self.world.app("wecom").corp_id, SECRET)
        if (asked.get("corp_id"), asked.get("secret")) != ours:
            return {"errcode": 40001, "errmsg": "invalid credential"}
        fault = self.world.fault("wecom", api)
        if fault is None:
            return None
        if fault.drop:
            return {"abort": True}
        code = fault.errcode if isinstance(fault.errcode, int) else 10003
        return {"code": code} if 10000 <= code < 10100 else {"errcode": code, "errmsg": "fault"}


def _demo_key() -> rsa.RSAPrivateKey:
    key = load_pem_private_key(
        DEMO_KEY.encode(), password=None, unsafe_skip_rsa_key_validation=True
    )
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 - our own constant
    return key


def seal(public_key: rsa.RSAPublicKey, body: bytes) -> tuple[str, str]:
    """encrypt_random_key and encrypt_chat_msg of a message, both base64."""
    random_key = secrets.token_hex(16)
    sealed_key = public_key.encrypt(random_key.encode(), padding.PKCS1v15())
    vector = secrets.token_bytes(16)
    padder = block_padding.PKCS7(128).padder()
    encryptor = _cipher(random_key, vector).encryptor()
    padded = padder.update(body) + padder.finalize()
    sealed = vector + encryptor.update(padded) + encryptor.finalize()
    return base64.b64encode(sealed_key).decode(), base64.b64encode(sealed).decode()


def unseal(random_key: str, message: str) -> bytes:
    """What `seal` sealed. Raises ValueError."""
    sealed = base64.b64decode(message, validate=True)
    decryptor = _cipher(random_key, sealed[:16]).decryptor()
    unpadder = block_padding.PKCS7(128).unpadder()
    padded = decryptor.update(sealed[16:]) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def _cipher(random_key: str, vector: bytes) -> Cipher[modes.CBC]:
    return Cipher(
        algorithms.AES256(hashlib.sha256(random_key.encode()).digest()), modes.CBC(vector)
    )


def _sealed(seq: int, msgid: str, version: int, key: str, body: str) -> dict[str, Any]:
    return {
        "seq": seq,
        "msgid": msgid,
        "publickey_ver": version,
        "encrypt_random_key": key,
        "encrypt_chat_msg": body,
    }
