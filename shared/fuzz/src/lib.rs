//! The parsers that read what comes from outside, each with what has to hold of it whatever the bytes are. `make fuzz` looks
//! for bytes of which it does not hold; the test shared/tests/corpus.rs shows what was found to each of them again.

pub mod body;
pub mod bus;
pub mod codes;
pub mod contact;
pub mod edge;
pub mod headers;
pub mod import_file;
mod import_row;
pub mod rows;
pub mod seals;
pub mod text;
pub mod time;
pub mod urlencoded;

/// Panics where what has to hold of the bytes does not.
pub type Check = fn(&[u8]);

/// Every target by its name, which is that of its folder in `corpus`.
pub const TARGETS: [(&str, Check); 12] = [
    ("body", body::check),
    ("bus", bus::check),
    ("codes", codes::check),
    ("contact", contact::check),
    ("edge", edge::check),
    ("headers", headers::check),
    ("import_file", import_file::check),
    ("rows", rows::check),
    ("seals", seals::check),
    ("text", text::check),
    ("time", time::check),
    ("urlencoded", urlencoded::check),
];
