//! Agents' profiles, and the slugs under which they are found. A slug belongs to one agent for ever: links to it are on
//! cards and signs, and whoever follows an old one must not reach somebody else.

use serde::{Deserialize, Serialize};

use super::{
    id::{OrgId, UserId},
    organization::{AccountStatus, Organization, PublishedProfile, Slug},
    text::PersonName,
    time::Timestamp,
};

/// Slugs that one agent may hold, the present one included.
pub const MAX_SLUGS: usize = 10;

/// Whose a slug is. It vouches for the organization; all else is the profile's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlugRecord {
    pub organization_id: OrgId,
    pub agent_user_id: UserId,
}

/// An agent's profile; each member has at most one. `version` counts changes and is the entity tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentProfile {
    pub slug: Slug,
    pub organization_id: OrgId,
    pub agent_user_id: UserId,
    pub display_name: PersonName,
    pub brokerage: PersonName,
    pub published: bool,
    /// Every slug that leads here, oldest first, the present one included.
    pub slugs: Vec<Slug>,
    pub updated_at: Timestamp,
    pub version: u64,
}

/// What an agent says of themselves; every value in it is valid by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileContent {
    pub slug: Slug,
    pub display_name: PersonName,
    pub brokerage: PersonName,
    pub published: bool,
}

/// The agent holds as many slugs as anybody may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManySlugs;

impl AgentProfile {
    #[must_use]
    pub fn new(organization_id: OrgId, agent_user_id: UserId, content: ProfileContent, at: Timestamp) -> Self {
        Self {
            organization_id,
            agent_user_id,
            slugs: vec![content.slug.clone()],
            slug: content.slug,
            display_name: content.display_name,
            brokerage: content.brokerage,
            published: content.published,
            updated_at: at,
            version: 1,
        }
    }

    /// The profile with other content, one version on. None when nothing is other than before.
    ///
    /// # Errors
    /// When it would be one slug more than an agent may hold. Going back to one that is held already is none more.
    pub fn changed(&self, content: &ProfileContent, at: Timestamp) -> Result<Option<Self>, TooManySlugs> {
        let mut next = Self {
            slug: content.slug.clone(),
            display_name: content.display_name.clone(),
            brokerage: content.brokerage.clone(),
            published: content.published,
            ..self.clone()
        };
        if !next.slugs.contains(&content.slug) {
            if next.slugs.len() >= MAX_SLUGS {
                return Err(TooManySlugs);
            }
            next.slugs.push(content.slug.clone());
        }
        if next == *self {
            return Ok(None);
        }
        next.version = next.version.saturating_add(1);
        next.updated_at = next.updated_at.max(at);
        Ok(Some(next))
    }

    #[must_use]
    pub fn slug_record(&self) -> SlugRecord {
        SlugRecord { organization_id: self.organization_id.clone(), agent_user_id: self.agent_user_id.clone() }
    }

    /// None unless the profile is published and its organization active.
    #[must_use]
    pub fn open_for_referrals(&self, organization: &Organization) -> Option<PublishedProfile> {
        (self.published && organization.status == AccountStatus::Active && organization.id == self.organization_id)
            .then(|| PublishedProfile {
                organization_id: self.organization_id.clone(),
                agent_user_id: self.agent_user_id.clone(),
                display_name: self.display_name.clone(),
                brokerage: self.brokerage.clone(),
                timezone: organization.timezone.clone(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{calendar::Zone, phone::Region};

    fn content(slug: &str, published: bool) -> ProfileContent {
        ProfileContent {
            slug: Slug::parse(slug).unwrap(),
            display_name: PersonName::parse("Jane Doe").unwrap(),
            brokerage: PersonName::parse("Doe Realty Group").unwrap(),
            published,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::parse("2026-11-22T07:00:00Z").unwrap().plus_seconds(seconds)
    }

    fn profile(published: bool) -> AgentProfile {
        let (organization, agent) = (OrgId::parse("org_1").unwrap(), UserId::parse("user_1").unwrap());
        AgentProfile::new(organization, agent, content("jane-doe", published), at(0))
    }

    #[test]
    fn only_a_published_profile_of_an_active_organization_is_open() {
        let org = |id, status| Organization {
            id: OrgId::parse(id).unwrap(),
            name: "A".into(),
            status,
            timezone: Zone::utc(),
            default_region: Region::default(),
        };
        assert!(profile(true).open_for_referrals(&org("org_1", AccountStatus::Active)).is_some());
        assert!(profile(false).open_for_referrals(&org("org_1", AccountStatus::Active)).is_none());
        assert!(profile(true).open_for_referrals(&org("org_1", AccountStatus::Suspended)).is_none());
        assert!(profile(true).open_for_referrals(&org("org_2", AccountStatus::Active)).is_none());
    }

    #[test]
    fn what_is_there_already_is_no_change() {
        assert_eq!(profile(true).changed(&content("jane-doe", true), at(1)), Ok(None));
        let withdrawn = profile(true).changed(&content("jane-doe", false), at(1)).unwrap().unwrap();
        assert_eq!((withdrawn.published, withdrawn.version, withdrawn.updated_at), (false, 2, at(1)));
        assert_eq!(withdrawn.slugs.len(), 1);
    }

    #[test]
    fn every_part_of_a_profile_is_changed_by_itself() {
        let before = profile(true);
        let same = || content("jane-doe", true);
        let name = |text| PersonName::parse(text).unwrap();
        let new = AgentProfile { version: 2, updated_at: at(1), ..before.clone() };
        for (asked, wanted) in [
            (
                ProfileContent { display_name: name("Jane D."), ..same() },
                AgentProfile { display_name: name("Jane D."), ..new.clone() },
            ),
            (
                ProfileContent { brokerage: name("Other Realty"), ..same() },
                AgentProfile { brokerage: name("Other Realty"), ..new.clone() },
            ),
        ] {
            assert_eq!(before.changed(&asked, at(1)), Ok(Some(wanted)));
        }
    }

    #[test]
    fn ten_slugs_are_held_and_each_can_be_taken_back() {
        let mut held = profile(true);
        for number in 2..=MAX_SLUGS {
            held = held.changed(&content(&format!("jane-doe-{number}"), true), at(1)).unwrap().unwrap();
        }
        assert_eq!((held.slugs.len(), held.version), (10, 10));
        assert_eq!(held.changed(&content("one-more", true), at(2)), Err(TooManySlugs));
        let back = held.changed(&content("jane-doe", true), at(2)).unwrap().unwrap();
        assert_eq!((back.slug.as_str(), back.slugs), ("jane-doe", held.slugs));
    }

    #[test]
    fn a_slug_vouches_for_the_profiles_organization_and_agent() {
        let record = profile(true).slug_record();
        assert_eq!((record.organization_id.as_str(), record.agent_user_id.as_str()), ("org_1", "user_1"));
    }
}
