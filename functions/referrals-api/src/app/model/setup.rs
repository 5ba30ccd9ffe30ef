//! The organizations of one sequence.

use std::collections::BTreeMap;

use referrals::{
    ports::{Clock as _, Ids as _},
    store::Provision,
    system::RandomIds,
};
use serde_json::json;

use super::{
    reference::{Contact, Model, Organization, Person},
    run::Run,
};
use crate::app::{SystemClock, tests::World};

const MEMBERS: [(&str, &str, bool); 5] = [
    ("user_owner", "OWNER", true),
    ("user_admin", "ADMIN", true),
    ("user_jane", "MEMBER", true),
    ("user_ben", "MEMBER", true),
    ("user_gone", "MEMBER", false),
];

pub fn unique() -> String {
    RandomIds.ulid(SystemClock.now()).to_string()
}

impl<'a> Run<'a> {
    /// Three new organizations with the same members and one person of the same id: nothing but the organization keeps
    /// them apart.
    pub async fn new(world: &'a World) -> Self {
        let mut model = Model::default();
        for (place, region) in ["US", "GB", "US"].into_iter().enumerate() {
            // Callers are made of static texts; a sequence leaks three short ones.
            let id: &'static str = Box::leak(format!("org_{}", unique()).into_boxed_str());
            let slug = format!("agent-{}", unique().to_lowercase());
            let person = json!({
                "id": "person_robin", "organizationId": id, "name": "Robin", "email": "robin@example.com",
                "phone": "+14155550199", "totalReferrals": 0, "emailMarketingConsent": false,
                "smsMarketingConsent": false, "doNotContact": false, "createdAt": "2026-01-05T15:00:00.000Z",
                "updatedAt": "2026-01-05T15:00:00.000Z", "version": 1
            });
            let members = MEMBERS.map(|(user, role, is_active)| {
                json!({
                    "organizationId": id, "userId": user, "role": role, "name": user, "email": "m@example.com",
                    "status": if is_active { "ACTIVE" } else { "SUSPENDED" },
                    "notify": {"newReferral": true, "rewardReady": true}
                })
            });
            let records = json!({
                "organizations": [{
                    "id": id, "name": id, "status": "ACTIVE", "timezone": "UTC", "defaultRegion": region
                }],
                "members": members,
                "profiles": [{
                    "slug": slug, "organizationId": id, "agentUserId": "user_jane", "displayName": "Jane",
                    "brokerage": "B", "published": true
                }],
                "people": [person]
            });
            let records: Provision = serde_json::from_value(records).unwrap();
            world.store.directory().provision(&records, SystemClock.now()).await.unwrap();
            model.orgs.push(Organization { id, region, members: MEMBERS.to_vec(), slug, profile: "user_jane" });
            model.people.push(Person {
                id: "person_robin".to_owned(),
                org: place,
                name: "Robin".to_owned(),
                contact: Contact {
                    email: Some("robin@example.com".to_owned()),
                    phone: Some("+14155550199".to_owned()),
                },
                is_lead: false,
                is_advocate: false,
                owner: None,
                total: 0,
                version: 1,
            });
            for key in ["email robin@example.com", "phone +14155550199"] {
                model.holders.insert((place, key.to_owned()), place);
            }
        }
        Self { world, model, seen: BTreeMap::new(), outcomes: BTreeMap::new() }
    }
}
