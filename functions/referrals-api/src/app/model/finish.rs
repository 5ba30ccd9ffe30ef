//! After a sequence: everything that anybody can see, and everything that was announced.

use std::collections::BTreeSet;

use referrals::ports::{Outbox as _, OutboxKey};
use serde_json::{Value, json};

use super::{
    ensure,
    reference::Actor,
    run::{Run, Verdict},
};
use crate::app::tests::{REFERRALS, call};

impl Run<'_> {
    /// Every list by every member, every history, every deal, and the outbox, which is empty afterwards.
    pub async fn finish(&mut self) -> Verdict {
        for org in 0..self.model.orgs.len() {
            for (user, role, is_active) in self.model.orgs[org].members.clone() {
                let actor = Actor { org, user, role, is_active };
                self.list(actor, &[], 100).await?;
                if user == "user_owner" || (user == "user_jane" && org == 0) {
                    self.people(actor, 100).await?;
                }
            }
            let mut deals = BTreeSet::new();
            for row in self.model.rows.iter().filter(|row| row.org == org && !row.is_deleted) {
                ensure!(row.deal.is_none() || deals.insert(&row.deal), "{:?} is of two referrals", row.deal);
                ensure!(row.is_open() || row.status != "CONVERTED" || row.deal.is_some(), "converted without a deal");
            }
        }
        let mut named = BTreeSet::new();
        for place in 0..self.model.rows.len() {
            let row = &self.model.rows[place];
            let owner = (self.model.orgs[row.org].id, "user_owner", "OWNER");
            let path = format!("{REFERRALS}/{}/history", row.id);
            let answered = self.world.call(call(owner, "GET", path)).await;
            named.extend(self.compare_history(place, &answered.body["history"])?);
        }
        self.compare_events(&named).await
    }

    async fn compare_events(&self, named: &BTreeSet<String>) -> Verdict {
        let outbox = self.outbox().await;
        let mut ids = BTreeSet::new();
        let mut told = Vec::new();
        for (_, kind, detail) in &outbox {
            let (metadata, data) = (&detail["metadata"], &detail["data"]);
            // The history has one event for one change; that there is a link now is told beside it.
            if kind != "REFERRAL_LINKED" {
                ids.insert(metadata["id"].as_str().unwrap_or_default().to_owned());
            }
            let mut event =
                json!({"type": kind, "subject": metadata["subject"], "version": metadata["aggregateVersion"]});
            let fields: &[&str] = match kind.as_str() {
                "REFERRAL_RECEIVED" => &["channel"],
                "REFERRAL_STATUS_CHANGED" => &["from", "to"],
                "REFERRAL_CONVERTED" => &["from", "dealId"],
                "REFERRAL_LINKED" => &["personId", "dealId"],
                "REWARD_READY" => &["rewardType"],
                "REWARD_SENT" | "REWARD_CANCELED" => &[],
                "LEAD_ENTERED_PIPELINE" => &["personId", "ownerUserId"],
                other => return Err(format!("nobody expects {other}")),
            };
            for field in fields {
                event[field] = data[field].clone();
            }
            let row = self.model.rows.iter().find(|row| metadata["subject"] == json!(row.id));
            let row = row.ok_or_else(|| format!("of no row: {detail}"))?;
            let organization = self.model.orgs[row.org].id;
            ensure!(metadata["organizationId"] == organization, "of {organization}: {detail}");
            ensure!(data["referralId"] == json!(row.id), "of {}: {detail}", row.id);
            if kind != "LEAD_ENTERED_PIPELINE" && kind != "REFERRAL_LINKED" {
                let referrer = &self.model.people[row.referrer].id;
                ensure!(data["referrerPersonId"] == json!(referrer), "by {referrer}: {detail}");
                ensure!(data["agentUserId"] == json!(row.agent), "for {}: {detail}", row.agent);
            }
            told.push(event.to_string());
        }
        let mut expected: Vec<String> = self.model.events.iter().map(Value::to_string).collect();
        expected.sort();
        told.sort();
        ensure!(expected == told, "the outbox: expected {expected:#?}, got {told:#?}");
        let linked = outbox.iter().filter(|(_, kind, _)| kind == "REFERRAL_LINKED").count();
        ensure!(ids.len() + linked == outbox.len() && ids == *named, "events {ids:?}, in the histories {named:?}");
        let keys: Vec<OutboxKey> = outbox.into_iter().map(|(key, _, _)| key).collect();
        let left = self.world.store.outbox().settle(&keys).await;
        ensure!(left.is_empty(), "the outbox keeps {left:?}");
        Ok(())
    }

    /// Key, type and detail of everything in the outbox.
    pub async fn outbox(&self) -> Vec<(OutboxKey, String, Value)> {
        let items = self.world.store.outbox_items().await;
        let read = |item: referrals_testing::Item| {
            let key = OutboxKey { pk: item.text("pk").to_owned(), sk: item.text("sk").to_owned() };
            (key, item.text("detailType").to_owned(), serde_json::from_str(item.text("detail")).unwrap())
        };
        items.into_iter().map(read).collect()
    }
}
