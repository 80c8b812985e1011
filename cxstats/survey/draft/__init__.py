"""A codebook proposed from a table: roles, scales, constructs, questions, groups, with evidence."""

from cxstats.survey.draft.drafting import CodebookDraft, ColumnRole, draft

__all__ = ["CodebookDraft", "ColumnRole", "draft"]
