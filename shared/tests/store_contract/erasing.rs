//! What is left of somebody who is erased while, or before, others write about them.

use std::sync::atomic::{AtomicBool, Ordering};

use referrals::{
    domain::{
        change::{Patch, ReferralChange},
        consent::ConsentChannel,
        duplicate::PairKey,
        email::Email,
        id::{PersonId, ReferralId},
        import::RowOutcome,
        person_change::PersonEdit,
        rate_limit::Limits,
        scope::OrgScope,
        text::PersonName,
        time::Timestamp,
        version::Expected,
    },
    ports::{
        ReferralRecorder, ReferralWrite, ReferralWriteOutcome, ReferrerWrite, RememberedAnswer, Repetition, StoreError,
    },
    system::RandomIds,
    usecase::{
        capture_referral::{Arrival, Capture, Captured, Submission},
        change_referral::{ChangeOutcome, ChangeRequest, change_referral},
        enter_pipeline::Entered,
        erase_person::{Erasing, ErasureRequest, erase_person},
        gather_person::{Gathering, gather_person},
    },
};
use referrals_testing::{Fixtures, Upload, contact, submission};

use crate::{
    revocations::{one_click, revoke, ticked},
    world::{World, person},
};

pub const SAM: &str = "samuel@canary.example";

pub async fn erase(world: &World, id: &PersonId) {
    let request = ErasureRequest { person: id, after: None, request_id: "request-8" };
    let erased = erase_person(&world.ledger, &*world.clock, &RandomIds, &Fixtures::owner(), request, || true).await;
    assert!(matches!(erased, Ok(Erasing::Done(done)) if done.next.is_none()));
}

/// Whether anything of Sam is anywhere in the ledger.
pub async fn is_sam_known(world: &World) -> bool {
    let text = format!("{:?}", world.store.items().await).to_lowercase();
    text.contains("samuel") || text.contains("sam lee")
}

/// Sam as the lead of a form of Pat's.
pub async fn sam(world: &World) -> (ReferralId, PersonId) {
    let id = world.capture(contact("pat@example.com", ""), contact(SAM, "")).await;
    world.enter_all().await;
    let lead = world.lead_of(&id).await.id;
    (id, lead)
}

pub async fn link(world: &World, id: &ReferralId, lead: Patch<PersonId>) {
    change(world, id, ReferralChange { referred_person_id: lead, ..ReferralChange::default() }).await;
}

async fn change(world: &World, id: &ReferralId, change: ReferralChange) {
    let request = ChangeRequest { change: &change, expected: &Expected::Any, request_id: "request-7", named: None };
    let (owner, found) = (Fixtures::owner(), world.referral(id).await);
    let changed = change_referral(&world.ledger, &*world.clock, &RandomIds, &owner, found, &request).await;
    assert!(matches!(changed, Ok(ChangeOutcome::Done(_))), "{changed:?}");
}

#[tokio::test]
async fn a_referral_that_has_another_lead_now_shows_that_one() {
    let world = World::new().await;
    let (id, sam) = sam(&world).await;
    world.add_people(&[person("person_lou", "Lou Bo", "lou@example.com", "")]).await;
    link(&world, &id, Patch::Set(PersonId::parse("person_lou").unwrap())).await;
    erase(&world, &sam).await;
    let referral = world.referral(&id).await;
    assert_eq!(
        (referral.referred_name.as_str(), &referral.referred_contact),
        ("Lou Bo", &contact("lou@example.com", ""))
    );
    assert!(!is_sam_known(&world).await);
}

#[tokio::test]
async fn a_referral_without_a_lead_shows_nobody() {
    let world = World::new().await;
    let (id, sam) = sam(&world).await;
    link(&world, &id, Patch::Clear).await;
    erase(&world, &sam).await;
    assert!(world.referral(&id).await.referred_erased);
    assert!(!is_sam_known(&world).await);
}

/// A mistake that the agent has corrected: it was about Lou, who is nobody's lead.
#[tokio::test]
async fn a_referral_that_was_corrected_to_be_about_somebody_else_goes_on_showing_them() {
    let world = World::new().await;
    let (id, sam) = sam(&world).await;
    let corrected = ReferralChange {
        referred_person_id: Patch::Clear,
        referred_name: Some(PersonName::parse("Lou Bo").unwrap()),
        referred_email: Patch::Set(Email::parse("lou@example.com").unwrap()),
        ..ReferralChange::default()
    };
    change(&world, &id, corrected).await;
    erase(&world, &sam).await;
    let referral = world.referral(&id).await;
    assert_eq!((referral.referred_name.as_str(), referral.referred_erased), ("Lou Bo", false));
    assert_eq!(referral.referred_contact, contact("lou@example.com", ""));
    assert!(!is_sam_known(&world).await);
}

/// The address alone tells of them: it was never linked to Sam.
#[tokio::test]
async fn a_referral_that_shows_them_and_has_another_lead_shows_that_one() {
    let world = World::new().await;
    world.add_people(&[person("person_lou", "Lou Bo", "lou@example.com", "")]).await;
    let id = world.capture(contact("una@example.com", ""), contact(SAM, "")).await;
    link(&world, &id, Patch::Set(PersonId::parse("person_lou").unwrap())).await;
    let (_, sam) = sam(&world).await;
    assert_eq!(world.lead_of(&id).await.id.as_str(), "person_lou");
    erase(&world, &sam).await;
    assert_eq!(world.referral(&id).await.referred_name.as_str(), "Lou Bo");
    assert!(!is_sam_known(&world).await);
}

#[tokio::test]
async fn who_sent_it_and_was_its_lead_is_not_shown_as_its_lead() {
    let world = World::new().await;
    let id = world.capture(contact(SAM, ""), contact(SAM, "")).await;
    world.enter_all().await;
    let sam = world.referrer_of(&id).await.id;
    world.add_people(&[person("person_lou", "Lou Bo", "lou@example.com", "")]).await;
    link(&world, &id, Patch::Set(PersonId::parse("person_lou").unwrap())).await;
    erase(&world, &sam).await;
    assert!(!is_sam_known(&world).await);
}

#[tokio::test]
async fn a_friend_in_a_file_is_found_by_the_address() {
    let world = World::new().await;
    let (_, sam) = sam(&world).await;
    let mut cells = vec!["referrerEmail=una@example.com".to_owned(), format!("referredEmail={}", SAM.to_uppercase())];
    cells.push("referredName=Samuel Lee".to_owned());
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    let upload = Upload::begin(&world.store, &[Upload::row(2, &cells)], false).await;
    world.import(&upload, 1).await;
    let report = upload.report(&world.store, 1).await.remove(0);
    assert_eq!(report.outcome, RowOutcome::Created);
    let owner = Fixtures::owner();
    let gathered = gather_person(&world.ledger, &owner, &sam, None, 25, || true).await.unwrap();
    let Gathering::Done(gathered) = gathered else { panic!("not gathered") };
    assert_eq!(gathered.referrals.len(), 2, "they are told of it");
    erase(&world, &sam).await;
    assert!(world.referral(&report.referral_id.unwrap()).await.referred_erased);
    assert!(!is_sam_known(&world).await);
}

#[tokio::test]
async fn a_form_on_its_way_into_the_pipeline_brings_nobody_back() {
    let world = World::new().await;
    let (_, sam) = sam(&world).await;
    let id = world.capture(contact("una@example.com", ""), contact(SAM, "")).await;
    erase(&world, &sam).await;
    assert!(!is_sam_known(&world).await);
    let entered = world.enter(&world.event_of(&id).await).await;
    assert_eq!(entered, Entered::Ignored("who was referred is erased"));
    let referral = world.referral(&id).await;
    assert_eq!((referral.referred_erased, referral.referred_person_id), (true, None));
}

/// What stands for a name that was taken out is a name that anybody may have.
#[tokio::test]
async fn a_friend_who_is_called_so_becomes_a_lead() {
    let world = World::new().await;
    let mut form = submission(contact("pat@example.com", ""), contact(SAM, ""));
    form.referred_name = PersonName::erased();
    let Ok(Captured::Recorded(_, id)) = world.submit(&form).await else { panic!("not recorded") };
    assert_eq!(world.enter(&world.event_of(&id).await).await, Entered::Done);
    assert!(!world.lead_of(&id).await.is_erased());
}

#[tokio::test]
async fn who_is_sent_again_is_somebody_new() {
    let world = World::new().await;
    let (first, sam) = sam(&world).await;
    erase(&world, &sam).await;
    assert!(world.rows("PAIR").await.is_empty());
    let again = world.capture(contact("pat@example.com", ""), contact(SAM, "")).await;
    world.enter_all().await;
    assert_ne!(again, first);
    assert_ne!(world.lead_of(&again).await.id, sam);
    assert_eq!(world.referrer_of(&again).await.total_referrals, 2);
}

/// A ledger in which the person to be credited is erased just before.
struct Meanwhile<'a> {
    world: &'a World,
    has_come: AtomicBool,
}

impl ReferralRecorder for Meanwhile<'_> {
    async fn record_referral(
        &self,
        scope: &OrgScope,
        write: &ReferralWrite,
    ) -> Result<ReferralWriteOutcome, StoreError> {
        if let ReferrerWrite::Credit(person) = &write.referrer
            && !self.has_come.swap(true, Ordering::Relaxed)
        {
            erase(self.world, person).await;
        }
        self.world.ledger.record_referral(scope, write).await
    }

    async fn count_repetition(
        &self,
        scope: &OrgScope,
        pair: &PairKey,
        remembered: Option<&RememberedAnswer>,
        at: Timestamp,
    ) -> Result<Repetition, StoreError> {
        self.world.ledger.count_repetition(scope, pair, remembered, at).await
    }
}

#[tokio::test]
async fn nobody_who_is_erased_gets_a_referral() {
    let world = World::new().await;
    let first = world.capture(contact(SAM, ""), contact("lou@example.com", "")).await;
    let before = world.referrer_of(&first).await;
    let meanwhile = Meanwhile { world: &world, has_come: AtomicBool::new(false) };
    let limits: Limits = Fixtures::LIMITS;
    let capture = Capture {
        profiles: &*world.profiles,
        limiter: &world.limiter,
        slug_limits: limits,
        store: &meanwhile,
        clock: &*world.clock,
        ids: &RandomIds,
    };
    let form: Submission = submission(contact(SAM, ""), contact("mia@example.com", ""));
    let captured =
        capture.capture(Some(&Fixtures::slug()), &form, Arrival { request_id: "request-9", named: None }).await;
    let Ok(Captured::Recorded(_, second)) = captured else { panic!("{captured:?}") };
    assert!(meanwhile.has_come.load(Ordering::Relaxed));
    let (hull, after) = (world.person(before.id.as_str()).await, world.referrer_of(&second).await);
    assert!(hull.is_erased() && !after.is_erased());
    assert_eq!((hull.total_referrals, after.total_referrals), (1, 1));
    assert_eq!(after.email.unwrap().as_str(), SAM);
}

#[tokio::test]
async fn an_address_stays_closed_if_somebody_refused_it_and_not_if_it_was_corrected() {
    let world = World::new().await;
    let Captured::Recorded(_, id) = world.submit(&ticked("sam@example.com")).await.unwrap() else { panic!() };
    let pat = world.referrer_of(&id).await.id;
    let corrected =
        PersonEdit { email: Patch::Set(Email::parse("patricia@example.com").unwrap()), ..Default::default() };
    world.edit_person(pat.as_str(), corrected).await;
    revoke(&world, pat.as_str(), &one_click(ConsentChannel::Sms)).await;
    erase(&world, &pat).await;
    let closed = world.rows("SUPPRESSED").await;
    assert_eq!(closed.len(), 1, "the number and not the address");
    assert!(closed[0].text("pk").contains("#PHONE#"));
}
