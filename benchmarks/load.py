"""An HTTP load of our own: bare sockets, so that the client costs much less than the server with
which it shares the machine.

Run as a process of its own: `python -m benchmarks.load HOST PORT FILE CONNECTIONS RATE`.
FILE holds ready requests, each with its length before it; RATE 0 sends as fast as it can.
Prints one line of JSON: requests, seconds, failed, p50_ms, p99_ms, max_ms, cpu_s (its own
processor time).
"""

from __future__ import annotations

import gc
import json
import re
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


def save(requests: list[bytes], file: Path) -> None:
    file.write_bytes(b"".join(struct.pack(">I", len(one)) + one for one in requests))


def read(file: Path) -> Iterator[bytes]:
    data = file.read_bytes()
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 4 + length]
        at += 4 + length


class _Line:
    """A connection, on which one request is under way at a time."""

    __slots__ = ("_answer", "_begun", "_socket")

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answer = b""
        self._begun = 0.0

    def fileno(self) -> int:
        return self._socket.fileno()

    def ask(self, request: bytes, begun: float) -> None:
        """begun: from when the wait for the answer counts."""
        self._begun = begun
        self._socket.sendall(request)

    def hear(self) -> tuple[int, float] | None:
        """What has come by now. The status, and seconds since `begun`, once that is all of it."""
        came = self._socket.recv(65536)
        if not came:
            raise ConnectionResetError("closed before it had answered")
        self._answer += came
        if not _is_whole(self._answer):
            return None
        status, self._answer = int(self._answer[9:12]), b""
        return status, time.perf_counter() - self._begun

    def close(self) -> None:
        self._socket.close()


def _is_whole(answer: bytes) -> bool:
    head, ended, body = answer.partition(b"\r\n\r\n")
    if not ended:
        return False
    length = _LENGTH.search(head)
    if length is not None:
        return len(body) >= int(length[1])
    return b"chunked" not in head.lower() or body.endswith(b"0\r\n\r\n")


def run(host: str, port: int, file: Path, connections: int, rate: float) -> dict[str, float]:
    requests = list(read(file))
    left = iter(requests)
    lines = [_Line(host, port) for _ in range(connections)]
    by_number = {line.fileno(): line for line in lines}
    came = select.epoll()
    for number in by_number:
        came.register(number, select.EPOLLIN)
    found: list[tuple[int, float]] = []
    gc.disable()
    started, cpu_before = time.perf_counter(), time.process_time()
    free, sent = lines.copy(), 0
    while len(found) < len(requests):
        # An open loop where there is a rate: the wait counts from when a request was due, not
        # from when a connection was free for it.
        now = time.perf_counter()
        while (
            free and sent < len(requests) and (due := started + sent / rate if rate else now) <= now
        ):
            free.pop().ask(next(left), due)
            sent += 1
        if rate and free and sent < len(requests):  # by the microsecond, which epoll cannot
            select.select([came], [], [], max(0, due - time.perf_counter()))
        for number, _ in came.poll(0 if rate and free and sent < len(requests) else -1):
            heard = by_number[number].hear()
            if heard is not None:
                found.append(heard)
                free.append(by_number[number])
    seconds = time.perf_counter() - started
    cpu_s = time.process_time() - cpu_before
    for line in lines:
        line.close()
    spent = sorted(wait for _, wait in found)
    return {
        "requests": len(spent),
        "seconds": seconds,
        "failed": sum(status != 200 for status, _ in found),
        "p50_ms": spent[len(spent) // 2] * 1000,
        "p99_ms": spent[int(len(spent) * 0.99)] * 1000,
        "max_ms": spent[-1] * 1000,
        "cpu_s": cpu_s,
    }


if __name__ == "__main__":
    host, port, file, connections, rate = sys.argv[1:]
    answer = run(host, int(port), Path(file), int(connections), float(rate))
    print(json.dumps(answer))
