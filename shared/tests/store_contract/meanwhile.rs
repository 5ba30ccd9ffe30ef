//! A ledger in which somebody does something just when a person is erased.

use std::{pin::Pin, sync::Mutex};

use referrals::{
    domain::{
        consent::ConsentEntry,
        filter::ReferralFilter,
        id::{PersonId, ReferralId},
        referral::Referral,
        reward::RewardPolicy,
        scope::OrgScope,
    },
    ports::{
        History, OrganizationList, Organizations, Page, PersonData, PersonErasure, PersonRevisionOutcome, PersonalData,
        PolicyBook, Position, ReferralData, ReferralErasure, ReferralReader, StoreError,
    },
    store::Ledger,
};

use crate::world::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

type Deed<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

pub struct Meanwhile<'a> {
    ledger: &'a Ledger,
    moment: Moment,
    deed: Mutex<Option<Deed<'a>>>,
}

impl<'a> Meanwhile<'a> {
    /// `deed` is done once, when the first person's row is written.
    pub fn new(world: &'a World, moment: Moment, deed: impl Future<Output = ()> + Send + 'a) -> Self {
        Self { ledger: &world.ledger, moment, deed: Mutex::new(Some(Box::pin(deed))) }
    }

    pub fn has_come(&self) -> bool {
        self.deed.lock().unwrap().is_none()
    }

    async fn come(&self, moment: Moment) {
        if moment == self.moment {
            let deed = self.deed.lock().unwrap().take();
            if let Some(deed) = deed {
                deed.await;
            }
        }
    }
}

impl OrganizationList for Meanwhile<'_> {
    async fn list_organizations(&self, after: Option<&str>) -> Result<Organizations, StoreError> {
        self.ledger.list_organizations(after).await
    }
}

impl PolicyBook for Meanwhile<'_> {
    async fn find_policy(&self, scope: &OrgScope) -> Result<RewardPolicy, StoreError> {
        self.ledger.find_policy(scope).await
    }

    async fn save_policy(&self, scope: &OrgScope, policy: &RewardPolicy) -> Result<bool, StoreError> {
        self.ledger.save_policy(scope, policy).await
    }
}

impl ReferralReader for Meanwhile<'_> {
    async fn find_referral(&self, scope: &OrgScope, id: &ReferralId) -> Result<Option<Referral>, StoreError> {
        self.ledger.find_referral(scope, id).await
    }

    /// Two at a time, so that a few rows are several pages.
    async fn list_referrals(
        &self,
        scope: &OrgScope,
        filter: &ReferralFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Page<Referral>, StoreError> {
        self.ledger.list_referrals(scope, filter, after, limit.min(2)).await
    }

    async fn find_history(&self, scope: &OrgScope, id: &ReferralId) -> Result<History, StoreError> {
        self.ledger.find_history(scope, id).await
    }
}

impl PersonalData for Meanwhile<'_> {
    async fn find_person_data(&self, scope: &OrgScope, id: &PersonId) -> Result<Option<PersonData>, StoreError> {
        self.ledger.find_person_data(scope, id).await
    }

    async fn find_referral_data(&self, scope: &OrgScope, id: &ReferralId) -> Result<ReferralData, StoreError> {
        self.ledger.find_referral_data(scope, id).await
    }

    async fn erase_person(
        &self,
        scope: &OrgScope,
        erasure: &PersonErasure,
    ) -> Result<PersonRevisionOutcome, StoreError> {
        self.come(Moment::Before).await;
        let outcome = self.ledger.erase_person(scope, erasure).await;
        self.come(Moment::After).await;
        outcome
    }

    async fn forget_evidence(&self, scope: &OrgScope, entries: &[ConsentEntry]) -> Result<(), StoreError> {
        self.ledger.forget_evidence(scope, entries).await
    }

    async fn erase_referral(&self, scope: &OrgScope, erasure: &ReferralErasure) -> Result<bool, StoreError> {
        self.ledger.erase_referral(scope, erasure).await
    }
}
