"""Results as named tables, each described as data, and the check that they do not contradict one another."""

from lyeval.tables.registry import schema, words
from lyeval.tables.tally import ConsistencyError, bridge, check, counts

__all__ = ["ConsistencyError", "bridge", "check", "counts", "schema", "words"]
