//! The referrals that show an address or a number of somebody and have no lead: friends in an imported file, and forms whose lead
//! has not entered the pipeline yet. It reads all referrals of the organization, because nobody has to find them otherwise.

use crate::{
    domain::{filter::ReferralFilter, person::Person, scope::OrgScope},
    ports::{ReferralReader, StoreError, Tie, TieKind},
};

/// Read at a time.
const PAGE: u32 = 1_000;

pub(super) async fn find_unlinked(
    store: &impl ReferralReader,
    scope: &OrgScope,
    person: &Person,
) -> Result<Vec<Tie>, StoreError> {
    let (keys, mut ties, mut after) = (person.contact_keys(), Vec::new(), None);
    if keys.is_empty() {
        return Ok(ties);
    }
    loop {
        let page = store.list_referrals(scope, &ReferralFilter::default(), after.as_ref(), PAGE).await?;
        let found = page.items.into_iter().filter(|row| row.shows_without_a_lead(&keys));
        ties.extend(found.map(|row| Tie {
            kind: TieKind::Former,
            referral: row.id,
            created_at: row.created_at,
            is_former: true,
        }));
        after = page.next;
        if after.is_none() {
            return Ok(ties);
        }
    }
}
