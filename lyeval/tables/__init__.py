"""Results as named tables, each described as data, and the check that they do not contradict one another."""

from lyeval.tables.consistency import ConsistencyError, check
from lyeval.tables.counts import bridge, counts
from lyeval.tables.registry import schema, words

__all__ = ["ConsistencyError", "bridge", "check", "counts", "schema", "words"]
