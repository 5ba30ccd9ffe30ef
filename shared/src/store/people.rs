//! Reading people.

use super::{
    Ledger, keys,
    query::{Order, Placed, Wanted},
    rows::{ContactRow, LinkRow},
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
        let (operation, partition) = ("reading a lead's referrals", keys::person_partition(scope, lead));
        let rows: Vec<LinkRow> = self.rows_under(operation, partition, keys::LEAD_OF).await?;
        Ok(rows.into_iter().map(|row| row.referral_id).collect())
    }
}
