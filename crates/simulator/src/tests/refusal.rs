//! Each error as the SDK reads it, and which of several errors is returned.

use aws_sdk_cloudfront::operation::{
    create_invalidation::CreateInvalidationError,
    create_invalidation_for_distribution_tenant::CreateInvalidationForDistributionTenantError,
};

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
async fn errors_of_distributions() {
    use CreateInvalidationError as Error;
    let (simulator, client) = start(options());
    let wildcards: Vec<String> = (0..16).map(|number| format!("/{number}*")).collect();
    type IsExpected = fn(&Error) -> bool;
    let cases: [(&str, InvalidationBatch, u16, IsExpected); 8] = [
        (SITE, inconsistent(), 400, Error::is_inconsistent_quantities),
        (SITE, batch("r", &["/a"; 3_001]), 413, Error::is_batch_too_large),
        (SITE, batch("r", &["/a b"]), 400, Error::is_invalid_argument),
        (SITE, batch("", &["/a"]), 400, Error::is_invalid_argument),
        (SITE, batch("r", &wildcards), 400, Error::is_too_many_invalidations_in_progress),
        (DENIED, batch("r", &["/a"]), 403, Error::is_access_denied),
        (UNKNOWN, batch("r", &["/a"]), 404, Error::is_no_such_distribution),
        ("E1/../E2", batch("r", &["/a"]), 404, Error::is_no_such_distribution),
    ];
    for (target, batch, status, is_expected) in cases {
        let call = client.create_invalidation().distribution_id(target);
        let error = call.invalidation_batch(batch).send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status, "{error:?}");
        assert!(is_expected(error.as_service_error().unwrap()), "{error:?}");
    }
    assert_eq!(simulator.invalidations(), []);
}

#[tokio::test(start_paused = true)]
async fn errors_of_tenants() {
    use CreateInvalidationForDistributionTenantError as Error;
    let (_, client) = start(options());
    type IsExpected = fn(&Error) -> bool;
    let cases: [(&str, InvalidationBatch, IsExpected); 4] = [
        (TENANT, inconsistent(), Error::is_inconsistent_quantities),
        (TENANT, batch("r", &["/a"; 3_001]), Error::is_batch_too_large),
        (TENANT, batch("r", &["#a,b"]), Error::is_invalid_argument),
        ("dt_other", batch("r", &["/a"]), Error::is_entity_not_found),
    ];
    for (target, batch, is_expected) in cases {
        let call = client.create_invalidation_for_distribution_tenant().id(target);
        let error = call.invalidation_batch(batch).send().await.unwrap_err();
        assert!(is_expected(error.as_service_error().unwrap()), "{error:?}");
    }
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
