"""A short-lived access token, fetched anew for each line: from a program's output, or from an address.

No sentence holds the token, the output or the address.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from cooee import address
from cooee.agent import Refused, Unreachable
from cooee.events import Trouble

TIME_LIMIT_S = 5.0
MOST_BYTES = 65536
LATE = f"the access token did not come within {TIME_LIMIT_S:g} s"


def check_url(url: str) -> str:
    """An address that a token may come from. Raises ValueError."""
    if not url:
        return url
    parts = address.parts(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and address.is_here(parts.hostname))
    if not parts.hostname or not is_safe:
        raise ValueError('must begin with "https://" and a host; "http://" is for this machine only')
    return url


async def from_command(command: Sequence[str]) -> str:
    """Raises Refused where the program fails, Unreachable where it takes too long."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "NOTIFY_SOCKET": ""},
        )
    except OSError as error:
        raise Refused(f"[agent] token_command can't be run: {error.strerror}.", Trouble.KEY) from None
    try:
        async with asyncio.timeout(TIME_LIMIT_S):
            assert process.stdout is not None
            output = await process.stdout.read(MOST_BYTES)
            status = await process.wait()
    except TimeoutError:
        raise Unreachable(LATE) from None
    finally:
        # What it started may run on; all of it is in a session of its own.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if status:
        raise Refused(f"[agent] token_command failed with status {status}.", Trouble.KEY)
    return token(output.decode("utf-8", "replace"), "token_command")


async def from_url(url: str, method: Literal["GET", "POST"], headers: dict[str, str]) -> str:
    """Raises Refused for an answer without a token, Unreachable where there is none."""
    import aiohttp

    limit = aiohttp.ClientTimeout(total=TIME_LIMIT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit, trust_env=not address.is_here(urlsplit(url).hostname)) as session,
            session.request(method, url, headers=headers, allow_redirects=False) as answer,
        ):
            status, body = answer.status, await _limited(answer.content)
    except TimeoutError:
        raise Unreachable(LATE) from None
    except aiohttp.ClientConnectorCertificateError:
        raise Unreachable("the certificate of [agent] token_url can't be verified", Trouble.CLOCK) from None
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable(f"[agent] token_url can't be reached ({type(error).__name__})") from None
    except ValueError:
        raise Refused("[agent] token_url or token_headers can't be sent as they are.", Trouble.SETTINGS) from None
    if status >= 500 or status == 429:
        raise Unreachable(f"what answers at [agent] token_url is in trouble (HTTP {status})", Trouble.VENDOR)
    if status != 200:
        raise Refused(f"[agent] token_url gave no token (HTTP {status}).", Trouble.KEY)
    return token(body.decode("utf-8", "replace"), "token_url")


def token(text: str, setting: str) -> str:
    """The token in plain text or in JSON as {"access_token": ...}. Raises Refused where there is none."""
    found: Any = text.strip()
    if found.startswith(("{", "[", '"')):
        with contextlib.suppress(ValueError, RecursionError):
            found = json.loads(found)
        found = found.get("access_token") if isinstance(found, dict) else None
    if not isinstance(found, str) or not found or not (found.isascii() and found.isprintable()) or " " in found:
        raise Refused(f"[agent] {setting} gave no token: one word, or JSON with access_token, is wanted.", Trouble.KEY)
    return found


async def _limited(content: Any) -> bytes:
    body = bytearray()
    while len(body) < MOST_BYTES and (piece := await content.read(MOST_BYTES)):
        body += piece
    return bytes(body)
