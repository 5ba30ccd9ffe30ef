//! A row of a file as the referral that it would be: a part of the target `import_file`.
//!
//! One that can be a referral is a whole one, and its row in the ledger is read again as the same; else each column that is
//! wrong is told once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use referrals::domain::{
    id::{OrgId, PersonId, ReferralId},
    import::Column,
    import_row::{Ground, ImportRow},
    organization::{Member, Organization},
    referral::{Referral, ReferralStatus, RewardStatus},
    reward::RewardPolicy,
    time::Timestamp,
};
use serde_json::Value;

/// The demo organization, whose agents the sample files name.
static DEMO: LazyLock<(Option<Organization>, Vec<Member>)> = LazyLock::new(|| {
    let demo: Value = serde_json::from_str(include_str!("../../../infra/local/demo.json")).unwrap_or_default();
    let part = |pointer: &str| demo.pointer(pointer).cloned().unwrap_or_default();
    let members = serde_json::from_value(part("/members")).unwrap_or_default();
    (serde_json::from_value(part("/organizations/0")).ok(), members)
});

pub fn check(cells: &BTreeMap<Column, String>) {
    let (Some(organization), members) = &*DEMO else { panic!("the demo has an organization") };
    let (Ok(now), Ok(id)) = (Timestamp::parse("2026-11-22T07:00:00Z"), OrgId::parse("org_1")) else { return };
    let policy = RewardPolicy::default_of(id);
    let ground = Ground { organization, members, policy: &policy, now };
    match (ImportRow::read(cells, &ground), ReferralId::parse("ref_1"), PersonId::parse("person_1")) {
        (Ok(row), Ok(id), Ok(referrer)) => {
            assert!(ImportRow::origin_of(cells).is_some_and(|origin| origin.name() == row.origin.name()));
            whole(&row.referral(id, referrer, &ground));
        }
        (row, ..) => {
            let errors = row.err().unwrap_or_default();
            let columns: BTreeSet<_> = errors.iter().map(|error| error.column).collect();
            assert!(!errors.is_empty() && columns.len() == errors.len());
        }
    }
}

fn whole(referral: &Referral) {
    let is_won = referral.status == ReferralStatus::Converted;
    assert_eq!(referral.conversion.is_some(), is_won);
    assert!(!is_won || referral.resulting_deal_id.is_some());
    assert_eq!(referral.reward.is_some(), referral.reward_status != RewardStatus::None);
    let is_sent = matches!(referral.reward_status, RewardStatus::Sent | RewardStatus::Thanked);
    assert_eq!(referral.reward_sent_at.is_some(), is_sent);
    let row = serde_json::to_value(referral).unwrap_or_default();
    assert_eq!(serde_json::from_value::<Referral>(row).ok().as_ref(), Some(referral));
}
