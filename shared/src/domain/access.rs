//! Who asks, and what they may see and do.

use super::{id::UserId, organization::Role, person::Person, referral::Referral, scope::OrgScope};

/// A member of an organization, from verified claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub scope: OrgScope,
    pub user: UserId,
    pub role: Role,
}

impl Caller {
    /// Owners and admins act for every agent of the organization, a member only for themselves.
    #[must_use]
    pub fn may_act_for(&self, agent: &UserId) -> bool {
        self.role.manages_others() || self.user == *agent
    }

    #[must_use]
    pub fn may_see(&self, referral: &Referral) -> bool {
        referral.organization_id == *self.scope.organization() && self.may_act_for(&referral.agent_user_id)
    }

    /// A member changes only people who are their own or nobody's.
    #[must_use]
    pub fn may_change(&self, person: &Person) -> bool {
        person.organization_id == *self.scope.organization()
            && person.owner_user_id.as_ref().is_none_or(|owner| self.may_act_for(owner))
    }

    /// A file brings referrals of every agent, and what came of them: it is for owners and admins, from the upload to the
    /// report.
    #[must_use]
    pub fn may_import(&self) -> bool {
        self.role.manages_others()
    }

    /// The agent to whose referrals every list of this caller is narrowed.
    #[must_use]
    pub fn sees_only(&self) -> Option<&UserId> {
        (!self.role.manages_others()).then_some(&self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        calendar::Zone,
        contact::Contact,
        id::{OrgId, PersonId, ReferralId},
        referral::{Channel, NewReferral},
        text::PersonName,
        time::Timestamp,
    };

    fn org(id: &str) -> OrgId {
        OrgId::parse(id).unwrap()
    }

    fn user(id: &str) -> UserId {
        UserId::parse(id).unwrap()
    }

    fn name() -> PersonName {
        PersonName::parse("Sam Lee").unwrap()
    }

    fn at() -> Timestamp {
        Timestamp::parse("2026-11-22T07:00:00Z").unwrap()
    }

    /// `user_1` of `org_1`.
    fn caller(role: Role) -> Caller {
        Caller { scope: OrgScope::from_verified_claims(org("org_1")), user: user("user_1"), role }
    }

    fn referral(organization: &str, agent: &str) -> Referral {
        let new = NewReferral {
            referrer_person_id: PersonId::parse("person_1").unwrap(),
            referred_name: name(),
            referred_contact: Contact::default(),
            agent_user_id: user(agent),
            channel: Channel::Manual,
            notes: None,
        };
        Referral::received(ReferralId::parse("ref_1").unwrap(), org(organization), new, at(), &Zone::utc())
    }

    #[test]
    fn a_member_changes_only_their_own_people_and_nobodys() {
        for (role, organization, owner, allowed) in [
            (Role::Member, "org_1", None, true),
            (Role::Member, "org_1", Some("user_1"), true),
            (Role::Member, "org_1", Some("user_2"), false),
            (Role::Admin, "org_1", Some("user_2"), true),
            (Role::Owner, "org_1", Some("user_2"), true),
            (Role::Owner, "org_2", None, false),
        ] {
            let id = PersonId::parse("person_1").unwrap();
            let mut person = Person::new(id, org(organization), name(), Contact::default(), at());
            person.owner_user_id = owner.map(user);
            assert_eq!(caller(role).may_change(&person), allowed, "{role:?} {organization} {owner:?}");
        }
    }

    #[test]
    fn a_member_sees_only_their_own_referrals_and_nobody_those_of_another_organization() {
        for (role, organization, agent, allowed) in [
            (Role::Member, "org_1", "user_1", true),
            (Role::Member, "org_1", "user_2", false),
            (Role::Member, "org_2", "user_1", false),
            (Role::Admin, "org_1", "user_2", true),
            (Role::Owner, "org_1", "user_2", true),
            (Role::Owner, "org_2", "user_1", false),
        ] {
            let seen = caller(role).may_see(&referral(organization, agent));
            assert_eq!(seen, allowed, "{role:?} {organization} {agent}");
        }
    }

    #[test]
    fn only_who_manages_others_imports_and_lists_everybodys() {
        for (role, manages) in [(Role::Owner, true), (Role::Admin, true), (Role::Member, false)] {
            let caller = caller(role);
            assert_eq!(caller.may_import(), manages, "{role:?}");
            assert_eq!(caller.sees_only(), (!manages).then_some(&caller.user), "{role:?}");
        }
    }
}
