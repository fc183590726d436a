"""For how long books and invoices are commonly kept, by country; the shop's default, no advice.

Sources: § 147 AO and § 257 HGB (Germany: books 10 years; invoices alone 8 since 2025), § 132 BAO
(Austria), Code de commerce L123-22 (France), art. 2220 codice civile (Italy), art. 30 Código de
Comercio (Spain), art. 52 AWR (Netherlands), art. 60 VAT code (Belgium), art. 958f OR (Switzerland),
VAT Notice 700/21 (United Kingdom), s. 886 TCA 1997 (Ireland), art. 86 Ordynacja podatkowa (Poland),
bokföringslagen 7:2 (Sweden), bogføringsloven § 12 (Denmark).
"""

from __future__ import annotations

YEARS_OF_BOOKS = {
    "AT": 7,
    "BE": 10,
    "CH": 10,
    "DE": 10,
    "DK": 5,
    "ES": 6,
    "FR": 10,
    "GB": 6,
    "IE": 6,
    "IT": 10,
    "NL": 7,
    "PL": 5,
    "SE": 7,
    "US": 7,
}
