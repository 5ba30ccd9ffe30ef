//! Keys of people, and of what stands in a person's partition.

use super::{BY_KEY, BY_LIST, Keys, LIST_PK, LIST_SK, Listing, listing::place, org};
use crate::{
    domain::{
        consent::ConsentEntry,
        id::{DealId, PersonId, ReferralId},
        person::Person,
        referral::Referral,
        scope::OrgScope,
    },
    ports::Link,
};

/// Sort key of a person's row.
pub const PERSON: &str = "PERSON";
/// Prefix of the links from a lead to the referrals through which they came.
pub const LEAD_OF: &str = "LEAD_OF#";
/// Prefix of the links from a referrer to the referrals that they sent.
pub const REFERRED: &str = "REFERRED#";
/// Prefix of the links from a person to the referrals that they have nothing to do with any more.
pub const FORMER: &str = "FORMER#";
/// Prefix of the links from a person to the deals that name them.
pub const DEAL_OF: &str = "DEAL_OF#";

/// Partition of one person: the row and the links to the referrals through which they came.
#[must_use]
pub fn person_partition(scope: &OrgScope, id: &PersonId) -> String {
    format!("{}#PERSON#{id}", org(scope))
}

/// Table key only.
#[must_use]
pub fn person(scope: &OrgScope, id: &PersonId) -> Keys {
    Keys::new(person_partition(scope, id), PERSON)
}

#[must_use]
pub fn person_row(scope: &OrgScope, row: &Person) -> Keys {
    person(scope, &row.id).and(LIST_PK, people(scope).partition).and(LIST_SK, place(row.created_at, row.id.as_str()))
}

/// All people of the organization.
#[must_use]
pub fn people(scope: &OrgScope) -> Listing {
    Listing { index: BY_LIST, partition: format!("{}#PEOPLE", org(scope)), prefix: String::new() }
}

#[must_use]
pub fn lead_link(scope: &OrgScope, lead: &PersonId, referral: &ReferralId) -> Keys {
    Keys::new(person_partition(scope, lead), format!("{LEAD_OF}{referral}"))
}

/// From a person to a referral that was deleted, or got another lead: its history may still tell of them.
#[must_use]
pub fn former_link(scope: &OrgScope, person: &PersonId, referral: &ReferralId) -> Keys {
    Keys::new(person_partition(scope, person), format!("{FORMER}{referral}"))
}

/// From a referrer to a referral that they sent. Written and deleted with the referral: what the referrer's counter
/// counts, and their referrals in order, in one partition that can be read strongly consistent.
#[must_use]
pub fn referred_link(scope: &OrgScope, row: &Referral) -> Keys {
    link(scope, &Link::of(row))
}

/// As [`referred_link`].
#[must_use]
pub fn link(scope: &OrgScope, link: &Link) -> Keys {
    let listing = referrals_by(scope, &link.referrer);
    Keys::new(listing.partition, format!("{}{}", listing.prefix, place(link.created_at, link.referral.as_str())))
}

/// Links to the referrals that one person sent.
#[must_use]
pub fn referrals_by(scope: &OrgScope, referrer: &PersonId) -> Listing {
    Listing { index: BY_KEY, partition: person_partition(scope, referrer), prefix: REFERRED.to_owned() }
}

/// From a person to a deal that names them.
#[must_use]
pub fn person_deal(scope: &OrgScope, person: &PersonId, deal: &DealId) -> Keys {
    Keys::new(person_partition(scope, person), format!("{DEAL_OF}{deal}"))
}

/// Prefix of a person's decisions.
pub const CONSENT: &str = "CONSENT#";

/// One decision of a person about one channel. A request makes at most one.
#[must_use]
pub fn consent(scope: &OrgScope, entry: &ConsentEntry) -> Keys {
    let sort = format!("{CONSENT}{}#{}#{}", entry.channel.as_str(), entry.at, entry.request_id);
    Keys::new(person_partition(scope, &entry.person_id), sort)
}
