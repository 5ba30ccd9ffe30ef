//! A stranger sends a friend to an agent, through a public form.
//!
//! Public input never edits an existing person and never adds a contact to one.

use super::record_referral::Identity;
use crate::{
    domain::{
        audit::Actor,
        consent::FormConsent,
        contact::{Contact, ContactKey},
        duplicate::PairKey,
        id::{OrgId, PersonId, ReceiptId, ReferralId, UserId},
        idempotency::{IdempotentRequest, REMEMBERED_SECONDS},
        organization::{PublishedProfile, Slug},
        person::Person,
        rate_limit::Limits,
        referral::{Channel, NewReferral, RiskFlag},
        scope::OrgScope,
        text::{Notes, PersonName},
        time::Timestamp,
    },
    ports::{
        Admission, Clock, Counted, Ids, ProfileDirectory, RateLimiter, ReferralRecorder, ReferralWrite,
        ReferralWriteOutcome, ReferrerWrite, RememberedAnswer, Repetition, StoreError, UsedKey,
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
    pub consent: FormConsent,
    /// The field that people do not see was filled in.
    pub is_trapped: bool,
}

/// How the submission came.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The gateway's id of the request.
    pub request_id: &'a str,
    /// The client's own name for it.
    pub named: Option<&'a IdempotentRequest>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Captured {
    /// A new row, and an event on its way.
    Recorded(ReceiptId, ReferralId),
    /// The same pair within thirty days: counted, nothing else.
    Repeated(ReceiptId),
    /// A machine filled in the form: nothing was stored.
    Trapped(ReceiptId),
    /// The same request under the same name: the receipt that it was answered with.
    Replayed(ReceiptId),
    /// Another request has that name already.
    KeyReused,
    /// The slug's quota is used up.
    Refused { retry_after_seconds: u32 },
    /// The slug resolves to nobody who takes referrals.
    NoOpenProfile,
}

/// Each attempt learns one fact about the referrer (who holds the address, who holds the number); two facts, one person
/// erased and one guard taken down in between are the most there is to learn.
const MAX_ATTEMPTS: usize = 5;

/// The parts that a capture works with.
#[derive(Debug)]
pub struct Capture<'a, P, L, S, C, I> {
    pub profiles: &'a P,
    pub limiter: &'a L,
    pub slug_limits: Limits,
    pub store: &'a S,
    pub clock: &'a C,
    pub ids: &'a I,
}

impl<P, L, S, C, I> Capture<'_, P, L, S, C, I>
where
    P: ProfileDirectory,
    L: RateLimiter,
    S: ReferralRecorder,
    C: Clock,
    I: Ids,
{
    /// # Errors
    /// When the store does not answer, or somebody else changes the same people faster than this can follow. Nothing was
    /// written then, unless the answer to the write was lost: the pair's guard holds off the next attempt.
    pub async fn capture(
        &self,
        slug: Option<&Slug>,
        submission: &Submission,
        arrival: Arrival<'_>,
    ) -> Result<Captured, StoreError> {
        let Some(slug) = slug else { return Ok(Captured::NoOpenProfile) };
        let Some(profile) = self.profiles.find_open_profile(slug).await? else {
            return Ok(Captured::NoOpenProfile);
        };
        let at = self.clock.now();
        let receipt = ReceiptId::from_ulid(self.ids.ulid(at));
        if submission.is_trapped {
            return Ok(Captured::Trapped(receipt));
        }
        let admission = self.limiter.admit(Counted::Slug(slug), self.slug_limits, at).await?;
        if let Admission::Refused { retry_after_seconds } = admission {
            return Ok(Captured::Refused { retry_after_seconds });
        }
        self.record(&profile, submission, arrival, receipt, at).await
    }

    async fn record(
        &self,
        profile: &PublishedProfile,
        submission: &Submission,
        arrival: Arrival<'_>,
        receipt: ReceiptId,
        at: Timestamp,
    ) -> Result<Captured, StoreError> {
        let scope = OrgScope::from_published_profile(profile);
        let Some(identity_key) = submission.referrer_contact.identity() else {
            let reason = "a submission without a referrer".to_owned();
            return Err(StoreError::Failed { operation: "capture", reason });
        };
        let identity = Identity::new(self.ids, at, arrival.request_id, Actor::Public);
        let pair = PairKey::new(
            &profile.agent_user_id,
            &identity_key,
            &submission.referred_name,
            &submission.referred_contact,
        );
        let remembered = arrival.named.map(|request| RememberedAnswer {
            request: request.clone(),
            answer: receipt.as_str().to_owned(),
            about: None,
            expires_at: at.plus_seconds(REMEMBERED_SECONDS),
        });
        let stranger_id = PersonId::from_ulid(self.ids.ulid(at));
        let as_stranger = |keys: Vec<ContactKey>| {
            let id = stranger_id.clone();
            submission.stranger(id, scope.organization(), keys, at, arrival.request_id)
        };

        let mut referrer = as_stranger(submission.referrer_contact.keys());
        let mut flags = Vec::new();
        for _ in 0..MAX_ATTEMPTS {
            let new = submission.referral(&referrer, &profile.agent_user_id);
            let guard = identity.guard(pair.clone());
            let (referral, audit, event) =
                identity.rows(scope.organization(), &profile.timezone, new, &flags, Some(&guard))?;
            let write = ReferralWrite {
                referral,
                referrer: referrer.clone(),
                guard: Some(guard),
                remembered: remembered.clone(),
                check_agent: false,
                audit,
                event,
            };
            match self.store.record_referral(&scope, &write).await? {
                ReferralWriteOutcome::Recorded => return Ok(Captured::Recorded(receipt, identity.referral)),
                ReferralWriteOutcome::KeyUsed(used) => return replay(arrival.named, &used),
                ReferralWriteOutcome::PairGuarded => {
                    return match self.store.count_repetition(&scope, &pair, remembered.as_ref(), at).await {
                        Ok(Repetition::KeyUsed(used)) => replay(arrival.named, &used),
                        Ok(Repetition::Counted) => Ok(Captured::Repeated(receipt)),
                        // What was repeated is not there any more, so this is the first again.
                        Ok(Repetition::Unguarded) => continue,
                        Err(error) if remembered.is_some() => Err(error),
                        // The referral is safe whatever becomes of the count.
                        Err(error) => {
                            tracing::warn!(error.message = %error, "a repetition was not counted");
                            Ok(Captured::Repeated(receipt))
                        }
                    };
                }
                ReferralWriteOutcome::KeyTaken { key, holder } if key == identity_key => {
                    referrer = ReferrerWrite::Credit(holder);
                    flags.clear();
                }
                ReferralWriteOutcome::KeyTaken { key, .. } => {
                    // The number belongs to somebody else: the new person goes without that key.
                    let mut keys = submission.referrer_contact.keys();
                    keys.retain(|own| *own != key);
                    referrer = as_stranger(keys);
                    flags = vec![RiskFlag::PossibleDuplicatePerson];
                }
                ReferralWriteOutcome::ReferrerMissing => {
                    referrer = as_stranger(submission.referrer_contact.keys());
                    flags.clear();
                }
                ReferralWriteOutcome::AgentMissing => break,
            }
        }
        Err(StoreError::Unavailable { operation: "capture", reason: "the referrer keeps changing".to_owned() })
    }
}

/// The answer of the request that used the key first, if it was this one.
fn replay(request: Option<&IdempotentRequest>, used: &UsedKey) -> Result<Captured, StoreError> {
    if request.is_some_and(|request| request.body == used.body) {
        let receipt = ReceiptId::parse(used.answer.as_deref().unwrap_or_default()).map_err(|_| StoreError::Failed {
            operation: "replaying an answer",
            reason: "a stored answer that is no receipt".to_owned(),
        })?;
        Ok(Captured::Replayed(receipt))
    } else {
        Ok(Captured::KeyReused)
    }
}

impl Submission {
    /// The referrer as somebody new, who holds `keys`.
    fn stranger(
        &self,
        id: PersonId,
        organization: &OrgId,
        keys: Vec<ContactKey>,
        at: Timestamp,
        request_id: &str,
    ) -> ReferrerWrite {
        let contact = self.referrer_contact.clone();
        let mut person = Person::new(id, organization.clone(), self.referrer_name.clone(), contact, at);
        person.total_referrals = 1;
        let consents = self.consent.grant_to(&mut person, &Contact::of_keys(&self.referrer_contact, &keys), request_id);
        ReferrerWrite::Create { person: Box::new(person), keys, consents }
    }

    fn referral(&self, referrer: &ReferrerWrite, agent: &UserId) -> NewReferral {
        NewReferral {
            referrer_person_id: match referrer {
                ReferrerWrite::Create { person, .. } => person.id.clone(),
                ReferrerWrite::Credit(person) => person.clone(),
            },
            referred_name: self.referred_name.clone(),
            referred_contact: self.referred_contact.clone(),
            agent_user_id: agent.clone(),
            channel: self.channel,
            notes: self.notes.clone(),
        }
    }
}
