//! Every text that people read, in each language: one file a language under `assets/wording`, the `form` part of which is
//! the widget's too.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::accept_language::accepted;

/// In which the form speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    Spanish,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// The language's tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::English => Self::Spanish,
            Self::Spanish => Self::English,
        }
    }

    /// What was asked for by name, else the first of the browser's languages that is spoken here, else English.
    pub fn choose(asked: Option<&str>, accept_language: Option<&str>) -> Self {
        let accepted = accepted(accept_language.unwrap_or_default());
        asked.into_iter().chain(accepted).find_map(Self::find).unwrap_or(Self::English)
    }

    /// By the first part of a tag: the Spanish of every country is Spanish.
    fn find(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    pub fn wording(self) -> &'static Wording {
        static ENGLISH: LazyLock<Wording> = LazyLock::new(|| Wording::read(include_str!("../assets/wording/en.json")));
        static SPANISH: LazyLock<Wording> = LazyLock::new(|| Wording::read(include_str!("../assets/wording/es.json")));
        match self {
            Self::English => &ENGLISH,
            Self::Spanish => &SPANISH,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub struct Wording {
    pub form: FormWording,
    pub page: PageWording,
}

type Texts = BTreeMap<&'static str, &'static str>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FormWording {
    /// The heading where it is not known whose form it is.
    pub title: &'static str,
    pub title_to: &'static str,
    pub intro: &'static str,
    pub you: &'static str,
    pub friend: &'static str,
    pub labels: Texts,
    pub required: &'static str,
    pub hints: Texts,
    pub consent: &'static str,
    pub consents: Texts,
    pub consent_text_id: &'static str,
    pub privacy: &'static str,
    pub trap: &'static str,
    pub send: &'static str,
    pub sending: &'static str,
    pub again: &'static str,
    pub done: &'static str,
    pub done_text: &'static str,
    pub receipt: &'static str,
    pub check: &'static str,
    /// By the code of a field's error.
    errors: Texts,
    /// By the code of a problem.
    problems: Texts,
    times: Texts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PageWording {
    pub other_language: &'static str,
    pub not_found: &'static str,
    pub not_found_text: &'static str,
    pub failed: &'static str,
    pub failed_text: &'static str,
    pub back: &'static str,
}

impl Wording {
    /// The files are part of the build, and a test reads them all.
    fn read(json: &'static str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }
}

impl FormWording {
    pub fn error(&self, code: &str) -> &'static str {
        self.errors.get(code).or_else(|| self.errors.get("invalid")).copied().unwrap_or_default()
    }

    pub fn problem(&self, code: &str) -> &'static str {
        self.problems.get(code).or_else(|| self.problems.get("failed")).copied().unwrap_or_default()
    }

    pub fn too_many_requests(&self, retry_after_seconds: u32) -> String {
        self.problem("too_many_requests").replace("{time}", &self.time(retry_after_seconds))
    }

    /// In the largest unit that still says something.
    fn time(&self, seconds: u32) -> String {
        let (unit, seconds_of_unit) = match seconds {
            0..=90 => ("seconds", 1),
            91..=5_400 => ("minutes", 60),
            _ => ("hours", 3_600),
        };
        let number = seconds.div_ceil(seconds_of_unit);
        self.times.get(unit).copied().unwrap_or_default().replace("{n}", &number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use referrals::domain::consent::ConsentText;

    use super::*;

    #[test]
    fn a_language_is_asked_for_or_the_browsers() {
        use Language::{English, Spanish};
        for (asked, accept, wanted) in [
            (None, None, English),
            (None, Some("es"), Spanish),
            (None, Some("es-MX,es;q=0.9,en;q=0.8"), Spanish),
            (None, Some("de-DE, fr;q=0.9, es;q=0.5, en;q=0.4"), Spanish),
            (None, Some("en;q=0.2, es;q=0.8"), Spanish),
            (None, Some("ES"), Spanish),
            (None, Some("est"), English),
            (None, Some("*"), English),
            (None, Some(";;q=,\u{e9}"), English),
            (None, Some("es;q=0, en;q=0.1"), English),
            (None, Some("es;q=nan"), English),
            (None, Some("es;q=2"), English),
            (None, Some("es;level=1"), English),
            (None, Some("es ; q=0.5, en-GB;q=0.4"), Spanish),
            (Some("es"), Some("en"), Spanish),
            (Some("en"), Some("es"), English),
            (Some("xx"), Some("es"), Spanish),
            (Some(""), None, English),
        ] {
            assert_eq!(Language::choose(asked, accept), wanted, "{asked:?} {accept:?}");
        }
    }

    #[test]
    fn no_header_does_any_harm() {
        // Qualities without an order have ended a process before.
        let one = "a;q=2,a;q=9,a;q=nan,a;q=5,a;q=nan,a;q=3,a;q=2,a;q=2,a;q=6,a;q=6,a;q=2,a;q=4,a;q=0,a;q=4,a;q=4,a;q=6,\
            a;q=4,a;q=6,a;q=7,a;q=9,a;q=1,es;q=0.1";
        assert_eq!(Language::choose(None, Some(one)), Language::Spanish);
        assert_eq!(Language::choose(None, Some(&"en;q=0.1,".repeat(5_000))), Language::English);
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_accepted_a_language_is_spoken(header in "([a-z*-]{0,4}(;q=(nan|inf|-0|[0-9.]{0,4}))?,){0,60}", any in ".*") {
            let _ = (Language::choose(None, Some(&header)), Language::choose(Some(&any), Some(&any)));
        }
    }

    #[test]
    fn every_language_says_everything() {
        let said = |language: Language| {
            let file = match language {
                Language::English => include_str!("../assets/wording/en.json"),
                Language::Spanish => include_str!("../assets/wording/es.json"),
            };
            assert!(serde_json::from_str::<Wording>(file).is_ok(), "{language:?}");
            let mut pointers = Vec::new();
            pointers_of(&serde_json::from_str(file).unwrap(), "", &mut pointers);
            pointers
        };
        assert_eq!(said(Language::English), said(Language::Spanish));
    }

    /// Where texts are, with the places in them that are filled in.
    fn pointers_of(value: &serde_json::Value, at: &str, all: &mut Vec<String>) {
        if let Some(text) = value.as_str() {
            assert!(!text.trim().is_empty(), "{at}");
            let places: Vec<_> =
                ["{agent}", "{time}", "{n}"].into_iter().filter(|place| text.contains(place)).collect();
            all.push(format!("{at} {places:?}"));
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            pointers_of(value, &format!("{at}/{key}"), all);
        }
    }

    #[test]
    fn what_was_agreed_to_never_changes() {
        // Who ticked a box agreed to exactly this. Another wording gets another id; these stay as they are.
        let agreed: Vec<_> = Language::ALL
            .iter()
            .map(|language| {
                let form = &language.wording().form;
                assert!(ConsentText::find(form.consent_text_id).is_some());
                format!("{}\n{}\n{:#?}", form.consent_text_id, form.consent, form.consents)
            })
            .collect();
        insta::assert_snapshot!(agreed.join("\n\n"));
    }

    #[test]
    fn a_time_to_wait_is_never_too_short() {
        let form = &Language::English.wording().form;
        for (seconds, said) in
            [(1, "1 s"), (60, "60 s"), (90, "90 s"), (91, "2 min"), (3_540, "59 min"), (5_401, "2 h"), (86_400, "24 h")]
        {
            assert_eq!(form.time(seconds), said);
            assert!(form.too_many_requests(seconds).contains(said));
        }
    }
}
