"""The client's file: the questionnaire as data, reading, checking and cleaning."""

from cxstats.survey.answers import answers
from cxstats.survey.clean import CheckReport, CleanReport, check, clean
from cxstats.survey.codebook import Codebook
from cxstats.survey.read import ReadReport, read_survey

__all__ = [
    "CheckReport",
    "CleanReport",
    "Codebook",
    "ReadReport",
    "answers",
    "check",
    "clean",
    "read_survey",
]
