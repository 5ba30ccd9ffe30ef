//! Versions of a row, as a client expects them.

/// Which versions a change is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there, or nothing: the rules of the operation still hold.
    Any,
    /// Whatever is there, but something.
    Existing,
    /// One of these, or the change is not made.
    OneOf(Vec<u64>),
}

impl Expected {
    #[must_use]
    pub fn admits(&self, version: u64) -> bool {
        match self {
            Self::Any | Self::Existing => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }

    /// Whether the change may make what is not there yet.
    #[must_use]
    pub fn admits_absence(&self) -> bool {
        *self == Self::Any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_made_to_what_its_client_expects() {
        for (expected, admits_two, admits_absence) in [
            (Expected::Any, true, true),
            (Expected::Existing, true, false),
            (Expected::OneOf(vec![1, 2]), true, false),
            (Expected::OneOf(vec![1, 3]), false, false),
            (Expected::OneOf(vec![]), false, false),
        ] {
            assert_eq!((expected.admits(2), expected.admits_absence()), (admits_two, admits_absence), "{expected:?}");
        }
    }
}
