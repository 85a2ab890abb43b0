"""Every finding that the checks can make: its code, how bad it is, what it means and what to do.

`docs/checks.md` shows them as a page; it is written by `docs/make_checks.py` from the sections here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from frazil.checks.findings import Finding
from frazil.types import Severity

ERROR, WARNING, TIP = Severity.ERROR, Severity.WARNING, Severity.TIP


@dataclass(frozen=True, slots=True)
class Code:
    """What stands behind a code: how bad it is, what it says, and what the user can do."""

    name: str
    severity: Severity
    means: str
    advice: str


SECTIONS = {
    "The target": (
        Code("target_missing", WARNING, "Rows have no target and are left out.",
             "Look at why: if it is not by chance, the model learns from a biased part."),
        Code("target_one_class", ERROR, "All rows are of one class; there is nothing to tell apart.",
             "Take rows of at least two classes."),
        Code("target_constant", WARNING, "The number to predict is the same in every row.",
             "Check that this is the column you mean; every model will predict this value."),
        Code("target_rare_class", WARNING, "A class has too few rows to be learned and judged.",
             "Merge rare classes, or collect more rows of them; their scores mean little."),
        Code("target_imbalanced", TIP, "One class is much rarer than the other.",
             "Do not judge by accuracy; 'average_precision' and 'mcc' see the rare class."),
        Code("target_outliers", TIP, "Some targets lie very far from the others.",
             "If they are mistakes, leave them out; if not, 'mae' or a logarithm tames them."),
        Code("target_conflict", TIP, "Rows with the same features have different classes: no model is right on all.",
             "Look for a column that tells them apart, or for labels that were set by mistake."),
        Code("target_ordinal", TIP, "The classes are whole numbers in a row, as grades and counts are.",
             "If their order means something, task='regression' uses it; classes do not."),
        Code("target_count", TIP, "The target counts something: whole numbers of 0 and more, with a long tail.",
             "A count is often learned better with a Poisson loss; judge it by 'mae' or a deviance."),
        Code("target_sorted", TIP, "The rows come in the order of the target.",
             "Folds are shuffled, so it does no harm; check that no column says which row it is."),
    ),
    "What gives the target away": (
        Code("target_copy", ERROR, "A column says the same as the target.",
             "Drop the column: it will not be known when a prediction is needed."),
        Code("target_leak", WARNING, "A column alone nearly decides the target.",
             "Check that it is known before the target is; if it is not, drop it."),
        Code("target_strong", TIP, "A column alone tells most of the target, and no other column comes near it.",
             "Ask whether it is known when a prediction is needed; much of the model will be this column."),
        Code("leak_id", WARNING, "A column that should only name the row tells the target.",
             "Drop it, and ask in which order the rows were collected: new ones come after them all."),
        Code("leak_missing", WARNING, "Where a column is missing tells much of the target.",
             "Check that it is filled in before the target is known, and not because of it."),
        Code("leak_aggregate", WARNING, "A column holds the target's mean of a group, the row's own target included.",
             "Make it again from other rows only, as fz.encode_target does."),
        Code("leak_future_value", WARNING, "A column holds the next value of the target.",
             "Shift it back: in use, the next value is not known."),
        Code("leak_future_date", WARNING, "A column holds dates after the row's own time.",
             "Check that they are plans known by then; when something ended is not known when it starts."),
        Code("leak_rows", WARNING, "Rows are in both tables.",
             "Take them out of one of them: a model is not tested by rows that it has learned."),
        Code("leak_near_rows", WARNING, "Rows of one table are nearly the same as rows of the other.",
             "Split before rows are copied or altered, and keep what belongs together on one side."),
        Code("leak_groups", WARNING, "Groups have rows in both tables.",
             "Split by groups, if new rows will be of new groups."),
    ),
    "Columns": (
        Code("column_empty", WARNING, "A column has no values.",
             "It is left out; check where its values were lost."),
        Code("column_constant", TIP, "A column has the same value in every row.",
             "It is left out: nothing can be learned from it."),
        Code("column_mostly_missing", TIP, "A column has values in few rows.",
             "Check where its values were lost; what is left may still help."),
        Code("column_missing_stretch", TIP, "A column is missing in one stretch of rows, and hardly elsewhere.",
             "Ask what changed there; the model sees two kinds of rows."),
        Code("columns_missing_together", TIP, "Columns are missing in the same rows.",
             "They come from one source; one flag that it is missing says it all."),
        Code("column_duplicate", WARNING, "Two columns hold the same values.",
             "Keep one of them: they share their importance and say nothing more."),
        Code("column_near_duplicate", TIP, "Two columns hold the same values in nearly all rows.",
             "Find out which is right where they differ; keep one, and the difference if it means something."),
        Code("column_rescaled", TIP, "A column is another one in other units or under other names.",
             "Keep one of them: the other says nothing more."),
        Code("columns_correlated", TIP, "Columns rise and fall together.",
             "Trees do not mind; importance is shared among them, and linear models become unstable."),
        Code("column_id_like", WARNING, "A column has another value in every row.",
             "If it names a row, drop it; if it says whose row it is, give it as entity."),
        Code("column_row_number", WARNING, "A column counts the rows.",
             "Drop it, or name it as time: the order of rows hardly holds for new ones."),
        Code("column_monotone", TIP, "A column only rises, or only falls, from row to row.",
             "If it says when a row happened, name it as time, so that folds go forward."),
        Code("column_many_levels", TIP, "A category has nearly as many levels as rows.",
             "Few rows stand behind each level; what a level consists of may tell more."),
        Code("column_numbers_as_text", WARNING, "A column of strings holds numbers or dates.",
             "Cast it to a number or a date before, so that its order can be learned."),
        Code("column_mixed_types", TIP, "Some strings of a column are numbers, and others are not.",
             "If it measures something, make the others null and cast the rest; if they are codes, let it be."),
        Code("column_units_as_text", WARNING, "A column of strings holds numbers with a unit.",
             "Bring them to one unit, cut it off and cast, so that their order can be learned."),
        Code("column_mixed_dates", WARNING, "A column of strings writes dates in several ways.",
             "Parse each way by itself (str.to_date) and take the first that fits: 03/04 and 04/03 may be one day."),
        Code("column_ambiguous_dates", WARNING, "Dates of a column of strings read two ways, each of them as well.",
             "Say which is meant, with str.to_date: the first way is taken, and 03/04 is in April or in March."),
        Code("column_dates_as_numbers", TIP, "A column of whole numbers holds dates, as in 20240131.",
             "Parse it to a date: between the last of a month and the next day lies 1 day, not 70."),
        Code("column_missing_words", TIP, "A column writes missing values as a word.",
             "Make it null: fz.clean does."),
        Code("column_spellings", WARNING, "Levels differ by nothing but case, blanks or the coding of accents.",
             "Merge them: fz.clean does."),
        Code("column_similar_levels", TIP, "A rare level is one letter away from a frequent one.",
             "If it is a slip of the pen, correct it."),
        Code("column_whitespace", TIP, "Strings of a column begin or end with blanks.",
             "Strip them: fz.clean does."),
        Code("column_encoding", WARNING, "Strings were read in the wrong encoding, or hold control characters.",
             "Read the file again in the encoding that it was written in, mostly UTF-8."),
        Code("column_sentinel", WARNING, "A column seems to write missing values as a number or a date.",
             "If it stands for missing, make it null before: means and lags read it as is."),
        Code("column_zeros", TIP, "A column is 0 in some rows, far from all others: it seems to stand for missing.",
             "If 0 can't be measured, make it null before: fz.clean does. If it means none, let it be."),
        Code("column_infinite", WARNING, "A column holds infinities.",
             "They are taken for missing; check the division or logarithm that made them."),
        Code("column_beyond_float32", WARNING, "Numbers are too large or too small for float32, which models hold.",
             "Divide it, or take logarithms: what is too large counts as missing, what is too small as 0."),
        Code("column_impossible", WARNING, "A column holds values that what it is called can not have.",
             "Correct them or make them null, and look at where they come from."),
        Code("column_outliers", TIP, "A few values lie far from all others, beyond a gap.",
             "If they are mistakes, make them null or clip them: fz.clean does."),
        Code("columns_skewed", TIP, "Columns have very long tails.",
             "Trees do not mind; for other models take logarithms or ranks."),
        Code("column_unit_change", WARNING, "From some row on, a column seems to be in another unit.",
             "Convert one part, if it is so."),
        Code("column_dates_out_of_range", WARNING, "A column of dates holds some that can hardly be meant.",
             "Correct them or make them null; often a two-digit year or a default is behind them."),
        Code("column_imprecise", TIP, "Whole numbers or decimals have more digits than float64 holds.",
             "If it is a key, cast it to a string; as a number its last digits are lost."),
        Code("column_unsupported", TIP, "No model reads a column of this type as it is.",
             "Lists of numbers are summarised by features='auto'; of other types take what matters into plain columns, "
             "or they are left out."),
        Code("rows_duplicate", WARNING, "Rows are the same in every column.",
             "If they are copies, drop them: a copy on the other side of a split is a leak."),
        Code("rows_duplicate_key", WARNING, "Rows share what should name one row only.",
             "Keep one of them, or add what tells them apart to the key."),
        Code("rows_near_duplicate", TIP, "Rows are the same but for case, blanks and rounding.",
             "If they are copies, drop them or keep them in one group."),
        Code("rows_isolated", TIP, "Rows are far from all others in several columns together.",
             "Look at them: values that can each be, but not together, are often typed or joined wrong."),
        Code("rows_mostly_missing", TIP, "Rows have hardly any values.",
             "Drop them, if nothing can be said of them."),
        Code("metric_unsteady", WARNING, "The metric gives the same predictions another score when it is asked again.",
             "Take chance and memory out of it: what was chosen by it, and every p-value, may be luck."),
        Code("sampled", WARNING, "The table is too large for the memory allowed, and some of its rows are used.",
             "Give a larger budget with fz.Budget(memory=...), or fewer columns."),
    ),
    "Time": (
        Code("time_missing", WARNING, "Rows have no time.",
             "Fill them or leave them out: a row without a time has no place in the order."),
        Code("time_text", ERROR, "The time is neither a date, a datetime nor a number.",
             "Parse it first, with str.to_datetime."),
        Code("time_unsorted", TIP, "Rows do not come in the order of time.",
             "Nothing, if it is meant: they are sorted before anything looks back."),
        Code("time_one", TIP, "All rows are of one moment.",
             "Nothing, if it is meant: folds are cut by rows, and other tables are looked up as of that moment."),
        Code("time_duplicates", WARNING, "An entity has several rows of one time.",
             "Name what tells them apart as a part of entity, or keep one: lags can't order them."),
        Code("time_gaps", TIP, "Steps are missing in a regular series.",
             "Windows by time ('7d', of integers '7i') are right across gaps, those by rows (7) are not."),
        Code("time_irregular", TIP, "Rows come at no usual step.",
             "Take windows by time ('7d', of integers '7i') and not by rows (7)."),
        Code("time_zone", TIP, "Some columns of times have a zone, and others have none.",
             "Say of those without one which it is (dt.replace_time_zone), and convert all to UTC."),
        Code("time_zones", TIP, "Columns of times are in different zones.",
             "Convert them to one (dt.convert_time_zone), which moves no moment: hours and days differ between zones."),
        Code("time_clock_change", TIP, "On the days when clocks change, hours are missing or doubled.",
             "Convert to UTC before: differences and lags are an hour off on these days."),
        Code("time_future", WARNING, "Rows lie in the future.",
             "Check the clock or the parsing, if these are no plans."),
        Code("time_reference_later", WARNING, "The reference holds rows later than the first of this table.",
             "If the reference was learned from, it knew the future of these rows; split by time."),
    ),
    "Against a reference": (
        Code("schema_missing", ERROR, "A column of the reference is not there.",
             "Bring it back, or learn without it."),
        Code("schema_type", WARNING, "A column has another type than in the reference.",
             "Cast it to the type of the reference."),
        Code("schema_unreadable", ERROR, "Values of a column can't be read as the type that was learned.",
             "Mend them, or set their rows aside with sink_predictions(quarantine=...)."),
        Code("schema_new", TIP, "A column is not in the reference.",
             "It is not looked at by what was learned from the reference."),
        Code("schema_order", TIP, "The columns come in another order than in the reference.",
             "Nothing here: columns are found by name. Other tools may take them by place."),
        Code("drift_column", WARNING, "A column is distributed in another way than in the reference.",
             "Look at what changed; a model may be wrong where it has seen little, so learn it again."),
        Code("drift_target", WARNING, "The target is distributed in another way than in the reference.",
             "If it is no matter of how rows were chosen, learn again on new rows."),
        Code("drift_missing", WARNING, "A column is missing more often, or less, than in the reference.",
             "Look for a source that broke or was repaired."),
        Code("drift_levels", WARNING, "A column has levels that the reference does not have.",
             "A model treats them as missing; learn it again if they stay."),
        Code("drift_range", TIP, "Values lie outside of the reference's range.",
             "Trees do not extrapolate: they predict as at the range's end."),
        Code("drift_table", WARNING, "A classifier can tell rows of the table from those of the reference.",
             "Look at the columns that it goes by, together, not each alone."),
    ),
}  # fmt: skip
ALL = tuple(code for section in SECTIONS.values() for code in section)
CODES = {code.name: code for code in ALL}


def found(code: str, column: str | None, evidence: str, examples: str = "", *, marks: tuple[Any, ...] = ()) -> Finding:
    """Make a finding of a known code; examples are values of the column, which are shown on request only.

    >>> found("column_constant", "country", "has the same value in every row", "'NZ'").severity.value
    'tip'
    """
    known = CODES[code]
    return Finding(code, known.severity, column, evidence, known.advice, examples, marks)
