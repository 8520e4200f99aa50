"""The ledger (台账): read what offices keep, map headings, convert units, tell every fault.

``read_ledger`` is the way in; it returns a ``Ledger`` of canonical tables or raises ``LedgerError`` with all errors.
"""

from __future__ import annotations

from lyeval.ledger.checks import audit, check_place
from lyeval.ledger.columns import COLUMNS, SHEETS, Column, Ledger, Source
from lyeval.ledger.faults import RULES, Fault, Group, LedgerError, grouped
from lyeval.ledger.headings import beside, draft_columns
from lyeval.ledger.read import is_survey, merge, read_ledger

__all__ = [
    "COLUMNS",
    "RULES",
    "SHEETS",
    "Column",
    "Fault",
    "Group",
    "Ledger",
    "LedgerError",
    "Source",
    "audit",
    "beside",
    "check_place",
    "draft_columns",
    "grouped",
    "is_survey",
    "merge",
    "read_ledger",
]
