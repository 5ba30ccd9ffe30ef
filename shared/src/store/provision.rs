//! What an operator puts in place: organizations, members, profiles, people and logins. Nothing that is there already is
//! changed, so that loading twice is loading once.

use aws_sdk_dynamodb::{operation::put_item::PutItemError, types::ReturnValuesOnConditionCheckFailure};
use serde::Deserialize;
use thiserror::Error;

use super::{
    Directory,
    error::store_error,
    keys,
    rows::{ContactRow, LoginRow, from_item, to_item},
    transaction::{Attributes, Committed, Transaction},
};
use crate::{
    domain::{
        id::{OrgId, PersonId, UserId},
        organization::{AgentProfile, Member, Organization, Slug},
        person::Person,
        scope::OrgScope,
    },
    ports::StoreError,
};

/// A set of records to put in place.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provision {
    #[serde(default)]
    pub organizations: Vec<Organization>,
    #[serde(default)]
    pub members: Vec<Member>,
    #[serde(default)]
    pub profiles: Vec<AgentProfile>,
    #[serde(default)]
    pub people: Vec<Person>,
}

/// How many records were new, and how many were there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Provisioned {
    pub created: usize,
    pub present: usize,
}

/// Some records could not be put in place.
#[derive(Debug, Error)]
pub enum ProvisionError {
    #[error("the slug {0} belongs to another agent")]
    SlugTaken(Slug),
    #[error("an address or number of {0} belongs to another person")]
    ContactTaken(PersonId),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Person,
    Contact,
}

impl Directory {
    /// # Errors
    /// When a slug or a contact belongs to somebody else, or the store does not answer. What was put in place before
    /// stays.
    pub async fn provision(&self, records: &Provision) -> Result<Provisioned, ProvisionError> {
        let mut done = Provisioned::default();
        let mut count = |created: bool| if created { done.created += 1 } else { done.present += 1 };
        for organization in &records.organizations {
            let scope = OrgScope::from_operator(organization.id.clone());
            count(self.create(to_item(organization, &keys::organization(&scope))?).await?.is_none());
        }
        for member in &records.members {
            let scope = OrgScope::from_operator(member.organization_id.clone());
            count(self.create(to_item(member, &keys::member(&scope, &member.user_id))?).await?.is_none());
        }
        for profile in &records.profiles {
            count(self.create_profile(profile).await?);
        }
        for person in &records.people {
            count(self.create_person(person).await?);
        }
        Ok(done)
    }

    /// Lets a subject of the identity provider sign in as a member. A subject that is linked already is linked anew.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn link_login(&self, subject: &str, organization: &OrgId, user: &UserId) -> Result<(), StoreError> {
        let row = LoginRow { organization_id: organization.clone(), user_id: user.clone() };
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(&row, &keys::login(subject))?))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| store_error("linking a login", &error))
    }

    async fn create_profile(&self, profile: &AgentProfile) -> Result<bool, ProvisionError> {
        let Some(existing) = self.create(to_item(profile, &keys::slug(&profile.slug))?).await? else {
            return Ok(true);
        };
        let holder: AgentProfile = from_item("reading a profile", existing)?;
        let is_same =
            (&holder.organization_id, &holder.agent_user_id) == (&profile.organization_id, &profile.agent_user_id);
        if is_same { Ok(false) } else { Err(ProvisionError::SlugTaken(profile.slug.clone())) }
    }

    async fn create_person(&self, person: &Person) -> Result<bool, ProvisionError> {
        let scope = OrgScope::from_operator(person.organization_id.clone());
        let mut transaction = Transaction::default();
        transaction.create(Part::Person, &self.table, to_item(person, &keys::person_row(&scope, person))?)?;
        for key in person.contact_keys() {
            let row = ContactRow { person_id: person.id.clone() };
            transaction.create(Part::Contact, &self.table, to_item(&row, &keys::contact(&scope, &key))?)?;
        }
        match transaction.commit(&self.client).await? {
            Committed::Done => Ok(true),
            Committed::Refused(refusals) if refusals.iter().any(|refusal| refusal.name == Part::Person) => Ok(false),
            Committed::Refused(_) => Err(ProvisionError::ContactTaken(person.id.clone())),
        }
    }

    /// The item that was there already, if one was.
    async fn create(&self, item: Attributes) -> Result<Option<Attributes>, StoreError> {
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", keys::PK)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match result {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                    Ok(Some(refused.item().cloned().unwrap_or_default()))
                }
                _ => Err(store_error("putting a record in place", &error)),
            },
        }
    }
}
