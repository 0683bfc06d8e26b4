"""Where traces go; see docs/operations.md. Metrics need no settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from config.settings.sections import Section, bare


class TelemetrySettings(Section):
    """Where traces go. otlp_endpoint: of an OpenTelemetry collector over HTTP, without /v1/traces;
    empty: nothing is traced. share: of deliveries that are. token: sent as `Authorization:
    Bearer`."""

    otlp_endpoint: Annotated[
        str,
        Field(pattern=r"^(https?://[^\s?#]+)?$", description="http(s):// 开头的地址 (a URL)"),
        AfterValidator(bare),
    ] = ""
    share: Annotated[float, Field(ge=0, le=1, description="0 到 1 之间的数 (from 0 to 1)")] = 1.0
    token: SecretStr = SecretStr("")
