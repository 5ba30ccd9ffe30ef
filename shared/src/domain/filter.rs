//! Which rows of a list are wanted. One rule for every way in which a list is read.

use super::{
    contact::Contact,
    id::{PersonId, UserId},
    person::Person,
    referral::{Channel, Referral, ReferralStatus, RewardStatus},
    text::comparison_form,
    time::Timestamp,
};

/// Which referrals to list; what is None admits all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferralFilter {
    pub agent: Option<UserId>,
    pub status: Option<ReferralStatus>,
    pub channel: Option<Channel>,
    pub reward_status: Option<RewardStatus>,
    pub referrer: Option<PersonId>,
    /// Created at this time or later.
    pub from: Option<Timestamp>,
    /// Created before this time.
    pub to: Option<Timestamp>,
}

impl ReferralFilter {
    #[must_use]
    pub fn admits(&self, row: &Referral) -> bool {
        self.agent.as_ref().is_none_or(|agent| *agent == row.agent_user_id)
            && self.status.is_none_or(|status| status == row.status)
            && self.channel.is_none_or(|channel| channel == row.channel)
            && self.reward_status.is_none_or(|status| status == row.reward_status)
            && self.referrer.as_ref().is_none_or(|referrer| *referrer == row.referrer_person_id)
            && self.from.is_none_or(|from| row.created_at >= from)
            && self.to.is_none_or(|to| row.created_at < to)
    }
}

/// Which people to list; what is not said admits all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeopleFilter {
    /// Whose keys the person has to hold: both, where both are given.
    pub contact: Contact,
    pub name: NameQuery,
}

/// Words of which each has to be found in a person's name, whatever its case and accents' spelling.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NameQuery(Vec<String>);

impl std::fmt::Debug for NameQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NameQuery(redacted)")
    }
}

impl NameQuery {
    /// Admits everybody when nothing but white space was typed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(comparison_form(text).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }

    #[must_use]
    pub fn admits_everybody(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn admits(&self, person: &Person) -> bool {
        let name = person.name.comparison_form();
        self.0.iter().all(|word| name.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        calendar::Zone,
        id::{OrgId, ReferralId},
        referral::NewReferral,
        text::PersonName,
    };

    #[test]
    fn a_name_is_found_by_any_of_its_words_in_any_case_and_order() {
        let person = Person::new(
            PersonId::parse("person_1").unwrap(),
            OrgId::parse("org_1").unwrap(),
            PersonName::parse("Zo\u{eb}  Pat Jones").unwrap(),
            Contact::default(),
            Timestamp::parse("2026-11-22T07:00:00Z").unwrap(),
        );
        for (query, found) in [
            ("", true),
            ("  ", true),
            ("jones", true),
            ("JON", true),
            ("jones pat", true),
            ("ZOE\u{308}", true),
            ("pat smith", false),
            ("patjones", false),
        ] {
            assert_eq!(NameQuery::new(query).admits(&person), found, "{query:?}");
        }
        assert!(NameQuery::new(" ").admits_everybody() && !NameQuery::new("a").admits_everybody());
    }

    #[test]
    fn each_question_admits_what_it_asks_for_and_nothing_else() {
        let at = Timestamp::parse("2026-11-22T07:00:00Z").unwrap();
        let new = NewReferral {
            referrer_person_id: PersonId::parse("person_1").unwrap(),
            referred_name: PersonName::parse("Sam Lee").unwrap(),
            referred_contact: Contact::default(),
            agent_user_id: UserId::parse("user_1").unwrap(),
            channel: Channel::Manual,
            notes: None,
        };
        let (id, organization) = (ReferralId::parse("ref_1").unwrap(), OrgId::parse("org_1").unwrap());
        let row = Referral::received(id, organization, new, at, &Zone::utc());
        let all = ReferralFilter::default;
        let agent = |id| UserId::parse(id).ok();
        let referrer = |id| PersonId::parse(id).ok();
        let (earlier, later) = (at.plus_seconds(-1), at.plus_seconds(1));
        for (filter, admitted) in [
            (all(), true),
            (ReferralFilter { agent: agent("user_1"), ..all() }, true),
            (ReferralFilter { agent: agent("user_2"), ..all() }, false),
            (ReferralFilter { status: Some(ReferralStatus::Received), ..all() }, true),
            (ReferralFilter { status: Some(ReferralStatus::Lost), ..all() }, false),
            (ReferralFilter { channel: Some(Channel::Manual), ..all() }, true),
            (ReferralFilter { channel: Some(Channel::Widget), ..all() }, false),
            (ReferralFilter { reward_status: Some(RewardStatus::None), ..all() }, true),
            (ReferralFilter { reward_status: Some(RewardStatus::Held), ..all() }, false),
            (ReferralFilter { referrer: referrer("person_1"), ..all() }, true),
            (ReferralFilter { referrer: referrer("person_2"), ..all() }, false),
            (ReferralFilter { from: Some(earlier), ..all() }, true),
            (ReferralFilter { from: Some(at), ..all() }, true),
            (ReferralFilter { from: Some(later), ..all() }, false),
            (ReferralFilter { to: Some(earlier), ..all() }, false),
            (ReferralFilter { to: Some(at), ..all() }, false),
            (ReferralFilter { to: Some(later), ..all() }, true),
        ] {
            assert_eq!(filter.admits(&row), admitted, "{filter:?}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_name() {
        assert_eq!(format!("{:?}", NameQuery::new("Pat Jones")), "NameQuery(redacted)");
    }
}
