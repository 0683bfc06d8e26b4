"""`setup`: asks for what a platform needs, says where to find it, writes the configuration.

Everything is asked before anything is written, so stopping in the middle changes nothing.
"""

from __future__ import annotations

import os
import secrets
import string
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from config import setup_texts as texts
from config.policy import ConfigError
from config.settings import (
    AibotSettings,
    DingtalkSettings,
    Settings,
    SpeechSettings,
    WecomSettings,
    load_settings,
    read_toml,
)
from config.settings.sections import Name
from config.toml_text import NotUnderstood, Value, with_keys, with_table

Say = Callable[[str], None]


class Ask(Protocol):
    """Puts a question to a person. secret: do not show what is typed. default: what an empty
    answer means; None: there must be an answer."""

    def __call__(
        self, question: str, *, secret: bool = False, default: str | None = None
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class Question:
    """One key of a platform's section. make: gives a value when the person leaves it to us.

    choices: what is typed -> the value; the first is the default. only_if: a key that was
    asked before, and its value without which this one is not asked. needed: the section has
    it optional, and here it is not.
    """

    key: str
    secret: bool = False
    make: Callable[[], str] | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    only_if: tuple[str, str] | None = None
    needed: bool = False


def new_token() -> str:
    """24 letters and digits; WeCom takes up to 32."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(24))


def new_aes_key() -> str:
    """43 letters and digits that decode to 32 bytes without a bit to spare."""
    while not (key := b64encode(secrets.token_bytes(32)).decode().rstrip("=")).isalnum():
        pass
    return key


@dataclass(frozen=True, slots=True)
class Platform:
    """What `setup` asks about one platform. kind: the table's name in the file, as in [kind.app].
    words: the texts about it. name: proposed. fixed: what stands in its table without being
    asked."""

    kind: str
    label: str
    section: type[BaseModel]
    questions: tuple[Question, ...]
    words: str
    name: str = "sales"
    fixed: Mapping[str, str] = field(default_factory=dict)


_CALLED = ("mode", "http")
_CONNECTS = ("mode", "websocket")

PLATFORMS = {
    "1": Platform(
        "wecom",
        "企业微信",
        WecomSettings,
        (
            Question("corp_id"),
            Question("agent_id"),
            Question("secret", secret=True),
            Question("token", secret=True, make=new_token),
            Question("aes_key", secret=True, make=new_aes_key),
        ),
        words="wecom",
    ),
    "2": Platform(
        "dingtalk",
        "钉钉",
        DingtalkSettings,
        (
            Question("corp_id"),
            Question("client_id"),
            Question("client_secret", secret=True),
            Question("mode", choices={"1": "http", "2": "stream"}),
            Question("robot_code"),
            Question("card_template_id"),
            Question("events_token", secret=True, make=new_token, only_if=_CALLED),
            Question("events_aes_key", secret=True, make=new_aes_key, only_if=_CALLED),
        ),
        words="dingtalk",
    ),
    "3": Platform(
        "wecom",
        "企业微信智能机器人",
        AibotSettings,
        (
            Question("mode", choices={"1": "http", "2": "websocket"}),
            Question("robot_name"),
            Question("token", secret=True, make=new_token, only_if=_CALLED),
            Question("aes_key", secret=True, make=new_aes_key, only_if=_CALLED),
            Question("bot_id", only_if=_CONNECTS, needed=True),
            Question("secret", secret=True, only_if=_CONNECTS, needed=True),
        ),
        words="aibot",
        name="helper",
        fixed={"kind": "aibot"},
    ),
}


SPEECH_ENGINES = {"0": "none", "1": "sherpa", "2": "whisper", "3": "openai"}


@dataclass(slots=True)
class _Answers:
    """What will be written. secrets: content by file."""

    table: dict[str, Value] = field(default_factory=dict)
    secrets: dict[Path, str] = field(default_factory=dict)


def run(path: Path, *, ask: Ask, say: Say, check: Callable[[Settings], int]) -> int:
    """The dialogue; `check` then runs the doctor's checks, whose exit code is returned.

    Nothing is overwritten without a yes; without it, 0 and nothing changed. Raises
    ConfigError when the present file cannot be read, or not be changed safely.
    """
    before = read_toml(path) if path.exists() else {}
    say(texts.WELCOME)
    platform = PLATFORMS[_one_of(ask, say, texts.WHICH_PLATFORM, tuple(PLATFORMS), default="1")]
    if platform.words == "aibot" and not _applications(before):
        say(texts.ROBOT_NEEDS_APPLICATION)
        return 0
    name = _valid(ask, say, texts.APP_NAME, _checker(Name), texts.NAME_SHAPE, default=platform.name)
    old = before.get(platform.kind, {}).get(name)
    if old is not None and not _agrees(ask, say, texts.replace_table(path, platform.kind, name)):
        say(texts.UNCHANGED)
        return 0
    folder = path.parent / "secrets"
    answers = _ask_platform(platform, name, folder, ask, say)
    keys = _ask_keys(platform, before, ask, say)
    speech = _Answers() if "speech" in before else _ask_speech(folder, ask, say)
    present = [file for file in (*answers.secrets, *speech.secrets) if file.exists()]
    if present and old is None and not _agrees(ask, say, texts.replace_files(present)):
        say(texts.UNCHANGED)
        return 0
    answers.table |= {**_not_asked(platform, old or {}), **platform.fixed}
    if platform.words == "aibot":
        answers.table |= _ask_application(before, ask, say)
    tables: dict[tuple[str, ...], _Answers] = {(platform.kind, name): answers}
    _write(path, keys, tables | ({("speech",): speech} if speech.table else {}))
    how = str(answers.table.get("mode", ""))
    say(texts.next_steps(platform.words, name, str(keys.get("public_url", "")), path, mode=how))
    return check(load_settings(path))


def _ask_platform(platform: Platform, name: str, folder: Path, ask: Ask, say: Say) -> _Answers:
    answers = _Answers()
    for question in platform.questions:
        words, where = texts.QUESTIONS[platform.words][question.key]
        field_info = platform.section.model_fields[question.key]
        if question.only_if and answers.table.get(question.only_if[0]) != question.only_if[1]:
            continue
        say(f"\n{where}")
        if question.choices:
            choices = tuple(question.choices)
            chosen = _one_of(ask, say, words, choices, default=choices[0])
            answers.table[question.key] = question.choices[chosen]
            continue
        must = field_info.is_required() or question.needed
        optional = question.make is not None or not must
        given = _valid(
            ask, say, words, _checker(field_info, skip_empty=optional),
            field_info.description or "", secret=question.secret, default="" if optional else None,
        )  # fmt: skip
        value = question.make() if question.make and not given else given
        if question.secret:
            file = folder / f"{name}-{question.key}"
            answers.secrets[file] = value
            answers.table[f"{question.key}_file"] = str(file)
        elif value:
            answers.table[question.key] = int(value) if field_info.annotation is int else value
    return answers


def _not_asked(platform: Platform, old: dict[str, Any]) -> dict[str, Value]:
    """What somebody has added to the table by hand, such as group robots, stays."""
    asked = {question.key for question in platform.questions}
    return {key: value for key, value in old.items() if key.removesuffix("_file") not in asked}


def _applications(before: dict[str, Any]) -> list[str]:
    """Self-built applications of WeCom that the file has."""
    tables = before.get("wecom", {})
    return [name for name, table in tables.items() if table.get("kind", "app") == "app"]


def _ask_application(before: dict[str, Any], ask: Ask, say: Say) -> dict[str, Value]:
    """Which one works with the robot; the only one needs no asking."""
    names = _applications(before)
    if len(names) == 1:
        return {}
    say(f"\n{texts.WHICH_APPLICATION_WHERE}")
    chosen = _one_of(ask, say, texts.WHICH_APPLICATION, tuple(names), default=names[0])
    return {"app": chosen}


def _ask_keys(platform: Platform, before: dict[str, Any], ask: Ask, say: Say) -> dict[str, Value]:
    """Keys of the file itself; an empty answer leaves them as they are."""
    say(f"\n{texts.PUBLIC_URL_WHERE}")
    url_field = Settings.model_fields["public_url"]
    url = _valid(
        ask, say, texts.PUBLIC_URL, _checker(url_field), url_field.description or "",
        default=str(before.get("public_url", "")),
    )  # fmt: skip
    say(f"\n{texts.ADMIN_WHERE[platform.kind]}")
    admin = ask(texts.ADMIN, default="").strip()
    admins = list(before.get("admins", []))
    if admin and f"{platform.kind}:{admin}" not in admins:
        admins.append(f"{platform.kind}:{admin}")
    keys: dict[str, Value] = {"public_url": url.rstrip("/"), "admins": admins}
    return {key: value for key, value in keys.items() if value}


def _ask_speech(folder: Path, ask: Ask, say: Say) -> _Answers:
    """Which engine hears recordings, and where its model or server is; nothing for none."""
    answers = _Answers()
    say(f"\n{texts.SPEECH_WHERE}")
    engine = SPEECH_ENGINES[
        _one_of(ask, say, texts.WHICH_ENGINE, tuple(SPEECH_ENGINES), default="0")
    ]
    if engine == "none":
        return answers
    answers.table["engine"] = engine
    say(f"\n{texts.HOW_TO_GET[engine]}")
    if engine == "openai":
        url = SpeechSettings.model_fields["base_url"]
        answers.table["base_url"] = _valid(
            ask, say, texts.SPEECH_URL, lambda text: bool(text) and _checker(url)(text),
            url.description or "",
        ).rstrip("/")  # fmt: skip
        answers.table["model"] = _valid(ask, say, texts.SPEECH_MODEL, bool, texts.SOME_TEXT)
        if key := ask(texts.SPEECH_KEY, secret=True, default="").strip():
            answers.secrets[folder / "speech-api_key"] = key
            answers.table["api_key_file"] = str(folder / "speech-api_key")
    else:
        answers.table["folder"] = _valid(
            ask, say, texts.SPEECH_FOLDER, lambda text: Path(text).is_dir(), texts.SOME_FOLDER
        )
    return answers


def _write(path: Path, keys: dict[str, Value], tables: dict[tuple[str, ...], _Answers]) -> None:
    """The file as a whole or not at all; secrets readable by their owner only."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for name, answers in tables.items():
        try:
            text = with_table(with_keys(text, keys), name, answers.table)
        except NotUnderstood:
            raise ConfigError(texts.by_hand(path, ".".join(name))) from None
    secrets = {file: key for answers in tables.values() for file, key in answers.secrets.items()}
    for file, content in secrets.items():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(file, content + "\n", mode=0o600)
    _replace(path, text, mode=path.stat().st_mode & 0o777 if path.exists() else 0o644)


def _replace(path: Path, text: str, *, mode: int) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    fresh.replace(path)


def _one_of(ask: Ask, say: Say, question: str, choices: tuple[str, ...], *, default: str) -> str:
    while (given := ask(question, default=default).strip()) not in choices:
        say(texts.should_be("、".join(choices)))
    return given


def _agrees(ask: Ask, say: Say, question: str) -> bool:
    return _one_of(ask, say, f"{question} [y/n]", ("y", "n"), default="n") == "y"


def _valid(
    ask: Ask, say: Say, question: str, is_valid: Callable[[str], bool], shape: str,
    *, secret: bool = False, default: str | None = None,
) -> str:  # fmt: skip
    while not is_valid(given := ask(question, secret=secret, default=default).strip()):
        say(texts.should_be(shape))
    return given


def _checker(kind: Any, *, skip_empty: bool = False) -> Callable[[str], bool]:
    """Whether a text would do for a field, by the very rules that the settings apply."""
    if isinstance(kind, FieldInfo):
        kind = Annotated[(kind.annotation, *kind.metadata)] if kind.metadata else kind.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def is_valid(text: str) -> bool:
        if skip_empty and not text:
            return True
        try:
            adapter.validate_python(text)
        except ValidationError:
            return False
        return True

    return is_valid
