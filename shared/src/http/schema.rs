//! How the domain's values look in the OpenAPI document. The domain itself knows nothing of it.

use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type},
    },
};

use crate::domain::{
    attribution::Grouping,
    audit::AuditAction,
    calendar::Month,
    consent::{ConsentChannel, ConsentDecision, ConsentMethod, ConsentText},
    email::Email,
    id::{DealId, EventId, ImportId, OrgId, PersonId, ReceiptId, ReferralId, UserId},
    import::{Column, FileFormat, ImportStatus, RowOutcome},
    message::{DeliveryNews, MessageKind, MessageStatus},
    money::Currency,
    organization::Slug,
    person::{LeadSource, PipelineStage, RelationshipStage},
    phone::Phone,
    referral::{Channel, ReferralStatus, RewardStatus, RewardType, RiskFlag},
    reward::{ComplianceGate, HoldReason, ThankYouChannel},
    reward_lane::RewardLane,
    text::{LABEL_MAX_CHARS, Label, NAME_MAX_CHARS, NOTES_MAX_CHARS, Notes, PersonName, REASON_MAX_CHARS, Reason},
    time::Timestamp,
};

const ID: &str = "^[a-z]+_[A-Za-z0-9_-]{1,64}$";
/// From 1970 on.
const MONTH: &str = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])$";

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

macro_rules! schema {
    ($($name:ident: $schema:expr;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

fn id(example: &str) -> ObjectBuilder {
    text().pattern(Some(ID)).examples([example])
}

fn bounded(max_chars: usize, example: &str) -> ObjectBuilder {
    text().min_length(Some(1)).max_length(Some(max_chars)).examples([example])
}

/// The values of an enumeration, as they are on the wire.
fn one_of<T: Serialize>(values: &[T]) -> ObjectBuilder {
    let names = values.iter().filter_map(|value| serde_json::to_value(value).ok());
    text().enum_values(Some(names.collect::<Vec<_>>()))
}

schema! {
    OrgId: id("org_winnerr_demo");
    UserId: id("user_789");
    DealId: id("deal_4711");
    PersonId: id("person_111");
    ReferralId: id("ref_01KAMXBSW0B2D4F6H8J0K2M4P6");
    EventId: id("evt_01KAMXBSW0Q9W1Y3M5A7C9E1G3");
    ImportId: id("imp_01KANE7MC0B3D5F7H9K1M3P5R7");
    ReceiptId: id("rcpt_01KAMXBSW0F2H4K6M8P0R2T4V6");
    PersonName: bounded(NAME_MAX_CHARS, "Sam Lee");
    Label: bounded(LABEL_MAX_CHARS, "crm");
    Notes: bounded(NOTES_MAX_CHARS, "Sam is selling their condo this spring.");
    Reason: bounded(REASON_MAX_CHARS, "Bought with another agent");
    Email: text().max_length(Some(254)).format(Some(SchemaFormat::KnownFormat(KnownFormat::Email))).examples(["sam@example.com"]);
    Phone: text().pattern(Some("^\\+[1-9][0-9]{1,14}$")).description(Some("E.164.")).examples(["+14155552671"]);
    Slug: text().pattern(Some("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")).examples(["jane-doe-realty"]);
    Timestamp: text()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some("RFC 3339, UTC, milliseconds."))
        .examples(["2026-11-22T07:00:00.000Z"]);
    Month: text().pattern(Some(MONTH)).description(Some("In the organization's time zone.")).examples(["2026-11"]);
    Grouping: one_of(&Grouping::ALL);
    Currency: text().pattern(Some("^[A-Z]{3}$")).description(Some("ISO 4217.")).examples(["USD"]);
    ReferralStatus: one_of(&ReferralStatus::ALL);
    Channel: one_of(&Channel::ALL);
    RewardType: one_of(&RewardType::ALL);
    RewardStatus: one_of(&RewardStatus::ALL);
    RiskFlag: one_of(&RiskFlag::ALL);
    ComplianceGate: one_of(&ComplianceGate::ALL);
    HoldReason: one_of(&HoldReason::ALL);
    ThankYouChannel: one_of(&ThankYouChannel::ALL);
    RewardLane: one_of(&RewardLane::ALL.map(RewardLane::as_str));
    LeadSource: one_of(&[LeadSource::Referral]);
    RelationshipStage: one_of(&[RelationshipStage::Advocate]);
    PipelineStage: one_of(&[PipelineStage::Lead]);
    ConsentChannel: one_of(&[ConsentChannel::Email, ConsentChannel::Sms]);
    ConsentDecision: one_of(&[ConsentDecision::Granted, ConsentDecision::Revoked]);
    ConsentMethod: one_of(&ConsentMethod::ALL);
    ConsentText: one_of(&[ConsentText::FormV1, ConsentText::FormV1Es]);
    MessageKind: one_of(&MessageKind::ALL);
    MessageStatus: one_of(&MessageStatus::ALL);
    DeliveryNews: one_of(&[DeliveryNews::Delivered, DeliveryNews::Bounced, DeliveryNews::Complained]);
    AuditAction: one_of(&AuditAction::ALL);
    Column: one_of(&Column::ALL);
    FileFormat: one_of(&[FileFormat::Csv, FileFormat::JsonLines]);
    ImportStatus: one_of(&[ImportStatus::Running, ImportStatus::Completed]);
    RowOutcome: one_of(&RowOutcome::ALL);
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, string::string_regex};

    use super::*;

    /// The compiler does not ask for a new variant in a list of all; whatever reads rows knows every one.
    #[test]
    fn every_value_of_a_code_is_in_its_list() {
        macro_rules! check {
            ($($code:ident)*) => {$(
                let refused = serde_json::from_str::<$code>("\"?\"").unwrap_err().to_string();
                let known: Vec<_> = refused.split('`').skip(3).step_by(2).collect();
                let listed = serde_json::to_value($code::schema()).unwrap();
                assert_eq!(listed["enum"], serde_json::json!(known), stringify!($code));
            )*};
        }
        check!(ReferralStatus Channel RewardType RewardStatus RiskFlag ComplianceGate HoldReason ThankYouChannel LeadSource);
        check!(RelationshipStage PipelineStage ConsentChannel ConsentDecision ConsentMethod ConsentText MessageKind);
        check!(MessageStatus DeliveryNews AuditAction Column FileFormat ImportStatus RowOutcome);
    }

    proptest! {
        /// Met by the API's fuzzing with seed 20261123: a month of the year 243, which the document allowed.
        #[test]
        fn a_month_that_the_document_allows_is_read(month in string_regex(MONTH.trim_matches(['^', '$'])).unwrap()) {
            prop_assert!(Month::parse(&month).is_ok(), "{month}");
        }
    }
}
