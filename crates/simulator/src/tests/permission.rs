//! Who may touch what: existence, permissions, roles.

use aws_config::sts::AssumeRoleProvider;
use aws_sdk_cloudfront::config::{Credentials, ProvideCredentials};

use super::*;
use s3_cloudfront_invalidator::distribution::Role;

const ROLE: &str = "arn:aws:iam::444455556666:role/team/invalidator";

/// One role for the blog and the tenant, asked for with an external id.
fn with_role() -> Options {
    let role = Role { arn: ROLE.to_owned(), external_id: Some("s3cr3t".to_owned()) };
    let distributions = [id(BLOG), id(TENANT)].into();
    Options { roles: vec![RoleGrant { role, distributions }], ..manual() }
}

async fn assume(
    simulator: &Simulator,
    role: &str,
    external_id: Option<&str>,
) -> Result<Credentials, String> {
    let mut builder = AssumeRoleProvider::builder(role)
        .configure(&simulator.sdk_config())
        .session_name("invalidator");
    if let Some(external_id) = external_id {
        builder = builder.external_id(external_id);
    }
    let provided = builder.build().await.provide_credentials().await;
    provided.map_err(|_| last_refusal(simulator).1)
}

fn with_credentials(simulator: &Simulator, credentials: Credentials) -> SdkConfig {
    let provider = SharedCredentialsProvider::new(credentials);
    simulator.sdk_config().into_builder().credentials_provider(provider).build()
}

#[tokio::test]
async fn only_known_distributions_exist() {
    let known = Some([id(SITE), id(TENANT)].into());
    let simulator = start(Options { known, ..manual() }).await;
    let client = client(&simulator.sdk_config());
    for (target, expected) in
        [(SITE, "ok"), (TENANT, "ok"), (BLOG, "NoSuchDistribution"), ("dt_other", "EntityNotFound")]
    {
        let sent = send(&client, target, batch("r", &["/a"])).await;
        assert_eq!(sent.map_or_else(|code| code, |_| "ok".to_owned()), expected, "{target}");
        if expected != "ok" {
            assert_eq!(last_refusal(&simulator).0, 404);
        }
    }
    let listed = client.list_invalidations().distribution_id(BLOG).send().await;
    assert_eq!(code(&listed.unwrap_err()), "NoSuchDistribution");
    let got = client.get_invalidation().distribution_id(BLOG).id("I1").send().await;
    assert_eq!(code(&got.unwrap_err()), "NoSuchDistribution");
}

#[tokio::test]
async fn an_id_of_the_wrong_form_exists_nowhere() {
    let simulator = start(manual()).await;
    let client = client(&simulator.sdk_config());
    for id in ["nonsense", "E1/../E2", "dt_2EXAMPLE1abcd"] {
        let call = client.create_invalidation().distribution_id(id);
        let refused = call.invalidation_batch(batch("r", &["/a"])).send().await.unwrap_err();
        assert_eq!(code(&refused), "NoSuchDistribution", "{id}");
    }
}

#[tokio::test]
async fn a_denied_distribution_names_caller_action_and_resource() {
    let denied = [id(SITE), id(TENANT)].into();
    let simulator = start(Options { denied, known: Some([].into()), ..manual() }).await;
    let client = client(&simulator.sdk_config());
    for (target, action, resource) in [
        (SITE, "cloudfront:CreateInvalidation", "distribution/E1EXAMPLE1WWW"),
        (
            TENANT,
            "cloudfront:CreateInvalidationForDistributionTenant",
            "distribution-tenant/dt_2EXAMPLE1abcd",
        ),
    ] {
        assert_eq!(send(&client, target, batch("r", &["/a"])).await.unwrap_err(), "AccessDenied");
        let Some(Call { reply: Reply::Refused { status, message, .. }, .. }) =
            simulator.requests().pop()
        else {
            panic!("no refusal");
        };
        assert_eq!(status, 403);
        assert_eq!(
            message,
            format!(
                "User: arn:aws:sts::111122223333:assumed-role/simulator/function is not authorized to perform: {action} on resource: arn:aws:cloudfront::111122223333:{resource} because no identity-based policy allows the {action} action"
            )
        );
    }
}

#[tokio::test]
async fn a_role_may_touch_what_it_is_granted_and_nothing_else() {
    let simulator = start(with_role()).await;
    let own = client(&simulator.sdk_config());
    assert_eq!(send(&own, BLOG, batch("r", &["/a"])).await.unwrap_err(), "AccessDenied");
    send(&own, SITE, batch("r", &["/a"])).await.unwrap();

    let credentials = assume(&simulator, ROLE, Some("s3cr3t")).await.unwrap();
    let role = client(&with_credentials(&simulator, credentials));
    for target in [BLOG, TENANT] {
        send(&role, target, batch("r", &["/a"])).await.unwrap();
        assert_eq!(simulator.invalidations().pop().unwrap().role.as_deref(), Some(ROLE));
    }
    assert_eq!(send(&role, SITE, batch("r", &["/a"])).await.unwrap_err(), "AccessDenied");
    let Some(Call { role, reply: Reply::Refused { message, .. }, .. }) = simulator.requests().pop()
    else {
        panic!("no refusal");
    };
    assert_eq!(role.as_deref(), Some(ROLE));
    assert!(
        message
            .starts_with("User: arn:aws:sts::444455556666:assumed-role/invalidator/invalidator "),
        "{message}"
    );
}

#[tokio::test]
async fn a_role_is_given_to_who_knows_it() {
    let simulator = start(with_role()).await;
    for (role, external_id, expected) in [
        (ROLE, Some("s3cr3t"), "ok"),
        (ROLE, Some("wrong"), "AccessDenied"),
        (ROLE, None, "AccessDenied"),
        ("arn:aws:iam::444455556666:role/other", Some("s3cr3t"), "AccessDenied"),
    ] {
        let assumed = assume(&simulator, role, external_id).await;
        let code = assumed.map_or_else(|code| code, |_| "ok".to_owned());
        assert_eq!(code, expected, "{role} {external_id:?}");
        assert_eq!(simulator.requests().pop().unwrap().operation, Operation::AssumeRole);
    }
}

#[tokio::test]
async fn credentials_of_a_role_expire() {
    let simulator = start(with_role()).await;
    let credentials = assume(&simulator, ROLE, Some("s3cr3t")).await.unwrap();
    let lasts =
        credentials.expiry().unwrap().duration_since(simulator.clock().date(Duration::ZERO));
    assert_eq!(lasts.unwrap().as_secs_f64().round(), 3_600.0);
    let client = client(&with_credentials(&simulator, credentials));
    simulator.advance(seconds(3_599.0));
    send(&client, BLOG, batch("r", &["/a"])).await.unwrap();
    simulator.advance(seconds(1.0));
    assert_eq!(send(&client, BLOG, batch("r", &["/a"])).await.unwrap_err(), "ExpiredToken");
}

#[tokio::test]
async fn strangers_and_other_regions_are_refused() {
    let simulator = start(manual()).await;
    let config = simulator.sdk_config();
    let stranger = |key: &str, token: Option<&str>| {
        let credentials =
            Credentials::new(key, "secret", token.map(str::to_owned), None, "stranger");
        with_credentials(&simulator, credentials)
    };
    let ireland = config.clone().into_builder().region(Region::from_static("eu-west-1")).build();
    for (config, expected) in [
        (stranger("STRANGER", None), "InvalidClientTokenId"),
        (stranger(ACCESS_KEY_ID, None), "InvalidClientTokenId"),
        (stranger(ACCESS_KEY_ID, Some("wrong")), "InvalidClientTokenId"),
        (ireland, "SignatureDoesNotMatch"),
    ] {
        let refused = send(&client(&config), SITE, batch("r", &["/a"])).await.unwrap_err();
        assert_eq!((refused.as_str(), last_refusal(&simulator).0), (expected, 403));
    }
    assert!(simulator.invalidations().is_empty());
}

#[tokio::test]
async fn the_environment_is_what_a_child_process_needs() {
    let simulator = start(manual()).await;
    let environment: std::collections::BTreeMap<_, _> =
        simulator.environment().into_iter().collect();
    let config = simulator.sdk_config();
    let provider = config.credentials_provider().unwrap();
    let credentials = provider.provide_credentials().await.unwrap();
    for (name, expected) in [
        ("AWS_ENDPOINT_URL_CLOUDFRONT", config.endpoint_url().unwrap()),
        ("AWS_ENDPOINT_URL_STS", config.endpoint_url().unwrap()),
        ("AWS_REGION", config.region().unwrap().as_ref()),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key()),
        ("AWS_SESSION_TOKEN", credentials.session_token().unwrap()),
    ] {
        assert_eq!(environment.get(name).map(String::as_str), Some(expected), "{name}");
    }
}
