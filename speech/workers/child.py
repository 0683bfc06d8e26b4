"""What runs in a worker process: `python -m speech.workers.child MODULE:FACTORY [ARGUMENT …]`.

The factory makes a function from bytes to bytes. Then one frame in, one frame out, until the
input ends. A frame: one byte (see below), the length in four bytes, the content.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from bot.errors import PermanentError

DONE, REFUSED = b"+", b"!"  # content of the second: the error's class, a newline, its message
HEAD_BYTES = 5
_NICENESS = 5  # the bot's own process comes first

log = logging.getLogger("speech.workers.child")


def frame(mark: bytes, content: bytes) -> bytes:
    return mark + len(content).to_bytes(4, "big") + content


def main(target: str, arguments: list[str]) -> None:
    """Serve until the input ends, which it also does when the parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent to answer
    os.nice(_NICENESS)
    work_in, work_out = sys.stdin.buffer, _without_chatter()
    module, _, name = target.partition(":")
    work: list[Callable[[bytes], bytes]] = []

    def load() -> bytes:
        work.append(getattr(importlib.import_module(module), name)(*arguments))
        return b""

    _answer(work_out, load)
    while work and (head := work_in.read(HEAD_BYTES)):
        job = work_in.read(int.from_bytes(head[1:], "big"))
        _answer(work_out, partial(work[0], job))


def _without_chatter() -> BinaryIO:
    """The real standard output; what libraries print goes to standard error instead."""
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


def _answer(out: BinaryIO, do: Callable[[], bytes]) -> None:
    try:
        content, mark = do(), DONE
    except Exception as error:
        if not isinstance(error, PermanentError):
            log.exception("a worker's job failed")
        content, mark = f"{type(error).__name__}\n{error}".encode(), REFUSED
    out.write(frame(mark, content))
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
