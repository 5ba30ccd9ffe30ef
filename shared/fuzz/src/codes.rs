//! What is exactly one of a kind: ids, slugs, currencies and amounts, keys of requests, and the names of codes. The first line
//! is the code, the second an amount and a share of it.
//!
//! Nothing is trimmed, folded or decoded: what is read is what was written. An amount is written with all of its digits, a
//! share is rounded down. A key stands in its digest and nowhere else.

use referrals::{
    domain::{
        attribution::Grouping,
        consent::{ConsentChannel, ConsentText},
        id::{DealId, EventId, OrgId, PersonId},
        idempotency::IdempotentRequest,
        import::{Column, RowOutcome},
        message::MessageKind,
        money::{Currency, MAX_MINOR, share},
        organization::{Role, Slug},
        referral::{Channel, ReferralStatus, RewardStatus, RewardType},
        reward_lane::RewardLane,
        reward_policy::{ComplianceGate, ThankYouChannel},
    },
    events::deal_state,
};

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (code, numbers) = text.split_once('\n').unwrap_or((&text, ""));
    ids(code);
    names(code);
    key(code, data);
    let mut numbers = numbers.split(' ').map(|number| number.parse::<i64>().unwrap_or(MAX_MINOR));
    let (minor, basis_points) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if let Ok(currency) = Currency::parse(code) {
        assert!(code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()));
        assert_eq!(currency.as_str(), code);
        let amount = currency.amount(minor);
        let digits: String = amount.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
        assert!(amount.ends_with(&format!(" {code}")));
        assert_eq!(digits.parse(), Ok(minor));
    }
    if (0..=MAX_MINOR).contains(&minor) && (0..=10_000).contains(&basis_points) {
        let (whole, part) = (i128::from(minor) * i128::from(basis_points), i128::from(share(minor, basis_points)));
        assert!(part * 10_000 <= whole && whole < (part + 1) * 10_000);
    }
}

fn ids(code: &str) {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let is_id = code.split_once('_').is_some_and(|(kind, rest)| {
        !kind.is_empty()
            && kind.bytes().all(|byte| byte.is_ascii_lowercase())
            && (1..=64).contains(&rest.len())
            && is_word(rest)
    });
    assert_eq!(OrgId::parse(code).map(|id| id.to_string()), DealId::try_from(code.to_owned()).map(|id| id.to_string()));
    assert_eq!(PersonId::parse(code).is_ok_and(|id| id.as_str() == code), is_id);
    let json = serde_json::to_string(code).unwrap_or_default();
    assert_eq!(serde_json::from_str::<EventId>(&json).is_ok(), is_id);

    let is_slug = (3..=63).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !(code.starts_with('-') || code.ends_with('-'));
    assert_eq!(Slug::parse(code).is_ok_and(|slug| slug.as_str() == code), is_slug);
}

fn names(code: &str) {
    let found = [
        ReferralStatus::find(code).map(ReferralStatus::as_str),
        Channel::find(code).map(Channel::as_str),
        Channel::find_public(code).map(Channel::as_str),
        RewardStatus::find(code).map(RewardStatus::as_str),
        RewardType::find(code).map(RewardType::as_str),
        RewardLane::find(code).map(RewardLane::as_str),
        ThankYouChannel::find(code).map(ThankYouChannel::as_str),
        ComplianceGate::find(code).map(ComplianceGate::as_str),
        Grouping::find(code).map(Grouping::as_str),
        Role::find(code).map(Role::as_str),
        ConsentChannel::find(code).map(ConsentChannel::as_str),
        MessageKind::find(code).map(MessageKind::as_str),
        RowOutcome::find(code).map(RowOutcome::as_str),
        Column::find(code).map(Column::as_str),
    ];
    assert!(found.into_iter().flatten().all(|name| name == code));
    assert!(ConsentText::find(code).is_none() || code.starts_with("form-v"));
    assert!(deal_state(code).is_none() || code.to_ascii_lowercase().starts_with("deal"));
}

fn key(code: &str, body: &[u8]) {
    let is_key = (1..=255).contains(&code.len()) && code.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let request = IdempotentRequest::new(&["api", "user_1"], code, body);
    assert_eq!(request.is_ok(), is_key && !code.trim().is_empty());
    let Ok(request) = request else { return };
    assert_eq!((request.key.len(), request.body.len()), (43, 43));
    assert_eq!(IdempotentRequest::new(&["api", "user_1"], code, body).as_ref(), Ok(&request));
    let other = IdempotentRequest::new(&["api", "user_2"], code, body);
    assert!(other.is_ok_and(|other| other.key != request.key && other.body == request.body));
}
