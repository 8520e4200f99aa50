"""Did the policy do it (政策是否起作用): designs of the field, each an estimate with the checks it rests on.

Every function takes any frame and gives an `Effect`; what a design cannot answer is refused with the reason.
"""

from lyeval.effect.bunches import Bins, bunching
from lyeval.effect.counts import poisson
from lyeval.effect.densities import density
from lyeval.effect.differences import did
from lyeval.effect.drawn import docx, drawn, table
from lyeval.effect.gap import forecast_gap
from lyeval.effect.rd import rdd
from lyeval.effect.result import Check, Effect, EffectError, Words, holm, refuse
from lyeval.effect.staggered import event_study
from lyeval.effect.synthetic_control import synthetic
from lyeval.effect.taxes import tax_rule_years
from lyeval.effect.timing import timing

__all__ = [
    "Bins",
    "Check",
    "Effect",
    "EffectError",
    "Words",
    "bunching",
    "density",
    "did",
    "docx",
    "drawn",
    "event_study",
    "forecast_gap",
    "holm",
    "poisson",
    "rdd",
    "refuse",
    "synthetic",
    "table",
    "tax_rule_years",
    "timing",
]
