use axum::body::to_bytes;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use referrals::{
    domain::{
        calendar::Zone,
        id::{OrgId, UserId},
    },
    http::FieldError,
};
use referrals_testing::name;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::hosted::typed::TEXTS;

fn profile(agent: &str, brokerage: &str) -> PublishedProfile {
    PublishedProfile {
        organization_id: OrgId::parse("org_1").unwrap(),
        agent_user_id: UserId::parse("user_1").unwrap(),
        display_name: name(agent),
        brokerage: name(brokerage),
        timezone: Zone::utc(),
    }
}

fn jane() -> PublishedProfile {
    profile("Jane Doe", "Doe Realty Group")
}

async fn html(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

/// Every kind of page, in both languages.
async fn pages() -> Vec<String> {
    let receipt = ReceiptId::parse("rcpt_1").unwrap();
    let typed = Typed::read(b"referrerName=Pat&notes=x").unwrap();
    let wrong = Problem::fields(Code::InvalidFields, vec![FieldError::new("/notes", "too_long")]);
    let mut pages = Vec::new();
    for language in Language::ALL {
        for response in [
            empty_form(language, &jane()),
            refused_form(language, Some(&jane()), &typed, &wrong),
            refused_form(language, Some(&jane()), &typed, &Problem::too_many_requests(7)),
            done(language, &receipt),
            message(language, &Problem::new(Code::NotFound)),
            message(language, &Problem::new(Code::BodyTooLarge)),
        ] {
            pages.push(html(response).await);
        }
    }
    pages
}

fn between<'a>(html: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = html.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

#[tokio::test]
async fn the_policy_allows_the_pages_own_style_and_script_and_nothing_else() {
    for html in pages().await {
        for (part, tag) in [("style-src", "style"), ("script-src", "script")] {
            assert_eq!(html.matches(&format!("<{tag}>")).count(), 1);
            let own = between(&html, &format!("<{tag}>"), &format!("</{tag}>"));
            let hash = STANDARD.encode(Sha256::digest(own));
            assert!(CONTENT_SECURITY_POLICY.contains(&format!("{part} 'sha256-{hash}'")), "{tag}");
        }
        for word in ["style=", "src=", "http:", "https:", "@import", "url(", "onclick", "onsubmit"] {
            assert!(!html.contains(word), "{word} in {html}");
        }
    }
    assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
}

#[tokio::test]
async fn a_page_is_small_as_it_is() {
    for html in pages().await {
        // Below the first flight of a connection (ten packets), so compressing it would save nobody a round trip.
        assert!(html.len() < 14_000, "{} bytes", html.len());
    }
}

#[tokio::test]
async fn somebody_goes_on_in_one_place() {
    for html in pages().await {
        let places = html.matches(" autofocus").count();
        let is_first_look = html.contains(r#"tabindex="-1"></div>"#);
        assert_eq!(places, usize::from(!is_first_look), "{html}");
    }
}

#[tokio::test]
async fn no_box_is_ticked_before_somebody_ticks_it() {
    let empty = html(empty_form(Language::English, &jane())).await;
    assert_eq!(empty.matches(r#"type="checkbox""#).count(), 2);
    assert!(!empty.contains(" checked"));
    // Nobody has ticked it under this wording.
    for body in [
        "referrerSmsConsent=true",
        "referrerSmsConsent=true&consentTextId=form-v1-es",
        "referrerSmsConsent=on&consentTextId=form-v1",
    ] {
        let typed = Typed::read(body.as_bytes()).unwrap();
        let again =
            html(refused_form(Language::English, Some(&jane()), &typed, &Problem::new(Code::SelfReferral))).await;
        assert!(!again.contains(" checked"), "{body}");
    }
    let typed = Typed::read(b"referrerSmsConsent=true&consentTextId=form-v1").unwrap();
    let again = html(refused_form(Language::English, Some(&jane()), &typed, &Problem::new(Code::SelfReferral))).await;
    assert_eq!(again.matches(" checked").count(), 1);
    let sms = between(&again, "id=\"referrerSmsConsent\"", ">");
    assert!(sms.contains(" checked"));
}

#[tokio::test]
async fn each_wrong_field_says_what_is_wrong_with_it() {
    let fields =
        ["referrerName", "referrerEmail", "referrerPhone", "referredName", "referredEmail", "referredPhone", "notes"];
    for field in fields {
        let problem = Problem::fields(Code::InvalidFields, vec![FieldError::new(format!("/{field}"), "too_long")]);
        let page = html(refused_form(Language::English, Some(&jane()), &Typed::default(), &problem)).await;
        assert_eq!(
            page.matches("aria-invalid").count(),
            1 + between(&page, "<style>", "</style>").matches("aria-invalid").count()
        );
        let input = between(&page, &format!("id=\"{field}\""), ">");
        assert!(input.contains("aria-invalid=\"true\"") && input.contains(&format!("{field}-error")), "{input}");
        assert!(input.contains(" autofocus"));
        assert!(page.contains(&format!("<p class=\"error\" id=\"{field}-error\">This is too long.</p>")));
        assert!(page.contains("Please check what is marked."));
    }
    // What nobody sees cannot be marked.
    let problem = Problem::fields(Code::InvalidFields, vec![FieldError::new("/consentTextId", "unknown_consent_text")]);
    let page = html(refused_form(Language::English, Some(&jane()), &Typed::default(), &problem)).await;
    assert!(page.contains(&format!("autofocus>{}</div>", Language::English.wording().form.problem("failed"))));
}

#[tokio::test]
async fn what_is_typed_is_text_wherever_it_is_shown() {
    let hostile = r#"</textarea></title></style><script>alert(1)</script><img src=x onerror=alert(1)>"'><svg onload=alert(1)>{{7*7}}&amp;"#;
    let mut body = form_urlencoded::Serializer::new(String::new());
    for field in TEXTS {
        body.append_pair(field, hostile);
    }
    let typed = Typed::read(body.finish().as_bytes()).unwrap();
    let page = html(refused_form(
        Language::English,
        Some(&profile(hostile, hostile)),
        &typed,
        &Problem::new(Code::SelfReferral),
    ))
    .await;
    let harmless =
        html(refused_form(Language::English, Some(&jane()), &Typed::default(), &Problem::new(Code::SelfReferral)))
            .await;
    for tag in ["<script", "<img", "<svg", "<textarea", "</textarea", "<title", "</style", "<input"] {
        assert_eq!(page.matches(tag).count(), harmless.matches(tag).count(), "{tag}");
    }
    // Title, heading, brokerage, six inputs, notes and trap.
    assert_eq!(page.matches("alert(1)&#60;/script&#62;").count() + page.matches("alert(1)&lt;/script&gt;").count(), 11);
}
