"""Global trade item numbers: which barcodes are ones that the whole world knows."""

from __future__ import annotations

LENGTHS = (8, 12, 13, 14)


def read_gtin(barcode: str) -> str:
    """Return the digits of a barcode that is a GTIN, and nothing for any other text.

    The last digit checks the others. Numbers that shops give out among themselves, or to coupons,
    are none: GS1 keeps the prefixes 02, 04, 2, 05, 98 and 99 for them, and 0000001 to 0000007.

    >>> read_gtin("4006381 333931"), read_gtin("4006381333932"), read_gtin("2000000000015")
    ('4006381333931', '', '')
    """
    digits = barcode.replace(" ", "").replace("-", "")
    if len(digits) not in LENGTHS or not (digits.isascii() and digits.isdigit()):
        return ""
    long = digits.rjust(14, "0")
    weighted = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(long[:13]))
    if (10 - weighted % 10) % 10 != int(long[13]):
        return ""
    company = long[1:]
    if len(digits) == 8:
        return "" if digits.startswith(("0", "2")) else digits
    if company.startswith(("02", "04", "05", "2", "98", "99", "0000000")):
        return ""
    return digits
