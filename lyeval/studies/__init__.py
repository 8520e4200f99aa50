"""Every question of cause that one county's ledger and plan allow (影响检验): fixed beforehand, answered or refused, checked."""

from lyeval.studies.questions import no_policy_odds
from lyeval.studies.study import Study, study

__all__ = ["Study", "no_policy_odds", "study"]
