"""Which encoding the first bytes of a file speak for."""

import codecs
import re

from kerege.gateways.extracts.errors import ExtractNotText, MarkMissing

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_PACKED = {b"PK\x03\x04": "zip or xlsx", b"\xd0\xcf\x11\xe0": "xls", b"\x1f\x8b": "gzip", b"%PDF": "PDF"}
_SINGLE_BYTE = ("cp1251", "cp866", "koi8-r")
_NULLS = 0.1
"""Share of NUL bytes above which a file is no text; a few may be damage."""

_WORD = re.compile("[А-ЯЁ]?[а-яё]{2,}|[А-ЯЁ]{2,}")
_FREQUENT = re.compile("[оеанитрсОЕАНИТРС]")
_MIXED = re.compile("[а-яё][А-ЯЁ]")
_OTHER = re.compile("[^\x00-\x7fА-Яа-яЁё№«»\xa0\ufffd–—]")


def rank_encodings(sample: bytes, *, whole: bool) -> tuple[str, ...]:
    """Encodings that may be meant, the likeliest first; none where the sample is ASCII and speaks for no one.

    `whole`: the sample is the file, so that a character cut off at its end is damage. Raises `ExtractNotText`,
    `MarkMissing`.
    """
    for magic, kind in _PACKED.items():
        if sample.startswith(magic):
            raise ExtractNotText(kind=kind)
    if sample.startswith(_UTF_32):
        raise ExtractNotText(kind="UTF-32")
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return (encoding,)
    if sample.count(0) > len(sample) * _NULLS:
        raise MarkMissing if _is_paired(sample) else ExtractNotText(kind="binary")
    if sample.isascii():
        return ()
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample, final=whole)
    broken = text.count("\ufffd")
    sound = sum(letter > "\x7f" for letter in text) - broken
    singles = tuple(sorted(_SINGLE_BYTE, key=lambda encoding: -_likeness(sample, encoding)))
    # Bytes of a single-byte encoding hardly ever form characters of UTF-8; a UTF-8 file with damaged rows mostly does.
    return ("utf-8", *singles) if sound > 2 * broken else (*singles, "utf-8")


def _is_paired(sample: bytes) -> bool:
    """Whether the NUL bytes are halves of letters of UTF-16: those of its ASCII letters stand all on one side."""
    sides = sorted((sample[::2].count(0), sample[1::2].count(0)))
    return sides[0] < sides[1] * _NULLS


def _likeness(sample: bytes, encoding: str) -> int:
    """How much the sample, so decoded, looks like Cyrillic words: letters in words, without case changing inside."""
    text = sample.decode(encoding, "replace")
    letters = sum(map(len, _WORD.findall(text)))
    frequent = len(_FREQUENT.findall(text))
    return letters + frequent - 4 * len(_MIXED.findall(text)) - 4 * len(_OTHER.findall(text))
