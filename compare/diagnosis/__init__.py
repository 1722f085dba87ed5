"""Why two sides disagree: causes that explain the numbers."""

from compare.diagnosis.cause import Cause, best, unexplained
from compare.diagnosis.facts import Facts, Other
from compare.diagnosis.signatures import read

__all__ = ["Cause", "Facts", "Other", "best", "read", "unexplained"]
