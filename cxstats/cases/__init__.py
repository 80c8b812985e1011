"""The published case studies: what was printed, and whether it adds up."""

from cxstats.cases.arithmetic import percent_change
from cxstats.cases.audit import Audit, AuditedFact
from cxstats.cases.claims import Claims
from cxstats.cases.facts import Fact, cite, load_facts, read_facts
from cxstats.cases.files import load_formulas, load_source_errors
from cxstats.cases.formula_uses import load_formula_uses
from cxstats.cases.published_reproduced import Comparison
from cxstats.cases.tables import CaseTable, case_table, load_tables

__all__ = [
    "Audit",
    "AuditedFact",
    "CaseTable",
    "Claims",
    "Comparison",
    "Fact",
    "case_table",
    "cite",
    "load_facts",
    "load_formula_uses",
    "load_formulas",
    "load_source_errors",
    "load_tables",
    "percent_change",
    "read_facts",
]
