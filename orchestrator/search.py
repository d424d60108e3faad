"""Finding purchases by what somebody types: words of name, mail and phone; references; products.

A purchase's terms are written in its own commit, twice: a row each in ``search_terms``, where an index finds
the beginning of a word among millions, and together in ``purchases.search_text``, where a purchase that was
found by other means is held against the words. All are in lower case and without accents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import ColumnElement, Connection, Select, bindparam, insert, or_, select, union, update

from orchestrator import batch
from orchestrator.tables import invoice_attempts, products, purchases, search_terms

MOST_WORDS = 8
"""Of a query, so many words count."""
LONGEST_TERM = 254

_BATCH = 1000

_PHONE_DIGITS = 9
"""A national number without its 0: the same whether a country code stands before it."""
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "’": "'"})
_PHONE = re.compile(r"\+?[\d\s()/.-]{5,}")
_WORD = re.compile(r"\w+")
_OUTSIDE = re.compile(r"^\W+|\W+$")
_ID_BEGINNING = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{1,12}){0,4}-?")
_ID_GROUPS = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
_AFTER_HEX = "g"
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Word:
    """The beginning of a term, and the products that the word is about."""

    text: str
    tokens: tuple[str, ...] = ()

    def purchase_ids(self) -> list[Select[Any]]:
        """Statements for the ids of the purchases that it finds, each by an index."""
        term = search_terms.c.term
        # An equality is an index's business on every database; a range needs both of its ends.
        range_ = (term >= self.text, term < self.text + _LAST_CHARACTER)
        found = [select(search_terms.c.purchase_id.label("id")).where(*range_)]
        if self.tokens:
            found.append(select(purchases.c.id).where(purchases.c.purchase_token.in_(self.tokens)))
        return found

    def condition(self) -> ColumnElement[bool]:
        """Whether it finds a purchase, told from its row."""
        told = purchases.c.search_text.contains(f" {self.text}", autoescape=True)
        return or_(told, purchases.c.purchase_token.in_(self.tokens)) if self.tokens else told

    def finds(self, search_text: str, token: str) -> bool:
        """The same for a purchase that was read."""
        return f" {self.text}" in search_text or token in self.tokens


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody typed, understood.

    With ``ids`` it named purchases outright, with ``beginning`` it is how their ids begin; else all of
    ``words`` have to find a purchase. With none of these nothing is found.
    """

    ids: tuple[str, ...] = ()
    beginning: str = ""
    words: tuple[Word, ...] = ()

    def condition(self) -> list[ColumnElement[bool]]:
        """What holds for the purchases that it finds."""
        if self.beginning:
            return [purchases.c.id >= self.beginning, purchases.c.id < self.beginning + _AFTER_HEX]
        if not self.ids and self.words:
            return [word.condition() for word in self.words]
        return [purchases.c.id.in_(self.ids)]

    def finds(self, purchase_id: str, search_text: str, token: str) -> bool:
        """The same for a purchase that was read."""
        if self.beginning:
            return purchase_id.startswith(self.beginning)
        if not self.ids and self.words:
            return all(word.finds(search_text, token) for word in self.words)
        return purchase_id in self.ids


def understand(connection: Connection, text: str) -> Query:
    """Look up what was typed: an id, a reference, the beginning of an id, or words."""
    named = tuple(row[0] for row in connection.execute(_named(text)))
    if named:
        return Query(ids=named)
    beginning = _id_beginning(text)
    if beginning and connection.execute(_begins(beginning)).first() is not None:
        return Query(beginning=beginning)
    texts = words(text)
    catalogue = _catalogue(connection) if texts else []
    return Query(words=tuple(Word(word, _about(word, catalogue)) for word in texts))


def words(text: str) -> tuple[str, ...]:
    """The words of a query, in the form of the terms; a phone number is one, however it is grouped."""
    if _PHONE.fullmatch(text.strip()):
        number = digits(text).lstrip("0")
        return (number,) if number else ()
    found = [_OUTSIDE.sub("", word) for word in fold(text).split()]
    kept = [word for word in found if word] or fold(text).split()
    return tuple(dict.fromkeys(word[:LONGEST_TERM] for word in kept))[:MOST_WORDS]


def terms(name: str, mail: str, phone: str) -> list[str]:
    """What a purchase is found by, each once."""
    found = dict.fromkeys([*_name_terms(name), *_mail_terms(mail), *_phone_terms(phone)])
    return [term[:LONGEST_TERM] for term in found if term]


def search_text(found: list[str]) -> str:
    """The terms together, each behind a space."""
    return "".join(f" {term}" for term in found)


def write(connection: Connection, purchase_id: str, found: list[str]) -> None:
    """Keep a new purchase's terms where they are looked for."""
    rows = [{"term": term, "purchase_id": purchase_id} for term in found]
    batch.add_all(connection, search_terms, rows)


def fill(connection: Connection) -> None:
    """Write the terms of the purchases that were made before there were any."""
    customer = (purchases.c.customer_name, purchases.c.customer_email, purchases.c.customer_msisdn)
    oldest = select(purchases.c.id, *customer).order_by(purchases.c.id).limit(_BATCH)
    last = ""
    while rows := connection.execute(oldest.where(purchases.c.id > last)).all():
        last = rows[-1].id
        found = {id_: terms(*said) for id_, *said in rows}
        connection.execute(
            update(purchases)
            .where(purchases.c.id == bindparam("purchase"))
            .values(search_text=bindparam("text")),
            [{"purchase": id_, "text": search_text(its)} for id_, its in found.items()],
        )
        connection.execute(
            insert(search_terms),
            [{"term": term, "purchase_id": id_} for id_, its in found.items() for term in its],
        )


def without_words(address: str) -> str:
    """The list's address without what was searched for: a customer's name, mail address or phone."""
    path, _, query = address.partition("?")
    kept = urlencode([pair for pair in parse_qsl(query) if pair[0] != "q"], safe=":,")
    return f"{path}?{kept}" if kept else path


def untelling(address: str) -> str:
    """The list's address as it may stand where nothing can be erased: that words were searched for, but not
    which."""
    return f"{without_words(address)} (and words)" if words_in(address) else address


def words_in(address: str) -> tuple[str, ...]:
    """The words that a list's address searches for."""
    return words(" ".join(value for name, value in parse_qsl(address.partition("?")[2]) if name == "q"))


def fold(text: str) -> str:
    """Lower case, no accents: ``Åsa Öberg`` and ``asa oberg`` are the same."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(character for character in plain if not unicodedata.combining(character))


def _name_terms(name: str) -> Iterator[str]:
    for word in fold(name).split():
        whole = _OUTSIDE.sub("", word)
        yield whole or word
        yield from _WORD.findall(whole)


def _mail_terms(mail: str) -> Iterator[str]:
    """The whole, the words before the @, and the domain from each of its names but the last."""
    local, _, domain = fold(mail).strip().rpartition("@")
    yield fold(mail).strip()
    yield from _WORD.findall(local)
    labels = domain.split(".")
    for number in range(max(len(labels) - 1, 1)):
        yield ".".join(labels[number:])


def _phone_terms(phone: str) -> Iterator[str]:
    number = digits(phone)
    yield number
    yield number[-_PHONE_DIGITS:]


def digits(text: str) -> str:
    """A phone number without what stands between its digits."""
    return "".join(character for character in text if character in "0123456789")


def _named(text: str) -> Select[Any]:
    """By id or by a reference as a whole, also one of an invoice that was replaced."""
    found = union(
        select(purchases.c.id).where(purchases.c.id == text.lower()),
        select(purchases.c.id).where(purchases.c.invoice_reference == text),
        select(purchases.c.id).where(purchases.c.ers_reference == text),
        select(invoice_attempts.c.purchase_id).where(invoice_attempts.c.reference == text),
    ).subquery()
    return select(found.c.id)


def _begins(beginning: str) -> Select[Any]:
    return select(purchases.c.id).where(*Query(beginning=beginning).condition()).limit(1)


def _id_beginning(text: str) -> str:
    """With the dashes where they belong; empty for what no id begins with."""
    if not _ID_BEGINNING.fullmatch(text.lower()):
        return ""
    hexadecimal = text.lower().replace("-", "")
    return "-".join(hexadecimal[begin:end] for begin, end in _ID_GROUPS if hexadecimal[begin:end])


def _catalogue(connection: Connection) -> list[tuple[str, str]]:
    """Each product's token, and what a word is looked for in."""
    rows = connection.execute(select(products.c.token, products.c.title))
    return [(row.token, fold(f"{row.token} {row.title}")) for row in rows]


def _about(word: str, catalogue: list[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(token for token, text in catalogue if word in text)
