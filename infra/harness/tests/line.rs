//! The line that `make bench` measures over: TLS, units as the engine counts them, and calls that meet at one item.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::float_cmp)]

use std::{sync::Arc, time::Duration};

use referrals_harness::{Contention, Identity, Line, Name, Posted, Setup, World, violations};

/// At once, and of one advocate.
const CROWD: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn captures_of_one_advocate_meet_over_tls_and_none_is_lost() {
    let contention = Arc::new(Contention::new(Duration::from_millis(50)));
    let line =
        Line { identity: Some(Arc::new(Identity::new())), counts_units: true, contention: Some(contention.clone()) };
    let mut world = Box::pin(World::start_with(Setup { line, ..Setup::default() })).await;
    assert!(world.proxy.endpoint().starts_with("https://"));
    let first = world.fill_in_plain();
    world.submit(&first).await.unwrap();
    // Without knowing the slug: its two reads are 3 units more than DATA_MODEL's 23.
    let spent: f64 = world.proxy.calls().iter().map(|call| call.units).sum();
    assert_eq!((world.proxy.calls().len(), spent), (5, 26.0));
    assert_eq!(contention.conflicts(), 0);

    let mut running = tokio::task::JoinSet::new();
    for _ in 0..CROWD {
        let (mut function, proxy) = world.another(Name::PublicCapture).await;
        function.keep(proxy);
        let form = world.fill_in_again(&first);
        let event = world.attempt(&form);
        running.spawn(async move { Posted::from(function.invoke(&event, Name::PublicCapture.timeout()).await).status });
    }
    assert_eq!(running.join_all().await, [201; CROWD]);
    assert!(contention.conflicts() > 0, "they have met");
    world.settle().await.unwrap();
    assert_eq!(violations(&world).await, Vec::<String>::new());
}
