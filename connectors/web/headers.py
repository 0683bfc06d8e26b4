"""What every answer to a browser carries.

No script, style or handler stands in the HTML itself and nothing comes from elsewhere, so that
words of a customer which found their way into a page could do nothing there. WeCom and DingTalk
show pages inside frames of theirs; nobody else may. A page that talks to the client in which it is
shown needs the platform's own script, and allows that one host.
"""

from __future__ import annotations

from urllib.parse import urlsplit

_FRAMES = (
    "'self' https://work.weixin.qq.com https://*.work.weixin.qq.com "
    "https://*.dingtalk.com https://*.dingtalkapps.com"
)

_POLICY = (
    "default-src 'none'; script-src 'self'{script}; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    f"frame-ancestors {_FRAMES}"
)

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # Our own POSTs are known by their Origin, which "no-referrer" would take away.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def page_headers(script_url: str = "") -> dict[str, str]:
    """script_url: of a platform's script that the page needs; "" for none."""
    host = urlsplit(script_url)
    script = f" {host.scheme}://{host.netloc}" if script_url else ""
    policy = _POLICY.replace("{script}", script)
    return {**_ALWAYS, "Content-Security-Policy": policy, "Cache-Control": "no-store"}


ASSET = {**_ALWAYS, "Cache-Control": "public, max-age=31536000, immutable"}

FILE = {
    **_ALWAYS,
    # A file comes from outside: wherever it is opened, it may do nothing.
    "Content-Security-Policy": f"default-src 'none'; style-src 'unsafe-inline'; "
    f"img-src 'self'; media-src 'self'; frame-ancestors {_FRAMES}",
    "Cache-Control": "private, no-store",
}

HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}
