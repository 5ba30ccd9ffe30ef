//! What each function costs: its start, its first event over TLS, and every one after that.

use std::time::Duration;

use referrals::{
    domain::{
        consent::ConsentChannel,
        id::{OrgId, UserId},
    },
    http::UnsubscribeKey,
};
use referrals_harness::{Answer, Function, Measured, Method, Name, Scenario, Setup, World};
use referrals_testing::Fixtures;
use serde::Serialize;
use serde_json::{Value, json};

use crate::statistics::{median, milliseconds, percentile};

const COLD_STARTS: usize = 20;
const WARM_EVENTS: usize = 100;
/// What a page of the list shows.
const REFERRALS: usize = 25;

const SIGN_IN: &str = include_str!("../../../events/cognito/pre-token-generation.json");
const UNSUBSCRIBE: &str = include_str!("../../../events/http/unsubscribe-one-click.json");
const RECONCILE: &str = include_str!("../../../events/operator/reconcile.json");

/// What a runtime client costs that does nothing.
#[derive(Debug, Default, Serialize)]
pub struct Floor {
    init_cpu_ms: f64,
    warm_cpu_us: f64,
    peak_memory_mib: f64,
}

/// Medians, but for what says otherwise.
#[derive(Debug, Serialize)]
pub struct Cost {
    name: &'static str,
    /// What it was given.
    event: &'static str,
    /// From exec to the first question for work.
    init_cpu_ms: f64,
    init_wall_ms: f64,
    /// The first event of a process, connecting and TLS included.
    first_cpu_ms: f64,
    first_wall_ms: f64,
    warm_cpu_us: f64,
    warm_p50_ms: f64,
    warm_p99_ms: f64,
    /// The most of all processes.
    peak_memory_mib: f64,
    /// Of a warm event.
    calls: usize,
}

/// What a function is given.
#[derive(Debug, Clone, Copy)]
enum Work {
    Scenario(Scenario),
    List,
    Schedule,
    Reconcile,
    Unsubscribe,
    SignIn,
}

const WORKS: [(Name, Work, &str); 13] = [
    (Name::PublicCapture, Work::Scenario(Scenario::CaptureStranger), "a form, two people with address and number"),
    (Name::EventRelay, Work::Scenario(Scenario::RelayOne), "one event"),
    (Name::OutboxSweeper, Work::Scenario(Scenario::SweepOne), "one event that was left"),
    (Name::PipelineEntry, Work::Scenario(Scenario::EnterNew), "a referral of a new lead"),
    (Name::DealWon, Work::Scenario(Scenario::WinLinked), "a deal of a lead"),
    (Name::Messenger, Work::Scenario(Scenario::ThankByMail), "a thank-you by mail"),
    (Name::DeliveryFeedback, Work::Scenario(Scenario::HearDelivered), "a mail that arrived"),
    (Name::ImportWorker, Work::Scenario(Scenario::ImportChunk), "three rows of a file"),
    (Name::HoldRelease, Work::Schedule, "a minute in which nothing is due"),
    (Name::ReferralsApi, Work::List, "a list of 25"),
    (Name::LedgerReconcile, Work::Reconcile, "a page of a walk"),
    (Name::Unsubscribe, Work::Unsubscribe, "one click"),
    (Name::TokenClaims, Work::SignIn, "a sign-in"),
];

/// The runtime client alone.
pub async fn floor() -> Floor {
    let (mut starts, mut warm, mut peak) = (Vec::new(), Vec::new(), 0);
    let mut function = Function::new("bench-floor", Vec::new());
    let mut invocation = async |function: &mut Function| {
        let (answer, measured) = function.invoke_measured(&json!({}), Duration::from_secs(5)).await;
        assert_eq!(answer, Answer::Response(Value::Null));
        peak = peak.max(measured.peak_memory_kib);
        measured
    };
    for _ in 0..COLD_STARTS {
        function.chill();
        starts.push(invocation(&mut function).await.start.expect("a cold start").processor);
    }
    for _ in 0..WARM_EVENTS {
        warm.push(invocation(&mut function).await.used.processor);
    }
    Floor {
        init_cpu_ms: milliseconds(median(starts)),
        warm_cpu_us: milliseconds(median(warm)) * 1e3,
        peak_memory_mib: mib(peak),
    }
}

/// Each function, or the one of this name.
pub async fn costs(setup: &Setup, only: Option<&str>) -> Vec<Cost> {
    let mut costs = Vec::new();
    for (name, work, event) in WORKS {
        if only.is_none_or(|only| only == name.as_str()) {
            eprintln!("{} ...", name.as_str());
            costs.push(cost(setup, name, work, event).await);
        }
    }
    costs
}

async fn cost(setup: &Setup, name: Name, work: Work, event: &'static str) -> Cost {
    let mut world = World::start_with(setup.clone()).await;
    work.furnish(&mut world).await;
    let mut cold = Vec::new();
    for _ in 0..COLD_STARTS {
        cold.push(work.measure(&mut world, name, true).await.0);
    }
    let (mut warm, mut calls) = (Vec::new(), Vec::new());
    for _ in 0..WARM_EVENTS {
        let (measured, made) = work.measure(&mut world, name, false).await;
        assert!(measured.start.is_none(), "{name:?} was started again");
        warm.push(measured);
        calls.push(made);
    }
    calls.sort_unstable();
    let of = |measured: &[Measured], figure: fn(&Measured) -> Duration| measured.iter().map(figure).collect::<Vec<_>>();
    let start = |measured: &Measured| measured.start.expect("a cold start");
    let peak = cold.iter().chain(&warm).map(|measured| measured.peak_memory_kib).max();
    Cost {
        name: name.as_str(),
        event,
        init_cpu_ms: milliseconds(median(cold.iter().map(|it| start(it).processor).collect())),
        init_wall_ms: milliseconds(median(cold.iter().map(|it| start(it).wall).collect())),
        first_cpu_ms: milliseconds(median(of(&cold, |it| it.used.processor))),
        first_wall_ms: milliseconds(median(of(&cold, |it| it.used.wall))),
        warm_cpu_us: milliseconds(median(of(&warm, |it| it.used.processor))) * 1e3,
        warm_p50_ms: milliseconds(median(of(&warm, |it| it.used.wall))),
        warm_p99_ms: milliseconds(percentile(of(&warm, |it| it.used.wall), 99)),
        peak_memory_mib: mib(peak.unwrap_or_default()),
        calls: calls[calls.len() / 2],
    }
}

impl Work {
    /// What has to be there before the first event.
    async fn furnish(self, world: &mut World) {
        match self {
            Self::List => {
                for _ in 0..REFERRALS {
                    let form = world.fill_in();
                    world.submit(&form).await.expect("a form is taken");
                }
            }
            Self::SignIn => {
                let event: Value = serde_json::from_str(SIGN_IN).unwrap();
                let subject = event["userName"].as_str().unwrap();
                let (organization, user) = (OrgId::parse(Fixtures::ORGANIZATION), UserId::parse(Fixtures::OWNER));
                let directory = world.store.directory();
                directory.link_login(subject, &organization.unwrap(), &user.unwrap()).await.expect("a login");
            }
            _ => {}
        }
    }

    /// One event, and the calls that it made.
    async fn measure(self, world: &mut World, name: Name, is_cold: bool) -> (Measured, usize) {
        let (scenario, event) = match self {
            Self::Scenario(scenario) => {
                (Some((scenario, scenario.prepare(world).await.expect("the work"))), Value::Null)
            }
            Self::List => (None, world.request(Method::Get, "/api/reputation/referrals?limit=25", None)),
            Self::Schedule => (None, json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})),
            Self::Reconcile => (None, serde_json::from_str(RECONCILE).unwrap()),
            Self::Unsubscribe => (None, one_click()),
            Self::SignIn => (None, serde_json::from_str(SIGN_IN).unwrap()),
        };
        if is_cold {
            world.arm(name, None);
        } else {
            world.proxy.reset(None);
        }
        drop(world.measure(name));
        match &scenario {
            Some((scenario, work)) => {
                let posted = scenario.act(world, work).await;
                assert!(posted.is_none_or(|posted| posted.status == 201), "{name:?} has refused a form");
            }
            None => match world.invoke(name, &event).await {
                Answer::Response(answer) => {
                    let status = answer["statusCode"].as_u64();
                    assert!(status.is_none_or(|status| status == 200), "{name:?} answered {answer}");
                }
                failed => panic!("{name:?}: {failed:?}"),
            },
        }
        let measured = world.measure(name);
        let [measured] = measured[..] else { panic!("{name:?} was invoked {} times", measured.len()) };
        let calls = world.proxy.calls().len();
        // What came of it goes its way, so that the next event is alone.
        world.settle().await.expect("it is quiet");
        (measured, calls)
    }
}

fn one_click() -> Value {
    let key = UnsubscribeKey::new("for tests");
    let token = key.seal(&Fixtures::scope(), &Fixtures::person_111(), ConsentChannel::Email).expect("a token");
    let mut event: Value = serde_json::from_str(UNSUBSCRIBE).unwrap();
    event["rawPath"] = format!("/u/{token}").into();
    event["requestContext"]["http"]["path"] = event["rawPath"].clone();
    event["pathParameters"]["token"] = token.into();
    event
}

#[expect(clippy::cast_precision_loss, reason = "a process has less than 2^52 KiB")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
