//! Roles, and the credentials that AssumeRole returns.

use aws_sdk_cloudfront::config::SharedCredentialsProvider;

use aws_config::sts::AssumeRoleProvider;
use aws_sdk_cloudfront::config::ProvideCredentials;

use super::*;

const ROLE: &str = "arn:aws:iam::444455556666:role/invalidator";

fn start_with_role() -> (Simulator, Client) {
    let grant = RoleGrant {
        arn: ROLE.to_owned(),
        external_id: Some("s3cr3t".to_owned()),
        distributions: [BLOG, TENANT].map(str::to_owned).into(),
    };
    start(SimulatorOptions { roles: vec![grant], ..Default::default() })
}

/// A client with the credentials of a role; `None` if the role is denied.
async fn assume(simulator: &Simulator, role: &str, external_id: &str) -> Option<Client> {
    let config = simulator.sdk_config();
    let builder = AssumeRoleProvider::builder(role).configure(&config).session_name("session");
    let provider = builder.external_id(external_id).build().await;
    let credentials = provider.provide_credentials().await.ok()?;
    let provider = SharedCredentialsProvider::new(credentials);
    Some(client(&config.into_builder().credentials_provider(provider).build()))
}

#[tokio::test(start_paused = true)]
async fn a_role_may_use_what_it_is_granted_and_nothing_else() {
    let (simulator, own) = start_with_role();
    let role = assume(&simulator, ROLE, "s3cr3t").await.unwrap();
    assert_eq!(simulator.calls()[0].operation, Operation::AssumeRole);
    for (client, target, expected) in [
        (&own, BLOG, "AccessDenied"),
        (&own, SITE, "ok"),
        (&role, BLOG, "ok"),
        (&role, TENANT, "ok"),
        (&role, SITE, "AccessDenied"),
    ] {
        assert_eq!(result(client, target, "r", &["/a"]).await, expected, "{target}");
    }
    let message = last_refusal(&simulator).1;
    assert!(
        message.starts_with("User: arn:aws:sts::444455556666:assumed-role/invalidator/session "),
        "{message}"
    );
    let roles: Vec<_> = simulator.invalidations().into_iter().map(|one| one.role).collect();
    assert_eq!(roles, [None, Some(ROLE.to_owned()), Some(ROLE.to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_role_and_a_wrong_external_id_are_denied() {
    let (simulator, _) = start_with_role();
    for (role, external_id) in [(ROLE, "wrong"), ("arn:aws:iam::444455556666:role/other", "s3cr3t")]
    {
        assert!(assume(&simulator, role, external_id).await.is_none(), "{role} {external_id}");
        assert_eq!(last_refusal(&simulator).0, 403);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_of_a_role_expire() {
    let (simulator, _) = start_with_role();
    let client = assume(&simulator, ROLE, "s3cr3t").await.unwrap();
    advance(seconds(3_599.0)).await;
    assert_eq!(result(&client, BLOG, "1", &["/a"]).await, "ok");
    advance(seconds(1.0)).await;
    assert_eq!(result(&client, BLOG, "2", &["/a"]).await, "ExpiredToken");
}
