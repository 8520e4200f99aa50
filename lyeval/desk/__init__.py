"""The planner's desk (方案台): which enterprises, by which method, for how much, with what odds; what `lyeval explore` opens."""

from lyeval.desk.page import Desk, show
from lyeval.desk.saving import County, save
from lyeval.desk.trial import Question, Trial

__all__ = ["County", "Desk", "Question", "Trial", "save", "show"]
