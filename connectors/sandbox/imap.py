"""A small IMAP server (IMAP4rev1, RFC 3501): enough of it to be read by a client that marks,
moves and deletes nothing. What it was asked is written down, and it can be told to misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message

FAULTS = frozenset({"refuse", "hang", "hang fetch", "drop fetch", "garbage", "drip"})
LONGEST_LINE = 64 * 1024

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_PARTIAL = re.compile(r"<(\d+)\.(\d+)>")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


@dataclass(slots=True)
class Letter:
    """A mail in the emulated mailbox."""

    uid: int
    raw: bytes
    came_at: datetime


@dataclass(slots=True)
class Account:
    """folders: by name as the client sends it. validity: UIDVALIDITY of all of them."""

    password: str
    folders: dict[str, list[Letter]] = field(default_factory=lambda: {"INBOX": []})
    validity: int = 1
    next_uid: int = 1


class ImapServer:
    """faults, each until it is taken out again: "refuse" every login; "hang" after the greeting;
    "hang fetch", "drop fetch" at the first FETCH of a whole mail; "garbage" instead of answers;
    "drip" the greeting for ever. id_wanted: no folder is opened for who has not sent ID, as NetEase
    has it."""

    def __init__(self, now: Callable[[], datetime], *, id_wanted: bool = False) -> None:
        self._now = now
        self._id_wanted = id_wanted
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self.accounts: dict[str, Account] = {}
        self.faults: set[str] = set()
        self.broken: set[int] = set()  # UIDs that no FETCH is answered for
        self.asked: list[str] = []
        self.hanging = asyncio.Event()  # somebody was left waiting
        self.port = 0

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, limit=LONGEST_LINE, ssl=tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def put(
        self, user: str, raw: bytes, *, folder: str = "INBOX", at: datetime | None = None
    ) -> Letter:
        """A mail arrives."""
        account = self.accounts[user]
        letter = Letter(account.next_uid, raw, at or self._now())
        account.next_uid += 1
        account.folders.setdefault(folder, []).append(letter)
        return letter

    def renumber(self, user: str) -> None:
        """The folder was rebuilt: every mail has another UID, under another UIDVALIDITY."""
        account = self.accounts[user]
        account.validity += 1
        account.next_uid = 1
        for letters in account.folders.values():
            for letter in letters:
                letter.uid = account.next_uid
                account.next_uid += 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(
            _Talk(self, reader, writer, id_wanted=self._id_wanted).run(), name="imap"
        )
        self._talks.add(talk)
        try:
            await talk
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        except asyncio.CancelledError:
            pass  # the server stops
        finally:
            self._talks.discard(talk)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


class _Talk:
    """One connection."""

    def __init__(
        self,
        server: ImapServer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        id_wanted: bool,
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._introduced = not id_wanted
        self._account: Account | None = None
        self._folder = ""

    async def run(self) -> None:
        server = self._server
        while "drip" in server.faults:
            await self._send(b"*")
            await asyncio.sleep(0.05)
        await self._say("* OK emulated IMAP ready")
        while line := await self._reader.readline():
            if "hang" in server.faults:
                server.hanging.set()
                await asyncio.Event().wait()
            if "garbage" in server.faults:
                await self._send(b"\x00\xff{}][ NIL\r\n" * 3)
                continue
            if not await self._obey(line.decode("utf-8", "replace").strip()):
                return

    async def _obey(self, line: str) -> bool:
        """False when the talk is over."""
        tag, _, rest = line.partition(" ")
        verb, _, arguments = rest.partition(" ")
        verb = verb.upper()
        if verb == "UID":
            verb, _, arguments = arguments.partition(" ")
            verb = f"UID {verb.upper()}"
        shown = "***" if verb == "LOGIN" else arguments
        self._server.asked.append(f"{verb} {shown}".strip())
        if verb == "LOGOUT":
            await self._say("* BYE see you", f"{tag} OK done")
            return False
        if verb == "CAPABILITY":
            await self._say("* CAPABILITY IMAP4rev1 ID", f"{tag} OK done")
        elif verb == "ID":
            self._introduced = True
            await self._say('* ID ("name" "emulated")', f"{tag} OK done")
        elif verb == "NOOP":
            await self._say(f"{tag} OK done")
        elif verb == "LOGIN":
            await self._log_in(tag, _words(arguments))
        elif self._account is None:
            await self._say(f"{tag} NO log in first")
        elif verb in ("EXAMINE", "SELECT"):
            await self._open(tag, verb, _words(arguments)[0])
        elif verb == "UID SEARCH":
            await self._search(tag, arguments)
        elif verb == "UID FETCH":
            return await self._fetch(tag, arguments)
        else:
            await self._say(f"{tag} BAD what is {verb}")
        return True

    async def _log_in(self, tag: str, words: list[str]) -> None:
        account = self._server.accounts.get(words[0])
        refused = "refuse" in self._server.faults
        if refused or account is None or words[1:] != [account.password]:
            await self._say(f"{tag} NO LOGIN Login error password error")
            return
        self._account = account
        await self._say(f"{tag} OK welcome")

    async def _open(self, tag: str, verb: str, name: str) -> None:
        account = self._account or Account("")
        letters = account.folders.get(name)
        if not self._introduced:
            await self._say(f"{tag} NO {verb} Unsafe Login. Please contact the postmaster")
            return
        if letters is None:
            await self._say(f"{tag} NO {verb} no such folder")
            return
        self._folder = name
        way = "READ-ONLY" if verb == "EXAMINE" else "READ-WRITE"
        await self._say(
            "* FLAGS (\\Seen \\Deleted)",
            f"* {len(letters)} EXISTS",
            "* 0 RECENT",
            f"* OK [UIDVALIDITY {account.validity}] UIDs are valid",
            f"* OK [UIDNEXT {account.next_uid}] next",
            f"{tag} OK [{way}] {verb} done",
        )

    async def _search(self, tag: str, arguments: str) -> None:
        found = [str(one.uid) for one in self._letters() if _fits(one, arguments, self._letters())]
        await self._say(f"* SEARCH {' '.join(found)}".rstrip(), f"{tag} OK done")

    async def _fetch(self, tag: str, arguments: str) -> bool:
        wanted, _, items = arguments.partition(" ")
        uids = {int(uid) for uid in wanted.split(",")}
        head_only = "HEADER" in items
        if uids & self._server.broken:
            await self._say(f"{tag} NO FETCH the message is damaged")
            return True
        if "BODYSTRUCTURE" in items:
            await self._tell_structures(tag, uids)
            return True
        if not head_only and "drop fetch" in self._server.faults:
            return False
        if not head_only and "hang fetch" in self._server.faults:
            await asyncio.Event().wait()
        for number, letter in enumerate(self._letters(), start=1):
            if letter.uid not in uids:
                continue
            raw = _head_of(letter.raw) if head_only else letter.raw
            part = "BODY[HEADER]" if head_only else "BODY[]"
            if (some := _PARTIAL.search(items)) is not None:
                start, count = int(some[1]), int(some[2])
                raw, part = raw[start : start + count], f"{part}<{start}>"
            told = f"UID {letter.uid} FLAGS () RFC822.SIZE {len(letter.raw)} {part}"
            await self._send(f"* {number} FETCH ({told} {{{len(raw)}}}\r\n".encode() + raw)
            await self._say(")")
        await self._say(f"{tag} OK done")
        return True

    async def _tell_structures(self, tag: str, uids: set[int]) -> None:
        for number, letter in enumerate(self._letters(), start=1):
            if letter.uid in uids:
                told = _structure(message_from_bytes(letter.raw))
                await self._say(f"* {number} FETCH (UID {letter.uid} BODYSTRUCTURE {told})")
        await self._say(f"{tag} OK done")

    def _letters(self) -> list[Letter]:
        return self._account.folders.get(self._folder, []) if self._account else []

    async def _say(self, *lines: str) -> None:
        await self._send("".join(f"{line}\r\n" for line in lines).encode())

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


def _words(arguments: str) -> list[str]:
    """Quoted or not."""
    return [
        plain if plain else re.sub(r"\\(.)", r"\1", quoted)
        for quoted, plain in _WORD.findall(arguments)
    ]


def _fits(letter: Letter, arguments: str, letters: list[Letter]) -> bool:
    """UID a:*, SINCE d-Mon-yyyy, HEADER name value."""
    words = _words(arguments.strip("()"))
    match words[0].upper():
        case "UID":
            first = int(words[1].split(":")[0])
            newest = max((one.uid for one in letters), default=0)
            return letter.uid >= first or letter.uid == newest  # «n:*» always names the last
        case "SINCE":
            day, month, year = words[1].split("-")
            since = datetime(int(year), _MONTHS.index(month) + 1, int(day), tzinfo=UTC)
            return letter.came_at >= since
        case "HEADER":
            told = message_from_bytes(_head_of(letter.raw)).get(words[1], "")
            return words[2] in str(told)
    return True


def _structure(part: Message) -> str:
    """BODYSTRUCTURE without envelopes and names (RFC 3501 section 7.4.2)."""
    kind, subkind = part.get_content_maintype().upper(), part.get_content_subtype().upper()
    inside = part.get_payload()
    inner = (
        [_structure(one) for one in inside if isinstance(one, Message)]
        if isinstance(inside, list)
        else []
    )
    if kind == "MULTIPART":
        return f'({"".join(inner)} "{subkind}")'
    return f'("{kind}" "{subkind}" NIL NIL NIL "7BIT" {len(bytes(part))} {" ".join(inner)})'


def _head_of(raw: bytes) -> bytes:
    head, empty, _ = raw.partition(b"\r\n\r\n")
    return head + empty
