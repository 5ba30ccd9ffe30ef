//! The events of the bus, against their golden files: what is published stays readable, and the other way round.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use referrals::events::{
    Detail, EventData, LeadEnteredPipelineV1, NewEvent, ReferralConvertedV1, ReferralReceivedV1,
    ReferralStatusChangedV1, SOURCE, UnreadableEvent,
};
use serde_json::Value;

fn golden<D: EventData>(json: &str) -> Detail<D> {
    let event: Value = serde_json::from_str(json).unwrap();
    assert_eq!((event["source"].as_str(), event["detail-type"].as_str()), (Some(SOURCE), Some(D::DETAIL_TYPE)));
    let detail = Detail::<D>::parse(&event["detail"].to_string()).unwrap();
    let written = NewEvent::new(detail.metadata.clone(), detail.data).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written.detail).unwrap(), event["detail"]);
    assert_eq!(written.detail_type, D::DETAIL_TYPE);
    Detail::parse(&written.detail).unwrap()
}

#[test]
fn the_golden_files_are_read_and_written_unchanged() {
    let received: Detail<ReferralReceivedV1> = golden(include_str!("../../events/bus/referral-received.v1.json"));
    let entered: Detail<LeadEnteredPipelineV1> = golden(include_str!("../../events/bus/lead-entered-pipeline.v1.json"));
    assert_eq!(entered.metadata.causation_id, Some(received.metadata.id));
    let changed: Detail<ReferralStatusChangedV1> =
        golden(include_str!("../../events/bus/referral-status-changed.v1.json"));
    let converted: Detail<ReferralConvertedV1> = golden(include_str!("../../events/bus/referral-converted.v1.json"));
    assert!(received.metadata.aggregate_version < changed.metadata.aggregate_version);
    assert!(changed.metadata.aggregate_version < converted.metadata.aggregate_version);
}

#[test]
fn data_of_another_version_is_never_misread() {
    let event: Value = serde_json::from_str(include_str!("../../events/bus/referral-received.v1.json")).unwrap();
    let mut detail = event["detail"].clone();
    detail["metadata"]["version"] = 2.into();
    assert_eq!(Detail::<ReferralReceivedV1>::parse(&detail.to_string()), Err(UnreadableEvent::UnknownVersion(2)));
    for text in ["", "null", "{}", "[]", r#"{"metadata":{"version":1},"data":{}}"#] {
        assert_eq!(Detail::<ReferralReceivedV1>::parse(text), Err(UnreadableEvent::Malformed), "{text}");
    }
}
