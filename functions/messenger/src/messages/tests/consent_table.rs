//! Every combination of what decides about a thank-you: nothing leaves without consent, and each decision is recorded.

use referrals::{
    domain::{contact::ContactKey, email::Email, message::MessageStatus},
    ports::SuppressionList as _,
};

use super::*;

/// One cell: what is so when the thank-you is decided.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a table")]
struct Cell {
    number: usize,
    auto_thank: bool,
    channel: ThankYouChannel,
    email_consent: bool,
    sms_consent: bool,
    do_not_contact: bool,
    has_email: bool,
    has_phone: bool,
    email_suppressed: bool,
    phone_suppressed: bool,
    opted_out: bool,
    /// Both consents are taken back after the event was queued, and before it is handled.
    revoked: bool,
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for channel in ThankYouChannel::ALL {
        for bits in 0..1_024_usize {
            let is = |bit: u32| bits & (1 << bit) != 0;
            let cell = Cell {
                number: cells.len(),
                channel,
                auto_thank: !is(0),
                email_consent: is(1),
                sms_consent: is(2),
                do_not_contact: is(3),
                has_email: !is(4),
                has_phone: !is(5),
                email_suppressed: is(6),
                phone_suppressed: is(7),
                opted_out: is(8),
                revoked: is(9),
            };
            // A policy that thanks nobody asks nothing else: a few of its cells are enough, and so are those of numbers
            // and addresses that are not there.
            let says_nothing_new = (!cell.auto_thank && bits & 0b11_1111_1000 != 0)
                || (cell.email_suppressed && !cell.has_email)
                || (cell.phone_suppressed && !cell.has_phone)
                || (cell.opted_out && !cell.has_phone);
            if !says_nothing_new {
                cells.push(cell);
            }
        }
    }
    cells
}

/// What has to come of it, written down apart from the code: the reason why not, or None for a message that leaves.
fn wanted(cell: &Cell, channel: ConsentChannel) -> Option<&'static str> {
    let (has, suppressed, consent, opted_out) = match channel {
        ConsentChannel::Email => (cell.has_email, cell.email_suppressed, cell.email_consent, false),
        ConsentChannel::Sms => (cell.has_phone, cell.phone_suppressed, cell.sms_consent, cell.opted_out),
    };
    match () {
        () if !cell.auto_thank => Some("POLICY_OFF"),
        () if cell.do_not_contact => Some("DO_NOT_CONTACT"),
        () if !has => Some("NO_ADDRESS"),
        () if suppressed => Some("SUPPRESSED"),
        () if !consent || cell.revoked => Some("NO_CONSENT"),
        () if opted_out => Some("OPTED_OUT"),
        () => None,
    }
}

fn channels(channel: ThankYouChannel) -> &'static [ConsentChannel] {
    match channel {
        ThankYouChannel::Email => &[ConsentChannel::Email],
        ThankYouChannel::Sms => &[ConsentChannel::Sms],
        ThankYouChannel::Both => &ConsentChannel::ALL,
    }
}

#[tokio::test]
async fn in_every_cell_only_what_may_leave_leaves_and_the_rest_says_why() {
    let world = World::start().await;
    let app = world.app(20);
    let cells = cells();
    assert!(cells.len() > 500, "{}", cells.len());
    let (mut sent, mut skipped) = (0, 0);
    for cell in &cells {
        let (outcomes, letters) = run(&world, &app, cell).await;
        for (channel, outcome) in outcomes {
            let wanted = wanted(cell, channel);
            assert_eq!(outcome, wanted.map_or("SUBMITTED", |reason| reason), "{channel:?} {cell:?}");
            let left = letters.iter().filter(|letter| letter.id.channel == channel).count();
            assert_eq!(left, usize::from(wanted.is_none()), "{channel:?} {cell:?}");
            if wanted.is_none() { sent += 1 } else { skipped += 1 }
        }
    }
    println!("{} cells: {sent} sent, {skipped} skipped", cells.len());
    assert!(sent > 20 && skipped > 500, "{sent} {skipped}");
}

/// What was recorded of each channel, and what left.
async fn run(world: &World, app: &App<&TestCarrier>, cell: &Cell) -> (Vec<(ConsentChannel, String)>, Vec<Letter>) {
    let number = cell.number;
    let (email, phone) = (format!("pat-{number}@example.com"), format!("+1415556{number:04}"));
    let mut fields = json!({
        "emailMarketingConsent": cell.email_consent, "smsMarketingConsent": cell.sms_consent,
        "doNotContact": cell.do_not_contact,
    });
    if cell.has_email {
        fields["email"] = json!(email);
    }
    if cell.has_phone {
        fields["phone"] = json!(phone);
    }
    let person = world.person(&format!("person_cell{number}"), fields).await;
    let ledger = world.store.ledger();
    if cell.email_suppressed {
        let key = ContactKey::Email(Email::parse(&email).unwrap().key());
        ledger.suppress(&Fixtures::scope(), &key, SystemClock.now()).await.unwrap();
    }
    if cell.phone_suppressed {
        let key = ContactKey::Phone(serde_json::from_value(json!(phone)).unwrap());
        ledger.suppress(&Fixtures::scope(), &key, SystemClock.now()).await.unwrap();
    }
    *world.carrier.opted_out.lock().unwrap() = cell.opted_out;
    let referral = world.rewarded(&format!("ref_cell{number}"), &person, cell.channel, cell.auto_thank).await;
    let queued = event("REWARD_SENT", &referral.id, &format!("evt_cell{number}"));
    if cell.revoked {
        revoke(world, &person).await;
    }
    assert!(deliver(app, &queued).await, "{cell:?}");
    if number.is_multiple_of(10) {
        // Once more changes nothing.
        assert!(deliver(app, &queued).await, "{cell:?}");
    }
    let letters = world.carrier.take();
    let mut outcomes = Vec::new();
    for channel in channels(cell.channel) {
        let message = world.thank_you(&referral.id, *channel).await.expect("every decision is recorded");
        let outcome = match message.status {
            MessageStatus::Skipped => message.reason.unwrap(),
            status => status.as_str().to_owned(),
        };
        outcomes.push((*channel, outcome));
    }
    let told = world.told(&referral.id).await;
    assert_eq!(told.len(), outcomes.len(), "the history says each once: {told:?}");
    for (channel, outcome) in &outcomes {
        let line = format!("THANK_YOU {} ", channel.as_str());
        assert!(told.iter().any(|entry| entry.starts_with(&line) && entry.contains(outcome.as_str())), "{told:?}");
    }
    let status = world.referral(&referral.id).await.reward_status;
    let is_thanked = outcomes.iter().any(|(_, outcome)| outcome == "SUBMITTED");
    assert_eq!(status, if is_thanked { RewardStatus::Thanked } else { RewardStatus::Sent }, "{cell:?}");
    (outcomes, letters)
}

async fn revoke(world: &World, person: &PersonId) {
    for channel in ConsentChannel::ALL {
        super::protocol::revoke(world, person, channel).await;
    }
}
