//! People: found by address, number and name.

use referrals::{
    domain::{
        contact::Contact,
        filter::{NameQuery, PeopleFilter},
        person::Person,
    },
    ports::{Page, Position},
    usecase::list_people::list_people,
};
use referrals_testing::{Fixtures, contact};
use serde_json::json;

use crate::world::{World, person};

async fn find(world: &World, contact: Contact, name: &str) -> Vec<String> {
    let filter = PeopleFilter { contact, name: NameQuery::new(name) };
    let page = list_people(&world.ledger, &Fixtures::owner(), &filter, None, 25).await.unwrap();
    assert_eq!(page.next, None);
    page.items.iter().map(|person| person.id.as_str().to_owned()).collect()
}

#[tokio::test]
async fn an_address_or_a_number_finds_its_holder_and_nobody_else() {
    let world = World::new().await;
    world.add_people(&[person("person_1", "Kim Bo", "kim@example.com", "+14155552671")]).await;
    // Pat shows Kim's number, whose key stays Kim's.
    let pat = world.capture(contact("pat@example.com", "+14155552671"), contact("sam@example.com", "")).await;
    let pat = world.referrer_of(&pat).await;
    assert!(pat.phone.is_some());
    let (none, kim, pat) = (Vec::<String>::new(), vec!["person_1".to_owned()], vec![pat.id.as_str().to_owned()]);
    for (email, phone, name, found) in [
        ("KIM@example.com", "", "", &kim),
        ("", "(415) 555-2671", "", &kim),
        ("kim@example.com", "+14155552671", "", &kim),
        ("pat@example.com", "", "", &pat),
        ("pat@example.com", "+14155552671", "", &none),
        ("kim@example.com", "+14155550199", "", &none),
        ("kim+tag@example.com", "", "", &none),
        ("", "+14155552699", "", &none),
        ("kim@example.com", "", "bo", &kim),
        ("kim@example.com", "", "pat", &none),
    ] {
        assert_eq!(find(&world, contact(email, phone), name).await, *found, "{email} {phone} {name}");
    }
    let other = Fixtures::caller(
        Fixtures::OTHER_ORGANIZATION,
        Fixtures::OTHER_OWNER,
        referrals::domain::organization::Role::Owner,
    );
    let filter = PeopleFilter { contact: contact("kim@example.com", ""), name: NameQuery::default() };
    assert_eq!(list_people(&world.ledger, &other, &filter, None, 25).await.unwrap().items, []);
}

#[tokio::test]
async fn a_lookup_costs_a_read_for_each_key_and_one_for_the_person() {
    let world = World::new().await;
    let _ = world.store.calls.take();
    find(&world, contact("robin.park@example.com", "+14155550199"), "").await;
    assert_eq!(world.store.calls.take(), ["GetItem", "GetItem", "GetItem"]);
    find(&world, contact("nobody@example.com", ""), "").await;
    assert_eq!(world.store.calls.take(), ["GetItem"]);
}

#[tokio::test]
async fn a_name_is_looked_for_within_bounds_and_then_further_on() {
    let world = World::new().await;
    let people: Vec<_> = (0..450)
        .map(|number| {
            let id = format!("person_{}", 1_000 + number);
            let name = if number % 200 == 0 { "Zo\u{eb} Quill" } else { "Somebody Else" };
            let mut person = person(&id, name, "", "");
            // The first is the oldest.
            person["createdAt"] = json!(format!("2026-02-{:02}T00:00:{:02}.000Z", 1 + number / 60, number % 60));
            person
        })
        .collect();
    world.add_people(&people).await;
    let filter = PeopleFilter { name: NameQuery::new("quill zo\u{eb}"), ..PeopleFilter::default() };
    let (mut pages, mut after): (Vec<Vec<String>>, Option<Position>) = (Vec::new(), None);
    let _ = world.store.calls.take();
    loop {
        let page: Page<Person> =
            list_people(&world.ledger, &Fixtures::owner(), &filter, after.as_ref(), 2).await.unwrap();
        pages.push(page.items.iter().map(|person| person.id.as_str().to_owned()).collect());
        assert!(world.store.calls.take().len() <= 4);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages.concat(), ["person_1400", "person_1200", "person_1000"]);
    assert_eq!(pages.len(), 2, "{pages:?}");
    // Nobody of that name within the bounds of one answer: an empty page, and a place to go on from.
    let nobody = PeopleFilter { name: NameQuery::new("nobody"), ..PeopleFilter::default() };
    let page = list_people(&world.ledger, &Fixtures::owner(), &nobody, None, 25).await.unwrap();
    assert!(page.items.is_empty() && page.next.is_some());
    assert_eq!(world.store.calls.take(), ["Query"; 4]);
}
