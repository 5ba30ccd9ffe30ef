//! Answers to requests that clients have named.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Ledger, keys,
    rows::{RememberedAnswerRow, ShownAnswerRow, from_item, to_item},
    transaction::{Attributes, Committed, Transaction},
};
use crate::{
    domain::{idempotency::IdempotentRequest, referral::Referral, scope::OrgScope, time::Timestamp},
    ports::{AnswerBook, RememberOutcome, RememberedAnswer, StoreError, UsedKey},
};

/// Holds for a key that is free, or whose time is over: TTL may be two days late.
const IS_FREE: &str = "attribute_not_exists(pk) OR expiresAt <= :now";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Answer,
    /// The referral, in the version that the answer shows.
    Row,
}

fn item(scope: &OrgScope, answer: &RememberedAnswer) -> Result<Attributes, StoreError> {
    let row = RememberedAnswerRow {
        body: answer.request.body.clone(),
        answer: Some(answer.answer.clone()),
        expires_at: answer.expires_at.epoch_seconds(),
    };
    to_item(&row, &keys::remembered_answer(scope, &answer.request))
}

fn now(at: Timestamp) -> (&'static str, AttributeValue) {
    (":now", AttributeValue::N(at.epoch_seconds().to_string()))
}

/// Reads the answer that was in the way.
pub(super) fn used_key(operation: &'static str, existing: Attributes) -> Result<UsedKey, StoreError> {
    let row: RememberedAnswerRow = from_item(operation, existing)?;
    Ok(UsedKey { body: row.body, answer: row.answer })
}

impl Ledger {
    /// Adds the answer to a transaction as `name`, unless the key has been used within its time.
    pub(super) fn remember<N: Copy + PartialEq>(
        &self,
        transaction: &mut Transaction<N>,
        name: N,
        scope: &OrgScope,
        answer: &RememberedAnswer,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        transaction.put(name, &self.table, item(scope, answer)?, IS_FREE, [now(at)])?;
        if let Some(referral) = &answer.about {
            let key = answer.request.key.clone();
            let keys = keys::shown_answer(scope, referral, &key);
            let row = ShownAnswerRow { key, expires_at: answer.expires_at.epoch_seconds() };
            transaction.write(name, &self.table, to_item(&row, &keys)?)?;
        }
        Ok(())
    }
}

impl AnswerBook for Ledger {
    async fn find_answer(
        &self,
        scope: &OrgScope,
        request: &IdempotentRequest,
        at: Timestamp,
    ) -> Result<Option<UsedKey>, StoreError> {
        let keys = keys::remembered_answer(scope, request);
        let row: Option<RememberedAnswerRow> = self.get("reading an answer", &keys).await?;
        let row = row.filter(|row| row.expires_at > at.epoch_seconds());
        Ok(row.map(|row| UsedKey { body: row.body, answer: row.answer }))
    }

    async fn remember_answer(
        &self,
        scope: &OrgScope,
        answer: &RememberedAnswer,
        read: &Referral,
        at: Timestamp,
    ) -> Result<RememberOutcome, StoreError> {
        let mut transaction = Transaction::default();
        self.remember(&mut transaction, Part::Answer, scope, answer, at)?;
        let version = [(":read", AttributeValue::N(read.version.to_string()))];
        let row = keys::referral(scope, &read.id);
        transaction.check(Part::Row, &self.table, &row, "version = :read", [], version)?;
        let refusals = match transaction.commit(&self.client).await? {
            Committed::Done => return Ok(RememberOutcome::Remembered),
            Committed::Refused(refusals) => refusals,
        };
        match refusals.into_iter().find(|refusal| refusal.name == Part::Answer) {
            Some(used) => used_key("remembering an answer", used.existing).map(RememberOutcome::KeyUsed),
            None => Ok(RememberOutcome::Stale),
        }
    }
}
