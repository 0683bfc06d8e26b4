"""Where things are kept: the database and the files."""

from __future__ import annotations

from pathlib import Path

from config.settings import Settings
from storage.kept_files import Bucket, KeptFiles, open_files


def database_url(settings: Settings) -> str:
    return settings.storage.url.get_secret_value()


def kept_files(settings: Settings) -> KeptFiles:
    bucket = settings.storage.bucket
    return open_files(Bucket(**bucket) if bucket else Path(settings.storage.files))
