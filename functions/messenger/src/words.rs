//! The words that mail and SMS have in common.

use referrals::domain::{
    letter::{Letter, RewardLine},
    referral::RewardType,
};

/// Names that an operator has written down may hold anything; in a message they are one line.
pub fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One line of a header. What looks like an encoded word (RFC 2047) would be decoded to other text than was typed.
pub fn header_line(text: &str) -> String {
    one_line(text).replace("=?", "= ?")
}

/// Who was referred, as a message calls them: nobody is told of somebody who was erased.
pub fn referred(letter: &Letter) -> String {
    letter.referred_name.as_ref().map_or_else(|| "a friend".to_owned(), |name| one_line(name.as_str()))
}

/// For example `gift card, 50.00 USD (Tremendous)`.
pub fn reward(line: &RewardLine) -> String {
    let mut words = match line.reward_type {
        RewardType::GiftCard => "gift card",
        RewardType::CommissionShare => "share of the commission",
        RewardType::AccountCredit => "account credit",
        RewardType::Custom | RewardType::None => "reward",
    }
    .to_owned();
    if let Some(basis_points) = line.basis_points {
        words = format!("{words} of {}.{:02} %", basis_points / 100, basis_points % 100);
    }
    if let Some((amount, currency)) = &line.amount {
        words = format!("{words}, {}", currency.amount(*amount));
    }
    match &line.provider {
        Some(provider) => format!("{words} ({})", one_line(provider.as_str())),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use referrals::domain::{money::Currency, text::PersonName};

    use super::*;

    #[test]
    fn a_reward_is_told_with_what_is_known_of_it() {
        let currency = |code| Currency::parse(code).unwrap();
        let rows = [
            (RewardType::GiftCard, Some((5_000, "USD")), None, None, "gift card, 50.00 USD"),
            (RewardType::GiftCard, Some((5_000, "JPY")), None, Some("Tremendous"), "gift card, 5000 JPY (Tremendous)"),
            (RewardType::AccountCredit, Some((5, "KWD")), None, None, "account credit, 0.005 KWD"),
            (RewardType::CommissionShare, None, Some(250), None, "share of the commission of 2.50 %"),
            (
                RewardType::CommissionShare,
                Some((31_250, "EUR")),
                Some(250),
                None,
                "share of the commission of 2.50 %, 312.50 EUR",
            ),
            (RewardType::Custom, None, None, Some("A dinner"), "reward (A dinner)"),
        ];
        for (reward_type, amount, basis_points, provider, wanted) in rows {
            let line = RewardLine {
                reward_type,
                amount: amount.map(|(minor, code)| (minor, currency(code))),
                basis_points,
                provider: provider.map(|name| PersonName::parse(name).unwrap()),
            };
            assert_eq!(reward(&line), wanted);
        }
    }
}
