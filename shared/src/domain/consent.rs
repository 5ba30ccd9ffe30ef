//! Consent to be written to, per person and channel. Entries are only ever added; the two flags on a person are what the
//! entries say. Absent means no.

use serde::{Deserialize, Serialize};

use super::{contact::Contact, id::PersonId, person::Person, text::Reason, time::Timestamp};

named! {
    pub enum ConsentChannel {
        Email = "EMAIL",
        Sms = "SMS",
    }
}

named! {
    pub enum ConsentDecision {
        Granted = "GRANTED",
        Revoked = "REVOKED",
    }
}

named! {
    /// How the decision reached us.
    pub enum ConsentMethod {
        /// The person ticked a box.
        Form = "FORM",
        /// A member recorded it.
        Agent = "AGENT",
        /// The link in a message, by a person or by their mail program (RFC 8058).
        OneClick = "ONE_CLICK",
        /// The number answered STOP.
        Stop = "STOP",
        /// The mailbox's provider passed a complaint on.
        Complaint = "COMPLAINT",
        /// The address does not exist any more.
        Bounce = "BOUNCE",
        /// It came with imported history.
        Import = "IMPORT",
        /// The person was erased, and there is no address any more that it was given for.
        Erasure = "ERASURE",
    }
}

/// The exact wording that somebody agreed to. A wording is never changed, only followed by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConsentText {
    /// The first wording of the public form.
    #[serde(rename = "form-v1")]
    FormV1,
    /// The same in Spanish: what somebody read is what they agreed to, so each language is a wording of its own.
    #[serde(rename = "form-v1-es")]
    FormV1Es,
}

impl ConsentText {
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        match text {
            "form-v1" => Some(Self::FormV1),
            "form-v1-es" => Some(Self::FormV1Es),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsentEntry {
    pub person_id: PersonId,
    pub channel: ConsentChannel,
    pub decision: ConsentDecision,
    pub method: ConsentMethod,
    pub actor: String,
    /// What was agreed to; a revocation needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_text_id: Option<ConsentText>,
    pub at: Timestamp,
    /// The gateway's request id, or the id of the event that caused it.
    #[serde(default)]
    pub request_id: String,
    /// How we know. Of a form its request id: what was sent then can be found by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Reason>,
}

/// What a person has decided about one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentChange {
    pub channel: ConsentChannel,
    pub granted: bool,
    pub text: Option<ConsentText>,
    pub evidence: Option<Reason>,
}

/// What the boxes of the public form said. They are unticked by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FormConsent {
    pub email: bool,
    pub sms: bool,
    /// Required where a box is ticked.
    pub text: Option<ConsentText>,
}

impl FormConsent {
    /// Sets the person's flags and gives the entries that say why. Only for a person that this form creates: nobody else
    /// may agree in the name of somebody who is known already. A channel counts only with `own` address or number on it.
    #[must_use]
    pub fn grant_to(self, person: &mut Person, own: &Contact, request_id: &str) -> Vec<ConsentEntry> {
        let Some(text) = self.text else { return Vec::new() };
        person.email_marketing_consent = self.email && own.email.is_some();
        person.sms_marketing_consent = self.sms && own.phone.is_some();
        let granted = [
            (ConsentChannel::Email, person.email_marketing_consent),
            (ConsentChannel::Sms, person.sms_marketing_consent),
        ];
        granted
            .into_iter()
            .filter(|(_, granted)| *granted)
            .map(|(channel, _)| ConsentEntry {
                person_id: person.id.clone(),
                channel,
                decision: ConsentDecision::Granted,
                method: ConsentMethod::Form,
                actor: "public".to_owned(),
                consent_text_id: Some(text),
                at: person.created_at,
                request_id: request_id.to_owned(),
                evidence: Reason::parse(request_id).ok().flatten(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        email::Email,
        id::OrgId,
        phone::{Phone, Region},
        text::PersonName,
    };

    #[test]
    fn a_channel_is_granted_only_when_ticked_worded_and_reachable() {
        let address = Some(Email::parse("pat@example.com").unwrap());
        let number = Some(Phone::parse("+14155552671", &Region::default()).unwrap());
        for bits in 0..32_u8 {
            let is = |bit: u8| bits & (1 << bit) != 0;
            let consent = FormConsent { email: is(0), sms: is(1), text: is(2).then_some(ConsentText::FormV1) };
            let own = Contact { email: address.clone().filter(|_| is(3)), phone: number.clone().filter(|_| is(4)) };
            let mut person = Person::new(
                PersonId::parse("person_1").unwrap(),
                OrgId::parse("org_1").unwrap(),
                PersonName::parse("Pat").unwrap(),
                Contact { email: address.clone(), phone: number.clone() },
                Timestamp::parse("2026-11-22T07:00:00Z").unwrap(),
            );
            let entries = consent.grant_to(&mut person, &own, "request");
            let wanted = [is(0) && is(2) && is(3), is(1) && is(2) && is(4)];
            assert_eq!([person.email_marketing_consent, person.sms_marketing_consent], wanted, "{bits:05b}");
            let channels: Vec<_> = entries.iter().map(|entry| entry.channel).collect();
            let expected: Vec<_> = [ConsentChannel::Email, ConsentChannel::Sms]
                .into_iter()
                .zip(wanted)
                .filter_map(|(channel, granted)| granted.then_some(channel))
                .collect();
            assert_eq!(channels, expected, "{bits:05b}");
        }
    }

    #[test]
    fn names_on_the_wire_are_those_of_the_contract() {
        for channel in ConsentChannel::ALL {
            assert_eq!(serde_json::to_value(channel).unwrap(), channel.as_str());
            assert_eq!(ConsentChannel::find(channel.as_str()), Some(channel));
        }
        for (text, wording) in [("form-v1", ConsentText::FormV1), ("form-v1-es", ConsentText::FormV1Es)] {
            assert_eq!(serde_json::to_value(wording).unwrap(), text);
            assert_eq!(ConsentText::find(text), Some(wording));
        }
        assert_eq!((ConsentChannel::find("email"), ConsentText::find("form-v2")), (None, None));
    }
}
