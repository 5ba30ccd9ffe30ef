//! What each function is given to be measured.

use referrals_harness::{Answer, Measured, Method, Name, Row, Scenario, World, first_page_of_walk, one_click, sign_in};
use referrals_testing::Fixtures;
use serde_json::{Value, json};

/// What a page of the list shows.
const REFERRALS: usize = 25;

/// What a function is given. Forms of the contract's example have addresses only.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    Scenario(Scenario),
    Form,
    FormWithNumbers,
    List,
    Schedule,
    Reconcile,
    Unsubscribe,
    SignIn,
}

pub const WORKS: [(Name, Work, &str); 15] = [
    (Name::PublicCapture, Work::Form, "a form, two people with addresses"),
    (Name::PublicCapture, Work::FormWithNumbers, "the same, with numbers too"),
    (Name::EventRelay, Work::Scenario(Scenario::RelayOne), "one event"),
    (Name::OutboxSweeper, Work::Scenario(Scenario::SweepOne), "one event that was left"),
    (Name::PipelineEntry, Work::Scenario(Scenario::EnterNew), "a referral of a new lead"),
    (Name::DealWon, Work::Scenario(Scenario::WinLinked), "a deal of a lead"),
    (Name::Messenger, Work::Scenario(Scenario::ThankByMail), "a thank-you by mail"),
    (Name::DeliveryFeedback, Work::Scenario(Scenario::HearDelivered), "a mail that arrived"),
    (Name::ImportWorker, Work::Scenario(Scenario::ImportChunk), "three rows of a file"),
    (Name::HoldRelease, Work::Schedule, "a minute in which nothing is due"),
    (Name::CaptureExpiry, Work::Schedule, "a day on which nothing expires"),
    (Name::ReferralsApi, Work::List, "a list of 25"),
    (Name::LedgerReconcile, Work::Reconcile, "a page of a walk"),
    (Name::Unsubscribe, Work::Unsubscribe, "one click"),
    (Name::TokenClaims, Work::SignIn, "a sign-in"),
];

/// A piece of work at the function's door.
enum Given {
    /// In the stream, the outbox or a queue.
    Waiting(Scenario, referrals_harness::Work),
    Event(Value),
}

impl Given {
    fn event(self) -> Option<Value> {
        match self {
            Self::Event(event) => Some(event),
            Self::Waiting(..) => None,
        }
    }
}

impl Work {
    /// What has to be there before the first event.
    pub async fn furnish(self, world: &mut World) {
        match self {
            Self::List => {
                for _ in 0..REFERRALS {
                    let form = world.fill_in();
                    world.submit(&form).await.expect("a form is taken");
                }
            }
            Self::SignIn => world.link_login(&sign_in()).await.expect("a login"),
            _ => {}
        }
    }

    /// The first event of a process.
    pub async fn first(self, world: &mut World, name: Name) -> Measured {
        let given = self.prepare(world).await;
        world.arm(name, None);
        let measured = match &given {
            Given::Waiting(scenario, work) => act(world, name, *scenario, work).await,
            Given::Event(event) => {
                let (answer, measured) = world.function(name).invoke_measured(event, name.timeout()).await;
                check(name, &answer);
                measured
            }
        };
        self.tidy(world).await;
        measured
    }

    /// So many events, one after the other; in one row where nothing has to be brought between them. `calls` gets how many
    /// each made.
    pub async fn row(self, world: &mut World, name: Name, count: usize, calls: &mut Vec<usize>) -> Vec<Row> {
        let mut given = Vec::new();
        if !matches!(self, Self::Scenario(_)) {
            for _ in 0..count {
                given.push(self.prepare(world).await);
            }
        }
        if given.is_empty() {
            let mut rows = Vec::new();
            for _ in 0..count {
                let Given::Waiting(scenario, work) = self.prepare(world).await else { unreachable!("a scenario") };
                world.proxy.reset(None);
                let Measured { used, peak_memory_kib, .. } = act(world, name, scenario, &work).await;
                rows.push(Row { processor: used.processor, walls: vec![used.wall], peak_memory_kib });
                calls.push(world.proxy.calls().len());
                self.tidy(world).await;
            }
            return rows;
        }
        let events: Vec<Value> = given.into_iter().filter_map(Given::event).collect();
        world.proxy.reset(None);
        let (answers, row) = world.function(name).invoke_in_a_row(&events, name.timeout()).await;
        for answer in &answers {
            check(name, answer);
        }
        // One more in one of them is one more.
        calls.push(world.proxy.calls().len().div_ceil(count));
        vec![row]
    }

    async fn prepare(self, world: &mut World) -> Given {
        Given::Event(match self {
            Self::Scenario(scenario) => {
                return Given::Waiting(scenario, scenario.prepare(world).await.expect("the work"));
            }
            Self::Form => {
                let form = world.fill_in_plain();
                world.attempt(&form)
            }
            Self::FormWithNumbers => {
                let form = world.fill_in();
                world.attempt(&form)
            }
            Self::List => world.request(Method::Get, "/api/reputation/referrals?limit=25", None),
            Self::Schedule => json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}),
            Self::Reconcile => first_page_of_walk(),
            Self::Unsubscribe => one_click(&Fixtures::person_111()),
            Self::SignIn => sign_in(),
        })
    }

    /// What came of it goes its way, so that the next event is alone.
    async fn tidy(self, world: &mut World) {
        if matches!(self, Self::Scenario(_)) {
            world.settle().await.expect("it is quiet");
        }
    }
}

/// One invocation, by what waits for the function.
async fn act(world: &mut World, name: Name, scenario: Scenario, work: &referrals_harness::Work) -> Measured {
    drop(world.measure(name));
    drop(scenario.act(world, work).await);
    let measured = world.measure(name);
    let [measured] = measured[..] else { panic!("{name:?} was invoked {} times", measured.len()) };
    measured
}

fn check(name: Name, answer: &Answer) {
    let Answer::Response(response) = answer else { panic!("{name:?}: {answer:?}") };
    let status = response["statusCode"].as_u64();
    assert!(status.is_none_or(|status| [200, 201].contains(&status)), "{name:?} answered {response}");
}
