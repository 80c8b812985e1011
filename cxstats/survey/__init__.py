"""The client's file: the questionnaire as data, reading, checking and cleaning."""

from cxstats.survey.check import CheckReport
from cxstats.survey.clean import CleanReport
from cxstats.survey.codebook import Codebook
from cxstats.survey.read import read_survey
from cxstats.survey.report import ReadReport

__all__ = ["CheckReport", "CleanReport", "Codebook", "ReadReport", "read_survey"]
