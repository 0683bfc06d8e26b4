"""`[site.<name>]`: what is wrong is said in one line, and secrets come from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.policy import ConfigError
from config.settings import load_settings

SITE = '[site.main]\norigins = ["https://www.example.com"]\n'
SECRET = 'secret = "a secret of at least 24 letters"\n'


def _load(folder: Path, text: str) -> object:
    file = folder / "gendan.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file).site["main"]


def test_a_site_with_its_secret_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENDAN_SITE__MAIN__SECRET", "a secret of at least 24 letters")
    site = _load(tmp_path, SITE)
    assert "at least" not in repr(site)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (SITE, "secret"),
        (f'{SITE}secret = "short"\n', "at least 24"),
        (f'[site.main]\norigins = ["https://www.example.com/shop"]\n{SECRET}', "without a path"),
        (f"[site.main]\norigins = []\n{SECRET}", "origins"),
        (f'{SITE}{SECRET}[site.main.pages]\n"White Paper" = ["*.pdf"]\n', "small letters"),
        (
            f'{SITE}{SECRET}[site.main.materials]\na = "https://www.example.com.evil.example/"\n',
            "within origins",
        ),
        (f"{SITE}{SECRET}cookies = true\n", "cookies"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        _load(tmp_path, text)
    assert hint in str(refused.value)
