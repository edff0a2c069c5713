//! What succeeds, and what is remembered of it.

use aws_sdk_cloudfront::types::InvalidationSummary;

use super::*;

#[tokio::test]
async fn an_invalidation_is_created_recorded_and_completed() {
    let simulator = start(Options { completion: seconds(10.0), ..manual() }).await;
    let client = client(&simulator.sdk_config());
    simulator.advance(seconds(5.0));
    let items = ["/a&b", "/dir/*", "#tag", "/a%20b"];
    let created = send(&client, SITE, batch("ref <1>", &items)).await.unwrap();
    assert_eq!(created.status, "InProgress");
    let sent = created.invalidation_batch.unwrap();
    assert_eq!(sent.caller_reference, "ref <1>");
    assert_eq!(sent.paths.unwrap().items.unwrap(), items);
    assert_eq!(
        std::time::SystemTime::try_from(created.create_time).unwrap(),
        truncated(simulator.clock().date(seconds(5.0)))
    );
    assert_eq!(
        simulator.invalidations(),
        [Recorded {
            distribution: id(SITE),
            id: created.id.clone(),
            caller_reference: "ref <1>".to_owned(),
            items: items.map(str::to_owned).to_vec(),
            accepted_at: seconds(5.0),
            role: None,
        }]
    );

    let get = || client.get_invalidation().distribution_id(SITE).id(&created.id).send();
    assert_eq!(get().await.unwrap().invalidation.unwrap().status, "InProgress");
    simulator.advance(seconds(9.9));
    assert_eq!(get().await.unwrap().invalidation.unwrap().status, "InProgress");
    simulator.advance(seconds(0.1));
    let completed = get().await.unwrap().invalidation.unwrap();
    assert_eq!((completed.id, &*completed.status), (created.id, "Completed"));
    assert_eq!(completed.invalidation_batch.unwrap(), sent_again(&items));
}

fn sent_again(items: &[&str]) -> InvalidationBatch {
    batch("ref <1>", items)
}

/// AWS writes milliseconds.
fn truncated(date: std::time::SystemTime) -> std::time::SystemTime {
    let since = date.duration_since(std::time::UNIX_EPOCH).unwrap();
    let millis = u64::try_from(since.as_millis()).unwrap();
    std::time::UNIX_EPOCH + Duration::from_millis(millis)
}

#[tokio::test]
async fn the_request_is_kept_as_it_came() {
    let simulator = start(manual()).await;
    let client = client(&simulator.sdk_config());
    let created = send(&client, SITE, batch("r", &["/a&b"])).await.unwrap();
    let calls = simulator.requests();
    assert_eq!(
        calls,
        [Call {
            at: Duration::ZERO,
            operation: Operation::CreateInvalidation,
            method: "POST".to_owned(),
            path: format!("/2020-05-31/distribution/{SITE}/invalidation"),
            body: "<InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Paths><Quantity>1</Quantity><Items><Path>/a&amp;b</Path></Items></Paths><CallerReference>r</CallerReference></InvalidationBatch>".to_owned(),
            role: None,
            reply: Reply::Created { id: created.id },
        }]
    );
}

#[tokio::test]
async fn tenants_are_apart_from_distributions() {
    let simulator = start(Options { completion: seconds(1.0), ..manual() }).await;
    let client = client(&simulator.sdk_config());
    send(&client, SITE, batch("r", &["/a"])).await.unwrap();
    let created = send(&client, TENANT, batch("r", &["/b"])).await.unwrap();
    let recorded = simulator.invalidations();
    assert_eq!(recorded[1].distribution, DistributionId::Tenant(TENANT.to_owned()));
    assert_ne!(recorded[0].id, recorded[1].id);

    let get = client.get_invalidation_for_distribution_tenant();
    let got = get.distribution_tenant_id(TENANT).id(&created.id).send().await.unwrap();
    assert_eq!(got.invalidation.unwrap().status, "InProgress");
    let list = client.list_invalidations_for_distribution_tenant().id(TENANT).send().await.unwrap();
    let list = list.invalidation_list.unwrap();
    assert_eq!(ids(list.items()), [&*created.id]);
    let elsewhere = client.get_invalidation().distribution_id(SITE).id(&created.id).send().await;
    assert_eq!(code(&elsewhere.unwrap_err()), "NoSuchInvalidation");
}

fn ids(summaries: &[InvalidationSummary]) -> Vec<&str> {
    summaries.iter().map(|summary| &*summary.id).collect()
}

#[tokio::test]
async fn lists_come_in_pages_newest_first() {
    let simulator = start(Options { completion: seconds(10.0), ..manual() }).await;
    let client = client(&simulator.sdk_config());
    let list = |marker: Option<String>, max: i32| {
        let call = client.list_invalidations().distribution_id(SITE).set_marker(marker);
        call.max_items(max).send()
    };
    let empty = list(None, 2).await.unwrap().invalidation_list.unwrap();
    assert!(empty.items().is_empty() && !empty.is_truncated && empty.next_marker.is_none());

    let mut created = Vec::new();
    for number in 0..5 {
        let batch = batch(&number.to_string(), &["/a"]);
        created.insert(0, send(&client, SITE, batch).await.unwrap().id);
        simulator.advance(seconds(4.0));
    }
    let (mut seen, mut marker, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = list(marker.clone(), 2).await.unwrap().invalidation_list.unwrap();
        assert_eq!(page.quantity as usize, page.items().len());
        assert_eq!((page.max_items, &*page.marker), (2, &*marker.unwrap_or_default()));
        seen.extend(page.items().iter().map(|item| (item.id.clone(), item.status.clone())));
        pages += 1;
        assert_eq!(page.is_truncated, page.next_marker.is_some());
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    let expected: Vec<(String, String)> = created
        .into_iter()
        .zip(["InProgress", "InProgress", "Completed", "Completed", "Completed"])
        .map(|(id, status)| (id, status.to_owned()))
        .collect();
    assert_eq!((seen, pages), (expected, 3));

    for (marker, max) in [(None, 0), (None, -1), (Some("I0NOWHERE"), 2)] {
        let refused = list(marker.map(str::to_owned), max).await.unwrap_err();
        assert_eq!(code(&refused), "InvalidArgument", "{marker:?} {max}");
    }
    assert_eq!(simulator.requests().pop().unwrap().operation, Operation::ListInvalidations);
}

#[tokio::test]
async fn the_same_reference_and_items_are_the_same_invalidation() {
    let simulator = start(Options { completion: seconds(10.0), ..manual() }).await;
    let client = client(&simulator.sdk_config());
    let first = send(&client, SITE, batch("r", &["/a", "/b*"])).await.unwrap();
    simulator.advance(seconds(10.0));
    let again = send(&client, SITE, batch("r", &["/b*", "/a", "/a"])).await.unwrap();
    assert_eq!((&again.id, &*again.status), (&first.id, "Completed"));
    assert_eq!(again.create_time, first.create_time);
    let elsewhere = send(&client, BLOG, batch("r", &["/c"])).await.unwrap();
    assert_ne!(elsewhere.id, first.id);
    assert_eq!(
        simulator.counters(),
        Counters {
            calls: 3,
            create_calls: 3,
            created: 2,
            replayed: 1,
            invalidations: 2,
            billed_paths: 3,
            wildcards: 1,
            ..Counters::default()
        }
    );
}

#[tokio::test]
async fn a_used_reference_with_other_items_is_refused() {
    use ReusedReference::{AlreadyExists, AlwaysInvalidArgument, InvalidArgument};
    for (reused_reference, same, other) in [
        (AlreadyExists, "ok", "InvalidationBatchAlreadyExists"),
        (InvalidArgument, "ok", "InvalidArgument"),
        (AlwaysInvalidArgument, "InvalidArgument", "InvalidArgument"),
    ] {
        let simulator = start(Options { reused_reference, ..manual() }).await;
        let client = client(&simulator.sdk_config());
        send(&client, SITE, batch("r", &["/a"])).await.unwrap();
        for (items, expected) in [("/a", same), ("/b", other)] {
            let sent = send(&client, SITE, batch("r", &[items])).await;
            let code = sent.map_or_else(|code| code, |_| "ok".to_owned());
            assert_eq!(code, expected, "{reused_reference:?} {items}");
            if let Some(Call { reply: Reply::Refused { message, .. }, .. }) =
                simulator.requests().last()
            {
                assert!(message.contains("caller reference"), "{message}");
            }
        }
        assert_eq!(simulator.invalidations().len(), 1);
    }
}

#[tokio::test]
async fn counters_tell_tags_wildcards_and_refusals() {
    let simulator = start(manual()).await;
    let client = client(&simulator.sdk_config());
    send(&client, SITE, batch("1", &["/a", "/a*", "#t*", "#u"])).await.unwrap();
    send(&client, SITE, batch("2", &["/~"])).await.unwrap_err();
    send(&client, SITE, batch("3", &["a"])).await.unwrap_err();
    let counters = simulator.counters();
    assert_eq!((counters.billed_paths, counters.wildcards, counters.tags), (4, 1, 2));
    assert_eq!(counters.refused, [("InvalidArgument".to_owned(), 2)].into());
}
