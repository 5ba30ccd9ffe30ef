//! Keys of imports: the files, and the names that other systems give to referrals.

use super::{Keys, org};
use crate::domain::{digest::digest, id::ImportId, referral::Origin, scope::OrgScope};

/// Prefix of the reports of an import's chunks.
pub const REPORT: &str = "REPORT#";

/// Uniqueness of what another system calls a referral; a digest, because some systems name a record after a person.
#[must_use]
pub fn origin(scope: &OrgScope, origin: &Origin) -> Keys {
    let name = digest(&[b"origin", origin.source_system.as_str().as_bytes(), origin.external_id.as_str().as_bytes()]);
    Keys::new(format!("{}#ORIGIN#{name}", org(scope)), "ORIGIN")
}

/// Partition of one import: itself, the chunks that wait, and the reports of those that are done.
#[must_use]
pub fn import_partition(scope: &OrgScope, id: &ImportId) -> String {
    format!("{}#IMPORT#{id}", org(scope))
}

#[must_use]
pub fn import(scope: &OrgScope, id: &ImportId) -> Keys {
    Keys::new(import_partition(scope, id), "IMPORT")
}

/// Rows of an import that wait to be imported.
#[must_use]
pub fn import_chunk(scope: &OrgScope, id: &ImportId, number: u32) -> Keys {
    Keys::new(import_partition(scope, id), format!("CHUNK#{number:04}"))
}

/// What became of the rows of a chunk.
#[must_use]
pub fn import_report(scope: &OrgScope, id: &ImportId, number: u32) -> Keys {
    Keys::new(import_partition(scope, id), format!("{REPORT}{number:04}"))
}
