//! Money: whole minor units and an ISO 4217 code. Never a float, never added across currencies.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest amount, in minor units: the largest whole number that every JSON reader keeps exact.
pub const MAX_MINOR: i64 = 9_007_199_254_740_991;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a currency")]
pub struct InvalidCurrency;

/// An ISO 4217 code, upper case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Currency(String);

impl Currency {
    /// # Errors
    /// When the text is no code of the standard.
    pub fn parse(text: &str) -> Result<Self, InvalidCurrency> {
        iso_currency::Currency::from_code(text).map(|currency| Self(currency.code().to_owned())).ok_or(InvalidCurrency)
    }

    /// What is counted in unless somebody says otherwise.
    #[must_use]
    pub fn us_dollar() -> Self {
        Self("USD".to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An amount as people read it, for example `50.00 USD` or `5000 JPY`.
    #[must_use]
    pub fn amount(&self, minor: i64) -> String {
        let digits = iso_currency::Currency::from_code(&self.0).and_then(iso_currency::Currency::exponent).unwrap_or(0);
        let (sign, minor) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs());
        let unit = 10_u64.saturating_pow(u32::from(digits));
        if digits == 0 {
            return format!("{sign}{minor} {self}");
        }
        format!("{sign}{}.{:0width$} {self}", minor / unit, minor % unit, width = usize::from(digits))
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(text: String) -> Result<Self, InvalidCurrency> {
        Self::parse(&text)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `amount` times `basis_points` of ten thousand, rounded down. Both have to be zero or more.
#[must_use]
pub fn share(amount_minor: i64, basis_points: i64) -> i64 {
    let share = i128::from(amount_minor) * i128::from(basis_points) / 10_000;
    i64::try_from(share).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        assert_eq!(Currency::parse("USD").unwrap().as_str(), "USD");
        for text in ["usd", "US", "", "ZZZ", "US$", "USDD"] {
            assert_eq!(Currency::parse(text), Err(InvalidCurrency), "{text:?}");
        }
    }

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        for (code, minor, wanted) in [
            ("USD", 5_000, "50.00 USD"),
            ("USD", 0, "0.00 USD"),
            ("USD", 5, "0.05 USD"),
            ("USD", -1_234, "-12.34 USD"),
            ("JPY", 5_000, "5000 JPY"),
            ("KWD", 1_005, "1.005 KWD"),
            ("USD", MAX_MINOR, "90071992547409.91 USD"),
        ] {
            assert_eq!(Currency::parse(code).unwrap().amount(minor), wanted);
        }
    }

    #[test]
    fn a_share_is_rounded_down() {
        let rows =
            [(1_250_000, 250, 31_250), (999, 1, 0), (10_001, 1, 1), (0, 10_000, 0), (MAX_MINOR, 10_000, MAX_MINOR)];
        for (amount, basis_points, wanted) in rows {
            assert_eq!(share(amount, basis_points), wanted, "{amount} {basis_points}");
        }
    }

    proptest! {
        #[test]
        fn a_share_is_never_more_than_its_part(amount in 0..MAX_MINOR, basis_points in 0..=10_000_i64) {
            let share = i128::from(share(amount, basis_points));
            let exact = i128::from(amount) * i128::from(basis_points);
            prop_assert!(share * 10_000 <= exact && exact < (share + 1) * 10_000);
        }
    }
}
