//! All organizations.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Ledger, error::store_error, keys, rows::from_item};
use crate::{
    domain::{organization::Organization, scope::OrgScope},
    ports::{OrganizationList, Organizations, StoreError},
};

/// Read at a time.
const PAGE: i32 = 100;

impl OrganizationList for Ledger {
    async fn list_organizations(&self, after: Option<&str>) -> Result<Organizations, StoreError> {
        let operation = "listing organizations";
        // Each key of the list is the organization's id, so the place in it can be told by that alone.
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(keys::LIST_INDEX)
            .limit(PAGE)
            .key_condition_expression("#list = :list AND #id > :after")
            .expression_attribute_names("#list", keys::LIST_PK)
            .expression_attribute_names("#id", keys::LIST_SK)
            .expression_attribute_values(":list", AttributeValue::S(keys::ORGANIZATIONS.to_owned()))
            .expression_attribute_values(":after", AttributeValue::S(after.unwrap_or(" ").to_owned()))
            .send()
            .await
            .map_err(|error| store_error(operation, &error))?;
        let (mut scopes, mut unreadable) = (Vec::new(), 0);
        for item in output.items.unwrap_or_default() {
            // One row that cannot be read keeps no other waiting.
            match from_item::<Organization>(operation, item) {
                Ok(organization) => scopes.push(OrgScope::from_organization_list(organization.id)),
                Err(error) => {
                    tracing::error!(error.message = %error, "an organization cannot be read");
                    unreadable += 1;
                }
            }
        }
        let next = output.last_evaluated_key.and_then(|mut key| key.remove(keys::LIST_SK));
        Ok(Organizations { scopes, unreadable, next: next.and_then(|id| id.as_s().ok().cloned()) })
    }
}
