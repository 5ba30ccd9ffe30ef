use std::collections::BTreeMap;

use mail_parser::{Message, MessageParser};
use proptest::prelude::*;
use referrals::domain::text::PersonName;

use super::*;
use crate::{
    fixtures::{Names, letter, settings},
    sms,
};

const PLAIN: Names<'_> =
    Names { agent: "Jane Doe", brokerage: "Doe Realty", referrer: "Pat Jones", referred: "Sam Lee" };

fn written(kind: MessageKind, names: Names<'_>) -> Vec<u8> {
    write(&settings(), &letter(kind, names), "pat@example.com").unwrap()
}

fn parsed(mime: &[u8]) -> Message<'_> {
    MessageParser::default().parse(mime).expect("a mail")
}

/// Names of the headers of the whole message, with how often each stands there. Read from the bytes, not by a parser that
/// may forgive.
fn header_names(mime: &[u8]) -> BTreeMap<String, usize> {
    let text = String::from_utf8(mime.to_vec()).expect("ASCII");
    let (head, _) = text.split_once("\r\n\r\n").expect("an end of the headers");
    assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "only whole line ends");
    let mut names = BTreeMap::new();
    for line in head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])) {
        let (name, _) = line.split_once(':').expect("a header");
        *names.entry(name.to_owned()).or_default() += 1;
    }
    names
}

#[test]
fn a_thank_you_names_agent_and_brokerage_and_can_be_ended_with_one_click() {
    let mime = written(MessageKind::ThankYou, PLAIN);
    let mail = parsed(&mime);
    let from = mail.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("Jane Doe, Doe Realty"), Some("referrals@mail.example.com")));
    assert_eq!(mail.reply_to().unwrap().first().unwrap().address(), Some("jane@doe.example"));
    assert_eq!(mail.subject(), Some("Thank you for referring Sam Lee"));
    let raw = |name: &str| mail.header_raw(name).map(str::trim).unwrap_or_default().to_owned();
    let link = raw("List-Unsubscribe");
    assert!(link.starts_with("<https://referrals.example.com/u/") && link.ends_with('>'), "{link}");
    assert!(!link.contains(char::is_whitespace));
    assert_eq!(raw("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    let url = link.trim_matches(['<', '>']);
    let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
    for part in [text.as_ref(), html.as_ref()] {
        for words in ["Pat Jones", "Sam Lee", "Jane Doe", "Doe Realty", "gift card, 50.00 USD", url] {
            assert!(part.contains(words), "{words} in {part}");
        }
    }
    let token = url.rsplit('/').next().unwrap();
    let opened = settings().unsubscribe_key.open(token).unwrap();
    assert_eq!((opened.person.as_str(), opened.channel), ("person_1", ConsentChannel::Email));
}

#[test]
fn a_notice_leads_to_the_referral_and_asks_for_no_answer() {
    for kind in [MessageKind::NewReferral, MessageKind::RewardReady] {
        let mime = written(kind, PLAIN);
        let mail = parsed(&mime);
        assert_eq!(mail.header_raw("Auto-Submitted").map(str::trim), Some("auto-generated"));
        assert!(mail.header_raw("List-Unsubscribe").is_none());
        let link = "https://agents.example.com/referrals/ref_1?from=mail&page=1";
        assert!(mail.body_text(0).unwrap().contains(link));
        assert!(mail.body_html(0).unwrap().contains("ref_1?from=mail&#38;page=1"), "{}", mail.body_html(0).unwrap());
        for part in [mail.body_text(0).unwrap(), mail.body_html(0).unwrap()] {
            assert_eq!(part.contains("50.00 USD"), kind == MessageKind::RewardReady);
            assert!(part.contains("Pat Jones") && part.contains("Sam Lee"));
        }
    }
}

/// Text that people type, and what others put where people type.
fn odd() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\\PC{1,60}",
        1 => any::<String>(),
        1 => prop::sample::select(vec![
            "O'Brien".to_owned(),
            "<script>alert(1)</script>".to_owned(),
            "\"><img src=x onerror=alert(1)>".to_owned(),
            "Pat\r\nBcc: everybody@example.com".to_owned(),
            "Pat\nSubject: other".to_owned(),
            "Pat <pat@evil.example>, other@evil.example".to_owned(),
            "=?utf-8?q?=41?=".to_owned(),
            "a\\\"b (c) [d] ; e : f @ g , h".to_owned(),
            "{{ words.reward }} {% if %} {# #}".to_owned(),
            "&amp; &lt; &#0;".to_owned(),
            "Żółć 中文 العربية עברית 👩‍👩‍👧‍👦".to_owned(),
            "e\u{301}".repeat(90),
            "long ".repeat(40),
            "x".repeat(200),
            ".".to_owned(),
        ]),
    ]
}

fn name() -> impl Strategy<Value = String> {
    odd().prop_filter_map("a name", |text| PersonName::parse(&text).ok().map(|name| name.as_str().to_owned()))
}

/// The parser drops the space at which a quoted name was folded.
fn solid(text: &str) -> String {
    text.split_whitespace().collect()
}

fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '<' | '>' | '&' | '"' | '\'' => format!("&#{};", u32::from(c)),
            c => c.to_string(),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn whatever_the_names_are_it_is_one_mail_with_these_headers_and_words(
        agent in name(), brokerage in odd(), referrer in name(), referred in name(),
        kind in prop::sample::select(MessageKind::ALL.to_vec()),
    ) {
        let names = Names { agent: &agent, brokerage: &brokerage, referrer: &referrer, referred: &referred };
        let mime = written(kind, names);
        let plain = written(kind, PLAIN);
        prop_assert!(mime.is_ascii() && mime.split(|byte| *byte == b'\n').all(|line| line.len() <= 999));
        prop_assert_eq!(header_names(&mime), header_names(&plain), "no header more or less");
        let (mail, usual) = (parsed(&mime), parsed(&plain));
        let from = mail.from().unwrap();
        prop_assert_eq!(from.iter().count(), 1);
        let sender = match one_line(&brokerage) {
            brokerage if brokerage.is_empty() => header_line(&agent),
            brokerage => header_line(&format!("{}, {brokerage}", one_line(&agent))),
        };
        let from = from.first().unwrap();
        prop_assert_eq!(solid(from.name().unwrap()), solid(&sender));
        prop_assert_eq!(from.address(), Some("referrals@mail.example.com"));
        prop_assert_eq!(mail.to().unwrap().iter().map(|to| to.address().unwrap().to_owned()).collect::<Vec<_>>(),
            vec!["pat@example.com".to_owned()]);
        prop_assert_eq!(mail.parts.len(), usual.parts.len());
        let subject = mail.subject().unwrap();
        let named = if kind == MessageKind::RewardReady { &referrer } else { &referred };
        prop_assert!(subject.ends_with(&header_line(named)), "{:?} {:?}", subject, named);
        let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
        for words in [&agent, &referrer, &referred] {
            prop_assert!(text.contains(&one_line(words)));
            prop_assert!(html.contains(&escaped(&one_line(words))), "{html}");
        }
        // Tags and attributes are the template's own.
        let usual = usual.body_html(0).unwrap();
        for mark in ['<', '>', '"'] {
            prop_assert_eq!(html.matches(mark).count(), usual.matches(mark).count());
        }
    }

    #[test]
    fn whatever_the_names_are_an_sms_is_one_segment_and_says_how_to_stop(
        agent in name(), brokerage in odd(), referrer in name(), referred in name(),
        kind in prop::sample::select(MessageKind::ALL.to_vec()),
    ) {
        let names = Names { agent: &agent, brokerage: &brokerage, referrer: &referrer, referred: &referred };
        let text = sms::text(&letter(kind, names));
        let is_gsm = text.chars().all(|c| gsm_septets(c) > 0);
        let fits = if is_gsm {
            text.chars().map(gsm_septets).sum::<usize>() <= 160
        } else {
            text.encode_utf16().count() <= 70
        };
        prop_assert!(fits, "{text}");
        prop_assert!(text.ends_with("Reply STOP to opt out") && !text.contains(['\r', '\n']));
        let first: String = one_line(&agent).chars().take(10).collect();
        prop_assert!(text.starts_with(first.trim_end()), "{text} names {agent}");
    }
}

/// From the standard (3GPP TS 23.038), not from the library that the code under test asks. Zero where it has no such
/// character.
fn gsm_septets(c: char) -> usize {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ\
                         ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    if BASIC.contains(c) {
        1
    } else if "\u{c}^{}\\[~]|€".contains(c) {
        2
    } else {
        0
    }
}
