//! Reading the cells of one row, so that every one that is wrong gets its own error.

use std::collections::BTreeMap;

use super::Ground;
use crate::domain::{
    contact::Contact,
    email::Email,
    id::UserId,
    import::{Column, RowError},
    organization::Member,
    phone::Phone,
    referral::ReferralStatus,
    text::{InvalidText, Label, Notes, PersonName, Reason},
    time::Timestamp,
};

pub(super) struct Cells<'a> {
    texts: &'a BTreeMap<Column, String>,
    ground: &'a Ground<'a>,
    errors: Vec<RowError>,
}

/// A time as a file gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    At(Timestamp),
    /// A whole day, by its beginning.
    Day(Timestamp),
}

impl When {
    pub fn at(self) -> Timestamp {
        match self {
            Self::At(at) | Self::Day(at) => at,
        }
    }
}

impl<'a> Cells<'a> {
    pub fn new(texts: &'a BTreeMap<Column, String>, ground: &'a Ground<'a>) -> Self {
        Self { texts, ground, errors: Vec::new() }
    }

    /// An id or a code: exactly as it is written.
    pub fn code(&self, column: Column) -> Option<&'a str> {
        self.texts.get(&column).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// Text. None when there is nothing but white space.
    pub fn text(&self, column: Column) -> Option<&'a str> {
        self.code(column).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The first error of a column is the one that is told.
    pub fn reject(&mut self, column: Column, code: &str) {
        if !self.errors.iter().any(|error| error.column == Some(column)) {
            self.errors.push(RowError::of(column, code));
        }
    }

    pub fn reject_row(&mut self, code: &str) {
        self.errors.push(RowError::of_row(code));
    }

    pub fn require(&mut self, column: Column) {
        if self.text(column).is_none() {
            self.reject(column, "required");
        }
    }

    /// Rejects the column if it is there.
    pub fn refuse(&mut self, column: Column, code: &str) {
        if self.text(column).is_some() {
            self.reject(column, code);
        }
    }

    pub fn parsed<T>(&mut self, column: Column, code: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = parse(self.code(column)?);
        if value.is_none() {
            self.reject(column, code);
        }
        value
    }

    pub fn label(&mut self, column: Column) -> Option<Label> {
        let label = Label::parse(self.text(column)?);
        self.told(column, label)
    }

    pub fn name(&mut self, column: Column) -> Option<PersonName> {
        self.require(column);
        let name = PersonName::parse(self.text(column)?);
        self.told(column, name)
    }

    pub fn notes(&mut self, column: Column) -> Option<Notes> {
        let notes = Notes::parse(self.text(column)?);
        self.told(column, notes).flatten()
    }

    pub fn reason(&mut self, column: Column) -> Option<Reason> {
        let reason = Reason::parse(self.text(column)?);
        self.told(column, reason).flatten()
    }

    fn told<T>(&mut self, column: Column, result: Result<T, InvalidText>) -> Option<T> {
        let code = match result {
            Ok(value) => return Some(value),
            Err(InvalidText::Empty) => "required",
            Err(InvalidText::TooLong) => "too_long",
            Err(InvalidText::ForbiddenCharacter) => "forbidden_character",
        };
        self.reject(column, code);
        None
    }

    pub fn contact(&mut self, email: Column, phone: Column) -> Contact {
        let region = &self.ground.organization.default_region;
        let address = self.text(email).map(Email::parse);
        let number = self.text(phone).map(|text| Phone::parse(text, region));
        if matches!(address, Some(Err(_))) {
            self.reject(email, "invalid_email");
        }
        if matches!(number, Some(Err(_))) {
            self.reject(phone, "invalid_phone");
        }
        Contact { email: address.and_then(Result::ok), phone: number.and_then(Result::ok) }
    }

    /// By id, by address, or by both if they agree.
    pub fn agent(&mut self) -> Option<UserId> {
        let members = self.ground.members;
        let id = self.code(Column::AgentUserId);
        let address = self.text(Column::AgentEmail);
        let by_id = id.and_then(|id| members.iter().find(|member| member.user_id.as_str() == id));
        if id.is_some() && by_id.is_none() {
            self.reject(Column::AgentUserId, "unknown_id");
        }
        if id.is_none() && address.is_none() {
            self.reject(Column::AgentUserId, "required");
        }
        let by_address = address.and_then(|address| self.agent_at(address, members, by_id));
        let agent = by_id.or(by_address)?;
        Some(agent.user_id.clone())
    }

    fn agent_at<'m>(&mut self, address: &str, members: &'m [Member], by_id: Option<&Member>) -> Option<&'m Member> {
        let Ok(email) = Email::parse(address) else {
            self.reject(Column::AgentEmail, "invalid_email");
            return None;
        };
        let mut there = members.iter().filter(|member| member.email.key() == email.key());
        let first = there.next();
        match (first, by_id) {
            (None, _) => self.reject(Column::AgentEmail, "unknown_agent"),
            // Two members may share an address; the id says which one is meant.
            (Some(_), Some(by_id)) => {
                if by_id.email.key() != email.key() {
                    self.reject(Column::AgentEmail, "other_agent");
                }
            }
            (Some(_), None) => {
                if there.next().is_some() {
                    self.reject(Column::AgentEmail, "ambiguous_agent");
                }
            }
        }
        first
    }

    /// RFC 3339, or a day: its beginning in the organization's zone.
    pub fn time(&mut self, column: Column) -> Option<When> {
        let text = self.code(column)?;
        let day = self.ground.organization.timezone.day_begins(text).map(When::Day).ok();
        let Some(when) = day.or_else(|| Timestamp::parse(text).map(When::At).ok()) else {
            self.reject(column, "invalid_time");
            return None;
        };
        if when.at() > self.ground.now {
            self.reject(column, "in_the_future");
        }
        Some(when)
    }

    /// The same, of something that came of the referral. On the day itself it was not before the referral. A deal may have
    /// been won before somebody wrote down through whom it came.
    pub fn time_of_outcome(&mut self, column: Column, received_at: Option<Timestamp>) -> Option<Timestamp> {
        let when = self.time(column)?;
        let zone = &self.ground.organization.timezone;
        let is_that_day =
            |at: &Timestamp| matches!(when, When::Day(_)) && self.code(column) == Some(zone.day_of(*at).as_str());
        Some(received_at.filter(is_that_day).map_or(when.at(), |received_at| received_at.max(when.at())))
    }

    /// A whole number from nought to `most`.
    pub fn number(&mut self, column: Column, most: i64) -> Option<i64> {
        let text = self.code(column)?;
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            self.reject(column, "whole_number_expected");
            return None;
        }
        let number = text.parse().ok().filter(|number| (0..=most).contains(number));
        if number.is_none() {
            self.reject(column, "out_of_range");
        }
        number
    }

    /// Spreadsheets write the two words in capitals.
    pub fn flag(&mut self, column: Column) -> bool {
        let flag = self.parsed(column, "true_or_false_expected", |text| match text.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        });
        flag.unwrap_or(false)
    }

    /// What goes with the status and what does not.
    pub fn check_status(&mut self, status: ReferralStatus, reversed: bool) {
        if status != ReferralStatus::Lost {
            self.refuse(Column::LostReason, "only_when_lost");
        }
        if status == ReferralStatus::Converted {
            self.require(Column::DealId);
            if reversed {
                self.reject(Column::Reversed, "not_when_converted");
            }
        } else {
            for column in [Column::ConvertedAt, Column::SalePriceMinor, Column::GrossCommissionMinor, Column::Currency]
            {
                self.refuse(column, "not_converted");
            }
        }
    }

    pub fn finish(mut self) -> Vec<RowError> {
        // What is wrong with the row as a whole comes last.
        self.errors.sort_by_key(|error| (error.column.is_none(), error.column));
        self.errors
    }
}
