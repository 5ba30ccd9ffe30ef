//! E-mail addresses and telephone numbers: the first line is a region, the rest is what somebody typed.
//!
//! What was read is read again as the same, has no control characters and is no longer than it may be; an address in capitals
//! is the same identity, and so is the one on the wire; a number means the same in every region once it has its `+`.

use referrals::domain::{
    contact::Contact,
    email::{EMAIL_MAX_BYTES, Email},
    phone::{PHONE_MAX_CHARS, Phone, Region},
};

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (region, typed) = text.split_once('\n').unwrap_or(("", &text));
    let is_region = region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase());
    assert_eq!(Region::parse(region).is_ok(), is_region);
    let region = Region::parse(region).unwrap_or_default();

    let email = Email::parse(typed).ok();
    let phone = Phone::parse(typed, &region).ok();
    if let Some(email) = &email {
        address(email);
    }
    if let Some(phone) = &phone {
        assert!(typed.chars().count() <= PHONE_MAX_CHARS);
        number(phone);
    }
    let contact = Contact { email, phone };
    assert_eq!(contact.is_same_person(&contact), contact.identity().is_some());
}

fn address(email: &Email) {
    let text = email.as_str();
    assert!(text.len() <= EMAIL_MAX_BYTES && text.trim() == text);
    assert!(!text.chars().any(char::is_control));
    assert_eq!(Email::parse(text).as_ref(), Ok(email));
    assert_eq!(format!("{email:?}"), "Email(redacted)");

    let key = email.key();
    let wire = email.wire_form();
    assert!(wire.is_ascii() && wire.len() <= EMAIL_MAX_BYTES && !wire.contains(char::is_whitespace));
    for spelling in [&wire, key.as_str(), &text.to_ascii_uppercase()] {
        assert_eq!(Email::parse(spelling).map(|email| email.key()).as_ref(), Ok(&key), "{spelling}");
    }
    let mailbox = key.mailbox();
    assert!(mailbox.split_once('@').is_some_and(|(local, _)| !local.contains('+')));
}

fn number(phone: &Phone) {
    let digits = phone.as_str().strip_prefix('+').unwrap_or_default();
    assert!(!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(format!("{phone:?}"), "Phone(redacted)");
    for region in ["US", "GB", "ZZ"] {
        let region = Region::parse(region).unwrap_or_default();
        assert_eq!(Phone::parse(phone.as_str(), &region).as_ref(), Ok(phone));
    }
}
