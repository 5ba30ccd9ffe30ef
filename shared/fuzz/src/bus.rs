//! Events of the bus: ours of every type, what a transaction system tells of deals, what SES tells of mails. The text is an
//! event as it comes through a queue, or a detail alone.
//!
//! An event of ours that was read is written and read again as the same, and never as another version; what is told of a
//! deal is in bounds, whole and without doubles; only a dead mailbox and a complaint end consent.

use std::fmt::Debug;

use referrals::{
    domain::{
        consent::ConsentMethod,
        deal::{DealNews, DealState},
        id::EventId,
        message::DeliveryNews,
        money::MAX_MINOR,
    },
    events::{
        DealTold, DeliveryTold, Detail, EventData, ImportChunkReadyV1, LeadEnteredPipelineV1, NewEvent, PersonErasedV1,
        ReferralConvertedV1, ReferralLinkedV1, ReferralReceivedV1, ReferralStatusChangedV1, ReferrerThankedV1,
        RewardCanceledV1, RewardReadyV1, RewardSentV1, ThankYouRequestedV1,
    },
    queue::BusMessage,
};

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let message: Option<BusMessage<'_>> = serde_json::from_str(text).ok();
    let detail = message.as_ref().map_or(text, |message| message.detail.get());
    let (bus_id, detail_type) =
        message.as_ref().map_or(("", ""), |message| (message.id.as_str(), message.detail_type.as_str()));

    ours::<ImportChunkReadyV1>(detail);
    ours::<LeadEnteredPipelineV1>(detail);
    ours::<PersonErasedV1>(detail);
    ours::<ReferralConvertedV1>(detail);
    ours::<ReferralLinkedV1>(detail);
    ours::<ReferralReceivedV1>(detail);
    ours::<ReferralStatusChangedV1>(detail);
    ours::<ReferrerThankedV1>(detail);
    ours::<RewardCanceledV1>(detail);
    ours::<RewardReadyV1>(detail);
    ours::<RewardSentV1>(detail);
    ours::<ThankYouRequestedV1>(detail);
    deal(bus_id, detail);
    for known in ["Email Delivered", "Email Bounced", "Email Rejected", "Email Complaint Received", detail_type] {
        delivery(known, bus_id, detail);
    }
}

fn ours<D: EventData + Clone + PartialEq + Debug>(json: &str) {
    let Ok(detail) = Detail::<D>::parse(json) else { return };
    assert_eq!(detail.metadata.version, D::VERSION);
    let Ok(event) = NewEvent::new(detail.metadata.clone(), detail.data.clone()) else {
        panic!("an event can be written")
    };
    assert_eq!((event.detail_type, &event.id), (D::DETAIL_TYPE, &detail.metadata.id));
    assert_eq!(Detail::<D>::parse(&event.detail).as_ref(), Ok(&detail));
    let mut later = detail;
    later.metadata.version += 1;
    let later = serde_json::to_string(&later).unwrap_or_default();
    assert!(Detail::<D>::parse(&later).is_err());
}

fn deal(bus_id: &str, json: &str) {
    let Ok(told) = DealTold::parse(DealState::Won, bus_id, json) else { return };
    assert!(EventId::parse(told.event_id.as_str()).is_ok());
    let news = &told.news;
    assert!(news.person_ids.len() <= 25 && news.person_ids.is_sorted_by(|one, other| one < other));
    if let Some(revenue) = &news.revenue {
        let amounts = [revenue.sale_price_minor, revenue.gross_commission_minor];
        assert!(amounts.iter().any(Option::is_some));
        assert!(amounts.iter().flatten().all(|minor| (0..=MAX_MINOR).contains(minor)));
    }
    // As its row keeps it.
    let written = serde_json::to_string(news).unwrap_or_default();
    assert_eq!(serde_json::from_str::<DealNews>(&written).ok().as_ref(), Some(news));
    let lost = DealTold::parse(DealState::Lost, bus_id, json);
    assert!(lost.is_ok_and(|lost| lost.news == DealNews { state: DealState::Lost, ..told.news.clone() }));
}

fn delivery(detail_type: &str, bus_id: &str, json: &str) {
    let Ok(told) = DeliveryTold::parse(detail_type, bus_id, json) else { return };
    assert!(EventId::parse(told.event_id.as_str()).is_ok());
    assert_eq!(told.message.event.is_none(), told.message.kind.is_at_most_once());
    match told.ends_consent {
        Some(ConsentMethod::Complaint) => assert_eq!(told.news, DeliveryNews::Complained),
        Some(method) => assert_eq!((method, told.news), (ConsentMethod::Bounce, DeliveryNews::Bounced)),
        None => assert_ne!(told.news, DeliveryNews::Complained),
    }
}
