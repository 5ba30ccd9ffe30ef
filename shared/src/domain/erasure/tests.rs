use super::*;
use crate::domain::{
    audit::{Actor, AuditAction},
    calendar::Zone,
    duplicate::PairKey,
    email::Email,
    id::{DealId, OrgId, ReferralId, UserId},
    message::{Claim, MessageId},
    phone::{Phone, Region},
    referral::{Channel, NewReferral, Origin},
    text::{Label, Notes, Reason},
};

fn at(second: i64) -> Timestamp {
    Timestamp::parse("2026-11-22T07:00:00Z").unwrap().plus_seconds(second)
}

fn id(text: &str) -> PersonId {
    PersonId::parse(text).unwrap()
}

fn contact(name: &str) -> Contact {
    Contact { email: Some(Email::parse(&format!("{name}@example.com")).unwrap()), phone: None }
}

fn person() -> Person {
    let phone = Phone::parse("+14155552671", &Region::default()).unwrap();
    let contact = Contact { phone: Some(phone), ..contact("sam") };
    let (organization, name) = (OrgId::parse("org_1").unwrap(), PersonName::parse("Sam Lee").unwrap());
    Person::new(id("person_1"), organization, name, contact, at(0))
}

fn referral(channel: Channel) -> Referral {
    let new = NewReferral {
        referrer_person_id: id("person_2"),
        referred_name: PersonName::parse("Sam Lee").unwrap(),
        referred_contact: contact("sam"),
        agent_user_id: UserId::parse("user_1").unwrap(),
        channel,
        notes: Notes::parse("Call Sam.").unwrap(),
    };
    let id = ReferralId::parse("ref_1").unwrap();
    let mut referral = Referral::received(id, OrgId::parse("org_1").unwrap(), new, at(0), &Zone::utc());
    let label = |text: &str| Label::parse(text).unwrap();
    let (source_system, external_id) = (label("crm"), label("sam-lee"));
    referral.origin = Some(Box::new(Origin { source_system, external_id, channel: None }));
    referral.lost_reason = Reason::parse("Sam moved.").unwrap();
    let agent = UserId::parse("user_1").unwrap();
    let sam = PersonName::parse("Sam Lee").unwrap();
    referral.guarded_pair = Some(PairKey::new(&agent, &person().contact_keys()[0], &sam, &contact("sam")));
    referral
}

fn entry(channel: ConsentChannel, decision: ConsentDecision, second: i64, evidence: &str) -> ConsentEntry {
    ConsentEntry {
        person_id: id("person_1"),
        channel,
        decision,
        method: ConsentMethod::Agent,
        actor: "user_1".to_owned(),
        consent_text_id: None,
        at: at(second),
        request_id: "request".to_owned(),
        evidence: Reason::parse(evidence).unwrap(),
    }
}

fn origin(actor: &Actor) -> ChangeOrigin<'_> {
    ChangeOrigin { method: ConsentMethod::Erasure, actor, at: at(9), request_id: "request" }
}

fn audit(actor: &str, action: AuditAction) -> AuditEntry {
    AuditEntry {
        at: at(1),
        actor: actor.to_owned(),
        action,
        from: None,
        to: None,
        fields: vec![],
        deal_id: None,
        note: None,
        message: None,
        request_id: "request".to_owned(),
        event_id: None,
    }
}

#[test]
fn a_person_is_nobody_afterwards_and_only_once() {
    let mut before = person();
    before.email_marketing_consent = true;
    let erased = before.erased(&[], origin(&Actor::Public)).unwrap();
    let after = &erased.changed.person;
    assert_eq!((&after.name, &after.email, &after.phone), (&PersonName::erased(), &None, &None));
    assert_eq!((after.is_erased(), after.erased_at, after.do_not_contact), (true, Some(at(9)), true));
    assert_eq!((after.version, after.updated_at, after.email_marketing_consent), (2, at(9), false));
    assert_eq!(erased.changed.released, before.contact_keys());
    let ended: Vec<_> = erased.changed.consents.iter().map(|entry| (entry.channel, entry.decision)).collect();
    assert_eq!(ended, [(ConsentChannel::Email, ConsentDecision::Revoked)]);
    assert_eq!(after.erased(&[], origin(&Actor::Public)), None);
    assert!(!before.is_erased());
}

#[test]
fn an_address_stays_closed_where_its_owner_has_said_no() {
    use ConsentDecision::{Granted, Revoked};
    let said = |entries: &[ConsentEntry], change: fn(&mut Person)| {
        let mut before = person();
        change(&mut before);
        let closed = before.erased(entries, origin(&Actor::Public)).unwrap().suppressed;
        closed
            .iter()
            .map(|key| if matches!(key, ContactKey::Email(_)) { "email" } else { "number" })
            .collect::<Vec<_>>()
    };
    let mail = |decision, second, evidence| entry(ConsentChannel::Email, decision, second, evidence);
    assert_eq!(said(&[], |_| ()), [""; 0]);
    assert_eq!(said(&[mail(Granted, 1, "box")], |_| ()), [""; 0]);
    assert_eq!(said(&[mail(Revoked, 2, "phone"), mail(Granted, 1, "box")], |_| ()), ["email"]);
    assert_eq!(said(&[mail(Granted, 3, "box"), mail(Revoked, 2, "phone")], |_| ()), [""; 0]);
    assert_eq!(said(&[mail(Revoked, 2, "phone")], |before| before.email_marketing_consent = true), [""; 0]);
    // That consent did not move to another address is nobody's no; what was said before that is.
    assert_eq!(said(&[mail(Granted, 1, "box"), mail(Revoked, 2, ADDRESS_CHANGED)], |_| ()), [""; 0]);
    assert_eq!(said(&[mail(Revoked, 1, "phone"), mail(Revoked, 2, ADDRESS_CHANGED)], |_| ()), ["email"]);
    assert_eq!(said(&[entry(ConsentChannel::Sms, Revoked, 1, "stop")], |_| ()), ["number"]);
    assert_eq!(said(&[], |before| before.do_not_contact = true), ["email", "number"]);
}

#[test]
fn a_referral_loses_every_text_and_who_it_is_told_to() {
    let before = referral(Channel::Import);
    let kept = before.erased(None, at(5)).unwrap();
    assert_eq!((&kept.referred_name, &kept.referred_contact), (&before.referred_name, &before.referred_contact));
    assert_eq!((&kept.notes, &kept.lost_reason, &kept.origin, &kept.guarded_pair), (&None, &None, &None, &None));
    assert_eq!((kept.version, kept.updated_at, kept.referred_erased), (2, at(5), false));
    assert_eq!(kept.erased(None, at(6)), None, "once");
    let nobody = kept.erased(Some(&Referred::nobody()), at(6)).unwrap();
    assert_eq!(
        (nobody.referred_erased, nobody.referred_contact.clone(), nobody.version),
        (true, Contact::default(), 3)
    );
    assert_eq!(nobody.erased(Some(&Referred::nobody()), at(7)), None, "once");
    let lead = person();
    let other = nobody.erased(Some(&Referred::of(&lead)), at(8)).unwrap();
    assert_eq!((other.referred_name, other.referred_contact.keys()), (lead.name.clone(), lead.contact_keys()));
}

#[test]
fn a_capture_is_untriaged_while_nobody_has_done_anything_about_it() {
    let (cutoff, none) = (at(10), [audit("public", AuditAction::Received)]);
    let capture = referral(Channel::Widget);
    assert!(capture.is_untriaged_since(cutoff, &none));
    assert!(!capture.is_untriaged_since(at(0), &none), "too young");
    for channel in Channel::ALL {
        let wanted = matches!(channel, Channel::PublicProfile | Channel::Widget);
        assert_eq!(referral(channel).is_untriaged_since(cutoff, &none), wanted, "{channel:?}");
    }
    for status in ReferralStatus::ALL {
        let moved = Referral { status, ..capture.clone() };
        assert_eq!(moved.is_open_since(cutoff), status == ReferralStatus::Received, "{status:?}");
    }
    let dealt = Referral { resulting_deal_id: DealId::parse("deal_1").ok(), ..capture.clone() };
    assert!(!dealt.is_open_since(cutoff));
    for (actor, action, wanted) in [
        ("user_1", AuditAction::Edited, false),
        ("system:pipeline-entry", AuditAction::LeadLinked, true),
        // Who was erased on request is no reason to keep the other.
        ("user_1", AuditAction::Erased, true),
    ] {
        let history = [none[0].clone(), audit(actor, action)];
        assert_eq!(capture.is_untriaged_since(cutoff, &history), wanted, "{actor} {action:?}");
    }
}

#[test]
fn a_capture_that_expires_is_lost_and_tells_nothing() {
    let after = referral(Channel::Widget).expired(at(7));
    assert_eq!((after.status, after.expired_at, after.version), (ReferralStatus::Lost, Some(at(7)), 2));
    assert!(after.referred_erased && after.referred_contact == Contact::default());
    assert_eq!((after.notes, after.lost_reason, after.origin, after.guarded_pair), (None, None, None, None));
}

#[test]
fn a_message_forgets_where_it_went() {
    let message_id = MessageId::thank_you(ReferralId::parse("ref_1").unwrap(), ConsentChannel::Email);
    let mut message = Message::new(OrgId::parse("org_1").unwrap(), message_id, Some(id("person_1")), at(0));
    assert_eq!(message.erased(&id("person_1"), at(3)), None, "it went nowhere");
    message.claim(Claim { token: "t".to_owned(), until: at(2) }, contact("sam"), at(1));
    assert_eq!(message.erased(&id("person_2"), at(3)), None, "it is somebody else's");
    let after = message.erased(&id("person_1"), at(3)).unwrap();
    assert_eq!(
        (after.sent_to.clone(), after.version, after.updated_at),
        (Contact::default(), message.version + 1, at(3))
    );
    assert_eq!(after.erased(&id("person_1"), at(4)), None, "once");
}

#[test]
fn evidence_is_typed_by_members_and_in_files() {
    let typed = |method| ConsentEntry { method, ..entry(ConsentChannel::Sms, ConsentDecision::Granted, 1, "said so") };
    for method in ConsentMethod::ALL {
        let wanted = matches!(method, ConsentMethod::Agent | ConsentMethod::Import);
        assert_eq!(typed(method).has_typed_evidence(), wanted, "{method:?}");
    }
    let without = ConsentEntry { evidence: None, ..typed(ConsentMethod::Agent) };
    assert!(!without.has_typed_evidence());
}

#[test]
fn what_was_only_so_while_it_was_lost_ends_with_that() {
    let mut referral = referral(Channel::Widget).expired(at(7));
    referral.lost_reason = Reason::parse("Sam moved.").unwrap();
    referral.leave_lost();
    assert_eq!((referral.lost_reason, referral.expired_at), (None, None));
}

#[test]
fn an_address_shows_somebody_who_is_not_the_lead() {
    let mut row = referral(Channel::Widget);
    let keys = contact("sam").keys();
    assert!(row.shows_unlinked(&id("person_1"), &keys));
    assert!(!row.shows_unlinked(&id("person_1"), &contact("lou").keys()));
    row.referred_person_id = Some(id("person_9"));
    assert!(row.shows_unlinked(&id("person_1"), &keys), "another one is");
    row.referred_person_id = Some(id("person_1"));
    assert!(!row.shows_unlinked(&id("person_1"), &keys));
}

/// Name and address have to be others: one alone may be a correction.
#[test]
fn a_referral_is_about_somebody_else_when_nothing_of_the_former_is_shown() {
    let before = referral(Channel::Widget);
    for (name, address, wanted) in
        [("Sam Lee", "sam", false), ("Lou Bo", "sam", false), ("Sam Lee", "lou", false), ("Lou Bo", "lou", true)]
    {
        let mut after = before.clone();
        (after.referred_name, after.referred_contact) = (PersonName::parse(name).unwrap(), contact(address));
        assert_eq!(after.shows_another_than(&before), wanted, "{name} {address}");
    }
}

#[test]
fn our_own_word_is_not_typed() {
    assert!(!entry(ConsentChannel::Email, ConsentDecision::Revoked, 1, ADDRESS_CHANGED).has_typed_evidence());
}

#[test]
fn nobody_is_called_by_the_name_that_stands_for_them() {
    let before = referral(Channel::Widget);
    assert_eq!(before.known_referred_name(), Some(&before.referred_name));
    assert_eq!(before.expired(at(7)).known_referred_name(), None);
}
