"""What the tests have a worker process do: see `parrot`."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from speech.errors import NotAudio
from speech.workers.errors import EngineMissing


def parrot(*words: str) -> Callable[[bytes], bytes]:
    """Says every job backwards, the words it was made with in front; some jobs are orders."""

    def work(job: bytes) -> bytes:
        match job:
            case b"crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case b"hang":
                signal.pause()
            case b"refuse":
                raise NotAudio("没有声音")
            case b"stumble":
                raise KeyError("a mistake in the program")
            case b"chatter":
                print("a library says hello")  # noqa: T201
                os.write(1, b"and so does its C code")
            case b"who?":
                return str(os.getpid()).encode()
            case b"secrets?":
                return " ".join(name for name in os.environ if name.startswith("GENDAN_")).encode()
        return " ".join(words).encode() + job[::-1]

    return work


def absent() -> Callable[[bytes], bytes]:
    raise EngineMissing("没有安装，请安装")


def crashing() -> Callable[[bytes], bytes]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return bytes
