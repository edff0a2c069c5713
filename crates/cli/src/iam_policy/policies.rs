//! Least-privilege IAM policies for the rules.
//!
//! | policy | for whom |
//! |---|---|
//! | [`function`] | the function: invalidate what the rules name, assume their roles, write logs, read the queue |
//! | [`role`] | a `role_arn` of the rules, in its own account: invalidate what the rules name |
//! | [`trust`] | that role's trust policy: only the function may assume it |
//! | [`setup`] | a person who runs `init` and `check --aws`: read distributions |
//!
//! - Resources are exact ARNs. AWS's documentation does not say whether
//!   `CreateInvalidationForDistributionTenant` accepts a tenant's ARN as the
//!   resource. If AWS denies it, use [`TenantArns::Any`]: `*`, which allows
//!   invalidations of all tenants of the account and nothing else.
//! - For a target with a role, the function needs only `sts:AssumeRole`.
//! - No policy reads S3, because the events contain all that is needed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use s3_cloudfront_invalidator::{
    distribution::{DistributionId, Role},
    target::Target,
};

/// The account of the resources in a policy.
#[derive(Clone, Copy, Debug)]
pub struct PolicyAccount<'a> {
    pub partition: &'a str,
    pub account: &'a str,
}

impl PolicyAccount<'static> {
    /// The account of a CloudFormation stack.
    pub const STACK: Self = Self { partition: "${AWS::Partition}", account: "${AWS::AccountId}" };
}

impl PolicyAccount<'_> {
    fn arn(&self, service: &str, region: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{region}:{}:{resource}", self.partition, self.account)
    }
}

/// How a policy names distribution tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantArns {
    Exact,
    /// `*`
    Any,
}

#[derive(Clone, Copy, Debug)]
pub struct FunctionResources<'a> {
    pub region: &'a str,
    pub log_group: &'a str,
    /// The queue's name, in the same region and account.
    pub queue: Option<&'a str>,
}

/// The policy of the function's role.
pub fn function(
    targets: &[Target],
    account: PolicyAccount<'_>,
    tenants: TenantArns,
    FunctionResources { region, log_group, queue }: FunctionResources<'_>,
) -> Value {
    let mut statements = rules_statements(targets, account, tenants);
    let log_group = account.arn("logs", region, &format!("log-group:{log_group}:*"));
    statements.push(statement(
        "WriteLogs",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        &json!([log_group]),
    ));
    if let Some(queue) = queue {
        statements.push(statement(
            "ReadQueue",
            &[
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ],
            &json!([account.arn("sqs", region, queue)]),
        ));
    }
    policy(&statements)
}

/// The statements that depend on the rules; none if the rules have no target.
pub fn rules_statements(
    targets: &[Target],
    account: PolicyAccount<'_>,
    tenants: TenantArns,
) -> Vec<Value> {
    let own = targets.iter().filter(|target| target.distribution.role.is_none());
    let mut statements = invalidate(own, account, tenants);
    let roles: BTreeSet<&str> = roles(targets).map(|role| role.arn.as_str()).collect();
    if !roles.is_empty() {
        statements.push(statement("AssumeRoles", &["sts:AssumeRole"], &json!(roles)));
    }
    statements
}

/// The policy of the role `arn` in its own account. `None` if no target has it.
pub fn role(targets: &[Target], arn: &str, tenants: TenantArns) -> Option<Value> {
    // arn:PARTITION:iam::ACCOUNT:role/NAME
    let mut parts = arn.split(':');
    let account = PolicyAccount { partition: parts.nth(1)?, account: parts.nth(2)? };
    let has_role =
        |target: &&Target| target.distribution.role.as_ref().is_some_and(|role| role.arn == arn);
    let statements = invalidate(targets.iter().filter(has_role), account, tenants);
    (!statements.is_empty()).then(|| policy(&statements))
}

/// The trust policy of the role `arn`: `function_role` may assume it with the
/// external ids of the targets. `None` if no target has the role.
pub fn trust(targets: &[Target], arn: &str, function_role: &str) -> Option<Value> {
    let roles: BTreeSet<&Role> = roles(targets).filter(|role| role.arn == arn).collect();
    if roles.is_empty() {
        return None;
    }
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": {"AWS": function_role},
        "Action": "sts:AssumeRole",
    });
    // A target without an external id must be able to use the role, too.
    let ids: Option<Vec<&str>> = roles.iter().map(|role| role.external_id.as_deref()).collect();
    if let Some(ids) = ids {
        statement["Condition"] = json!({"StringEquals": {"sts:ExternalId": ids}});
    }
    Some(policy(&[statement]))
}

/// The policy of a person who runs `init` and `check --aws`. Both read all
/// distributions, and `ListDistributions` supports no narrower resource.
pub fn setup(account: PolicyAccount<'_>) -> Value {
    policy(&[
        statement("ListDistributions", &["cloudfront:ListDistributions"], &json!("*")),
        statement(
            "ReadDistributions",
            &["cloudfront:GetDistributionConfig"],
            &json!([account.arn("cloudfront", "", "distribution/*")]),
        ),
        statement(
            "ReadCachePolicies",
            &["cloudfront:GetCachePolicy"],
            &json!([account.arn("cloudfront", "", "cache-policy/*")]),
        ),
    ])
}

pub fn roles(targets: &[Target]) -> impl Iterator<Item = &Role> {
    targets.iter().filter_map(|target| target.distribution.role.as_ref())
}

fn invalidate<'a>(
    targets: impl Iterator<Item = &'a Target>,
    account: PolicyAccount<'_>,
    tenants: TenantArns,
) -> Vec<Value> {
    let (mut distribution_arns, mut tenant_arns) = (BTreeSet::new(), BTreeSet::new());
    for target in targets {
        let (arns, kind) = match target.distribution.id {
            DistributionId::Distribution(_) => (&mut distribution_arns, "distribution"),
            DistributionId::Tenant(_) => (&mut tenant_arns, "distribution-tenant"),
        };
        let id = target.distribution.id.as_str();
        arns.insert(account.arn("cloudfront", "", &format!("{kind}/{id}")));
    }
    let mut statements = Vec::new();
    if !distribution_arns.is_empty() {
        statements.push(statement(
            "InvalidateDistributions",
            &["cloudfront:CreateInvalidation"],
            &json!(distribution_arns),
        ));
    }
    if !tenant_arns.is_empty() {
        statements.push(statement(
            "InvalidateTenants",
            &["cloudfront:CreateInvalidationForDistributionTenant"],
            &match tenants {
                TenantArns::Exact => json!(tenant_arns),
                TenantArns::Any => json!("*"),
            },
        ));
    }
    statements
}

fn statement(sid: &str, actions: &[&str], resource: &Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource})
}

fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3_cloudfront_invalidator::{
        distribution::Distribution, item::PathSettings, target::Excluded,
    };

    const ACCOUNT: PolicyAccount<'_> = PolicyAccount { partition: "aws", account: "111122223333" };
    const PARTNER: &str = "arn:aws-cn:iam::444455556666:role/invalidator";

    fn target(id: &str, role: Option<(&str, Option<&str>)>) -> Target {
        let id = DistributionId::distribution(id)
            .or_else(|_| DistributionId::tenant(id))
            .expect("an id");
        let role = role.map(|(arn, external_id)| Role {
            arn: arn.to_owned(),
            external_id: external_id.map(str::to_owned),
        });
        Target {
            name: id.as_str().into(),
            distribution: Distribution { id, role },
            paths: PathSettings::default(),
            collapse: None,
            excluded: Excluded::default(),
        }
    }

    fn targets() -> Vec<Target> {
        vec![
            target("E2EXAMPLE2BLOG", None),
            target("E1EXAMPLE1WWW", None),
            target("E1EXAMPLE1WWW", None),
            target("dt_EXAMPLE", None),
            target("E3EXAMPLE3", Some((PARTNER, Some("s3cr3t")))),
            target("dt_OTHER", Some((PARTNER, Some("other")))),
        ]
    }

    /// The resources of the statements. tests/cmd/setup has whole policies.
    fn resources(policy: &Value) -> Vec<&Value> {
        let statements = policy["Statement"].as_array().expect("statements");
        statements.iter().map(|statement| &statement["Resource"]).collect()
    }

    #[test]
    fn resources_are_exact_and_listed_once() {
        let resources_of_function =
            FunctionResources { region: "eu-west-1", log_group: "/logs", queue: Some("changes") };
        let policy = |tenants| function(&targets(), ACCOUNT, tenants, resources_of_function);
        let cloudfront = "arn:aws:cloudfront::111122223333";
        let distributions = json!([
            format!("{cloudfront}:distribution/E1EXAMPLE1WWW"),
            format!("{cloudfront}:distribution/E2EXAMPLE2BLOG"),
        ]);
        assert_eq!(
            resources(&policy(TenantArns::Exact)),
            [
                &distributions,
                &json!([format!("{cloudfront}:distribution-tenant/dt_EXAMPLE")]),
                &json!([PARTNER]),
                &json!(["arn:aws:logs:eu-west-1:111122223333:log-group:/logs:*"]),
                &json!(["arn:aws:sqs:eu-west-1:111122223333:changes"]),
            ]
        );
        assert_eq!(resources(&policy(TenantArns::Any))[..2], [&distributions, &json!("*")]);
        assert_eq!(rules_statements(&[], ACCOUNT, TenantArns::Exact), Vec::<Value>::new());
    }

    #[test]
    fn a_role_invalidates_in_its_own_account_and_partition() {
        let policy = role(&targets(), PARTNER, TenantArns::Exact).expect("a role of the targets");
        let cloudfront = "arn:aws-cn:cloudfront::444455556666";
        assert_eq!(
            resources(&policy),
            [
                &json!([format!("{cloudfront}:distribution/E3EXAMPLE3")]),
                &json!([format!("{cloudfront}:distribution-tenant/dt_OTHER")]),
            ]
        );
        assert_eq!(role(&targets(), "arn:aws:iam::1:role/x", TenantArns::Exact), None);
    }

    #[test]
    fn trust_requires_the_external_id_if_every_target_has_one() {
        let function_role = "arn:aws:iam::111122223333:role/function";
        let condition = |targets: &[Target]| {
            trust(targets, PARTNER, function_role).expect("a role of the targets")["Statement"][0]
                .get("Condition")
                .cloned()
        };
        let mut targets = targets();
        assert_eq!(
            condition(&targets),
            Some(json!({"StringEquals": {"sts:ExternalId": ["other", "s3cr3t"]}}))
        );
        targets.push(target("E4EXAMPLE4", Some((PARTNER, None))));
        assert_eq!(condition(&targets), None);
        assert_eq!(trust(&targets, "arn:aws:iam::1:role/x", function_role), None);
    }
}
