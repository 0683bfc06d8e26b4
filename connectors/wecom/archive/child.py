"""What is done in the archive's worker process: fetch, decrypt, fetch files. A death of this
process costs the job alone, which `connectors.wecom.archive.source` asks for again.

A job is one line of JSON. The answer is one line of JSON, for a file followed by its bytes.
Credentials come with each job over the pipe, never by the command line, where everybody reads them.
"""

from __future__ import annotations

import base64
import binascii
import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connectors.wecom.archive.library import Library

LEAST_CIPHERTEXT = 13
"""DecryptData ends the process when it is given less."""

LACKS_KEY = "lacks_key"

_PADDING = padding.PKCS1v15()


def load() -> Callable[[bytes], bytes]:
    """The factory for the worker. The library is loaded with the first job, which names it."""
    return _answer


def _answer(job: bytes) -> bytes:
    line, _, _ = job.partition(b"\n")
    asked: dict[str, Any] = orjson.loads(line)
    library = _library(orjson.dumps(asked["library"]))
    if isinstance(library, str):
        return orjson.dumps({"missing": library})
    return _DO[asked["do"]](library, asked)


@functools.cache
def _library(given: bytes) -> Library | str:
    """One for the life of the process; in words why there is none."""
    settings = orjson.loads(given)
    module, _, name = settings.pop("adapter").partition(":")
    try:
        library: Library = getattr(importlib.import_module(module), name)(**settings)
    except (ImportError, AttributeError, OSError, ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    return library


def _page(library: Library, asked: Mapping[str, Any]) -> bytes:
    """Fetch, and with keys decrypt at once; without, leave sealed."""
    code, content = library.get_chat_data(asked["seq"], asked["limit"], asked["timeout_s"])
    if code:
        return orjson.dumps({"code": code})
    try:
        told = orjson.loads(content)
    except orjson.JSONDecodeError:
        return orjson.dumps({"code": 10002})
    if errcode := told.get("errcode"):
        return orjson.dumps({"errcode": errcode, "errmsg": told.get("errmsg", "")})
    sealed = [
        {
            "seq": one["seq"],
            "msgid": one["msgid"],
            "version": one.get("publickey_ver", 0),
            "key": one.get("encrypt_random_key", ""),
            "body": one.get("encrypt_chat_msg", ""),
        }
        for one in told.get("chatdata") or ()
    ]
    return orjson.dumps({"messages": _opened(library, sealed, asked.get("keys"))})


def _open(library: Library, asked: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"messages": _opened(library, asked["messages"], asked["keys"])})


def _keys(_library: Library, asked: Mapping[str, Any]) -> bytes:
    """Which of the keys are none."""
    bad = []
    for version, pem in asked["keys"].items():
        try:
            _private_key(pem)
        except (ValueError, TypeError):  # TypeError: it wants a password
            bad.append(version)
    return orjson.dumps({"bad": bad})


def _file(library: Library, asked: Mapping[str, Any]) -> bytes:
    code, mark, data = library.get_media_data(asked["mark"], asked["handle"], asked["timeout_s"])
    return orjson.dumps({"code": code, "mark": mark}) + b"\n" + data


_DO: dict[str, Callable[[Library, Mapping[str, Any]], bytes]] = {
    "page": _page,
    "open": _open,
    "file": _file,
    "keys": _keys,
}


def _opened(
    library: Library, messages: list[dict[str, Any]], keys: Mapping[str, str] | None
) -> list[dict[str, Any]]:
    if keys is None:
        return messages
    return [_decrypted(library, one, keys) for one in messages]


def _decrypted(library: Library, one: dict[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    """With its content instead of the ciphertext, or as it was, with why not."""
    pem = keys.get(str(one["version"]))
    if pem is None:
        return one | {"why": LACKS_KEY}
    try:
        sealed = base64.b64decode(one["key"], validate=True)
        if len(base64.b64decode(one["body"], validate=True)) < LEAST_CIPHERTEXT:
            return one | {"why": "the ciphertext is too short"}
        random_key = _private_key(pem).decrypt(sealed, _PADDING).decode()
    except (binascii.Error, ValueError, TypeError) as error:  # UnicodeDecodeError is one
        return one | {"why": f"the random key: {error}"}
    if not random_key:
        return one | {"why": "the random key is empty"}
    code, content = library.decrypt_data(random_key, one["body"])
    if code:
        return one | {"why": f"DecryptData: {code}"}
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        return one | {"why": f"not UTF-8: {error}"}
    return one | {"text": text}


@functools.cache
def _private_key(pem: str) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key
