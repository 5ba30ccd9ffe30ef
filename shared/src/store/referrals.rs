//! Reading referrals.

use super::{Ledger, keys, query::Filter};
use crate::{
    domain::{id::ReferralId, referral::Referral, scope::OrgScope},
    ports::{Page, Position, ReferralFilter, ReferralReader, StoreError},
};

impl ReferralReader for Ledger {
    async fn find_referral(&self, scope: &OrgScope, id: &ReferralId) -> Result<Option<Referral>, StoreError> {
        self.get("reading a referral", &keys::referral(scope, id)).await
    }

    async fn list_referrals(
        &self,
        scope: &OrgScope,
        filter: &ReferralFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Page<Referral>, StoreError> {
        let operation = "listing referrals";
        // One agent's list is short enough to filter by status; the organization's is not, and has an index for it.
        let (listing, rest) = match (&filter.agent, filter.status) {
            (None, None) => (keys::referrals(scope), None),
            (None, Some(status)) => (keys::referrals_in(scope, status), None),
            (Some(agent), None) => (keys::referrals_of(scope, agent), None),
            (Some(agent), Some(status)) => {
                let rest = Filter { attribute: "status", value: status.as_str().to_owned() };
                (keys::referrals_of(scope, agent), Some(rest))
            }
        };
        let after = match after {
            None => None,
            Some(position) => {
                let id = ReferralId::parse(&position.id)
                    .map_err(|_| StoreError::Failed { operation, reason: "a position of another list".to_owned() })?;
                Some((keys::referral(scope, &id), position))
            }
        };
        self.page(operation, &listing, rest.as_ref(), after, limit, |row: &Referral| Position {
            created_at: row.created_at,
            id: row.id.as_str().to_owned(),
        })
        .await
    }
}
