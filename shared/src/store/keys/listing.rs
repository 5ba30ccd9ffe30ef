//! Indexes, and where a row stands in a list of one.

use super::{
    AGENT_INDEX, AGENT_PK, Keys, LIST_INDEX, LIST_PK, LIST_SK, PK, REWARD_INDEX, REWARD_PK, REWARD_SK, SK,
    STATUS_INDEX, STATUS_SK,
};
use crate::{domain::time::Timestamp, ports::Position};

/// A secondary index, or the table itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// None for the table.
    pub name: Option<&'static str>,
    pub partition: &'static str,
    pub sort: &'static str,
}

pub const BY_KEY: Index = Index { name: None, partition: PK, sort: SK };
pub const BY_LIST: Index = Index { name: Some(LIST_INDEX), partition: LIST_PK, sort: LIST_SK };
pub const BY_STATUS: Index = Index { name: Some(STATUS_INDEX), partition: LIST_PK, sort: STATUS_SK };
pub const BY_AGENT: Index = Index { name: Some(AGENT_INDEX), partition: AGENT_PK, sort: LIST_SK };
pub const BY_REWARD: Index = Index { name: Some(REWARD_INDEX), partition: REWARD_PK, sort: REWARD_SK };

/// One partition of an index, or the part of it whose sort key starts with `prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub index: Index,
    pub partition: String,
    pub prefix: String,
}

impl Listing {
    /// The key of a row at `position`, as `ExclusiveStartKey` wants it.
    #[must_use]
    pub fn start_key(&self, row: &Keys, position: &Position) -> Keys {
        let sort = format!("{}{}", self.prefix, place(position.created_at, &position.id));
        match self.index.name {
            None => Keys::new(self.partition.clone(), sort),
            Some(_) => row.clone().and(self.index.partition, self.partition.clone()).and(self.index.sort, sort),
        }
    }

    /// The first and the last sort key of rows placed at `from` or later and before `to`. None for the whole partition.
    #[must_use]
    pub fn range(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> Option<[String; 2]> {
        if self.prefix.is_empty() && from.is_none() && to.is_none() {
            return None;
        }
        // A place starts with the digits of a year: `0` stands before every one, `:` after.
        let bound = |at: Option<Timestamp>, open: &str| {
            format!("{}{}", self.prefix, at.map_or_else(|| open.to_owned(), |at| at.to_string()))
        };
        // A row of the very time `to` has a longer key, and so stands after it.
        Some([bound(from, "0"), bound(to, ":")])
    }
}

/// Where a row stands in a list: time first, with a fixed width, then the id.
pub(super) fn place(at: Timestamp, id: &str) -> String {
    format!("{at}#{id}")
}

/// Reads a place back from a list's sort key.
#[must_use]
pub fn position(sort_key: &str) -> Option<Position> {
    let mut parts = sort_key.rsplitn(3, '#');
    let id = parts.next()?.to_owned();
    let created_at = Timestamp::parse(parts.next()?).ok()?;
    Some(Position { created_at, id })
}
