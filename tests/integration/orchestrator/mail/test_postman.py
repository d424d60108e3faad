"""The postman against a mail server that obeys, refuses, drops and dawdles."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiosmtpd.smtp import SMTP
from pydantic import SecretStr
from sqlalchemy import Connection, update
from structlog.testing import capture_logs

from orchestrator import outbox, qr
from orchestrator.database import Database
from orchestrator.identity import now
from orchestrator.outbox import LEASE
from orchestrator.postman import BATCH, LANES, Postman
from orchestrator.settings import Settings
from orchestrator.smtp import DEADLINE, MailServer
from orchestrator.stamp import Stamp
from orchestrator.tables import purchases
from tests.integration.orchestrator.mail.conftest import PASSWORD, Post, mails, open_post, ordered_and_told


def settings(post: Post | None = None, **changes: Any) -> Settings:
    smtp_url = None if post is None else SecretStr(post.url())
    return Settings(_env_file=None, **{"smtp_url": smtp_url, "mail_from": "shop@example.com", **changes})


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


async def states(database: Database) -> list[str]:
    return [row["state"] for row in await mails(database)]


class Later:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.by


async def test_a_confirmation_goes_out_whole(database: Database, post: Post) -> None:
    await database.write(ordered_and_told, "anna@example.com")
    postman = Postman(database, settings(post, shop_name="Kök & Kaffe"))
    assert await postman.run_once() == 1
    (message,) = post.taken
    (row,) = await mails(database)
    assert (row["state"], row["attempts"], row["next_attempt_at"]) == ("sent", 1, None)
    assert message["From"] == "Kök & Kaffe <shop@example.com>"
    assert message["To"] == "Anna Svensson <anna@example.com>"
    assert message["Subject"] == "Your order from Kök & Kaffe: Breakfast set"
    assert message["Message-ID"] == f"<{row['message_id']}@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert abs(message["Date"].datetime - now()) < timedelta(minutes=1)
    text = part(message, "plain").replace("\xa0", " ")
    for said in (
        "2 × Mug: 298,00 kr",
        "Delivery: 49,00 kr",
        "Total: 403,90 kr",
        "Of which 25 % tax: 69,40 kr",
        "Of which 6 % tax: 3,22 kr",
        "903 26 Umeå",
        "SEQR reference 2026112300001",
    ):
        assert said in text
    assert "Spoon" not in text
    assert part(message, "html").replace("\r\n", "\n").strip() == row["html_body"].strip()
    assert await postman.run_once() == 0
    assert len(post.taken) == 1


async def test_without_a_mail_server_mails_are_kept(database: Database) -> None:
    for _ in range(2 * BATCH + 1):
        await database.write(ordered_and_told, "anna@example.com")
    assert await Postman(database, settings()).run_once() == 2 * BATCH + 1
    found = await mails(database)
    assert {row["state"] for row in found} == {"kept"}
    assert "Breakfast set" in found[-1]["subject"]
    assert "<h1" in found[-1]["html_body"]


async def test_of_mails_that_are_kept_one_that_cannot_be_written_holds_up_no_other(
    database: Database,
) -> None:
    def ended(connection: Connection, purchase_id: str) -> None:
        done = update(purchases).where(purchases.c.id == purchase_id).values(state="paid")
        connection.execute(done)

    first = await database.write(ordered_and_told, "a@example.com")
    over = await database.write(ordered_and_told, "b@example.com", "payment_link", state="invoiced")
    await database.write(ended, over)
    await database.write(outbox.enqueue, first, "order_confirmation", "a@example.com", now())
    with capture_logs() as told:
        assert await Postman(database, settings()).run_once() == 3
    rows = await mails(database)
    assert [row["state"] for row in rows] == ["kept", "failed", "kept"]
    assert [row["last_error"] for row in rows] == [
        None,
        "The purchase is paid: there is no open invoice to pay.",
        None,
    ]
    assert [line["event"] for line in told] == ["mail.not_sent", "mail.kept", "mail.kept"]


async def test_one_bad_mail_holds_up_no_other(database: Database, post: Post) -> None:
    async def drop(server: SMTP) -> str:
        assert isinstance(server.transport, asyncio.Transport)
        server.transport.abort()
        return "451 gone"

    async def full(server: SMTP) -> str:
        return "452 4.2.2 The mailbox is full for now"

    async def spam(server: SMTP) -> str:
        return "554 5.7.1 This looks like spam"

    post.recipients["unknown@example.com"] = "550 5.1.1 No such user"
    post.recipients["grey@example.com"] = "450 4.2.0 Come back later"
    post.data = {"drop@example.com": drop, "full@example.com": full, "spam@example.com": spam}
    told = [
        "unknown",
        "ok1",
        "drop",
        "ok2",
        "grey",
        "ok3",
        "full",
        "ok4",
        "spam",
        "ok5",
        "not an address",
        "ok6",
    ]
    for name in told:
        await database.write(ordered_and_told, f"{name}@example.com")
    await Postman(database, settings(post)).run_once()
    found = {
        row["recipient"].split("@")[0]: (row["state"], row["last_error"]) for row in await mails(database)
    }
    assert {name for name, (state, _) in found.items() if state == "sent"} == {f"ok{n}" for n in range(1, 7)}
    assert found["unknown"] == (
        "failed",
        f"The mail server 127.0.0.1:{post.port} did not take the mail: 550 5.1.1 No such user",
    )
    assert found["spam"][0] == "failed"
    assert found["not an address"] == (
        "failed",
        "'not an address@example.com' is not an address to which mail can be sent.",
    )
    for name in ("drop", "grey", "full"):
        state, error = found[name]
        assert state == "queued"
        assert error is not None
        assert "did not take the mail" in error


async def test_what_failed_for_now_goes_out_later_with_the_same_message_id(
    database: Database, post: Post
) -> None:
    post.recipients["anna@example.com"] = "450 4.2.0 Come back later"
    await database.write(ordered_and_told, "anna@example.com")
    clock = Later()
    postman = Postman(database, settings(post), clock=clock)
    await postman.run_once()
    assert await states(database) == ["queued"]
    post.recipients.clear()
    clock.by = timedelta(seconds=2)
    await postman.run_once()
    (row,) = await mails(database)
    assert (row["state"], row["attempts"], row["last_error"]) == ("sent", 2, None)
    assert post.taken[0]["Message-ID"] == f"<{row['message_id']}@example.com>"


async def test_a_mail_server_that_is_away_costs_nothing(database: Database) -> None:
    async with open_post() as post:
        pass
    await database.write(ordered_and_told, "anna@example.com")
    await Postman(database, settings(post)).run_once()
    (row,) = await mails(database)
    assert row["state"] == "queued"
    assert f"The mail server 127.0.0.1:{post.port} cannot be reached" in row["last_error"]


async def test_a_slow_mail_server_is_left_at_its_deadline(database: Database, post: Post) -> None:
    released = asyncio.Event()

    async def dawdle(server: SMTP) -> str:
        await released.wait()
        return "250 OK"

    post.data["slow@example.com"] = dawdle
    for name in ("slow", "quick"):
        await database.write(ordered_and_told, f"{name}@example.com")
    postman = Postman(database, settings(), MailServer(post.url(), deadline=0.5))
    await postman.run_once()
    released.set()
    slow, quick = await mails(database)
    assert (slow["state"], slow["last_error"]) == (
        "queued",
        f"The mail server 127.0.0.1:{post.port} did not finish within 0.5 s.",
    )
    assert quick["state"] == "sent"


def test_a_batch_is_through_before_its_lease_is_over() -> None:
    assert LEASE.total_seconds() > BATCH / LANES * DEADLINE


async def test_two_postmen_send_each_mail_once(database: Database, post: Post) -> None:
    for number in range(30):
        await database.write(ordered_and_told, f"c{number}@example.com")
    postmen = [Postman(database, settings(post)) for _ in range(2)]
    assert sum(await asyncio.gather(*(postman.run_once() for postman in postmen))) == 30
    recipients = sorted(envelope.rcpt_tos[0] for envelope in post.envelopes)
    assert recipients == sorted(f"c{number}@example.com" for number in range(30))


async def test_a_postman_runs_once_at_a_time(database: Database, post: Post) -> None:
    await database.write(ordered_and_told, "anna@example.com")
    postman = Postman(database, settings(post))
    assert sorted(await asyncio.gather(*(postman.run_once() for _ in range(3)))) == [0, 0, 1]


async def test_a_wrong_template_is_told_by_line_and_the_mail_goes_once_it_is_right(
    database: Database, post: Post, tmp_path: Path
) -> None:
    template = tmp_path / "order_confirmation.txt.j2"
    template.write_text("Hello\n{{ order.nothing_like_this }}\n")
    await database.write(ordered_and_told, "anna@example.com")
    clock = Later()
    postman = Postman(database, settings(post, mail_templates=tmp_path), clock=clock)
    await postman.run_once()
    (row,) = await mails(database)
    assert row["state"] == "queued"
    assert row["last_error"].startswith(
        "The mail template order_confirmation.txt.j2, line 2, cannot be filled in"
    )
    template.write_text("Hello {{ customer.name }}\n")
    clock.by = timedelta(seconds=2)
    await postman.run_once()
    assert part(post.taken[0], "plain").strip() == "Hello Anna Svensson"


@pytest.mark.parametrize(
    "address",
    [
        "anna@example.com\r\nBcc: all@example.com",
        "anna@example.com\nBcc: all@example.com",
        "anna@exam\x00ple.com",
        "anna@example.com, all@example.com",
        "anna@example.com\u2028Bcc: all@example.com",
        '"a\\"b"@example.com',
        "Anna <anna@example.com>",
        "anna",
        "@example.com",
    ],
)
async def test_nothing_is_smuggled_in_by_the_address(post: Post, address: str, sqlite_only: Database) -> None:
    await sqlite_only.write(ordered_and_told, address)
    await Postman(sqlite_only, settings(post)).run_once()
    (row,) = await mails(sqlite_only)
    assert (row["state"], post.taken) == ("failed", [])
    assert "is not an address to which mail can be sent" in row["last_error"]
    assert row["last_error"].isprintable()


ODD = """<b>"Åsa" & 'Çelik' ]]> 東京 🎁 {{ 7*7 }} العربية</b>"""
NAME = """<Å> "B" & 東京 {{ 7*7 }} 🎁"""


async def test_odd_text_arrives_unharmed(database: Database, post: Post) -> None:
    await database.write(
        ordered_and_told, "a@example.com", title=ODD, customer_name=NAME, customer_street=ODD
    )
    await Postman(database, settings(post, shop_name="Tea <&> Co\x7f\r\nBcc: all@example.com")).run_once()
    (message,) = post.taken
    assert message["Bcc"] is None
    assert message["To"].addresses[0].display_name == NAME
    assert message["Subject"] == f"Your order from Tea <&> Co Bcc: all@example.com: {ODD}"
    assert ODD in part(message, "plain")
    html = part(message, "html")
    assert "<b>" not in html
    assert "&lt;b&gt;&#34;Åsa&#34; &amp; &#39;Çelik&#39; ]]&gt; 東京 🎁 {{ 7*7 }} العربية&lt;/b&gt;" in html


async def test_a_payment_link_carries_code_and_link(database: Database, post: Post) -> None:
    await database.write(ordered_and_told, "a@example.com", "payment_link", state="invoiced")
    await Postman(database, settings(post)).run_once()
    (message,) = post.taken
    text, html = part(message, "plain"), part(message, "html")
    assert "HTTP://SEQR.SE/R12345" in text
    assert "seqr://SEQR.SE/R12345" in text
    assert 'href="HTTP://SEQR.SE/R12345"' in html
    assert 'href="seqr://SEQR.SE/R12345"' in html
    (picture,) = [each for each in message.walk() if each.get_content_type() == "image/png"]
    assert f"cid:{picture['Content-ID'].strip('<>')}" in html
    assert picture.get_content_disposition() == "inline"
    assert picture.get_payload(decode=True) == qr.png("HTTP://SEQR.SE/R12345")


@pytest.mark.parametrize("state", ["paid", "failed", "stocked", "received"])
async def test_no_payment_link_goes_out_when_there_is_nothing_to_pay(
    database: Database, post: Post, state: str
) -> None:
    def moved_on(connection: Connection, purchase_id: str) -> None:
        values = {"state": state, "reason": "expired" if state == "failed" else None}
        connection.execute(update(purchases).where(purchases.c.id == purchase_id).values(values))

    purchase_id = await database.write(ordered_and_told, "a@example.com", "payment_link", state="invoiced")
    await database.write(moved_on, purchase_id)
    await Postman(database, settings(post)).run_once()
    (row,) = await mails(database)
    assert (row["state"], post.taken) == ("failed", [])
    assert row["last_error"] == f"The purchase is {state}: there is no open invoice to pay."


async def test_addresses_of_any_script(sqlite_only: Database, post: Post) -> None:
    for recipient in ("björn@example.com", "anna@räksmörgås.example"):
        await sqlite_only.write(ordered_and_told, recipient)
    await Postman(sqlite_only, settings(post)).run_once()
    assert sorted(envelope.rcpt_tos[0] for envelope in post.envelopes) == [
        "anna@xn--rksmrgs-5wao1o.example",
        "björn@example.com",
    ]


async def test_an_address_that_the_mail_server_cannot_write_is_given_up(sqlite_only: Database) -> None:
    async with open_post(enable_SMTPUTF8=False) as post:
        await sqlite_only.write(ordered_and_told, "björn@example.com")
        await Postman(sqlite_only, settings(post)).run_once()
    (row,) = await mails(sqlite_only)
    assert row["state"] == "failed"
    assert "SMTPUTF8" in row["last_error"]


@pytest.mark.parametrize(("password", "state"), [(PASSWORD, "sent"), ("wröng/pw", "queued")])
async def test_signing_in_keeps_the_password_to_itself(
    sqlite_only: Database, post: Post, password: str, state: str
) -> None:
    url = post.url(user=f"{quote('shop@example.com', safe='')}:{quote(password, safe='')}@")
    await sqlite_only.write(ordered_and_told, "a@example.com")
    await Postman(sqlite_only, settings(smtp_url=SecretStr(url))).run_once()
    (row,) = await mails(sqlite_only)
    assert post.signed_in
    assert set(post.signed_in) == {"shop@example.com"}
    assert row["state"] == state
    if state == "queued":
        assert "refused the user name or password (535)" in row["last_error"]
        assert password not in row["last_error"]


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_tls_is_never_given_up_for_plain(sqlite_only: Database, post: Post, scheme: str) -> None:
    await sqlite_only.write(ordered_and_told, "a@example.com")
    await Postman(sqlite_only, settings(smtp_url=SecretStr(post.url(scheme)))).run_once()
    (row,) = await mails(sqlite_only)
    assert (row["state"], post.taken) == ("queued", [])
    assert "cannot be reached" in row["last_error"]


async def test_a_sent_mail_can_be_sent_again(database: Database, post: Post) -> None:
    await database.write(ordered_and_told, "a@example.com")
    postman = Postman(database, settings(post))
    await postman.run_once()
    (row,) = await mails(database)
    await database.write(outbox.resend, row["id"], Stamp("operator:eva", now()))
    await postman.run_once()
    assert [message["Message-ID"] for message in post.taken] == [f"<{row['message_id']}@example.com>"] * 2
