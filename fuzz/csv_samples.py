"""Product files to begin with, by how they end, and words that mean something in one."""

from __future__ import annotations

from orchestrator.catalogue_cells import COLUMNS
from orchestrator.catalogue_csv import DEMO

_HEADER = ",".join(COLUMNS)
_MUG = "mugg,Mugg,149.90,SEK,25,M-1,12345678,10,yes,"


def _file(*lines: str, header: str = _HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


SEEDS = {
    "products": (
        _file(_MUG),
        b"\xef\xbb\xbf" + _file(_MUG, "sked,Sked,49,JPY,12.5,,,,,").replace(b"\n", b"\r\n"),
        _file(_MUG, 'set,"Set ""två""",200,SEK,25,,,,no,mugg:2;kaffe-250:1'),
        _file(
            "set;Set;1299,50;SEK;12,5;;;;;mugg:2",
            _MUG.replace(",", ";"),
            header=_HEADER.replace(",", ";"),
        ),
        _file("filter-80,'=Filter,70,BHD,0.0001,'@sku,12345678901234,1000000000,0,"),
        _file('"x","two words",1.234,KWD,100,"a""b",,0,TRUE,'),
        _file("fikapaket,No bundle any more,1,SEK,25,,,7,yes,"),
    ),
    "no change": (DEMO.read_bytes(), _file()),
    "lines in error": (
        _file("a,b"),
        _file(_MUG, _MUG),
        _file(",,x,sek,101,,1,-1,maybe,a:b"),
        _file("set,Set,1,SEK,25,,,,,fikapaket:1", "self,S,1,SEK,25,,,,,self:1;gone:2"),
        _file("kaffe-250,Part becomes bundle,1,SEK,25,,,,,te-100:1"),
        _file("x,Foreign bundle,1,EUR,25,,,,,kaffe-250:1;kaffe-250:0"),
        _file(f"{'t' * 65},{'T' * 201},99999999999.01,SEK,1e3,{'s' * 65},,{10**9 + 1},,"),
    ),
    "no product file": (
        b"",
        b"\xff\xfe" + _file(_MUG),
        b"token,title\n",
        _file('"open,' + _MUG),
        _file(_MUG, header=_HEADER + ",token,colour"),
        _file("a\0b"),
    ),
}

WORDS = (
    *(name.encode() for name in COLUMNS),
    *(_HEADER.encode() + b"\n", _HEADER.replace(",", ";").encode() + b"\n", _MUG.encode() + b"\n"),
    *b"""
        mug:2;spoon:1 kaffe-250 te-100 fikapaket SEK JPY KWD CLF XXX 0.0001 99999999999 1000000000 -0 1e3 NaN
        000000000000000000000000000000 yes no true , ; : " "" ' '' '= =1+1 + - @
    """.split(),
    *(b"\t", b"\r", b"\n", b"\r\n", b"\x0b", b"\x0c", b"\x1c", b"\x7f", b"\xed\xa0\x80", b"\xef\xbb\xbf"),
    *(
        odd.encode()
        for odd in "\xa0\x85\u2028\u200b\u3000\uff11\u0661\u202e\u0301\ufffe\ufdd0\u017f\u0131\u0130🛒"
    ),
)
