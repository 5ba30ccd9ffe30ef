//! The text of an SMS: one segment, whatever the names are. It names the agent and says how to stop it.

use std::io;

use gsm7::Gsm7Writer;
use referrals::domain::{letter::Letter, message::MessageKind};

use crate::words::{one_line, referred};

/// What one segment holds: 160 characters of the GSM alphabet in seven bits each, or 70 UTF-16 units.
const SEGMENT_BYTES: usize = 140;
const STOP: &str = "Reply STOP to opt out";

/// The fullest text that fits; where none does, the agent's name is cut.
pub fn text(letter: &Letter) -> String {
    let agent = one_line(&letter.signature.agent);
    let brokerage = one_line(&letter.signature.brokerage);
    let referred = referred(letter);
    let referrer = letter.referrer_name.as_ref().map_or_else(|| "somebody".to_owned(), |name| one_line(name.as_str()));
    let (full, plain, short) = match letter.id.kind {
        MessageKind::ThankYou => (
            format!("{agent}, {brokerage}: thank you for referring {referred}!"),
            ": thank you for your referral!",
            ": thank you!",
        ),
        MessageKind::NewReferral => (
            format!("{agent}: new referral {referred}, sent by {referrer}."),
            ": you have a new referral.",
            ": new referral.",
        ),
        MessageKind::RewardReady => (
            format!("{agent}: a reward is due to {referrer} for referring {referred}."),
            ": a reward for a referral is due.",
            ": reward due.",
        ),
    };
    let candidates =
        [full, format!("{agent}, {brokerage}{plain}"), format!("{agent}{plain}"), format!("{agent}{short}")];
    let texts = candidates.into_iter().map(|text| format!("{text} {STOP}"));
    if let Some(text) = texts.into_iter().find(|text| fits(text)) {
        return text;
    }
    let letters: Vec<char> = agent.chars().collect();
    let cut = |length: usize| format!("{}{short} {STOP}", letters.iter().take(length).collect::<String>().trim_end());
    (0..letters.len()).rev().map(cut).find(|text| fits(text)).unwrap_or_else(|| STOP.to_owned())
}

fn fits(text: &str) -> bool {
    let bytes = septets(text).unwrap_or_else(|_| text.encode_utf16().count() * 2);
    bytes <= SEGMENT_BYTES
}

/// Bytes of the text in the GSM alphabet, if it has all of its characters.
fn septets(text: &str) -> io::Result<usize> {
    let mut writer = Gsm7Writer::new(Vec::new());
    writer.write_str(text)?;
    Ok(writer.into_writer()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{Names, letter};

    fn sms(kind: MessageKind, names: Names<'_>) -> String {
        text(&letter(kind, names))
    }

    #[test]
    fn the_fullest_text_that_fits_is_taken() {
        let names = Names { agent: "Jane Doe", brokerage: "Doe Realty", referrer: "Pat", referred: "Sam Lee" };
        assert_eq!(
            sms(MessageKind::ThankYou, names),
            "Jane Doe, Doe Realty: thank you for referring Sam Lee! Reply STOP to opt out"
        );
        assert_eq!(
            sms(MessageKind::ThankYou, Names { referred: "", ..names }),
            "Jane Doe, Doe Realty: thank you for referring a friend! Reply STOP to opt out",
            "nobody is told of somebody who was erased"
        );
        let long = "S".repeat(110);
        assert_eq!(
            sms(MessageKind::ThankYou, Names { referred: &long, ..names }),
            "Jane Doe, Doe Realty: thank you for your referral! Reply STOP to opt out"
        );
        assert_eq!(
            sms(MessageKind::ThankYou, Names { brokerage: &"R".repeat(100), referred: &long, ..names }),
            "Jane Doe: thank you for your referral! Reply STOP to opt out"
        );
        assert_eq!(
            sms(
                MessageKind::ThankYou,
                Names {
                    agent: "Александра Петровна", brokerage: "Недвижимость", ..names
                }
            ),
            "Александра Петровна: thank you! Reply STOP to opt out",
            "70 characters where one is not in the GSM alphabet"
        );
        assert_eq!(
            sms(MessageKind::RewardReady, names),
            "Jane Doe: a reward is due to Pat for referring Sam Lee. Reply STOP to opt out"
        );
    }

    #[test]
    fn a_segment_is_160_gsm_characters_or_70_others() {
        for (text, wanted) in [
            ("a".repeat(160), true),
            ("a".repeat(161), false),
            // Those of the extension count twice.
            ("€".repeat(80), true),
            ("€".repeat(81), false),
            ("я".repeat(70), true),
            ("я".repeat(71), false),
            ("😀".repeat(35), true),
            ("😀".repeat(36), false),
        ] {
            assert_eq!(fits(&text), wanted, "{text}");
        }
    }
}
