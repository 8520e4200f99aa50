"""The verdict: scope, exclusions, identification, each target's value, goal, gap and status; one enterprise's dossier."""

from lyeval.assessment.frame import Frame
from lyeval.assessment.lookups import NoSuchFirm, find_firm
from lyeval.assessment.outlook import TargetView, meets, target_parts, target_values, views
from lyeval.assessment.result import Assessment, assess
from lyeval.assessment.switches import Readings, readings
from lyeval.assessment.targets import Inputs, Outcome, class_lines, statement_term

__all__ = [
    "Assessment",
    "Frame",
    "Inputs",
    "NoSuchFirm",
    "Outcome",
    "Readings",
    "TargetView",
    "assess",
    "class_lines",
    "find_firm",
    "meets",
    "readings",
    "statement_term",
    "target_parts",
    "target_values",
    "views",
]
