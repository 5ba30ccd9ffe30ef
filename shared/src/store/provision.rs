//! What an operator puts in place: organizations, members, profiles, people and logins. Nothing that is there already is
//! changed, so that loading twice is loading once.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use serde::Deserialize;
use thiserror::Error;

use super::{
    Directory,
    error::store_error,
    keys,
    profiles::{Part as ProfilePart, has, put_slug},
    rows::{ContactRow, LoginRow, to_item},
    transaction::{Attributes, Committed, Transaction},
};
use crate::{
    domain::{
        contact::Contact,
        email::Email,
        id::{OrgId, PersonId, UserId},
        organization::{Member, Organization, Slug},
        person::{LeadSource, Person, PipelineStage, RelationshipStage},
        phone::Phone,
        profile::{AgentProfile, ProfileContent},
        scope::OrgScope,
        text::PersonName,
        time::Timestamp,
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
    pub profiles: Vec<ProfileRecord>,
    #[serde(default)]
    pub people: Vec<PersonRecord>,
}

/// A profile as an operator writes it down. It is published only when that is said.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileRecord {
    slug: Slug,
    organization_id: OrgId,
    agent_user_id: UserId,
    display_name: PersonName,
    brokerage: PersonName,
    #[serde(default)]
    published: bool,
}

impl ProfileRecord {
    fn to_profile(&self, at: Timestamp) -> AgentProfile {
        let content = ProfileContent {
            slug: self.slug.clone(),
            display_name: self.display_name.clone(),
            brokerage: self.brokerage.clone(),
            published: self.published,
        };
        AgentProfile::new(self.organization_id.clone(), self.agent_user_id.clone(), content, at)
    }
}

/// A person as an operator writes them down. What is not said is as with anybody who is new.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonRecord {
    id: PersonId,
    organization_id: OrgId,
    name: PersonName,
    email: Option<Email>,
    phone: Option<Phone>,
    lead_source: Option<LeadSource>,
    relationship_stage: Option<RelationshipStage>,
    pipeline_stage: Option<PipelineStage>,
    owner_user_id: Option<UserId>,
    #[serde(default)]
    total_referrals: u32,
    #[serde(default)]
    email_marketing_consent: bool,
    #[serde(default)]
    sms_marketing_consent: bool,
    #[serde(default)]
    do_not_contact: bool,
    /// When the file is loaded, where it does not say.
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    version: Option<u64>,
}

impl PersonRecord {
    fn to_person(&self, at: Timestamp) -> Person {
        let contact = Contact { email: self.email.clone(), phone: self.phone.clone() };
        let at = self.created_at.unwrap_or(at);
        let new = Person::new(self.id.clone(), self.organization_id.clone(), self.name.clone(), contact, at);
        Person {
            lead_source: self.lead_source,
            relationship_stage: self.relationship_stage,
            pipeline_stage: self.pipeline_stage,
            owner_user_id: self.owner_user_id.clone(),
            total_referrals: self.total_referrals,
            email_marketing_consent: self.email_marketing_consent,
            sms_marketing_consent: self.sms_marketing_consent,
            do_not_contact: self.do_not_contact,
            updated_at: self.updated_at.unwrap_or(at),
            version: self.version.unwrap_or(new.version),
            ..new
        }
    }
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
    pub async fn provision(&self, records: &Provision, at: Timestamp) -> Result<Provisioned, ProvisionError> {
        let mut done = Provisioned::default();
        let mut count = |created: bool| if created { done.created += 1 } else { done.present += 1 };
        for organization in &records.organizations {
            let scope = OrgScope::from_operator(organization.id.clone());
            count(self.create(to_item(organization, &keys::organization_row(&scope))?).await?);
        }
        for member in &records.members {
            let scope = OrgScope::from_operator(member.organization_id.clone());
            count(self.create(to_item(member, &keys::member(&scope, &member.user_id))?).await?);
        }
        for profile in &records.profiles {
            count(self.create_profile(&profile.to_profile(at)).await?);
        }
        for person in &records.people {
            count(self.create_person(&person.to_person(at)).await?);
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
        let scope = OrgScope::from_operator(profile.organization_id.clone());
        let mut transaction = Transaction::default();
        let item = to_item(profile, &keys::profile(&scope, &profile.agent_user_id))?;
        transaction.create(ProfilePart::Profile, &self.table, item)?;
        put_slug(&mut transaction, &self.table, profile)?;
        match transaction.commit(&self.client).await? {
            Committed::Done => Ok(true),
            Committed::Refused(refusals) if has(&refusals, ProfilePart::Slug) => {
                Err(ProvisionError::SlugTaken(profile.slug.clone()))
            }
            Committed::Refused(_) => Ok(false),
        }
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

    /// False when an item was there already.
    async fn create(&self, item: Attributes) -> Result<bool, StoreError> {
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", keys::PK)
            .send()
            .await;
        match result {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(store_error("putting a record in place", &error)),
            },
        }
    }
}
