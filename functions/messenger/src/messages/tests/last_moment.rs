//! Between the decision and the claim: the transaction that claims holds only for the person, and for what is known of their
//! number, as they were read.

use referrals::{
    domain::{
        change::Patch,
        contact::ContactKey,
        person_change::{PersonChange, PersonEdit},
        version::Expected,
    },
    ports::{PersonReader as _, SuppressionList as _},
    usecase::{
        change_person::{PersonOutcome, PersonRequest, change_person},
        revoke_consent::Revoked,
    },
};

use super::{protocol::revoke, *};

const NUMBER: &str = "+14155550101";

#[derive(Debug, Clone, Copy)]
enum Meanwhile {
    Revoked,
    DoNotContact,
    Suppressed,
    /// The number that consent was given for is not theirs any more.
    OtherNumber,
}

/// Whoever asks about a number has read the person, and has not claimed yet. Then it happens, once.
struct Meddling<'a> {
    world: &'a World,
    person: &'a PersonId,
    meanwhile: Mutex<Option<Meanwhile>>,
}

impl Carrier for Meddling<'_> {
    async fn send(&self, letter: &Letter) -> Sending {
        (&self.world.carrier).send(letter).await
    }

    async fn is_opted_out(&self, number: &Phone) -> Result<bool, StoreError> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        match meanwhile {
            None => {}
            Some(Meanwhile::Revoked) => {
                assert_eq!(revoke(self.world, self.person, ConsentChannel::Sms).await, Revoked::Revoked);
            }
            Some(Meanwhile::Suppressed) => {
                let key = ContactKey::Phone(number.clone());
                self.world.store.ledger().suppress(&Fixtures::scope(), &key, SystemClock.now()).await?;
            }
            Some(Meanwhile::DoNotContact) => {
                self.edit(PersonEdit { do_not_contact: Some(true), ..PersonEdit::default() }).await;
            }
            Some(Meanwhile::OtherNumber) => {
                let other = serde_json::from_value(json!("+14155550102")).unwrap();
                self.edit(PersonEdit { phone: Patch::Set(other), ..PersonEdit::default() }).await;
            }
        }
        Ok(false)
    }
}

impl Meddling<'_> {
    async fn edit(&self, edit: PersonEdit) {
        let (ledger, caller) = (self.world.store.ledger(), Fixtures::owner());
        let found = ledger.find_person(&caller.scope, self.person).await.unwrap().unwrap();
        let change = PersonChange::Edit(edit);
        let request = PersonRequest { change: &change, expected: &Expected::Existing, request_id: "request" };
        let outcome = change_person(&ledger, &SystemClock, &caller, found, &request).await.unwrap();
        assert!(matches!(outcome, PersonOutcome::Done(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn what_changes_in_the_last_moment_is_heard() {
    for (meanwhile, reason) in [
        (Meanwhile::Revoked, "NO_CONSENT"),
        (Meanwhile::DoNotContact, "DO_NOT_CONTACT"),
        (Meanwhile::Suppressed, "SUPPRESSED"),
        (Meanwhile::OtherNumber, "NO_CONSENT"),
    ] {
        let world = World::start().await;
        let person = world.person("person_1", json!({"phone": NUMBER, "smsMarketingConsent": true})).await;
        let referral = world.rewarded("ref_1", &person, ThankYouChannel::Sms, true).await;
        let carrier = Meddling { world: &world, person: &person, meanwhile: Mutex::new(Some(meanwhile)) };
        let (ledger, directory) = (world.store.ledger(), world.store.directory());
        let app = App { ledger, directory, carrier, claim_seconds: 20 };
        let asked = [event("REWARD_SENT", &referral.id, "evt_1")];
        let response = handle(&app, &batch(&asked), in_a_minute()).await;
        assert_eq!(response.batch_item_failures.len(), 0, "{meanwhile:?}");
        assert!(app.carrier.meanwhile.lock().unwrap().is_none(), "{meanwhile:?} did not happen");
        assert!(world.carrier.take().is_empty(), "{meanwhile:?}");
        assert_eq!(world.told(&referral.id).await, [format!("THANK_YOU SMS SKIPPED {reason}")], "{meanwhile:?}");
    }
}
