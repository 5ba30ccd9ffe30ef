use super::*;

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
        assert_eq!(message.hear(news, at(1)), is_news, "{news:?}");
    }
}
