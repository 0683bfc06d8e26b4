"""config/tracks/*.toml -> the talk tracks that come with Gendan."""

from __future__ import annotations

from pathlib import Path

from bot.domain.tracks import Track, read_toml
from config.policy import HERE, ConfigError


def load_tracks(folder: Path = HERE / "tracks") -> tuple[Track, ...]:
    """Every industry's. Raises ConfigError with the file, the line and the reason."""
    found: dict[str, Track] = {}
    for path in sorted(folder.glob("*.toml")):
        tracks, mistakes = read_toml(path.read_text(encoding="utf-8"))
        if mistakes:
            raise ConfigError(f"{path.name}:{mistakes[0].line}：{mistakes[0].reason}")
        for track in tracks:
            if not track.code or track.code in found:
                raise ConfigError(f"{path.name}：编号「{track.code}」缺失或重复 (not unique)")
            found[track.code] = track
    return tuple(found.values())
