//! The links from referrers to the referrals that they sent, and the counters that count them.

use aws_sdk_dynamodb::types::{AttributeValue, Select};

use super::{
    Ledger,
    error::{store_error, unreadable_row},
    keys,
    query::{Order, Wanted},
    rows::{LinkRow, to_item},
    transaction::{Attributes, Committed, Transaction},
};
use crate::{
    domain::{
        id::{PersonId, ReferralId},
        referral::Referral,
        scope::OrgScope,
        time::Timestamp,
    },
    ports::{Correction, CorrectionOutcome, Link, LinkKeeper, Page, Position, RestoreOutcome, StoreError},
};

const LISTING: &str = "listing links";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Person,
    Link,
    Row,
}

impl LinkKeeper for Ledger {
    async fn count_links(&self, scope: &OrgScope, referrer: &PersonId) -> Result<u32, StoreError> {
        let operation = "counting links";
        let listing = keys::referrals_by(scope, referrer);
        let (mut count, mut start): (u32, Option<Attributes>) = (0, None);
        loop {
            let output = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .select(Select::Count)
                .key_condition_expression("pk = :pk AND begins_with(sk, :links)")
                .expression_attribute_values(":pk", text(&listing.partition))
                .expression_attribute_values(":links", text(&listing.prefix))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| store_error(operation, &error))?;
            count += u32::try_from(output.count).map_err(|_| unreadable_row(operation))?;
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok(count);
            }
        }
    }

    async fn list_links(
        &self,
        scope: &OrgScope,
        referrer: &PersonId,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Page<Link>, StoreError> {
        let listing = keys::referrals_by(scope, referrer);
        // Of the table itself the key of a place is the listing's alone.
        let after = after.map(|position| (keys::person(scope, referrer), position));
        let wanted =
            Wanted { listing: &listing, order: Order::NewestFirst, from: None, to: None, admits: None, after, limit };
        let page: Page<LinkRow> = self.page(LISTING, wanted).await?;
        let link =
            |row: LinkRow| Link { referrer: referrer.clone(), referral: row.referral_id, created_at: row.created_at };
        Ok(Page { items: page.items.into_iter().map(link).collect(), next: page.next })
    }

    async fn find_links(&self, scope: &OrgScope, links: &[Link]) -> Result<Vec<Link>, StoreError> {
        let keys: Vec<keys::Keys> = links.iter().map(|link| keys::link(scope, link)).collect();
        let rows: Vec<LinkRow> = self.get_all(LISTING, &keys).await?;
        // The batch gives no keys back, and a row's own words are less than its key: both together say which link it is.
        let is_there =
            |link: &&Link| rows.iter().any(|row| row.referral_id == link.referral && row.created_at == link.created_at);
        Ok(links.iter().filter(is_there).cloned().collect())
    }

    async fn find_referrals(&self, scope: &OrgScope, ids: &[ReferralId]) -> Result<Vec<Referral>, StoreError> {
        let keys: Vec<keys::Keys> = ids.iter().map(|id| keys::referral(scope, id)).collect();
        self.get_all("reading referrals", &keys).await
    }

    async fn restore_link(&self, scope: &OrgScope, link: &Link, at: Timestamp) -> Result<RestoreOutcome, StoreError> {
        let mut transaction = Transaction::default();
        let row = LinkRow { referral_id: link.referral.clone(), created_at: link.created_at };
        transaction.create(Part::Link, &self.table, to_item(&row, &keys::link(scope, link))?)?;
        transaction.check(
            Part::Row,
            &self.table,
            &keys::referral(scope, &link.referral),
            "referrerPersonId = :referrer AND createdAt = :created",
            [],
            [(":referrer", text(link.referrer.as_str())), (":created", text(&link.created_at.to_string()))],
        )?;
        // Whoever counts this person's links at this moment has to notice.
        transaction.update(
            Part::Person,
            &self.table,
            &keys::person(scope, &link.referrer),
            "SET updatedAt = :at ADD version :one",
            "attribute_exists(pk)",
            [(":at", text(&at.to_string())), (":one", number(1))],
        )?;
        Ok(match transaction.commit(&self.client).await? {
            Committed::Done => RestoreOutcome::Restored,
            Committed::Refused(refusals) if refusals.iter().any(|refusal| refusal.name != Part::Person) => {
                RestoreOutcome::NotMissing
            }
            Committed::Refused(_) => RestoreOutcome::ReferrerMissing,
        })
    }

    async fn correct_total(&self, scope: &OrgScope, correction: &Correction) -> Result<CorrectionOutcome, StoreError> {
        let mut transaction = Transaction::default();
        transaction.update(
            Part::Person,
            &self.table,
            &keys::person(scope, &correction.person),
            "SET totalReferrals = :total, updatedAt = :at ADD version :one",
            "version = :read",
            [
                (":total", number(u64::from(correction.total))),
                (":at", text(&correction.at.to_string())),
                (":one", number(1)),
                (":read", number(correction.read)),
            ],
        )?;
        Ok(match transaction.commit(&self.client).await? {
            Committed::Done => CorrectionOutcome::Corrected,
            Committed::Refused(_) => CorrectionOutcome::Moved,
        })
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
