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
    ports::{ReferralEditor, ReferralRemoval, ReferralRevision, RemovalOutcome, RevisionOutcome, StoreError},
};

const OPERATION: &str = "changing a referral";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Answer,
    Deal,
    Counter,
    Guard,
    /// Rows that must be in the version that was read.
    Row,
    /// Rows that are new, or go without a condition.
    Effect,
}

impl ReferralEditor for Ledger {
    async fn revise_referral(
        &self,
        scope: &OrgScope,
        revision: &ReferralRevision,
    ) -> Result<RevisionOutcome, StoreError> {
        let own = &revision.referral;
        let mut transaction = Transaction::default();
        for referral in std::iter::once(own).chain(&revision.contested) {
            let item = to_item(referral, &keys::referral_row(scope, referral))?;
            self.replace(&mut transaction, Part::Row, item, referral.version)?;
        }
        if let Some(remembered) = &revision.remembered {
            self.remember(&mut transaction, Part::Answer, scope, remembered, own.updated_at)?;
        }
        if let Some(deal) = &revision.unlinked_deal {
            self.unlink_deal(&mut transaction, scope, deal, &own.id)?;
        }
        if let Some(deal) = &revision.linked_deal {
            // The deal may be known from its own events already: only the link is written.
            transaction.update(
                Part::Deal,
                &self.table,
                &keys::deal(scope, deal),
                "SET dealId = :deal, referralId = :referral ADD version :one",
                "attribute_not_exists(referralId) OR referralId = :referral",
                [(":deal", text(deal.as_str())), (":referral", text(own.id.as_str())), (":one", one())],
            )?;
        }
        if let Some(lead) = &revision.lead.from {
            transaction.delete(Part::Effect, &self.table, primary(&keys::lead_link(scope, lead, &own.id)))?;
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
        match transaction.commit(&self.client).await? {
            Committed::Done => Ok(RevisionOutcome::Written),
            Committed::Refused(refusals) => outcome(refusals),
        }
    }

    async fn remove_referral(&self, scope: &OrgScope, removal: &ReferralRemoval) -> Result<RemovalOutcome, StoreError> {
        // A referrer who is gone, a drifted counter that would go below zero, and a guard that has expired or is another
        // referral's by now hold up no deletion.
        let mut spared = Vec::new();
        loop {
            let transaction = self.removal(scope, removal, &spared)?;
            let refusals = match transaction.commit(&self.client).await? {
                Committed::Done => return Ok(RemovalOutcome::Removed),
                Committed::Refused(refusals) => refusals,
            };
            if refusals.iter().any(|refusal| !matches!(refusal.name, Part::Counter | Part::Guard)) {
                return Ok(RemovalOutcome::Stale);
            }
            spared.extend(refusals.iter().map(|refusal| refusal.name));
        }
    }
}

/// The first reason in the order that the port promises.
fn outcome(refusals: Vec<Refusal<Part>>) -> Result<RevisionOutcome, StoreError> {
    let mut found = RevisionOutcome::DealTaken;
    for refusal in refusals {
        match refusal.name {
            Part::Answer => return answers::used_key(OPERATION, refusal.existing).map(RevisionOutcome::KeyUsed),
            Part::Deal => {}
            Part::Row | Part::Counter | Part::Guard | Part::Effect => found = RevisionOutcome::Stale,
        }
    }
    Ok(found)
}

impl Ledger {
    fn removal(
        &self,
        scope: &OrgScope,
        removal: &ReferralRemoval,
        spared: &[Part],
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
        let link = keys::referred_link(scope, referral);
        transaction.delete(Part::Effect, &self.table, primary(&link))?;
        if !spared.contains(&Part::Counter) {
            transaction.update(
                Part::Counter,
                &self.table,
                &keys::person(scope, &referral.referrer_person_id),
                "SET updatedAt = :at ADD totalReferrals :less, version :one",
                "attribute_exists(pk) AND totalReferrals >= :one",
                [
                    (":at", text(&removal.audit.at.to_string())),
                    (":less", AttributeValue::N("-1".to_owned())),
                    (":one", one()),
                ],
            )?;
        }
        if let Some(lead) = &referral.referred_person_id {
            transaction.delete(Part::Effect, &self.table, primary(&keys::lead_link(scope, lead, &referral.id)))?;
        }
        if let Some(deal) = &referral.resulting_deal_id {
            self.unlink_deal(&mut transaction, scope, deal, &referral.id)?;
        }
        if let Some(pair) = referral.guarded_pair.as_ref().filter(|_| !spared.contains(&Part::Guard)) {
            // Whoever sends the same friend again is heard.
            transaction.delete_if(
                Part::Guard,
                &self.table,
                &keys::pair_guard(scope, pair),
                "referralId = :referral",
                [(":referral", text(referral.id.as_str()))],
            )?;
        }
        let audit = keys::audit(scope, &referral.id, &removal.audit);
        transaction.create(Part::Effect, &self.table, to_item(&removal.audit, &audit)?)?;
        Ok(transaction)
    }

    fn unlink_deal(
        &self,
        transaction: &mut Transaction<Part>,
        scope: &OrgScope,
        deal: &DealId,
        referral: &ReferralId,
    ) -> Result<(), StoreError> {
        transaction.update(
            Part::Row,
            &self.table,
            &keys::deal(scope, deal),
            "REMOVE referralId ADD version :one",
            "referralId = :referral",
            [(":referral", text(referral.as_str())), (":one", one())],
        )
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
