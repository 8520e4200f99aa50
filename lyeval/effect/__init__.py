"""Did the policy do it (政策是否起作用): designs of the field, each an estimate with the checks it rests on.

Every function takes any frame and gives an `Effect`; what a design cannot answer is refused with the reason.
"""

from lyeval.effect.bunching import Bins, bunching
from lyeval.effect.density import density
from lyeval.effect.differences import did, poisson
from lyeval.effect.estimate import Check, Effect, EffectError, docx, drawn, holm, refuse, table, write
from lyeval.effect.event_study import event_study
from lyeval.effect.frames import example
from lyeval.effect.gap import forecast_gap
from lyeval.effect.rd import rdd
from lyeval.effect.synthetic_control import synthetic
from lyeval.effect.timing import tax_rule_years, timing
from lyeval.told import Words

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
    "example",
    "forecast_gap",
    "holm",
    "poisson",
    "rdd",
    "refuse",
    "synthetic",
    "table",
    "tax_rule_years",
    "timing",
    "write",
]
