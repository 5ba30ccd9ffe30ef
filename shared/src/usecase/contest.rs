//! Several advocates bring the same lead. First touch decides the attribution later; here all sides are made visible.

use crate::{
    domain::{
        id::PersonId,
        referral::{Referral, RiskFlag},
        scope::OrgScope,
        time::Timestamp,
    },
    ports::{PersonReader, ReferralReader, Revised, StoreError},
};

/// Other referrals of one lead that one change flags; more than these were flagged by earlier ones.
const MAX_CONTESTED: usize = 40;

/// The other referrals through which the lead came, oldest first.
pub(super) async fn others_of(
    store: &(impl ReferralReader + PersonReader),
    scope: &OrgScope,
    lead: &PersonId,
    own: &Referral,
) -> Result<Vec<Referral>, StoreError> {
    let mut others = Vec::new();
    for id in store.referrals_of_lead(scope, lead).await?.iter().take(MAX_CONTESTED) {
        if *id != own.id {
            others.extend(store.find_referral(scope, id).await?);
        }
    }
    Ok(others)
}

/// Flags the referral, and gives those of the others that have to be flagged because of it.
pub(super) fn contest(referral: &mut Referral, others: Vec<Referral>, at: Timestamp) -> Vec<Revised> {
    let mut contested = Vec::new();
    for other in others.into_iter().filter(|other| other.referrer_person_id != referral.referrer_person_id) {
        referral.risk_flags.insert(RiskFlag::Contested);
        let mut rival = other.clone();
        if rival.risk_flags.insert(RiskFlag::Contested) {
            rival.touch(at);
            contested.push(Revised::new(&other, rival));
        }
    }
    contested
}
