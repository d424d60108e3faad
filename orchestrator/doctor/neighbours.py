"""Those we deal with: SEQR, the mail server, whoever calls us, and the time of day."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

import aiohttp
from aiosmtplib import SMTPException

from orchestrator.doctor.finding import SECONDS, Finding, doubtful, ill, well
from orchestrator.doctor.ground import missing_settings
from orchestrator.seqr.client import SoapSeqr
from orchestrator.seqr.credentials import Credentials
from orchestrator.seqr.probe import Reach, probe
from orchestrator.seqr.wsdl import OPERATIONS, SHIPPED_WSDL, Wsdl
from orchestrator.settings import PREFIX, Settings, SettingsError
from orchestrator.smtp import MailServer

_CLOCK_WARN = 5.0
_CLOCK_FAIL = 60.0
_FIRST_YEAR = 2025


async def check_wsdl(settings: Settings) -> Finding:
    """It can be read and has the operations that we call."""
    location = settings.seqr_wsdl or str(SHIPPED_WSDL)
    await asyncio.to_thread(Wsdl.load, location)
    which = "The WSDL that ships with the project" if settings.seqr_wsdl is None else location
    return well(f"{which} describes {', '.join(OPERATIONS)}.")


async def check_seqr(settings: Settings) -> Finding:
    """SEQR answers and takes the credentials. Asking for an invoice that cannot exist changes nothing."""
    if missing_settings(settings):
        return ill("SEQR was not asked: its address or credentials are missing.", "See the settings above.")
    seqr = await asyncio.to_thread(_open_seqr, settings)
    try:
        found = await probe(seqr)
    finally:
        await seqr.close()
    match found.reach:
        case Reach.ACCEPTED:
            return well(found.detail)
        case Reach.CREDENTIALS_REFUSED:
            return ill(
                found.detail, f"Correct {PREFIX}SEQR_PRINCIPAL_TYPE, _PRINCIPAL_ID, _USER_ID and _PASSWORD."
            )
        case Reach.REACHED:
            return doubtful(found.detail, "Try again in a minute; if it stays so, ask SEQR.")
        case _:
            return ill(found.detail, f"Correct {PREFIX}SEQR_ENDPOINT, or let this machine through to it.")


def _open_seqr(settings: Settings) -> SoapSeqr:
    assert settings.seqr_endpoint is not None
    assert settings.seqr_principal_id is not None
    assert settings.seqr_password is not None
    credentials = Credentials(
        settings.seqr_principal_type,
        settings.seqr_principal_id,
        settings.seqr_password.get_secret_value(),
        settings.seqr_user_id,
    )
    wsdl = settings.seqr_wsdl or SHIPPED_WSDL
    return SoapSeqr.open(settings.seqr_endpoint, credentials, wsdl=wsdl, timeout=settings.seqr_timeout)


async def check_smtp(settings: Settings) -> Finding:
    """The mail server lets us in."""
    if settings.smtp_url is None:
        return doubtful(
            "No mail server is set: order confirmations are kept and shown in the dashboard only.",
            f"Set {PREFIX}SMTP_URL.",
        )
    try:
        server = MailServer(settings.smtp_url.get_secret_value(), deadline=SECONDS - 2)
    except SettingsError as error:
        return ill(error.message, f"Correct {PREFIX}SMTP_URL.")
    try:
        client = await server.connect()
        try:
            await client.noop()
            await client.quit()
        finally:
            client.close()
    except (SMTPException, OSError) as error:
        return ill(f"The mail server {server.name}: {server.told(error)}", f"Correct {PREFIX}SMTP_URL.")
    return well(f"The mail server {server.name} lets us in.")


async def check_public_address(settings: Settings) -> Finding:
    """SEQR and customers can reach us."""
    address = settings.public_url
    if is_loopback(address) and not is_loopback(settings.seqr_endpoint or address):
        return ill(
            f"SEQR cannot call {address}: that address is this machine's own.",
            f"Set {PREFIX}PUBLIC_URL to the address under which the internet reaches you.",
        )
    if (wrong := await _no_answer(address)) is not None:
        return wrong
    if not is_loopback(address) and urlsplit(address).scheme != "https":
        return doubtful(
            f"{address} answers, but without TLS anybody on the way can read orders.",
            f"Put a proxy with TLS in front and set {PREFIX}PUBLIC_URL to https://...",
        )
    return well(f"{address}/healthz answers.")


async def _no_answer(address: str) -> Finding | None:
    start = "Start it (orchestrator serve), or correct the proxy in front of it."
    try:
        async with _http() as http, http.get(f"{address}/healthz") as answer:
            if answer.status == HTTPStatus.OK:
                return None
            return doubtful(f"{address}/healthz answers {answer.status}.", start)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return doubtful(f"{address}/healthz does not answer ({type(error).__name__}).", start)


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


async def check_clock(settings: Settings) -> Finding:
    """This machine's clock is right: invoices run out by it."""
    theirs = await _date_of(settings.seqr_endpoint) if settings.seqr_endpoint else None
    ours = datetime.now(UTC)
    if theirs is None:
        return judge_unmeasured_clock(ours)
    return judge_clock((ours - theirs).total_seconds())


def judge_clock(ahead: float) -> Finding:
    """``ahead``: seconds by which our clock is ahead of SEQR's, whose header has whole seconds."""
    direction = "ahead of" if ahead > 0 else "behind"
    sentence = f"The clock is {abs(ahead):.0f} s {direction} SEQR's."
    remedy = "Let the machine keep its time by NTP."
    if abs(ahead) > _CLOCK_FAIL:
        return ill(sentence, remedy)
    if abs(ahead) > _CLOCK_WARN:
        return doubtful(sentence, remedy)
    return well("The clock agrees with SEQR's.")


def judge_unmeasured_clock(ours: datetime) -> Finding:
    """All that can be said without another clock."""
    if ours.year < _FIRST_YEAR:
        return ill(f"The clock says {ours:%Y-%m-%d}, which is long ago.", "Set the machine's clock; use NTP.")
    return doubtful(
        f"The clock says {ours:%Y-%m-%d %H:%M:%S} UTC; SEQR gave no time to compare it with.",
        "See for yourself, or make SEQR's endpoint reachable.",
    )


async def _date_of(endpoint: str) -> datetime | None:
    try:
        async with _http() as http, http.head(endpoint, allow_redirects=False) as answer:
            return parsedate_to_datetime(answer.headers["Date"])
    except (aiohttp.ClientError, OSError, TimeoutError, KeyError, ValueError):
        return None


def _http() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS - 2))
