use super::*;
use crate::domain::email::Email;

fn at(seconds: i64) -> Timestamp {
    Timestamp::parse("2026-11-22T07:00:00Z").unwrap().plus_seconds(seconds)
}

fn message(kind: MessageKind) -> Message {
    let referral = ReferralId::parse("ref_1").unwrap();
    let id = match kind {
        MessageKind::ThankYou => MessageId::thank_you(referral, ConsentChannel::Email),
        _ => MessageId::notice(referral, kind, ConsentChannel::Email, EventId::parse("evt_1").unwrap()),
    };
    Message::new(OrgId::parse("org_1").unwrap(), id, None, at(0))
}

fn claimed(kind: MessageKind) -> Message {
    let mut message = message(kind);
    message.claim(Claim { token: "mine".to_owned(), until: at(10) }, Contact::default(), at(0));
    message
}

fn sendings() -> [Sending; 4] {
    let code = || "Code".to_owned();
    [Sending::Accepted(code()), Sending::Refused(code()), Sending::NotTaken(code()), Sending::NoAnswer(code())]
}

#[test]
fn a_claim_that_ran_out_is_given_up_or_made_again() {
    for kind in MessageKind::ALL {
        assert_eq!(message(kind).next_step(at(0)), NextStep::Decide);
        let claimed = claimed(kind);
        assert_eq!(claimed.next_step(at(9)), NextStep::Wait, "{kind:?}");
        let after = if kind.is_at_most_once() { NextStep::GiveUp } else { NextStep::Decide };
        assert_eq!(claimed.next_step(at(10)), after, "{kind:?}");
    }
}

#[test]
fn an_answer_belongs_to_its_claim() {
    for kind in MessageKind::ALL {
        for sending in sendings() {
            let mut mine = claimed(kind);
            assert!(mine.answered("mine", &sending, at(1)));
            let wanted = match &sending {
                Sending::Accepted(_) => MessageStatus::Submitted,
                Sending::Refused(_) => MessageStatus::Failed,
                Sending::NoAnswer(_) if kind.is_at_most_once() => MessageStatus::Unknown,
                Sending::NotTaken(_) | Sending::NoAnswer(_) => MessageStatus::Queued,
            };
            assert_eq!((mine.status, mine.version), (wanted, 2), "{kind:?} {sending:?}");
            assert!(!claimed(kind).answered("other", &sending, at(1)));
            assert!(!message(kind).answered("mine", &sending, at(1)));
        }
    }
}

#[test]
fn only_an_acceptance_is_taken_late() {
    for sending in sendings() {
        let mut message = claimed(MessageKind::ThankYou);
        message.give_up(at(20));
        let is_taken = matches!(sending, Sending::Accepted(_));
        let mut again = message.clone();
        assert_eq!(message.answered("mine", &sending, at(30)), is_taken, "{sending:?}");
        // Also once an agent has asked for it again: what has left does not leave once more.
        assert!(again.request_again(at(25)));
        assert_eq!(again.answered("mine", &sending, at(30)), is_taken, "{sending:?}");
        let next = if is_taken { NextStep::Nothing } else { NextStep::Decide };
        assert_eq!(again.next_step(at(31)), next, "{sending:?}");
    }
}

#[test]
fn only_what_is_over_and_was_not_accepted_is_asked_for_again() {
    use MessageStatus::{Claimed, Failed, Queued, Skipped, Submitted, Unknown};
    for status in MessageStatus::ALL {
        let mut message = message(MessageKind::ThankYou);
        message.status = status;
        let is_asked = match status {
            Queued | Claimed | Submitted => false,
            Skipped | Failed | Unknown => true,
        };
        assert_eq!((message.request_again(at(1)), message.requested), (is_asked, is_asked), "{status:?}");
        assert_eq!(message.status == Queued, is_asked || status == Queued);
    }
}

#[test]
fn what_nobody_is_trying_any_more_is_asked_for_again() {
    let mut claimed = claimed(MessageKind::ThankYou);
    assert!(!claimed.request_again(at(9)) && claimed.request_again(at(10)), "when the claim ran out");
    let mut queued = message(MessageKind::ThankYou);
    assert!(!queued.request_again(at(3_599)) && queued.request_again(at(3_600)), "after an hour");
}

#[test]
fn later_news_of_a_delivery_is_worse_news() {
    let mut message = claimed(MessageKind::ThankYou);
    for (news, is_news) in [
        (DeliveryNews::Delivered, true),
        (DeliveryNews::Delivered, false),
        (DeliveryNews::Bounced, true),
        (DeliveryNews::Delivered, false),
        (DeliveryNews::Complained, true),
        (DeliveryNews::Bounced, false),
    ] {
        let before = message.clone();
        assert_eq!(message.hear(news, at(1)), is_news, "{news:?}");
        let after = if is_news { (Some(news), before.version + 1) } else { (before.delivery, before.version) };
        assert_eq!((message.delivery, message.version), after, "{news:?}");
        assert_eq!(message.updated_at, at(1));
    }
}

#[test]
fn names_on_the_wire_are_those_of_the_contract() {
    for kind in MessageKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        assert_eq!(MessageKind::find(kind.as_str()), Some(kind));
    }
    assert_eq!(MessageKind::find("thank_you"), None);
    for status in MessageStatus::ALL {
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    for reason in SkipReason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }
    for news in [DeliveryNews::Delivered, DeliveryNews::Bounced, DeliveryNews::Complained] {
        assert_eq!(serde_json::to_value(news).unwrap(), news.as_str());
    }
}

#[test]
fn a_thank_you_alone_leaves_at_most_once_and_belongs_to_no_event() {
    for kind in MessageKind::ALL {
        let message = message(kind);
        assert_eq!(kind.is_at_most_once(), kind == MessageKind::ThankYou, "{kind:?}");
        assert_eq!(message.event_id.is_none(), kind == MessageKind::ThankYou, "{kind:?}");
        let id = message.id();
        assert_eq!(Message::new(OrgId::parse("org_1").unwrap(), id, None, at(0)), message);
    }
}

#[test]
fn a_message_says_where_it_went_and_why_it_is_where_it_is() {
    let mut sent = message(MessageKind::ThankYou);
    let claim = Claim { token: "mine".to_owned(), until: at(10) };
    let sent_to = Contact { email: Email::parse("pat@example.com").ok(), phone: None };
    sent.claim(claim.clone(), sent_to.clone(), at(1));
    assert_eq!((sent.status, sent.version, sent.updated_at), (MessageStatus::Claimed, 1, at(1)));
    assert_eq!((&sent.claim, &sent.sent_to), (&Some(claim), &sent_to));
    assert!(sent.answered("mine", &Sending::Accepted("id-1".to_owned()), at(2)));
    assert_eq!((sent.provider_message_id.as_deref(), sent.reason.as_deref()), (Some("id-1"), None));

    let mut skipped = message(MessageKind::ThankYou);
    skipped.skip(SkipReason::NoConsent, at(1));
    assert_eq!((skipped.status, skipped.reason.as_deref()), (MessageStatus::Skipped, Some("NO_CONSENT")));
    assert!(skipped.request_again(at(0)));
    assert_eq!((skipped.version, skipped.updated_at, skipped.reason), (2, at(1), None), "time does not go back");

    let mut lost = claimed(MessageKind::ThankYou);
    lost.give_up(at(20));
    assert_eq!((lost.status, lost.reason.as_deref()), (MessageStatus::Unknown, Some("CLAIM_RAN_OUT")));

    for sending in sendings() {
        let mut answered = claimed(MessageKind::ThankYou);
        assert!(answered.answered("mine", &sending, at(1)));
        let code = (!matches!(sending, Sending::Accepted(_))).then_some("Code");
        assert_eq!(answered.reason.as_deref(), code, "{sending:?}");
        assert_eq!(answered.provider_message_id.is_some(), code.is_none(), "{sending:?}");
    }
}
