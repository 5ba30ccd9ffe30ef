//! Enumerations whose values have names, one list for all of it.

/// An enumeration whose values are called the same on the wire, in rows, in requests and in what is shown: `ALL` of them in this
/// order, the name of each, and the way back, exactly as it is written.
macro_rules! named {
    ($(#[$about:meta])* pub enum $type:ident { $($(#[$note:meta])* $value:ident = $name:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $type { $($(#[$note])* #[serde(rename = $name)] $value),* }

        impl $type {
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$value),*];

            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$value => $name),* }
            }

            #[must_use]
            pub fn find(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$value),)* _ => None }
            }
        }
    };
}
