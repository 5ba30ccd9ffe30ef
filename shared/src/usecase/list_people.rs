//! The people of the caller's organization, newest first. Every member sees them all: they are one address book.

use crate::{
    domain::{access::Caller, filter::PeopleFilter, person::Person},
    ports::{Page, PersonReader, Position, StoreError},
};

/// Who holds an address or a number is one exact hit, or nobody.
///
/// # Errors
/// When the store does not answer.
pub async fn list_people(
    store: &impl PersonReader,
    caller: &Caller,
    filter: &PeopleFilter,
    after: Option<&Position>,
    limit: u32,
) -> Result<Page<Person>, StoreError> {
    if filter.contact.keys().is_empty() {
        return store.list_people(&caller.scope, &filter.name, after, limit).await;
    }
    let person = find_holder(store, caller, filter).await?;
    Ok(Page { items: person.into_iter().collect(), next: None })
}

/// The one person who holds every key that was asked for, if the name fits too.
async fn find_holder(
    store: &impl PersonReader,
    caller: &Caller,
    filter: &PeopleFilter,
) -> Result<Option<Person>, StoreError> {
    let mut found = None;
    for key in filter.contact.keys() {
        let Some(holder) = store.find_key_holder(&caller.scope, &key).await? else { return Ok(None) };
        if found.as_ref().is_some_and(|other| *other != holder) {
            return Ok(None);
        }
        found = Some(holder);
    }
    let Some(holder) = found else { return Ok(None) };
    let person = store.find_person(&caller.scope, &holder).await?;
    Ok(person.filter(|person| filter.name.admits(person)))
}
