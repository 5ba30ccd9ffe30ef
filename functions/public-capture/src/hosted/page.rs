//! The pages of the form: whatever was typed stands in them as text, and nothing is loaded from anywhere.

use askama::Template;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use referrals::{
    domain::{digest::digest, id::ReceiptId, organization::PublishedProfile},
    http::{Code, Problem},
};

use super::typed::{BOXES, Typed};
use crate::wording::{FormWording, Language, PageWording};

/// The page's own style and script, named by their hashes, and nothing else. A page inside another page could have its
/// button covered.
const CONTENT_SECURITY_POLICY: &str = concat!(
    "default-src 'none'; script-src '",
    env!("PAGE_JS_HASH"),
    "'; style-src '",
    env!("PAGE_CSS_HASH"),
    "'; img-src data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
);

const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // A year; browsers heed it only where it came over TLS.
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::VARY, "accept-language"),
];

/// The fields of the form in their order, each with its group, its `type`, what a browser may fill in, and how many
/// characters it takes. Notes are an area of their own.
const INPUTS: [(&str, Group, &str, &str, u16); 6] = [
    ("referrerName", Group::You, "text", "name", 200),
    ("referrerEmail", Group::You, "email", "email", 254),
    ("referrerPhone", Group::You, "tel", "tel", 32),
    // A section of its own: what a browser knows of its owner is not the friend's.
    ("referredName", Group::Friend, "text", "section-friend name", 200),
    ("referredEmail", Group::Friend, "email", "section-friend email", 254),
    ("referredPhone", Group::Friend, "tel", "section-friend tel", 32),
];
const NOTES: &str = "notes";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    You,
    Friend,
}

struct Input<'a> {
    name: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
    max_chars: u16,
    label: &'static str,
    is_required: bool,
    hint: Option<&'static str>,
    value: &'a str,
    error: Option<&'static str>,
    /// Whether this is where somebody goes on.
    is_next: bool,
}

impl Input<'_> {
    /// The ids of what is said about it.
    fn described_by(&self) -> String {
        let parts = [("hint", self.hint), ("error", self.error)].into_iter();
        let ids = parts.filter_map(|(part, text)| text.map(|_| format!("{}-{part}", self.name)));
        ids.collect::<Vec<_>>().join(" ")
    }
}

struct ConsentBox {
    name: &'static str,
    label: &'static str,
    is_ticked: bool,
}

/// What all pages have.
struct Frame {
    language: Language,
    style: &'static str,
    script: &'static str,
}

#[derive(Template)]
#[template(path = "form.html")]
struct FormTemplate<'a> {
    frame: Frame,
    title: String,
    brokerage: Option<&'a str>,
    text: &'static FormWording,
    page: &'static PageWording,
    you: Vec<Input<'a>>,
    friend: Vec<Input<'a>>,
    notes: Input<'a>,
    boxes: Vec<ConsentBox>,
    /// Empty when nothing is wrong.
    problem: String,
    is_problem_next: bool,
    trap: &'a str,
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessageTemplate<'a> {
    frame: Frame,
    title: &'static str,
    text: &'a str,
    more: &'static str,
    receipt: Option<(&'static str, &'a ReceiptId)>,
    again: Option<&'static str>,
}

impl Frame {
    fn new(language: Language) -> Self {
        Self {
            language,
            style: include_str!(concat!(env!("OUT_DIR"), "/page.css")),
            script: include_str!(concat!(env!("OUT_DIR"), "/page.js")),
        }
    }
}

/// The form as it is first seen. The same for everybody, until the agent changes their name.
pub fn empty_form(language: Language, profile: &PublishedProfile) -> Response {
    let html = form(language, Some(profile), &Typed::default(), None);
    let etag = format!("\"{}\"", digest(&[html.as_bytes()]));
    let mut response = answer(StatusCode::OK, html);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.extend(HeaderValue::from_str(&etag).map(|etag| (header::ETAG, etag)));
    response
}

/// The form with what was typed and with what is wrong about it.
pub fn refused_form(
    language: Language,
    profile: Option<&PublishedProfile>,
    typed: &Typed,
    problem: &Problem,
) -> Response {
    refused(form(language, profile, typed, Some(problem)), problem)
}

pub fn done(language: Language, receipt: &ReceiptId) -> Response {
    let text = &language.wording().form;
    let html = MessageTemplate {
        frame: Frame::new(language),
        title: text.done,
        text: text.done_text,
        more: "",
        receipt: Some((text.receipt, receipt)),
        again: Some(text.again),
    };
    answer(StatusCode::CREATED, rendered(&html))
}

/// A page without a form: there is nobody to send anything to, or nothing of what was sent could be read.
pub fn message(language: Language, problem: &Problem) -> Response {
    let wording = language.wording();
    let page = &wording.page;
    let (title, text, more) = match problem.code {
        Code::NotFound => (page.not_found, page.not_found_text, ""),
        Code::BodyTooLarge => (page.failed, wording.form.problem("body_too_large"), page.back),
        Code::Unavailable | Code::Internal => (page.failed, page.failed_text, ""),
        _ => (page.failed, page.back, ""),
    };
    let html = MessageTemplate { frame: Frame::new(language), title, text, more, receipt: None, again: None };
    refused(rendered(&html), problem)
}

fn form(language: Language, profile: Option<&PublishedProfile>, typed: &Typed, problem: Option<&Problem>) -> String {
    let wording = language.wording();
    let text = &wording.form;
    let errors = problem.map(|problem| problem.errors.as_slice()).unwrap_or_default();
    let error_of = |name: &str| {
        let error = errors.iter().find(|error| error.pointer.strip_prefix('/') == Some(name))?;
        Some(text.error(error.code))
    };
    let names = INPUTS.iter().map(|(name, ..)| *name).chain([NOTES]);
    let next = names.into_iter().find(|name| error_of(name).is_some());
    let input = |name, kind, autocomplete, max_chars| Input {
        name,
        kind,
        autocomplete,
        max_chars,
        label: text.labels.get(name).copied().unwrap_or_default(),
        is_required: name.ends_with("Name"),
        hint: text.hints.get(name).copied(),
        value: typed.get(name),
        error: error_of(name),
        is_next: next == Some(name),
    };
    let group = |wanted| {
        let inputs = INPUTS.iter().filter(move |(_, group, ..)| *group == wanted);
        inputs.map(|(name, _, kind, autocomplete, max)| input(name, kind, autocomplete, *max)).collect()
    };
    let html = FormTemplate {
        frame: Frame::new(language),
        title: profile
            .map_or(text.title.to_owned(), |profile| text.title_to.replace("{agent}", profile.display_name.as_str())),
        brokerage: profile.map(|profile| profile.brokerage.as_str()),
        text,
        page: &wording.page,
        you: group(Group::You),
        friend: group(Group::Friend),
        notes: input(NOTES, "", "", 4_000),
        boxes: BOXES
            .into_iter()
            .map(|name| ConsentBox {
                name,
                label: text.consents.get(name).copied().unwrap_or_default(),
                // Under another wording it is another question, and nobody has answered it.
                is_ticked: typed.is_ticked(name) && typed.get("consentTextId") == text.consent_text_id,
            })
            .collect(),
        problem: match problem {
            None => String::new(),
            Some(_) if next.is_some() => text.check.to_owned(),
            Some(problem) => told(text, problem),
        },
        is_problem_next: problem.is_some() && next.is_none(),
        trap: typed.get("website"),
    };
    rendered(&html)
}

/// What a problem as a whole is, in words.
fn told(text: &FormWording, problem: &Problem) -> String {
    match (problem.code, problem.retry_after_seconds()) {
        (Code::TooManyRequests, Some(seconds)) => text.too_many_requests(seconds),
        (Code::SelfReferral, _) => text.problem("self_referral").to_owned(),
        (Code::BodyTooLarge, _) => text.problem("body_too_large").to_owned(),
        _ => text.problem("failed").to_owned(),
    }
}

fn rendered(html: &impl Template) -> String {
    // Writing into memory does not fail.
    html.render().unwrap_or_default()
}

fn answer(status: StatusCode, html: String) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    response.headers_mut().extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

fn refused(html: String, problem: &Problem) -> Response {
    let mut response = answer(problem.code.status_and_title().0, html);
    response.headers_mut().extend(problem.headers());
    response
}

#[cfg(test)]
mod tests;
