//! Changing and deleting referrals, each in one transaction with everything that follows from it.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Ledger, answers, keys,
    rows::{LinkRow, to_item},
    transaction::{Attributes, Committed, Refusal, Transaction, primary},
};
use crate::{
    domain::{
        id::{DealId, ReferralId},
        scope::OrgScope,
    },
    ports::{
        FormerLead, ReferralEditor, ReferralRemoval, ReferralRevision, RemovalOutcome, RevisionOutcome, StoreError,
    },
};

const OPERATION: &str = "changing a referral";
pub(super) const IS_OWN: &str = "referralId = :referral";
const IS_NOT_OWN: &str = "attribute_not_exists(referralId) OR referralId <> :referral";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Answer,
    /// The deal that the referral is linked to now.
    Deal,
    /// The deal that it was linked to before.
    OldDeal,
    Counter,
    Guard,
    /// Rows that must be in the version that was read.
    Row,
    /// Rows that are new, or go without a condition.
    Effect,
}

/// What is done about a row that belongs to a referral, when it may have come to be somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Belonging {
    /// It is the referral's: it is taken.
    Own,
    /// It is not, and that is checked instead.
    Not,
}

/// What is done about the referrer's counter when a referral goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Back,
    /// A drifted counter never goes below zero. The person gets a new version all the same: whoever counts their links at
    /// this moment has to notice.
    StaysAtZero,
    /// The person is gone.
    OfNobody,
}

impl ReferralEditor for Ledger {
    async fn revise_referral(
        &self,
        scope: &OrgScope,
        revision: &ReferralRevision,
    ) -> Result<RevisionOutcome, StoreError> {
        match self.try_revision(scope, revision, Belonging::Own).await? {
            Committed::Done => Ok(RevisionOutcome::Written),
            // A deal that says it is another referral's, or nobody's, holds up no correction.
            Committed::Refused(refusals) if refusals.iter().all(|refusal| refusal.name == Part::OldDeal) => {
                match self.try_revision(scope, revision, Belonging::Not).await? {
                    Committed::Done => Ok(RevisionOutcome::Written),
                    Committed::Refused(refusals) => outcome(refusals),
                }
            }
            Committed::Refused(refusals) => outcome(refusals),
        }
    }

    async fn remove_referral(&self, scope: &OrgScope, removal: &ReferralRemoval) -> Result<RemovalOutcome, StoreError> {
        // What is not as the row says, a drifted counter, an expired guard, a deal that became another referral's, holds up
        // no deletion, but is checked to be so.
        let (mut count, mut guard, mut deal) = (Count::Back, Belonging::Own, Belonging::Own);
        loop {
            let transaction = self.removal(scope, removal, count, guard, deal)?;
            let refusals = match transaction.commit(&self.client).await? {
                Committed::Done => return Ok(RemovalOutcome::Removed),
                Committed::Refused(refusals) => refusals,
            };
            for refusal in refusals {
                match refusal.name {
                    Part::Counter if count == Count::Back => {
                        count = if refusal.existing.is_empty() { Count::OfNobody } else { Count::StaysAtZero };
                    }
                    Part::Guard if guard == Belonging::Own => guard = Belonging::Not,
                    Part::OldDeal if deal == Belonging::Own => deal = Belonging::Not,
                    _ => return Ok(RemovalOutcome::Stale),
                }
            }
        }
    }
}

impl Ledger {
    async fn try_revision(
        &self,
        scope: &OrgScope,
        revision: &ReferralRevision,
        old_deal: Belonging,
    ) -> Result<Committed<Part>, StoreError> {
        let own = &revision.referral.row;
        let mut transaction = Transaction::default();
        let rows = std::iter::once(&revision.referral).chain(&revision.contested);
        self.replace_referrals(&mut transaction, Part::Row, scope, rows)?;
        if let Some(remembered) = &revision.remembered {
            self.remember(&mut transaction, Part::Answer, scope, remembered, own.updated_at)?;
        }
        if let Some(deal) = &revision.unlinked_deal {
            self.unlink_deal(&mut transaction, scope, deal, &own.id, old_deal)?;
        }
        if let Some(deal) = &revision.linked_deal {
            self.link_deal(&mut transaction, Part::Deal, scope, deal, &own.id)?;
        }
        if let Some(FormerLead { person, shows_another }) = &revision.lead.from {
            transaction.delete(Part::Effect, &self.table, primary(&keys::lead_link(scope, person, &own.id)))?;
            self.remember_tie(&mut transaction, Part::Effect, scope, person, own, *shows_another)?;
        }
        if let Some(lead) = &revision.lead.to {
            let item = to_item(lead, &keys::person_row(scope, lead))?;
            self.replace(&mut transaction, Part::Row, item, lead.version)?;
            let row = LinkRow { referral_id: own.id.clone(), created_at: own.created_at };
            transaction.write(Part::Effect, &self.table, to_item(&row, &keys::lead_link(scope, &lead.id, &own.id))?)?;
        }
        for (referral, entry) in &revision.audit {
            transaction.create(Part::Effect, &self.table, to_item(entry, &keys::audit(scope, referral, entry))?)?;
        }
        for event in &revision.events {
            transaction.create(Part::Effect, &self.outbox_table, super::outbox::item(event)?)?;
        }
        self.wait_for_the_clock(&mut transaction, Part::Effect, scope, own)?;
        transaction.commit(&self.client).await
    }
}

/// The first reason in the order that the port promises.
fn outcome(refusals: Vec<Refusal<Part>>) -> Result<RevisionOutcome, StoreError> {
    let mut found = RevisionOutcome::DealTaken;
    for refusal in refusals {
        match refusal.name {
            Part::Answer => return answers::used_key(OPERATION, refusal.existing).map(RevisionOutcome::KeyUsed),
            Part::Deal => {}
            _ => found = RevisionOutcome::Stale,
        }
    }
    Ok(found)
}

impl Ledger {
    fn removal(
        &self,
        scope: &OrgScope,
        removal: &ReferralRemoval,
        count: Count,
        guard: Belonging,
        old_deal: Belonging,
    ) -> Result<Transaction<Part>, StoreError> {
        let referral = &removal.referral;
        let mut transaction = Transaction::default();
        transaction.delete_if(
            Part::Row,
            &self.table,
            &keys::referral(scope, &referral.id),
            "version = :read",
            [(":read", AttributeValue::N(referral.version.to_string()))],
        )?;
        transaction.delete(Part::Effect, &self.table, primary(&keys::referred_link(scope, referral)))?;
        self.count_back(&mut transaction, scope, removal, count)?;
        self.count_out(&mut transaction, Part::Effect, scope, referral)?;
        self.remember_tie(&mut transaction, Part::Effect, scope, &referral.referrer_person_id, referral, false)?;
        if let Some(lead) = &referral.referred_person_id {
            if *lead != referral.referrer_person_id {
                self.remember_tie(&mut transaction, Part::Effect, scope, lead, referral, false)?;
            }
            transaction.delete(Part::Effect, &self.table, primary(&keys::lead_link(scope, lead, &referral.id)))?;
        }
        if let Some(deal) = &referral.resulting_deal_id {
            self.unlink_deal(&mut transaction, scope, deal, &referral.id, old_deal)?;
        }
        if let Some(pair) = &referral.guarded_pair {
            // Whoever sends the same friend again is heard.
            let (keys, own) = (keys::pair_guard(scope, pair), [(":referral", text(referral.id.as_str()))]);
            match guard {
                Belonging::Own => transaction.delete_if(Part::Guard, &self.table, &keys, IS_OWN, own)?,
                Belonging::Not => transaction.check(Part::Guard, &self.table, &keys, IS_NOT_OWN, [], own)?,
            }
        }
        if let Some(origin) = &referral.origin {
            // A row that was wrong can be imported again. It was written with the referral, so it is the referral's.
            transaction.delete(Part::Effect, &self.table, primary(&keys::origin(scope, origin)))?;
        }
        let audit = keys::audit(scope, &referral.id, &removal.audit);
        transaction.create(Part::Effect, &self.table, to_item(&removal.audit, &audit)?)?;
        Ok(transaction)
    }

    fn count_back(
        &self,
        transaction: &mut Transaction<Part>,
        scope: &OrgScope,
        removal: &ReferralRemoval,
        count: Count,
    ) -> Result<(), StoreError> {
        let person = keys::person(scope, &removal.referral.referrer_person_id);
        let (at, one) = ((":at", text(&removal.audit.at.to_string())), (":one", AttributeValue::N("1".to_owned())));
        match count {
            Count::Back => transaction.update(
                Part::Counter,
                &self.table,
                &person,
                "SET updatedAt = :at ADD totalReferrals :less, version :one",
                "attribute_exists(pk) AND totalReferrals >= :one",
                [at, one, (":less", AttributeValue::N("-1".to_owned()))],
            ),
            Count::StaysAtZero => transaction.update(
                Part::Counter,
                &self.table,
                &person,
                "SET updatedAt = :at ADD version :one",
                "attribute_exists(pk) AND totalReferrals < :one",
                [at, one],
            ),
            Count::OfNobody => {
                transaction.check(Part::Counter, &self.table, &person, "attribute_not_exists(pk)", [], [])
            }
        }
    }

    /// Gives a deal to the referral, unless it is another one's.
    pub(super) fn link_deal<N: Copy + PartialEq>(
        &self,
        transaction: &mut Transaction<N>,
        name: N,
        scope: &OrgScope,
        deal: &DealId,
        referral: &ReferralId,
    ) -> Result<(), StoreError> {
        // The deal may be known from its own events already: only the link is written.
        transaction.update(
            name,
            &self.table,
            &keys::deal(scope, deal),
            "SET dealId = :deal, referralId = :referral ADD version :one",
            "attribute_not_exists(referralId) OR referralId = :referral",
            [(":deal", text(deal.as_str())), (":referral", text(referral.as_str())), (":one", one())],
        )
    }

    fn unlink_deal(
        &self,
        transaction: &mut Transaction<Part>,
        scope: &OrgScope,
        deal: &DealId,
        referral: &ReferralId,
        belonging: Belonging,
    ) -> Result<(), StoreError> {
        let keys = keys::deal(scope, deal);
        let own = (":referral", text(referral.as_str()));
        match belonging {
            Belonging::Own => {
                let change = "REMOVE referralId, appliedRevision ADD version :one";
                transaction.update(Part::OldDeal, &self.table, &keys, change, IS_OWN, [own, (":one", one())])
            }
            Belonging::Not => transaction.check(Part::OldDeal, &self.table, &keys, IS_NOT_OWN, [], [own]),
        }
    }

    /// Writes a row whose stored version is one less than its own.
    pub(super) fn replace<N: Copy + PartialEq>(
        &self,
        transaction: &mut Transaction<N>,
        name: N,
        item: Attributes,
        version: u64,
    ) -> Result<(), StoreError> {
        let read = AttributeValue::N(version.saturating_sub(1).to_string());
        transaction.put(name, &self.table, item, "version = :read", [(":read", read)])
    }
}

fn one() -> AttributeValue {
    AttributeValue::N("1".to_owned())
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
