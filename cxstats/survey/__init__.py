"""The client's file: the questionnaire as data, reading, checking and cleaning."""

from cxstats.survey.codebook import Codebook

__all__ = ["Codebook"]
