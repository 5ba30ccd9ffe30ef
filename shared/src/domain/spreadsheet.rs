//! Cells of a CSV file that people open in a spreadsheet. A spreadsheet takes a cell that starts with one of a few
//! characters for a formula, and runs it; with `'` before it, it is text.

use std::borrow::Cow;

const GUARD: char = '\'';

/// What a spreadsheet takes for the start of a formula, alone or after what it cuts off. Numbers in E.164 start so too.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Whether a formula character comes first, or first after guards: text that was typed with guards of its own gets one
/// more, or the import would take off one that was never ours.
fn is_guarded_or_formula(text: &str) -> bool {
    text.trim_start_matches(GUARD).starts_with(FORMULA)
}

/// The cell for a value.
#[must_use]
pub fn guarded(value: &str) -> Cow<'_, str> {
    if is_guarded_or_formula(value) { Cow::Owned(format!("{GUARD}{value}")) } else { Cow::Borrowed(value) }
}

/// The value of a cell: what [`guarded`] made the cell of.
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix(GUARD).filter(|rest| is_guarded_or_formula(rest)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_formulas_are_guarded() {
        for (value, cell) in [
            ("=1+1", "'=1+1"),
            ("+14155552671", "'+14155552671"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("'=1+1", "''=1+1"),
            ("''=1+1", "'''=1+1"),
            ("'", "'"),
            ("'n Sync", "'n Sync"),
            ("Pat = Jo", "Pat = Jo"),
            ("", ""),
        ] {
            assert_eq!(guarded(value), cell, "{value:?}");
            assert_eq!(unguarded(cell), value, "{cell:?}");
        }
    }

    #[test]
    fn a_guard_of_somebody_elses_comes_off_only_before_a_formula() {
        for (cell, value) in [("'quoted'", "'quoted'"), ("'+1", "+1"), ("+1", "+1"), ("''", "''")] {
            assert_eq!(unguarded(cell), value, "{cell:?}");
        }
    }

    proptest! {
        #[test]
        fn a_value_survives_its_cell(value in "['=+@\t\r\\-a-zé\n\"]{0,6}") {
            let cell = guarded(&value);
            prop_assert!(!cell.starts_with(FORMULA));
            prop_assert_eq!(unguarded(&cell), &value);
        }

        #[test]
        fn whatever_it_is(value in any::<String>()) {
            let cell = guarded(&value);
            prop_assert_eq!(unguarded(&cell), &value);
        }
    }
}
