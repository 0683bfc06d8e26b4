"""Files that people send an intelligent robot.

Source: developer.work.weixin.qq.com/document/path/100719. The address is good for five minutes
and the bytes are encrypted; the name stands in the answer's Content-Disposition alone. A 503,
which happens, is tried again by whoever asked, within those minutes.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.errors import Rejected
from bot.messages import Attachment
from connectors.http import Http
from connectors.wecom.api import file_name
from connectors.wecom.crypto import Undecipherable, decrypt_file
from connectors.wecom.settings import Aibot

URL_LIFE = timedelta(minutes=5)
FILE_BYTES = 100 * 1024 * 1024 + 32  # with its padding
_AT_ONCE_BYTES = 256 * 1024
_TIMEOUT_S = 90.0


async def download(
    robot: Aibot, http: Http, attachment: Attachment, clock: Clock
) -> tuple[bytes, str]:
    """Bytes and file name. Raises TransientError; Rejected when it is gone, too large, or not
    encrypted with our key."""
    handle = json.loads(attachment.handle)
    if clock.now() - datetime.fromisoformat(handle["since"]) > URL_LIFE:
        raise Rejected("aibot/media: the address is older than five minutes（请重新发送）")
    sealed, headers = await http.download(
        handle["url"], limit_bytes=FILE_BYTES, timeout_s=_TIMEOUT_S, what="wecom:aibot/media"
    )
    key = handle.get("aeskey") or robot.aes_key
    try:
        if len(sealed) <= _AT_ONCE_BYTES:
            data = decrypt_file(key, sealed)
        else:
            data = await asyncio.to_thread(decrypt_file, key, sealed)
    except Undecipherable as error:
        raise Rejected(f"aibot/media: {error}") from None
    name = attachment.name or file_name(headers.get("Content-Disposition", ""))
    return data, name or attachment.kind
