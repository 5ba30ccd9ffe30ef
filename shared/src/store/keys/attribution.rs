//! Keys of the figures of advocates. A cell stands with its advocate, so that it can be proved against their referrals in one
//! partition, and in the `list` index by month, so that a report is one query however many there are.

use super::{BY_LIST, Keys, LIST_PK, LIST_SK, Listing, org, person_partition};
use crate::domain::{attribution::CellId, scope::OrgScope};

/// Prefix of the figures of an advocate.
pub const ATTRIBUTION: &str = "ATTRIBUTION#";

#[must_use]
pub fn attribution_cell(scope: &OrgScope, cell: &CellId) -> Keys {
    let (agent, channel) = (&cell.agent, cell.channel.as_str());
    Keys::new(person_partition(scope, &cell.advocate), format!("{ATTRIBUTION}{}#{agent}#{channel}", cell.month))
        .and(LIST_PK, attribution(scope).partition)
        .and(LIST_SK, format!("{}#{}#{agent}#{channel}", cell.month, cell.advocate))
}

/// All cells of the organization, by month.
#[must_use]
pub fn attribution(scope: &OrgScope) -> Listing {
    Listing { index: BY_LIST, partition: format!("{}#ATTRIBUTION", org(scope)), prefix: String::new() }
}
