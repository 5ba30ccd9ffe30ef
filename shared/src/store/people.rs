//! Reading people.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Ledger,
    error::store_error,
    keys,
    query::{Order, Placed, Wanted},
    rows::{ContactRow, LinkRow, from_item},
};
use crate::{
    domain::{
        contact::ContactKey,
        filter::NameQuery,
        id::{PersonId, ReferralId},
        person::Person,
        scope::OrgScope,
    },
    ports::{Page, PersonReader, Position, StoreError},
};

impl Placed for Person {
    fn position(&self) -> Position {
        Position { created_at: self.created_at, id: self.id.as_str().to_owned() }
    }
}

impl PersonReader for Ledger {
    async fn find_person(&self, scope: &OrgScope, id: &PersonId) -> Result<Option<Person>, StoreError> {
        self.get("reading a person", &keys::person(scope, id)).await
    }

    async fn find_people(&self, scope: &OrgScope, ids: &[PersonId]) -> Result<Vec<Person>, StoreError> {
        let keys: Vec<keys::Keys> = ids.iter().map(|id| keys::person(scope, id)).collect();
        self.get_all("reading people", &keys).await
    }

    async fn list_people(
        &self,
        scope: &OrgScope,
        name: &NameQuery,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Page<Person>, StoreError> {
        let operation = "listing people";
        let after = match after {
            None => None,
            Some(position) => {
                let id = PersonId::parse(&position.id)
                    .map_err(|_| StoreError::Failed { operation, reason: "a position of another list".to_owned() })?;
                Some((keys::person(scope, &id), position))
            }
        };
        let listing = keys::people(scope);
        let by_name = |person: &Person| name.admits(person);
        let admits: Option<&(dyn Fn(&Person) -> bool + Sync)> =
            if name.admits_everybody() { None } else { Some(&by_name) };
        self.page(
            operation,
            Wanted { listing: &listing, order: Order::NewestFirst, from: None, to: None, admits, after, limit },
        )
        .await
    }

    async fn find_key_holder(&self, scope: &OrgScope, key: &ContactKey) -> Result<Option<PersonId>, StoreError> {
        let row: Option<ContactRow> = self.get("reading a contact key", &keys::contact(scope, key)).await?;
        Ok(row.map(|row| row.person_id))
    }

    async fn referrals_of_lead(&self, scope: &OrgScope, lead: &PersonId) -> Result<Vec<ReferralId>, StoreError> {
        let operation = "reading a lead's referrals";
        // One read: a megabyte of links is more referrals of one person than there can be.
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :links)")
            .expression_attribute_values(":pk", AttributeValue::S(keys::person_partition(scope, lead)))
            .expression_attribute_values(":links", AttributeValue::S(keys::LEAD_OF.to_owned()))
            .send()
            .await
            .map_err(|error| store_error(operation, &error))?;
        let items = output.items.unwrap_or_default();
        items.into_iter().map(|item| from_item::<LinkRow>(operation, item).map(|row| row.referral_id)).collect()
    }
}
