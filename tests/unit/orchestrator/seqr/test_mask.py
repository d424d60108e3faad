"""The password is in nothing that is kept."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest

from orchestrator.seqr.characters import legible
from orchestrator.seqr.credentials import Credentials
from orchestrator.seqr.mask import KEPT_CHARACTERS, Mask, _masked
from orchestrator.seqr.messages import Exchange, Refused, Unknown, Verdict
from tests.fixtures.soap import ISSUED, PASSWORD, answer, client, invoice, success

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_credentials_do_not_show_the_password() -> None:
    shown = repr(Credentials("TERMINALID", "me", "hunter2!"))
    assert "hunter2" not in shown
    assert "me" in shown


async def test_the_request_is_kept_without_it() -> None:
    seqr, transport = client(success("sendInvoice", ISSUED))
    kept = (await seqr.send_invoice(invoice())).exchange.request
    assert "<password>***</password>" in kept
    assert "s3cr" not in kept
    assert kept == transport.sent[0].decode().replace("s3cr&amp;t&lt;pw&gt;1", "***")


@pytest.mark.parametrize(
    "echo",
    [
        "s3cr&amp;t&lt;pw&gt;1",
        "s3cr&amp;t&lt;pw>1",
        "s3cr&#38;t&#x3C;pw&#062;1",
        "<![CDATA[" + PASSWORD + "]]>",
        "S3CR&amp;T&lt;PW&gt;1",
    ],
)
async def test_an_echo_is_masked_however_it_is_written(echo: str) -> None:
    inner = f"<resultCode>20</resultCode><resultDescription>No: {echo}!</resultDescription>"
    seqr, _ = client(answer("sendInvoice", inner))
    outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Refused)
    assert outcome.description == "No: ***!"
    everything = repr(outcome).lower()
    assert "s3cr" not in everything
    assert "pw" not in everything


async def test_an_unusable_answer_is_masked_too() -> None:
    seqr, _ = client(f"wrong password {PASSWORD}")
    outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Unknown)
    assert "s3cr" not in repr(outcome)
    assert "wrong password ***" in outcome.description


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("<password>other</password>", "<password>***</password>"),
        ("<n:Password a='1'>other</n:Password>", "<n:Password a='1'>***</n:Password>"),
        ("<password>torn", "<password>***"),
        ("<password/><x>1</x>", "<password/><x>1</x>"),
        ("the pass is 1234.", "the pass is ***."),
        ("20151234567", "20151234567"),
    ],
)
def test_short_passwords_do_not_deface_references(text: str, masked: str) -> None:
    assert Mask("1234").hide(text) == masked


def test_a_long_password_is_masked_within_a_word() -> None:
    assert Mask("12345678").hide("x12345678y") == "x***y"


def test_without_a_password_only_elements_are_masked() -> None:
    assert Mask("").hide("a<password>b</password>") == "a<password>***</password>"


def test_a_long_text_is_cut_and_says_so() -> None:
    kept = Mask("hunter22").keep("x" * 100, limit=10)
    assert kept == "xxxxxxxxxx… (cut: 100 characters came)"


@pytest.mark.parametrize("start", range(14))
def test_a_password_across_the_cut_is_masked(start: int) -> None:
    text = "." * start + "hunter22" + "." * 40
    kept = Mask("hunter22").keep(text, limit=12)
    assert "h" not in kept.split("…")[0]
    assert "***" in kept or start >= 12


async def test_a_large_answer_is_kept_in_part() -> None:
    seqr, _ = client(success("sendInvoice", f"<x>{'y' * 2 * KEPT_CHARACTERS}</x>{ISSUED}"))
    outcome = await seqr.send_invoice(invoice())
    assert KEPT_CHARACTERS < len(outcome.exchange.response) < KEPT_CHARACTERS + 100


async def test_what_is_kept_fits_any_database() -> None:
    seqr, _ = client("a\x00b\x1bc")
    outcome = await seqr.send_invoice(invoice())
    assert outcome.exchange.response == "a\ufffdb\ufffdc"
    assert isinstance(outcome, Unknown)
    assert "\x00" not in outcome.description


async def test_texts_are_made_for_who_reads_them_and_large_ones_at_once() -> None:
    small, large = (success("sendInvoice", f"<x>{'y' * size}</x>{ISSUED}") for size in (1, 20_000))
    for said, is_made in ((small, False), (large, True)):
        seqr, _ = client(said)
        exchange = (await seqr.send_invoice(invoice())).exchange
        assert isinstance(exchange.came, str) is is_made
        assert exchange.response == said
        assert not isinstance(exchange.sent, str)
        assert exchange.request == exchange.request


def test_what_is_not_masked_yet_does_not_show() -> None:
    assert PASSWORD not in repr(Exchange("x", AT, 1.0, Verdict.ANSWERED, 0, "", lambda: PASSWORD, PASSWORD))


@pytest.mark.parametrize("odd", ["ı", "İ", "ſ", "\u212a", "å", "漢", "&#105;", ""])
@pytest.mark.parametrize("password", ["kissing-is-it", "k1s", "kıssing", "", "KISSING-IS"])
def test_a_quick_look_misses_nothing_that_the_search_finds(password: str, odd: str) -> None:
    mask = Mask(password)
    for letter in "kiskKISåz":
        for text in (
            f"({password})",
            password.upper(),
            password.replace(letter, odd),
            f"<password>{odd}<",
            odd,
        ):
            searched = mask._pattern.sub(_masked, text)
            assert mask.hide(text) == searched
            assert searched == text or "password" in text or not mask.missing_from(text)


def test_what_can_be_printed_is_legible() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    printable = "".join(filter(str.isprintable, everything))
    assert legible(f"{printable}\n") == f"{printable}\n"
