//! What people type, in several spellings, with what it is by the contract. Written out by hand: nothing here is parsed
//! by the code under test.

/// An address as typed.
#[derive(Debug, PartialEq, Eq)]
pub struct Address {
    pub typed: &'static str,
    /// As it is shown.
    pub shown: &'static str,
    /// By which it is compared.
    pub key: &'static str,
    /// Without `+tag`.
    pub mailbox: &'static str,
}

const fn address(typed: &'static str, shown: &'static str, key: &'static str, mailbox: &'static str) -> Address {
    Address { typed, shown, key, mailbox }
}

pub const ADDRESSES: [Address; 10] = [
    address("pat@example.com", "pat@example.com", "pat@example.com", "pat@example.com"),
    address("PAT@Example.com", "PAT@Example.com", "pat@example.com", "pat@example.com"),
    address(" pat@EXAMPLE.com ", "pat@EXAMPLE.com", "pat@example.com", "pat@example.com"),
    address("pat+sam@example.com", "pat+sam@example.com", "pat+sam@example.com", "pat@example.com"),
    address("Pat+Sam@example.com", "Pat+Sam@example.com", "pat+sam@example.com", "pat@example.com"),
    address(
        "joe@m\u{fc}ller.example",
        "joe@m\u{fc}ller.example",
        "joe@xn--mller-kva.example",
        "joe@xn--mller-kva.example",
    ),
    address(
        "joe@mu\u{308}ller.example",
        "joe@m\u{fc}ller.example",
        "joe@xn--mller-kva.example",
        "joe@xn--mller-kva.example",
    ),
    address(
        "Joe@xn--mller-kva.example",
        "Joe@xn--mller-kva.example",
        "joe@xn--mller-kva.example",
        "joe@xn--mller-kva.example",
    ),
    address("kim@example.com", "kim@example.com", "kim@example.com", "kim@example.com"),
    address("robin@example.com", "robin@example.com", "robin@example.com", "robin@example.com"),
];

/// Those of them that friends have.
pub const FRIENDS: std::ops::Range<usize> = 3..9;

/// No address, and nobody's.
pub const NO_ADDRESS: &str = "not an address";

/// What was typed, if it is an address.
pub fn address_of(typed: &str) -> Option<&'static Address> {
    ADDRESSES.iter().find(|address| address.typed == typed || address.shown == typed)
}

/// A number as typed, and what it is in the United States and in Great Britain.
pub const NUMBERS: [(&str, Option<&str>, Option<&str>); 9] = [
    ("+1 415 555 2671", Some("+14155552671"), Some("+14155552671")),
    ("+14155552671", Some("+14155552671"), Some("+14155552671")),
    ("+44 20 7946 0958", Some("+442079460958"), Some("+442079460958")),
    ("+1 (415) 555-0199", Some("+14155550199"), Some("+14155550199")),
    ("+14155550199", Some("+14155550199"), Some("+14155550199")),
    ("(415) 555-2671", Some("+14155552671"), None),
    ("415.555.2671", Some("+14155552671"), None),
    ("020 7946 0958", None, Some("+442079460958")),
    ("12", None, None),
];
/// Those of them that are numbers everywhere.
pub const EVERYWHERE: std::ops::Range<usize> = 0..5;

/// What was typed, if it is a number there.
pub fn number_of(typed: &str, region: &str) -> Option<&'static str> {
    let (_, us, gb) = NUMBERS.iter().find(|(own, _, _)| *own == typed)?;
    if region == "GB" { *gb } else { *us }
}

/// A name as typed, as it is shown, and as it is compared.
pub const NAMES: [(&str, &str, &str); 6] = [
    ("Sam Lee", "Sam Lee", "sam lee"),
    ("  SAM   lee ", "SAM   lee", "sam lee"),
    ("Zoe\u{308} Lee", "Zo\u{eb} Lee", "zo\u{eb} lee"),
    ("ZO\u{cb} LEE", "ZO\u{cb} LEE", "zo\u{eb} lee"),
    ("Lou Ray", "Lou Ray", "lou ray"),
    ("Kim Oh", "Kim Oh", "kim oh"),
];

/// Looks right, and is not: it turns the text around.
pub const DECEPTIVE: &str = "Sam\u{202e}eeL";

pub fn name_of(typed: &str) -> Option<(&'static str, &'static str)> {
    NAMES
        .iter()
        .find(|(own, shown, _)| *own == typed || *shown == typed)
        .map(|(_, shown, compared)| (*shown, *compared))
}

/// Notes and reasons as typed and as they are shown.
pub const TEXTS: [(&str, Option<&str>); 4] = [
    ("a condo", Some("a condo")),
    (" two\r\nlines ", Some("two\nlines")),
    ("  ", None),
    ("by\u{b} hand", Some("by hand")),
];

pub fn text_of(typed: &str) -> Option<&'static str> {
    TEXTS.iter().find(|(own, _)| *own == typed).and_then(|(_, shown)| *shown)
}
