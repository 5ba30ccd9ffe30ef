//! A thank-you that is on its way, and what SES says of it.

use referrals::ports::Revised;

use super::*;

pub struct World {
    pub store: TestStore,
    pub ledger: Ledger,
    pub referral: ReferralId,
    pub pat: PersonId,
}

impl World {
    /// Pat, who has agreed on both channels, has sent a friend; the reward was sent.
    pub async fn new() -> Self {
        let store = TestStore::start().await;
        Fixtures::load(&store).await;
        let ledger = store.ledger();
        let capture = Capture {
            profiles: &store.directory(),
            limiter: &store.limiter(),
            slug_limits: Fixtures::LIMITS,
            store: &ledger,
            clock: &SystemClock,
            ids: &RandomIds,
        };
        let form = Submission {
            consent: FormConsent { email: true, sms: true, text: Some(ConsentText::FormV1) },
            ..submission(contact(ADDRESS, "+14155552671"), contact("sam@example.com", ""))
        };
        let arrival = Arrival { request_id: "request", named: None };
        let captured = capture.capture(Some(&Fixtures::slug()), &form, arrival).await.unwrap();
        let Captured::Recorded(_, referral) = captured else { panic!("not recorded") };
        let pat = ledger.find_referral(&Fixtures::scope(), &referral).await.unwrap().unwrap().referrer_person_id;
        let world = Self { store, ledger, referral, pat };
        let before = world.ledger.find_referral(&Fixtures::scope(), &world.referral).await.unwrap().unwrap();
        let mut row = before.clone();
        row.reward_status = RewardStatus::Sent;
        row.touch(SystemClock.now());
        world.write(vec![], Some(Box::new(Revised::new(&before, row)))).await;
        world
    }

    pub async fn write(&self, messages: Vec<Message>, referral: Option<Box<Revised>>) {
        let at = SystemClock.now();
        let write = MessageWrite {
            messages,
            referral,
            unchanged: None,
            guard: None,
            audit: vec![],
            events: vec![],
            remembered: None,
            at,
        };
        let outcome = self.ledger.write_messages(&Fixtures::scope(), &self.referral, &write).await.unwrap();
        assert_eq!(outcome, MessageWriteOutcome::Written);
    }

    pub fn thank_you(&self) -> MessageId {
        MessageId::thank_you(self.referral.clone(), ConsentChannel::Email)
    }

    pub fn notice(&self) -> MessageId {
        let event = EventId::parse("evt_1").unwrap();
        MessageId::notice(self.referral.clone(), MessageKind::NewReferral, ConsentChannel::Email, event)
    }

    /// Somebody has claimed the message and was not heard of since.
    pub async fn claimed(&self, id: MessageId) {
        let at = SystemClock.now();
        let thanked = (id.kind == MessageKind::ThankYou).then(|| self.pat.clone());
        let mut message = Message::new(Fixtures::scope().organization().clone(), id, thanked, at);
        let claim = Claim { token: TOKEN.to_owned(), until: at.plus_seconds(60) };
        message.claim(claim, contact(ADDRESS, ""), at);
        self.write(vec![message], None).await;
    }

    pub async fn message(&self, id: &MessageId) -> Message {
        self.ledger.find_message(&Fixtures::scope(), id).await.unwrap().unwrap()
    }

    pub async fn edit_message(&self, id: &MessageId, edit: impl FnOnce(&mut Message)) {
        let mut message = self.message(id).await;
        edit(&mut message);
        self.write(vec![message], None).await;
    }

    pub async fn change_pat(&self, change: PersonChange) {
        let caller: Caller = Fixtures::owner();
        let pat = self.ledger.find_person(&Fixtures::scope(), &self.pat).await.unwrap().unwrap();
        let request = PersonRequest { change: &change, expected: &Expected::Any, request_id: "edit" };
        let outcome = change_person(&self.ledger, &SystemClock, &caller, pat, &request).await.unwrap();
        assert!(matches!(outcome, PersonOutcome::Done(_)), "{outcome:?}");
    }

    pub async fn grant_email(&self) {
        let evidence = Reason::parse("said so on the phone").unwrap();
        let text = Some(ConsentText::FormV1);
        let change = ConsentChange { channel: ConsentChannel::Email, granted: true, text, evidence };
        self.change_pat(PersonChange::Consent(change)).await;
    }

    pub async fn move_to(&self, address: &str) {
        let email = Patch::Set(Email::parse(address).unwrap());
        self.change_pat(PersonChange::Edit(PersonEdit { email, ..PersonEdit::default() })).await;
    }

    /// Email, SMS.
    pub async fn agreed(&self) -> [bool; 2] {
        let pat = self.ledger.find_person(&Fixtures::scope(), &self.pat).await.unwrap().unwrap();
        ConsentChannel::ALL.map(|channel| pat.has_consent(channel))
    }

    pub async fn is_suppressed(&self) -> bool {
        self.ledger.is_suppressed(&Fixtures::scope(), &address()).await.unwrap()
    }

    pub async fn rows(&self, keep: impl Fn(&Item) -> bool) -> Vec<Item> {
        let mut items = self.store.items().await;
        items.retain(keep);
        items.sort_by_key(|item| item.text("at").to_owned());
        items
    }

    pub async fn revocations(&self) -> Vec<[String; 3]> {
        let rows = self.rows(|item| item.kind() == "CONSENT" && item.text("decision") == "REVOKED").await;
        rows.iter().map(|row| ["channel", "method", "actor"].map(|field| row.text(field).to_owned())).collect()
    }

    /// What the history says of messages: from, to.
    pub async fn history(&self) -> Vec<(String, String)> {
        let rows = self.rows(|item| item.kind() == "AUDIT" && item.text("action") == "MESSAGE_CHANGED").await;
        rows.iter().map(|row| (row.text("from").to_owned(), row.text("to").to_owned())).collect()
    }

    pub async fn thanked(&self) -> usize {
        let items = self.store.outbox_items().await;
        items.iter().filter(|item| item.text("detailType") == "REFERRER_THANKED").count()
    }

    pub async fn hear(&self, bodies: &[Value]) -> Vec<String> {
        let bodies: Vec<_> = bodies.iter().map(Value::to_string).collect();
        let response = handle(&self.ledger, &batch(&bodies), in_a_minute()).await;
        failed(&response).into_iter().map(str::to_owned).collect()
    }

    /// The golden event of that kind about this world's thank-you.
    pub fn event(&self, queued: &str) -> Value {
        let mut event: Value = serde_json::from_str(queued).unwrap();
        event["detail"]["tags"]["referral"] = json!([self.referral]);
        event
    }

    pub fn delivered(&self) -> Value {
        self.event(GOLDEN[0].1)
    }

    pub fn bounced(&self, bounce_type: &str) -> Value {
        let mut event = self.event(GOLDEN[1].1);
        event["id"] = json!(format!("{bounce_type}-bounce"));
        event["detail"]["bounceType"] = json!(bounce_type);
        event
    }

    pub fn complained(&self) -> Value {
        self.event(GOLDEN[2].1)
    }
}

fn address() -> ContactKey {
    contact(ADDRESS, "").identity().unwrap()
}
