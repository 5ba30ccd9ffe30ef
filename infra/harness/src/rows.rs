//! What rows say, for those who check or look for them.

use std::collections::HashMap;

use referrals_testing::Item;

use crate::Submitted;

/// Who holds each address.
pub(crate) fn holders(items: &[Item]) -> HashMap<String, String> {
    let contacts = items.iter().filter(|item| item.kind() == "CONTACT" && item.text("pk").contains("#EMAIL#"));
    contacts.map(|row| (last(row.text("pk")), row.text("personId").to_owned())).collect()
}

/// Whether it is a person of whom nothing is known any more.
pub(crate) fn is_erased(item: &Item) -> bool {
    item.kind() == "PERSON" && !item.text("erasedAt").is_empty()
}

/// The last part of a key.
pub(crate) fn last(key: &str) -> String {
    key.rsplit('#').next().unwrap_or_default().to_owned()
}

/// The referral of two people who hold their addresses.
pub(crate) fn referral_of<'a>(items: &'a [Item], form: &Submitted) -> Option<&'a Item> {
    let holders = holders(items);
    let holder = |email: &str| holders.get(email).map(String::as_str).unwrap_or_default();
    let (referrer, referred) = (holder(&form.referrer.email), holder(&form.referred.email));
    let mut referrals = items.iter().filter(|item| item.kind() == "REFERRAL");
    referrals.find(|row| row.text("referrerPersonId") == referrer && row.text("referredPersonId") == referred)
}

/// What an imported referral is called in the other system.
pub(crate) fn imported_as(referral: &Item) -> Option<String> {
    let origin = referral.0.get("origin")?.as_m().ok()?;
    origin.get("externalId")?.as_s().ok().cloned()
}
