//! The caller's referrals with their referrers, newest first, row by row until whoever writes them down has enough.

use std::collections::HashMap;

use super::list_referrals::list_referrals;
use crate::{
    domain::{access::Caller, filter::ReferralFilter, id::PersonId, person::Person, referral::Referral},
    ports::{PersonReader, Position, ReferralReader, StoreError},
};

/// Rows of one export at most.
pub const MAX_ROWS: u32 = 5_000;
/// Rows read at a time.
const ROUND: u32 = 1_000;
/// Reads of one round are bounded, and so are rounds, however little a filter lets through.
const ROUNDS: u32 = MAX_ROWS / ROUND;

/// Hands each row to `write` with its referrer, who is None when they are gone, until `write` says that it does not take
/// this one any more. Gives the place to go on from; None at the end. A filter that lets little through may give few
/// rows, none even, and still a place. Each referrer is read once.
///
/// # Errors
/// When the store does not answer, or `write` fails.
pub async fn export_referrals<E: From<StoreError>>(
    store: &(impl ReferralReader + PersonReader),
    caller: &Caller,
    filter: &ReferralFilter,
    after: Option<&Position>,
    mut write: impl FnMut(&Referral, Option<&Person>) -> Result<bool, E>,
) -> Result<Option<Position>, E> {
    let mut referrers: HashMap<PersonId, Option<Person>> = HashMap::new();
    let mut place = after.cloned();
    for _ in 0..ROUNDS {
        let page = list_referrals(store, caller, filter, place.as_ref(), ROUND).await?;
        let mut unknown = Vec::new();
        for row in &page.items {
            if !referrers.contains_key(&row.referrer_person_id) {
                // Gone, until they are read.
                referrers.insert(row.referrer_person_id.clone(), None);
                unknown.push(row.referrer_person_id.clone());
            }
        }
        for person in store.find_people(&caller.scope, &unknown).await? {
            referrers.insert(person.id.clone(), Some(person));
        }
        for row in page.items {
            let referrer = referrers.get(&row.referrer_person_id).and_then(Option::as_ref);
            if !write(&row, referrer)? {
                return Ok(place);
            }
            place = Some(Position { created_at: row.created_at, id: row.id.as_str().to_owned() });
        }
        place = page.next;
        if place.is_none() {
            break;
        }
    }
    Ok(place)
}
