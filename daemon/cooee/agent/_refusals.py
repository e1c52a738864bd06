"""Why there is no line to the agent, or no more: the causes as the troubles and sentences that we have for them.

Every sentence is our own: the causes' texts hold addresses, and an agent's may quote what was said.
"""

import logging
import re
import socket
import ssl
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime

from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedOK,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    ProxyError,
)

from cooee.agent import Refused, Unreachable, _wire
from cooee.agent._wire import code, text
from cooee.events import Trouble

log = logging.getLogger("cooee.agent")

TOO_MANY_S = 5.0
"""So long at least to wait after HTTP 429."""
LONGEST_WAIT_S = 600.0
STATUSES = {
    401: ("does not accept the key. Check DEEPGRAM_API_KEY or the key's file", Trouble.KEY),
    402: ("has no credit left on this account. Add credit in its console", Trouble.CREDIT),
    403: ("does not allow this key to talk to an agent. Give the key that permission", Trouble.PERMISSION),
    404: ("is not at this address. Check [agent] url", Trouble.SETTINGS),
    429: ("has too many connections from this account just now", Trouble.BUSY),
}
LOG_IN = "is there a page to log in to in this network?"
NOT_THE_AGENT = f"what answers at the agent's address is not the agent: {LOG_IN}"
OF_CLOCK = (9, 10)
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""
# Deepgram's documentation of the Voice Agent's errors: these come again however often one connects.
OF_SETTINGS = {
    "UNPARSABLE_CLIENT_MESSAGE",
    "INVALID_SETTINGS",
    "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS",
    "SETTINGS_ALREADY_APPLIED",
    "USER_AUDIO_FORMAT",
    "NON_EXISTENT_FUNCTION_CALLED",
    "INVALID_AGENT_ID",
    "AGENT_ID_NOT_SUPPORTED",
}


def refusal(message: object) -> Refused:
    """An Error of the agent's. Of its description, only the names of settings are for everybody."""
    description = text(message, "description")
    log.debug("the agent's error: %s", description)
    fields = re.findall(r"\b(?:agent|audio|flags)(?:\.\w{1,40}|\[\d{1,3}\])+", description)
    where = f" It names {fields[0]}." if fields else ""
    trouble = Trouble.SETTINGS if code(message) in OF_SETTINGS else Trouble.VENDOR
    setting = fields[0] if fields and trouble is Trouble.SETTINGS else ""
    return Refused(f"The agent reported an error ({code(message)}).{where}", trouble, setting=setting)


def turned_away(refused: InvalidStatus, token: str = "") -> Refused | Unreachable:
    """Another answer to the upgrade than a line. `token` names the setting that a short-lived token came from."""
    status, headers = refused.response.status_code, refused.response.headers
    if status < 400 or status == 511:  # RFC 6585, 6
        return Unreachable(NOT_THE_AGENT)
    other = ("is in trouble" if status >= 500 else "refused the connection", Trouble.VENDOR)
    reason, trouble = STATUSES.get(status, other)
    if status == 401 and token:
        reason = f"does not accept the access token. Check {token}"
    request_id = _wire.identifier("".join(headers.get_all("dg-request-id")))
    note = f"HTTP {status}" + (f", request {request_id}" if request_id else "")
    after_s = _seconds("".join(headers.get_all("Retry-After")[:1]))
    if status == 429:
        after_s = max(after_s or 0.0, TOO_MANY_S)
    return Refused(f"The agent {reason} ({note}).", trouble, retry_after_s=after_s)


def unreachable(error: OSError) -> Unreachable:
    """No connection at all."""
    match error:
        case ssl.SSLCertVerificationError(verify_code=number) if number in OF_CLOCK:
            why = "the agent's certificate is not valid at this time: is this machine's clock right?"
            return Unreachable(why, Trouble.CLOCK)
        case ssl.SSLCertVerificationError():
            return Unreachable(f"the agent's certificate is none that can be trusted: {LOG_IN}")
        case ssl.SSLError():
            return Unreachable("what answers at the agent's address does not speak TLS")
        case socket.gaierror():
            return Unreachable("the agent's name can't be looked up: is this machine online?")
        case ConnectionRefusedError():
            return Unreachable("nobody listens at the agent's address")
        case TimeoutError():
            return Unreachable("the agent did not answer in time")
        case _:
            return Unreachable(f"the agent can't be reached ({type(error).__name__}): is this machine online?")


def stopped_on_the_way(error: InvalidProxy | ProxyError) -> Refused | Unreachable:
    """By the proxy that this system's environment names."""
    match error:
        case InvalidProxy():
            why = "The proxy of this system has no address that can be used. Write it as http://host:port"
            return Refused(why, Trouble.SETTINGS)
        case InvalidProxyStatus():
            note = f"HTTP {error.response.status_code}"
            return Unreachable(f"this system's proxy lets nobody through to the agent ({note})")
        case _:
            return Unreachable("what answers at the address of this system's proxy is no proxy")


def ended(closed: ConnectionClosed) -> Unreachable:
    if isinstance(closed, ConnectionClosedOK):
        return Unreachable("the agent closed the line")
    number = closed.rcvd.code if closed.rcvd else closed.sent.code if closed.sent else 1006
    # Who closes with a code was there.
    trouble = Trouble.VENDOR if closed.rcvd else Trouble.NETWORK
    return Unreachable(f"the line to the agent broke (code {number})", trouble)


def _seconds(after: str) -> float | None:
    """What a Retry-After asks for (RFC 9110, 10.2.3): seconds or a date."""
    if after.isascii() and after.isdecimal():
        return min(float(after), LONGEST_WAIT_S)
    with suppress(ValueError, TypeError, OverflowError):
        wait_s = parsedate_to_datetime(after).timestamp() - time.time()
        return min(max(wait_s, 0.0), LONGEST_WAIT_S)
    return None
