//! What is created, recorded and returned.

use super::*;

#[tokio::test(start_paused = true)]
async fn invalidations_are_recorded_and_complete() {
    let (simulator, client) =
        start(SimulatorOptions { completion: seconds(10.0), ..Default::default() });
    advance(seconds(5.0)).await;
    let items = ["/a&b", "/dir/*", "#tag", "/a%20b"];
    let created = send(&client, SITE, batch("ref <1>", &items)).await.unwrap();
    assert_eq!((&*created.status, created.id.len()), ("InProgress", 14));
    assert_eq!(created.invalidation_batch, Some(batch("ref <1>", &items)));
    assert_eq!(
        simulator.invalidations(),
        [Recorded {
            distribution: SITE.to_owned(),
            id: created.id.clone(),
            caller_reference: "ref <1>".to_owned(),
            items: items.map(str::to_owned).to_vec(),
            accepted_at: seconds(5.0),
            role: None,
        }]
    );
    let calls = simulator.calls();
    assert_eq!((calls[0].at, calls[0].operation), (seconds(5.0), Operation::CreateInvalidation));
    assert_eq!(calls[0].path, format!("/2020-05-31/distribution/{SITE}/invalidation"));
    assert!(calls[0].body.contains("<Path>/a&amp;b</Path>"));
    assert_eq!(calls[0].outcome, CallOutcome::Created(created.id.clone()));
    for (wait, status) in [(9.9, "InProgress"), (0.1, "Completed")] {
        advance(seconds(wait)).await;
        let list = client.list_invalidations().distribution_id(SITE).send().await.unwrap();
        let listed = &list.invalidation_list.unwrap().items.unwrap()[0];
        assert_eq!((&*listed.status, listed.create_time), (status, created.create_time));
    }
}

#[tokio::test(start_paused = true)]
async fn lists_are_per_distribution_and_newest_first() {
    let (_, client) = start(SimulatorOptions::default());
    let mut ids = Vec::new();
    for (target, reference) in [(SITE, "1"), (TENANT, "1"), (SITE, "2")] {
        ids.push(send(&client, target, batch(reference, &["/a"])).await.unwrap().id);
    }
    let list = client.list_invalidations().distribution_id(SITE).send().await.unwrap();
    let list = list.invalidation_list.unwrap().items.unwrap();
    assert_eq!(list.iter().map(|one| &one.id).collect::<Vec<_>>(), [&ids[2], &ids[0]]);
    let list = client.list_invalidations_for_distribution_tenant().id(TENANT).send().await.unwrap();
    assert_eq!(list.invalidation_list.unwrap().items.unwrap()[0].id, ids[1]);
}

#[tokio::test(start_paused = true)]
async fn caller_references() {
    use ReusedReference::{AlreadyExists, AlwaysInvalidArgument, InvalidArgument};
    for (reused_reference, same, other) in [
        (AlreadyExists, "ok", "InvalidationBatchAlreadyExists"),
        (InvalidArgument, "ok", "InvalidArgument"),
        (AlwaysInvalidArgument, "InvalidArgument", "InvalidArgument"),
    ] {
        let (simulator, client) =
            start(SimulatorOptions { reused_reference, ..Default::default() });
        send(&client, SITE, batch("r", &["/a", "/b*"])).await.unwrap();
        let repeated = result(&client, SITE, "r", &["/b*", "/a", "/a"]).await;
        assert_eq!(repeated, same, "{reused_reference:?}");
        assert_eq!(result(&client, SITE, "r", &["/a"]).await, other, "{reused_reference:?}");
        assert!(last_refusal(&simulator).1.contains("caller reference"));
        assert_eq!(result(&client, BLOG, "r", &["/a"]).await, "ok");
        assert_eq!(simulator.counters().billed_paths, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_completes_if_its_caller_disconnects() {
    let (simulator, client) =
        start(SimulatorOptions { latency: seconds(6.0), ..Default::default() });
    let call = send(&client, SITE, batch("r", &["/a"]));
    tokio::time::timeout(seconds(3.0), call).await.unwrap_err();
    assert_eq!(simulator.invalidations(), []);
    tokio::time::sleep(seconds(4.0)).await;
    assert_eq!(simulator.invalidations()[0].accepted_at.as_secs(), 6);
}
