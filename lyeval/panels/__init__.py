"""Enterprises and years as one table for other hands: laid out, exported with its codebook, de-identified (企业年度面板)."""

from lyeval.panels.export import codebook, panel, write_panel
from lyeval.panels.privacy import CannotHide, Deidentified, deidentified, is_shared, read_key

__all__ = [
    "CannotHide",
    "Deidentified",
    "codebook",
    "deidentified",
    "is_shared",
    "panel",
    "read_key",
    "write_panel",
]
