//! A stranger sends a friend to an agent, through a public form.
//!
//! Public input never edits an existing person and never adds a contact to one.

use super::record_referral::Identity;
use crate::{
    domain::{
        audit::Actor,
        contact::Contact,
        duplicate::PairKey,
        id::{PersonId, ReferralId},
        organization::Slug,
        person::Person,
        referral::{Channel, NewReferral, RiskFlag},
        scope::OrgScope,
        text::{Notes, PersonName},
    },
    ports::{
        Clock, Ids, ProfileDirectory, ReferralRecorder, ReferralWrite, ReferralWriteOutcome, ReferrerWrite, StoreError,
    },
};

/// A submission whose fields are valid.
#[derive(Debug, Clone)]
pub struct Submission {
    pub referrer_name: PersonName,
    /// At least one of address and number.
    pub referrer_contact: Contact,
    pub referred_name: PersonName,
    pub referred_contact: Contact,
    pub channel: Channel,
    pub notes: Option<Notes>,
    /// The field that people do not see was filled in.
    pub is_trapped: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Captured {
    /// A new row, and an event on its way.
    Recorded(ReferralId),
    /// The same pair within thirty days: counted, nothing else.
    Repeated,
    /// A machine filled in the form: nothing was stored.
    Trapped,
    /// The slug resolves to nobody who takes referrals.
    NoOpenProfile,
}

/// Each attempt learns one fact about the referrer (who holds the address, who holds the number); two facts and one
/// person erased in between are the most there is to learn.
const MAX_ATTEMPTS: usize = 5;

/// # Errors
/// When the store does not answer, or somebody else changes the same people faster than this can follow. Nothing was
/// written then.
pub async fn capture_referral(
    profiles: &impl ProfileDirectory,
    store: &impl ReferralRecorder,
    clock: &impl Clock,
    ids: &impl Ids,
    slug: Option<&Slug>,
    submission: &Submission,
    request_id: &str,
) -> Result<Captured, StoreError> {
    let Some(slug) = slug else { return Ok(Captured::NoOpenProfile) };
    let Some(profile) = profiles.find_open_profile(slug).await? else { return Ok(Captured::NoOpenProfile) };
    if submission.is_trapped {
        return Ok(Captured::Trapped);
    }
    let scope = OrgScope::from_published_profile(&profile);
    let Some(identity_key) = submission.referrer_contact.identity() else {
        return Err(StoreError::Failed { operation: "capture", reason: "a submission without a referrer".to_owned() });
    };

    let identity = Identity::new(ids, clock.now(), request_id, Actor::Public);
    let pair =
        PairKey::new(&profile.agent_user_id, &identity_key, &submission.referred_name, &submission.referred_contact);
    let stranger = Person::new(
        PersonId::from_ulid(ids.ulid(identity.at)),
        scope.organization().clone(),
        submission.referrer_name.clone(),
        submission.referrer_contact.clone(),
        identity.at,
    );
    let as_stranger = || ReferrerWrite::Create {
        person: Box::new(Person { total_referrals: 1, ..stranger.clone() }),
        keys: stranger.contact_keys(),
    };

    let mut referrer = as_stranger();
    let mut flags = Vec::new();
    for _ in 0..MAX_ATTEMPTS {
        let new = NewReferral {
            referrer_person_id: match &referrer {
                ReferrerWrite::Create { person, .. } => person.id.clone(),
                ReferrerWrite::Credit(person) => person.clone(),
            },
            referred_name: submission.referred_name.clone(),
            referred_contact: submission.referred_contact.clone(),
            agent_user_id: profile.agent_user_id.clone(),
            channel: submission.channel,
            notes: submission.notes.clone(),
        };
        let (referral, audit, event) = identity.rows(scope.organization(), new, &flags)?;
        let write = ReferralWrite {
            referral,
            referrer: referrer.clone(),
            guard: Some(identity.guard(pair.clone())),
            check_agent: false,
            audit,
            event,
        };
        match store.record_referral(&scope, &write).await? {
            ReferralWriteOutcome::Recorded => return Ok(Captured::Recorded(identity.referral)),
            ReferralWriteOutcome::PairGuarded => {
                // The referral is safe whatever becomes of the count.
                if let Err(error) = store.count_repetition(&scope, &pair, identity.at).await {
                    tracing::warn!(error.message = %error, "a repetition was not counted");
                }
                return Ok(Captured::Repeated);
            }
            ReferralWriteOutcome::KeyTaken { key, holder } if key == identity_key => {
                referrer = ReferrerWrite::Credit(holder);
                flags.clear();
            }
            ReferralWriteOutcome::KeyTaken { key, .. } => {
                // The number belongs to somebody else: the new person goes without that key.
                if let ReferrerWrite::Create { keys, .. } = &mut referrer {
                    keys.retain(|own| *own != key);
                }
                flags = vec![RiskFlag::PossibleDuplicatePerson];
            }
            ReferralWriteOutcome::ReferrerMissing => {
                referrer = as_stranger();
                flags.clear();
            }
            ReferralWriteOutcome::AgentMissing => break,
        }
    }
    Err(StoreError::Unavailable { operation: "capture", reason: "the referrer keeps changing".to_owned() })
}
