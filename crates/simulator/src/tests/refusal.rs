//! Each error, and which of several errors is returned.

use aws_sdk_cloudfront::config::{Credentials, SharedCredentialsProvider};

use super::*;

const DENIED: &str = "E3EXAMPLE3DENIED";
const UNKNOWN: &str = "E4EXAMPLE4UNKNOWN";

fn options() -> SimulatorOptions {
    SimulatorOptions {
        known: Some([SITE, DENIED, TENANT].map(str::to_owned).into()),
        denied: [DENIED.to_owned()].into(),
        ..Default::default()
    }
}

/// A batch whose quantity is too high by one.
fn inconsistent() -> InvalidationBatch {
    let paths = Paths::builder().quantity(2).items("/a").build().unwrap();
    InvalidationBatch::builder().paths(paths).caller_reference("r").build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn errors() {
    let (simulator, client) = start(options());
    let wildcards: Vec<String> = (0..16).map(|number| format!("/{number}*")).collect();
    for (target, batch, status, expected) in [
        (SITE, inconsistent(), 400, "InconsistentQuantities"),
        (SITE, batch("r", &["/a"; 3_001]), 413, "BatchTooLarge"),
        (SITE, batch("r", &["/a b"]), 400, "InvalidArgument"),
        (SITE, batch("", &["/a"]), 400, "InvalidArgument"),
        (SITE, batch("r", &wildcards), 400, "TooManyInvalidationsInProgress"),
        (DENIED, batch("r", &["/a"]), 403, "AccessDenied"),
        (UNKNOWN, batch("r", &["/a"]), 404, "NoSuchDistribution"),
        ("E1/../E2", batch("r", &["/a"]), 404, "NoSuchDistribution"),
        (TENANT, inconsistent(), 400, "InconsistentQuantities"),
        (TENANT, batch("r", &["/a"; 3_001]), 413, "BatchTooLarge"),
        (TENANT, batch("r", &["#a,b"]), 400, "InvalidArgument"),
        ("dt_other", batch("r", &["/a"]), 404, "EntityNotFound"),
    ] {
        assert_eq!(send(&client, target, batch).await.unwrap_err(), expected, "{target}");
        assert_eq!(last_refusal(&simulator).0, status, "{target}: {expected}");
    }
    assert_eq!(simulator.invalidations(), []);
}

#[tokio::test(start_paused = true)]
async fn the_first_failed_check_is_the_response() {
    let (simulator, own) = start(SimulatorOptions {
        request_rate: Some(RequestRate { per_second: 0.5, burst: 1 }),
        in_progress: Some(InProgress { paths: 1, wildcards: 0 }),
        completion: seconds(60.0),
        ..options()
    });
    let config = simulator.sdk_config();
    let credentials = Credentials::new("STRANGER", "secret", None, None, "stranger");
    let provider = SharedCredentialsProvider::new(credentials);
    let stranger = client(&config.into_builder().credentials_provider(provider).build());
    for (wait, client, fault, target, reference, items, expected) in [
        (0.0, &own, None, SITE, "r", &["/a"][..], "ok"),
        (0.0, &stranger, Some(Fault::Unavailable), DENIED, "", &["a"], "InvalidClientTokenId"),
        (0.0, &own, None, DENIED, "", &["a"], "ServiceUnavailable"),
        (0.0, &own, None, DENIED, "", &["a"], "Throttling"),
        (2.0, &own, None, DENIED, "", &["a"], "AccessDenied"),
        (2.0, &own, None, UNKNOWN, "", &["a"], "NoSuchDistribution"),
        (2.0, &own, None, SITE, "r", &["a"], "InvalidArgument"),
        (2.0, &own, None, SITE, "r", &["/b*"], "InvalidationBatchAlreadyExists"),
        (2.0, &own, None, SITE, "s", &["/b*"], "TooManyInvalidationsInProgress"),
    ] {
        advance(seconds(wait)).await;
        simulator.fail_next(fault);
        assert_eq!(result(client, target, reference, items).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn messages_name_caller_action_and_resource_but_not_the_path() {
    let options = SimulatorOptions {
        denied: [TENANT.to_owned()].into(),
        poison: |item| item.contains("bad"),
        ..Default::default()
    };
    let (simulator, client) = start(options);
    result(&client, TENANT, "r", &["/a"]).await;
    assert_eq!(
        last_refusal(&simulator).1,
        "User: arn:aws:sts::111122223333:assumed-role/simulator/function is not authorized to perform: cloudfront:CreateInvalidationForDistributionTenant on resource: arn:aws:cloudfront::111122223333:distribution-tenant/dt_2EXAMPLE1abcd because no identity-based policy allows the cloudfront:CreateInvalidationForDistributionTenant action"
    );
    result(&client, SITE, "r", &["/good", "/bad"]).await;
    let (_, message, why) = last_refusal(&simulator);
    assert!(!message.contains("bad"), "{message}");
    assert_eq!(why, "`/bad`: it is poison");
    assert_eq!(result(&client, SITE, "r", &["/good"]).await, "ok");
}
