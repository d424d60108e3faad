"""Addresses and mail servers as they are set."""

from __future__ import annotations

import pytest

from orchestrator.mail import BadAddress, address, sender_of
from orchestrator.settings import Settings, SettingsError
from orchestrator.smtp import MailServer


@pytest.mark.parametrize(
    ("mail_from", "sender"),
    [
        ("shop@example.com", "Demo shop <shop@example.com>"),
        ("The Shop <shop@example.com>", "The Shop <shop@example.com>"),
        ("shop@räksmörgås.example", "Demo shop <shop@xn--rksmrgs-5wao1o.example>"),
    ],
)
def test_the_sender_is_named_after_the_shop_unless_it_has_a_name(mail_from: str, sender: str) -> None:
    assert str(sender_of(Settings(_env_file=None, mail_from=mail_from))) == sender


def test_a_sender_that_is_no_address_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="ORCHESTRATOR_MAIL_FROM"):
        sender_of(Settings(_env_file=None, mail_from="a b@example.com"))


@pytest.mark.parametrize(
    "spec", ["", "a@" + "b" * 254, "a@" + "b" * 64 + ".se", "a@..", "a@b\ud800.se", "a@b@c.se"]
)
def test_what_is_no_address_is_refused(spec: str) -> None:
    with pytest.raises(BadAddress):
        address(spec)


def test_a_long_name_of_another_script_is_left_out() -> None:
    assert address("a@example.com", "東" * 16).display_name == ""
    assert address("a@example.com", "a" * 100).display_name == "a" * 100


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("smtp://mail.example", "mail.example:25"),
        ("smtps://u:p@mail.example", "mail.example:465"),
        ("smtp+starttls://mail.example", "mail.example:587"),
        ("smtp://mail.example:2525", "mail.example:2525"),
    ],
)
def test_each_scheme_has_its_port(url: str, name: str) -> None:
    assert MailServer(url).name == name


@pytest.mark.parametrize(
    "url", ["smtp://", "smtp://u:secret@", "smtp://u:secret@host:port", "http://u:secret@h"]
)
def test_a_wrong_mail_server_is_told_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="ORCHESTRATOR_SMTP_URL: should be") as told:
        MailServer(url)
    assert "secret" not in told.value.message
