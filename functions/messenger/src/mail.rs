//! The form of a mail: a text and an HTML part from templates, and the headers. Every header value that holds somebody's
//! words is one line by then, and encoded by the library.

use askama::Template;
use mail_builder::{
    MessageBuilder,
    headers::{address::Address, raw::Raw, url::URL},
};
use referrals::domain::{consent::ConsentChannel, letter::Letter, message::MessageKind};

use crate::{
    settings::Settings,
    words::{header_line, one_line, referred, reward},
};

/// What the templates show. All of it is one line each; the HTML templates escape it.
struct Words {
    subject: String,
    agent: String,
    brokerage: String,
    referrer: String,
    referred: String,
    reward: Option<String>,
    /// Where the agent sees the referral.
    link: String,
    /// Empty but for a thank-you.
    unsubscribe: String,
}

/// The two parts of one kind of mail: the same words, once as text and once as HTML.
macro_rules! parts {
    ($text:ident: $text_path:literal, $html:ident: $html_path:literal) => {
        #[derive(Template)]
        #[template(path = $text_path)]
        struct $text<'a> {
            words: &'a Words,
        }

        #[derive(Template)]
        #[template(path = $html_path)]
        struct $html<'a> {
            words: &'a Words,
        }
    };
}

parts!(NewReferralText: "new_referral.txt", NewReferralHtml: "new_referral.html");
parts!(RewardReadyText: "reward_ready.txt", RewardReadyHtml: "reward_ready.html");
parts!(ThankYouText: "thank_you.txt", ThankYouHtml: "thank_you.html");

/// A mail that cannot be put together: a bug, told by what failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unwritable(pub &'static str);

/// A whole MIME message to `to`.
///
/// # Errors
/// Never for the templates that there are.
pub fn write(settings: &Settings, letter: &Letter, to: &str) -> Result<Vec<u8>, Unwritable> {
    let words = words(settings, letter)?;
    let (text, html) = render(letter.id.kind, &words).map_err(|_| Unwritable("TEMPLATE"))?;
    let names = [words.agent.as_str(), words.brokerage.as_str()];
    let sender = header_line(&names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", "));
    let id = format!("{}@{}", letter.token, settings.sender.rsplit_once('@').map_or("localhost", |(_, domain)| domain));
    let mut mail = MessageBuilder::new()
        .from(Address::new_address(Some(sender), settings.sender.as_str()))
        .to(to)
        .subject(words.subject.as_str())
        .date(letter.written_at.epoch_seconds())
        .message_id(id)
        .text_body(text)
        .html_body(html);
    if let Some(agent) = &letter.signature.reply_to {
        mail = mail.reply_to(agent.wire_form());
    }
    if letter.id.kind == MessageKind::ThankYou {
        // RFC 8058: one POST to the link is enough, and mail programs show a button for it.
        mail = mail
            .header("List-Unsubscribe", URL::new(words.unsubscribe.as_str()))
            .header("List-Unsubscribe-Post", Raw::new("List-Unsubscribe=One-Click"));
    } else {
        // Nobody is to answer a notice with a holiday note.
        mail = mail.header("Auto-Submitted", Raw::new("auto-generated"));
    }
    mail.write_to_vec().map_err(|_| Unwritable("MIME"))
}

fn words(settings: &Settings, letter: &Letter) -> Result<Words, Unwritable> {
    let referred = referred(letter);
    let referrer = letter.referrer_name.as_ref().map_or_else(|| "somebody".to_owned(), |name| one_line(name.as_str()));
    let subject = match letter.id.kind {
        MessageKind::NewReferral => format!("New referral: {referred}"),
        MessageKind::RewardReady => format!("A reward is due to {referrer}"),
        MessageKind::ThankYou => format!("Thank you for referring {referred}"),
    };
    let unsubscribe = if letter.id.kind == MessageKind::ThankYou {
        let token = settings.unsubscribe_key.seal(&letter.scope, &letter.referrer, ConsentChannel::Email);
        format!("{}/u/{}", settings.public_url, token.ok_or(Unwritable("UNSUBSCRIBE_KEY"))?)
    } else {
        String::new()
    };
    Ok(Words {
        subject: header_line(&subject),
        agent: one_line(&letter.signature.agent),
        brokerage: one_line(&letter.signature.brokerage),
        referrer,
        referred,
        reward: letter.reward.as_ref().map(reward),
        link: settings.page_of(letter.id.referral.as_str()),
        unsubscribe,
    })
}

fn render(kind: MessageKind, words: &Words) -> askama::Result<(String, String)> {
    Ok(match kind {
        MessageKind::NewReferral => (NewReferralText { words }.render()?, NewReferralHtml { words }.render()?),
        MessageKind::RewardReady => (RewardReadyText { words }.render()?, RewardReadyHtml { words }.render()?),
        MessageKind::ThankYou => (ThankYouText { words }.render()?, ThankYouHtml { words }.render()?),
    })
}

#[cfg(test)]
mod tests;
