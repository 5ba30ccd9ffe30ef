//! The pages that somebody sees who follows a link: plain words, one button, no script, nothing loaded from anywhere. No
//! page names a person: whoever has the link sees it.

use askama::Template;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use referrals::domain::consent::ConsentChannel;

/// The only style is the template's own, named by its hash. A page inside another page could have its button covered.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; \
    style-src 'sha256-wLtanbNTuTIXbfX3XyZPsm/4rYpDHHA+GhoAP2kRFsQ='; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // A year; browsers heed it only where it came over TLS.
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    // The address of the page is what opens it: nobody else is told.
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// What an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Asks whether messages on the channel shall end.
    Ask(ConsentChannel),
    Done(ConsentChannel),
    /// One page for every link that is none, whatever is wrong with it.
    NotFound,
    MethodNotAllowed,
    TooLarge,
    Busy,
    Failed,
}

#[derive(Template)]
#[template(path = "page.html")]
struct PageTemplate {
    title: &'static str,
    text: &'static str,
    button: Option<&'static str>,
}

impl Page {
    fn status(self) -> StatusCode {
        match self {
            Self::Ask(_) | Self::Done(_) => StatusCode::OK,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn title_and_text(self) -> (&'static str, &'static str) {
        use ConsentChannel::{Email, Sms};
        match self {
            Self::Ask(Email) => ("Stop these emails?", "Press the button, and you will get no more of these emails."),
            Self::Ask(Sms) => {
                ("Stop these text messages?", "Press the button, and you will get no more of these text messages.")
            }
            Self::Done(Email) => ("You are unsubscribed", "You will get no more of these emails."),
            Self::Done(Sms) => ("You are unsubscribed", "You will get no more of these text messages."),
            Self::NotFound => (
                "This link does not work",
                "It may have been cut short. Please open the link in your message once more.",
            ),
            Self::MethodNotAllowed => ("This does not work", "Please open the link in your message once more."),
            Self::TooLarge => ("This is too much", "Please open the link in your message once more."),
            Self::Busy => ("Please try again", "We could not do it just now. Please try again in a moment."),
            Self::Failed => {
                ("Something went wrong", "We could not do it, and we have been told. Please try again later.")
            }
        }
    }

    fn html(self) -> String {
        let (title, text) = self.title_and_text();
        let button = matches!(self, Self::Ask(_)).then_some("Unsubscribe");
        // Writing into memory does not fail.
        PageTemplate { title, text, button }.render().unwrap_or_default()
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.html()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
        match self {
            Self::MethodNotAllowed => headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST")),
            Self::Busy => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2")),
            _ => None,
        };
        response
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::{Digest as _, Sha256};

    use super::*;

    const PAGES: [Page; 9] = [
        Page::Ask(ConsentChannel::Email),
        Page::Ask(ConsentChannel::Sms),
        Page::Done(ConsentChannel::Email),
        Page::Done(ConsentChannel::Sms),
        Page::NotFound,
        Page::MethodNotAllowed,
        Page::TooLarge,
        Page::Busy,
        Page::Failed,
    ];

    #[test]
    fn the_policy_allows_the_style_of_the_template_and_nothing_else() {
        let html = Page::NotFound.html();
        let (_, rest) = html.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style)));
        assert!(CONTENT_SECURITY_POLICY.contains(&hash), "the style's hash is {hash}");
        for page in PAGES {
            let html = page.html();
            assert!(html.contains(style));
            for word in ["<script", "style=", "src=", "href=", "http", "@import", "url("] {
                assert!(!html.contains(word), "{page:?} has {word}");
            }
        }
    }

    #[test]
    fn every_page_says_what_it_is_and_only_one_kind_has_a_button() {
        for page in PAGES {
            let (html, (title, text)) = (page.html(), page.title_and_text());
            assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{html}");
            assert!(html.contains(&format!("<title>{title}</title>")) && html.contains(&format!("<h1>{title}</h1>")));
            assert!(html.contains(&format!("<p>{text}</p>")) && html.trim_end().ends_with("</html>"));
            let asks = matches!(page, Page::Ask(_));
            assert_eq!(
                html.contains("<form method=\"post\"><button type=\"submit\">Unsubscribe</button></form>"),
                asks
            );
        }
    }
}
