//! Each error, as the SDK understands it.

use aws_sdk_cloudfront::operation::{
    create_invalidation::CreateInvalidationError,
    create_invalidation_for_distribution_tenant::CreateInvalidationForDistributionTenantError,
};

use super::*;

const DENIED: &str = "E3EXAMPLE3DENIED";
const UNKNOWN: &str = "E4EXAMPLE4UNKNOWN";

fn options() -> Options {
    Options {
        known: Some([id(SITE), id(DENIED), id(TENANT)].into()),
        denied: [id(DENIED)].into(),
        ..manual()
    }
}

/// A batch whose quantity is one too many.
fn inconsistent() -> InvalidationBatch {
    let paths = Paths::builder().quantity(2).items("/a").build().unwrap();
    InvalidationBatch::builder().paths(paths).caller_reference("r").build().unwrap()
}

#[tokio::test]
async fn distributions() {
    use CreateInvalidationError as Error;
    let simulator = start(options()).await;
    let client = client(&simulator.sdk_config());
    let too_large = vec!["/a"; 3_001];
    let too_many: Vec<String> = (0..16).map(|number| format!("/{number}*")).collect();
    type Question = fn(&Error) -> bool;
    let cases: [(&str, InvalidationBatch, u16, Question); 7] = [
        (SITE, inconsistent(), 400, Error::is_inconsistent_quantities),
        (SITE, batch("r", &too_large), 413, Error::is_batch_too_large),
        (SITE, batch("r", &["/a b"]), 400, Error::is_invalid_argument),
        (SITE, batch("", &["/a"]), 400, Error::is_invalid_argument),
        (SITE, batch("r", &too_many), 400, Error::is_too_many_invalidations_in_progress),
        (DENIED, batch("r", &["/a"]), 403, Error::is_access_denied),
        (UNKNOWN, batch("r", &["/a"]), 404, Error::is_no_such_distribution),
    ];
    for (target, batch, status, question) in cases {
        let call = client.create_invalidation().distribution_id(target);
        let error = call.invalidation_batch(batch).send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status, "{error:?}");
        assert!(question(error.as_service_error().unwrap()), "{error:?}");
    }
    assert!(simulator.invalidations().is_empty());
}

#[tokio::test]
async fn tenants() {
    use CreateInvalidationForDistributionTenantError as Error;
    let simulator = start(options()).await;
    let client = client(&simulator.sdk_config());
    let too_large = vec!["/a"; 3_001];
    type Question = fn(&Error) -> bool;
    let cases: [(&str, InvalidationBatch, u16, Question); 4] = [
        (TENANT, inconsistent(), 400, Error::is_inconsistent_quantities),
        (TENANT, batch("r", &too_large), 413, Error::is_batch_too_large),
        (TENANT, batch("r", &["#a,b"]), 400, Error::is_invalid_argument),
        ("dt_other", batch("r", &["/a"]), 404, Error::is_entity_not_found),
    ];
    for (target, batch, status, question) in cases {
        let call = client.create_invalidation_for_distribution_tenant().id(target);
        let error = call.invalidation_batch(batch).send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status, "{error:?}");
        assert!(question(error.as_service_error().unwrap()), "{error:?}");
    }
}

#[tokio::test]
async fn poison_is_refused_without_being_named() {
    let poison = |item: &str| item.contains("bad");
    let simulator = start(Options { poison, ..options() }).await;
    let client = client(&simulator.sdk_config());
    let refused = send(&client, SITE, batch("r", &["/good", "/bad", "/good2"])).await;
    assert_eq!(refused.unwrap_err(), "InvalidArgument");
    let Some(Call { reply: Reply::Refused { message, why, .. }, .. }) = simulator.requests().pop()
    else {
        panic!("no refusal");
    };
    assert!(!message.contains("bad"), "{message}");
    assert_eq!(why.as_deref(), Some("`/bad`: it is poison"));
    send(&client, SITE, batch("r", &["/good", "/good2"])).await.expect("the reference is unused");
}
