"""`[mail.<name>]`: what is wrong is said in one line, and the password comes from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.policy import ConfigError
from config.settings import load_settings
from config.settings.mail import MailSettings

BOX = '[mail.sales]\nhost = "imap.exmail.qq.com"\nuser = "Sales@ours.cn"\n'
CODE = 'password = "a code nobody guesses"\n'


def _load(folder: Path, text: str) -> MailSettings:
    file = folder / "gendan.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file).mail["sales"]


def test_the_password_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code").write_text("from a file\n")
    box = _load(tmp_path, f'{BOX}password_file = "{tmp_path / "code"}"\n')
    assert box.access()["password"] == "from a file"
    monkeypatch.setenv("GENDAN_MAIL__SALES__PASSWORD", "from outside")
    box = _load(tmp_path, BOX)
    assert box.access()["password"] == "from outside"
    assert "outside" not in repr(box)


@pytest.mark.parametrize(
    ("more", "port"), [("", 993), ('tls = "starttls"\n', 143), ("port = 1993\n", 1993)]
)
def test_the_port_is_the_usual_one(tmp_path: Path, more: str, port: int) -> None:
    assert _load(tmp_path, f"{BOX}{CODE}{more}").access()["port"] == port


def test_whose_addresses_are_ours(tmp_path: Path) -> None:
    more = 'addresses = ["info@ours.cn"]\nowner = "wecom:zhangsan"\n'
    box = _load(tmp_path, f"{BOX}{CODE}{more}")
    assert box.own_addresses == ("sales@ours.cn", "info@ours.cn")
    assert box.access()["is_own"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (BOX, "mail.sales.password：必填"),
        (f'{BOX}{CODE}tls = "ssl"\n', "tls、starttls 或 none"),
        (f'{BOX}{CODE}tls = "starttls"\nport = 993\n', "993 wants tls"),
        (f'{BOX}{CODE}owner = "zhangsan"\n', "platform:user id"),
        (f'{BOX}{CODE}addresses = ["ours.cn"]\n', "no mail address"),
        (f"{BOX}{CODE}poll_s = 1\n", "10 到 86400"),
        (f"{BOX}{CODE}paswd = 1\n", "paswd"),
        (BOX.replace("imap.", "imaps://imap.") + CODE, "a host name only"),
        (BOX.replace("Sales@ours.cn", "sales") + CODE, "whose address is it"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        _load(tmp_path, text)
    assert hint in str(refused.value)
    assert "nobody guesses" not in str(refused.value)
