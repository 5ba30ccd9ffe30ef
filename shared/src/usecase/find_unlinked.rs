//! The referrals that show an address or a number of somebody who is not their lead: friends in an imported file, forms whose
//! lead has not entered the pipeline yet, and rows that were linked to somebody else. All referrals of the organization are
//! read for them, newest first, because nobody has to find them otherwise.

use crate::{
    domain::{filter::ReferralFilter, person::Person, referral::Referral, scope::OrgScope},
    ports::{Position, ReferralReader, StoreError, Tie, TieKind},
};

/// Read at a time.
const PAGE: u32 = 1_000;

/// Those of one page, and where the next page begins; None at the end.
pub(super) async fn find_unlinked(
    store: &impl ReferralReader,
    scope: &OrgScope,
    person: &Person,
    after: Option<&Position>,
) -> Result<(Vec<Tie>, Option<Position>), StoreError> {
    let keys = person.contact_keys();
    if keys.is_empty() {
        return Ok((Vec::new(), None));
    }
    let page = store.list_referrals(scope, &ReferralFilter::default(), after, PAGE).await?;
    let found = page.items.into_iter().filter(|row| row.shows_unlinked(&person.id, &keys));
    let tie = |referral: Referral| Tie {
        kind: TieKind::Former,
        referral: referral.id,
        created_at: referral.created_at,
        may_show: true,
    };
    Ok((found.map(tie).collect(), page.next))
}
