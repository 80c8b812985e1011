"""A codebook proposed from a table: roles, scales, constructs, questions, groups, with evidence."""

from cxstats.survey.draft.drafting import draft
from cxstats.survey.draft.result import CodebookDraft, ColumnRole

__all__ = ["CodebookDraft", "ColumnRole", "draft"]
