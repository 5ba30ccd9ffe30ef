//! The members of an organization, all of them.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Ledger, error::store_error, keys, rows::from_item};
use crate::{
    domain::{organization::Member, scope::OrgScope},
    ports::{MemberList, StoreError},
};

const LISTING: &str = "listing members";

impl MemberList for Ledger {
    async fn list_members(&self, scope: &OrgScope) -> Result<Vec<Member>, StoreError> {
        let mut members = Vec::new();
        let mut start = None;
        loop {
            let output = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND begins_with(sk, :members)")
                .expression_attribute_values(":pk", text(&keys::organization_partition(scope)))
                .expression_attribute_values(":members", text(keys::MEMBER))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| store_error(LISTING, &error))?;
            for item in output.items.unwrap_or_default() {
                members.push(from_item(LISTING, item)?);
            }
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok(members);
            }
        }
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
