"""The ledger (台账): read what offices keep, map headings, convert units, tell every fault.

``read_ledger`` is the way in; it returns a ``Ledger`` of canonical tables or raises ``LedgerError`` with all errors.
"""

from __future__ import annotations

from lyeval.ledger.audit import audit
from lyeval.ledger.columns import COLUMNS, SHEETS, Column
from lyeval.ledger.faults import Fault, Group, LedgerError, grouped
from lyeval.ledger.mapping import beside, draft_columns
from lyeval.ledger.model import Ledger, Source
from lyeval.ledger.read import is_survey, merge, read_ledger
from lyeval.ledger.rules import RULES

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
    "draft_columns",
    "grouped",
    "is_survey",
    "merge",
    "read_ledger",
]
