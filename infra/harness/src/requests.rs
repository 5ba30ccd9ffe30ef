//! Work that comes with a call: what agents and operators ask for, who signs in, who unsubscribes, and the clock.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use referrals::{
    domain::{
        consent::ConsentChannel,
        id::{OrgId, PersonId, UserId},
        reward::ThankYouChannel,
        reward_policy::DEFAULT_ATTRIBUTION_WINDOW_DAYS,
        time::Timestamp,
    },
    http::UnsubscribeKey,
    store::keys,
};
use referrals_testing::{Fixtures, Item};
use serde_json::{Value, json};

use crate::{
    Method, Name, Posted, Scenario, Submitted, World,
    rows::{holders, last, referral_of},
};

const SIGN_IN: &str = include_str!("../../../events/cognito/pre-token-generation.json");
const UNSUBSCRIBE: &str = include_str!("../../../events/http/unsubscribe-one-click.json");
const RECONCILE: &str = include_str!("../../../events/operator/reconcile.json");
const LEDGER: &str = "/api/reputation/referrals";

const MAX_ATTEMPTS: usize = 6;
/// Of a walk through everything.
const MAX_PAGES: usize = 50;
/// When a holding period was over that is over.
const LONG_AGO: &str = "2026-01-01T00:00:00.000Z";

impl Scenario {
    /// What the function is called with, once that is right.
    pub(crate) async fn prepare_call(self, world: &mut World) -> Result<Value, String> {
        Ok(match self {
            Self::LogNamed => {
                let form = world.fill_in_for_agent();
                world.named(Method::Post, LEDGER, &form.logged())
            }
            Self::ChangeStatus => {
                let form = world.fill_in();
                world.submit(&form).await?;
                world.settle().await?;
                let target = format!("{LEDGER}/{}/contact", world.referral_id(&form).await?);
                world.named(Method::Post, &target, &json!({}))
            }
            Self::MarkSent => {
                let form = world.fill_in_agreeing(false);
                let deal = world.win(&form, ThankYouChannel::Email).await?;
                let target = format!("{LEDGER}/{}/reward/mark-sent", world.referral_id(&form).await?);
                world.expect_thanks(deal, ThankYouChannel::Email);
                // Nothing goes wrong with the message.
                world.is_thanking = false;
                world.named(Method::Post, &target, &json!({"complianceAcknowledged": true}))
            }
            Self::UnsubscribeOnce => {
                let form = world.fill_in_agreeing(true);
                world.submit(&form).await?;
                world.settle().await?;
                let person = world.person_of(&form).await?;
                world.unsubscribed.push(form);
                one_click(&person)
            }
            Self::SignIn => {
                let event = sign_in();
                world.link_login(&event).await?;
                event
            }
            Self::Reconcile => {
                let form = world.fill_in();
                world.submit(&form).await?;
                world.settle().await?;
                world.drift(&form).await;
                first_page_of_walk()
            }
            Self::ReleaseHold => {
                world.promise_hold(1).await;
                let form = world.fill_in();
                let deal = world.win(&form, ThankYouChannel::Email).await?;
                world.promise_hold(0).await;
                world.deals[deal].is_held = true;
                let referral = world.referral_id(&form).await?;
                world.let_time_pass(&referral).await;
                scheduled()
            }
            Self::ErasePerson => {
                let form = world.fill_in();
                world.submit(&form).await?;
                world.settle().await?;
                world.remember_holders().await;
                let person = world.person_of(&form).await?;
                world.erased.push(person.as_str().to_owned());
                world.request(Method::Delete, &format!("/api/people/{person}/data"), None)
            }
            Self::ExpireCapture => {
                let form = world.fill_in();
                world.submit(&form).await?;
                world.settle().await?;
                world.remember_holders().await;
                // Captures are kept for as long as a deal may come of them.
                world.promise_window(0).await;
                scheduled()
            }
            _ => return Err(format!("{self:?} does not begin with a call")),
        })
    }

    /// After the fault: whoever called calls again.
    pub(crate) async fn finish_call(self, world: &mut World, event: &Value, first: Posted) -> Result<(), String> {
        let taken = if self == Self::Reconcile {
            world.until_walked(event, first).await?
        } else {
            world.until_answered(self.function(), event, first).await?
        };
        let is_taken = match self {
            Self::LogNamed => taken.status == 201,
            Self::ChangeStatus => taken.status == 200 && taken.says("/status", "CONTACTED"),
            Self::MarkSent => taken.status == 200 && taken.says("/rewardStatus", "SENT"),
            Self::SignIn => {
                let claims = "/response/claimsAndScopeOverrideDetails/accessTokenGeneration/claimsToAddOrOverride";
                let wanted =
                    [("organization_id", Fixtures::ORGANIZATION), ("user_id", Fixtures::OWNER), ("role", "OWNER")];
                wanted.iter().all(|(claim, value)| taken.says(&format!("{claims}/{claim}"), value))
            }
            _ => taken.status == 200,
        };
        if !is_taken {
            return Err(format!("{self:?} was answered {taken:?}"));
        }
        match self {
            Self::LogNamed | Self::ChangeStatus | Self::MarkSent | Self::ErasePerson => {
                let again = world.until_answered(self.function(), event, Posted::none()).await?;
                if again != taken {
                    return Err(format!("a request that may be repeated was answered {taken:?}, and then {again:?}"));
                }
            }
            // What one run has left is the next one's.
            Self::ReleaseHold | Self::ExpireCapture => {
                drop(world.invoke(self.function(), event).await);
                world.promise_window(DEFAULT_ATTRIBUTION_WINDOW_DAYS).await;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Posted {
    /// Nothing came back.
    fn none() -> Self {
        Self { status: 502, retry_after: None, body: String::new() }
    }

    fn says(&self, pointer: &str, wanted: &str) -> bool {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body.pointer(pointer).is_some_and(|value| value == wanted)
    }
}

impl World {
    /// Who signs in is the owner.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn link_login(&self, sign_in: &Value) -> Result<(), String> {
        let subject = sign_in["userName"].as_str().expect("a subject");
        let (organization, user) = (OrgId::parse(Fixtures::ORGANIZATION), UserId::parse(Fixtures::OWNER));
        let directory = self.store.directory();
        let linked = directory.link_login(subject, &organization.expect("an id"), &user.expect("an id")).await;
        linked.map_err(|error| error.to_string())
    }

    async fn until_answered(&mut self, function: Name, event: &Value, first: Posted) -> Result<Posted, String> {
        let mut posted = first;
        for _ in 0..MAX_ATTEMPTS {
            if posted.status < 500 {
                return Ok(posted);
            }
            posted = self.invoke(function, event).await.into();
        }
        Err(format!("{} gave no answer in {MAX_ATTEMPTS} attempts: {posted:?}", function.as_str()))
    }

    /// A request that has a name of its own.
    fn named(&mut self, method: Method, target: &str, body: &Value) -> Value {
        let mut event = self.request(method, target, Some(body));
        let key = format!("request-{}", self.number());
        self.named_requests += 1;
        event["headers"]["idempotency-key"] = key.into();
        event
    }

    /// A walk through everything, page by page: its last page, or the one that failed.
    pub(crate) async fn walk(&mut self, event: &Value) -> Posted {
        let mut event = event.clone();
        for _ in 0..MAX_PAGES {
            let page: Posted = self.invoke(Name::LedgerReconcile, &event).await.into();
            let body: Value = serde_json::from_str(&page.body).unwrap_or_default();
            match body["next"].as_str() {
                Some(next) if page.status == 200 => event["after"] = next.into(),
                _ => return page,
            }
        }
        panic!("a walk has no end after {MAX_PAGES} pages")
    }

    async fn until_walked(&mut self, event: &Value, first: Posted) -> Result<Posted, String> {
        let mut page = first;
        for _ in 0..MAX_ATTEMPTS {
            if page.status < 500 {
                return Ok(page);
            }
            page = self.walk(event).await;
        }
        Err(format!("a walk came to no end in {MAX_ATTEMPTS} attempts: {page:?}"))
    }

    async fn referral_id(&self, form: &Submitted) -> Result<String, String> {
        let items = self.store.items().await;
        Ok(referral_of(&items, form).ok_or("the referral is not there")?.text("id").to_owned())
    }

    async fn person_of(&self, form: &Submitted) -> Result<PersonId, String> {
        let person = holders(&self.store.items().await).remove(&form.referrer.email).ok_or("nobody has the address")?;
        PersonId::parse(&person).map_err(|error| error.to_string())
    }

    /// Who holds which address, as long as anybody does.
    async fn remember_holders(&mut self) {
        self.former_holders.extend(holders(&self.store.items().await));
    }

    /// What counts the form's referrer is wrong, as no code of ours would leave it.
    async fn drift(&self, form: &Submitted) {
        let person = self.person_of(form).await.expect("the referrer");
        let items = self.store.items().await;
        let row = items.iter().find(|row| row.kind() == "PERSON" && row.text("id") == person.as_str());
        let cell =
            items.iter().find(|row| row.kind() == "ATTRIBUTION" && row.text("advocatePersonId") == person.as_str());
        for (row, attribute) in [(row, "totalReferrals"), (cell, "referrals")] {
            self.set(row.expect("a row"), format!("SET {attribute} = :value"), AttributeValue::N("7".to_owned())).await;
        }
    }

    /// The holding period of the referral's reward is over.
    async fn let_time_pass(&self, referral: &str) {
        let items = self.store.items().await;
        let is_note = |row: &&Item| row.text("pk") == keys::DUE_HOLDS && last(row.text("sk")) == referral;
        let note = items.iter().find(is_note).expect("a note of the holding period");
        let row = items.iter().find(|row| row.kind() == "REFERRAL" && row.text("id") == referral).expect("a referral");
        let at = Timestamp::parse(LONG_AGO).expect("a time").to_string();
        let at_once = AttributeValue::S(at.clone());
        self.set(row, "SET reward.holdUntil = :value".to_owned(), at_once.clone()).await;
        let (client, table) = (&self.store.client, &self.store.table);
        let key = |name: &str| (name.to_owned(), note.0[name].clone());
        let delete = client.delete_item().table_name(table).set_key(Some([key("pk"), key("sk")].into()));
        delete.send().await.expect("the engine deletes");
        let mut moved = note.0.clone();
        let rest = note.text("sk").split_once('#').expect("a key of parts").1;
        moved.insert("sk".to_owned(), AttributeValue::S(format!("{at}#{rest}")));
        moved.insert("until".to_owned(), at_once);
        client.put_item().table_name(table).set_item(Some(moved)).send().await.expect("the engine writes");
    }

    async fn set(&self, row: &Item, expression: String, value: AttributeValue) {
        let update = self.store.client.update_item().table_name(&self.store.table);
        let key: BTreeMap<&str, AttributeValue> = ["pk", "sk"].map(|name| (name, row.0[name].clone())).into();
        let update = update.key("pk", key["pk"].clone()).key("sk", key["sk"].clone());
        let update = update.update_expression(expression).expression_attribute_values(":value", value);
        update.send().await.expect("the engine updates");
    }
}

/// What the clock calls with.
fn scheduled() -> Value {
    json!({"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})
}

fn golden(event: &str) -> Value {
    serde_json::from_str(event).expect("a golden event")
}

/// What Cognito asks before it makes a token.
#[must_use]
pub fn sign_in() -> Value {
    golden(SIGN_IN)
}

/// What an operator's walk through everything begins with.
#[must_use]
pub fn first_page_of_walk() -> Value {
    golden(RECONCILE)
}

/// What a mail program sends when somebody unsubscribes in it.
#[must_use]
pub fn one_click(person: &PersonId) -> Value {
    let key = UnsubscribeKey::new("for tests");
    let token = key.seal(&Fixtures::scope(), person, ConsentChannel::Email).expect("a token");
    let mut event = golden(UNSUBSCRIBE);
    event["rawPath"] = format!("/u/{token}").into();
    event["requestContext"]["http"]["path"] = event["rawPath"].clone();
    event["pathParameters"]["token"] = token.into();
    event
}
