//! The least IAM policies for the rules.
//!
//! | policy | for whom |
//! |---|---|
//! | [`function`] | the function: invalidate what the rules name, assume their roles, write logs, read the queue |
//! | [`assumed_role`] | a `role_arn` of the rules, in its own account: invalidate what the rules name |
//! | [`trust`] | that role's trust policy: the function alone may assume it |
//! | [`setup`] | a person who runs `init` and `check --aws`: read distributions |
//!
//! - Resources are exact ARNs. Whether `CreateInvalidationForDistributionTenant`
//!   can be limited to a tenant's ARN is not settled by AWS's documentation:
//!   where AWS denies it, [`Tenants::All`] gives `*`, which lets the holder
//!   invalidate every tenant of its account and nothing else.
//! - A target with a role needs nothing of the function but `sts:AssumeRole`.
//! - Nothing reads S3: the events carry all that is needed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use s3_cloudfront_invalidator::{
    distribution::{DistributionId, Role},
    rules::Target,
};

/// The account whose resources a policy names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: &'a str,
    /// The account's twelve digits.
    pub account: &'a str,
}

impl Place<'static> {
    /// The account a CloudFormation stack is made in.
    pub const STACK: Self = Self { partition: "${AWS::Partition}", account: "${AWS::AccountId}" };
}

/// How tenants are named in a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tenants {
    /// By their ARNs.
    #[default]
    Exact,
    /// All of the account, by `*`.
    All,
}

/// What belongs to the function besides the rules.
#[derive(Clone, Copy, Debug)]
pub struct Function<'a> {
    /// The region it runs in.
    pub region: &'a str,
    /// Its log group.
    pub log_group: &'a str,
    /// The name of the queue it reads, in the same region and account.
    pub queue: Option<&'a str>,
}

/// The policy of the function's own role.
pub fn function(
    targets: &[Target],
    place: Place<'_>,
    tenants: Tenants,
    function: Function<'_>,
) -> Value {
    let Place { partition, account } = place;
    let Function { region, log_group, queue } = function;
    let mut statements = rules_statements(targets, place, tenants);
    statements.push(statement(
        "WriteLogs",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        &json!([format!("arn:{partition}:logs:{region}:{account}:log-group:{log_group}:*")]),
    ));
    if let Some(queue) = queue {
        statements.push(statement(
            "ReadQueue",
            &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            &json!([format!("arn:{partition}:sqs:{region}:{account}:{queue}")]),
        ));
    }
    policy(&statements)
}

/// The statements that follow from the rules alone; none when the rules name
/// nothing to invalidate.
pub fn rules_statements(targets: &[Target], place: Place<'_>, tenants: Tenants) -> Vec<Value> {
    let own = targets.iter().filter(|target| target.distribution.role.is_none());
    let mut statements = invalidate(own, place, tenants);
    let roles: BTreeSet<&str> = roles(targets).map(|role| role.arn.as_str()).collect();
    if !roles.is_empty() {
        statements.push(statement("AssumeRoles", &["sts:AssumeRole"], &json!(roles)));
    }
    statements
}

/// The policy of the role `arn`, which targets name, in the account it is of.
pub fn assumed_role(targets: &[Target], arn: &str, tenants: Tenants) -> Option<Value> {
    let served: Vec<&Target> = targets
        .iter()
        .filter(|target| target.distribution.role.as_ref().is_some_and(|role| role.arn == arn))
        .collect();
    let statements = invalidate(served, role_place(arn)?, tenants);
    (!statements.is_empty()).then(|| policy(&statements))
}

/// The trust policy of the role `arn`, which targets name: `function_role` may
/// assume it if it sends the external id, where targets have one.
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
    // A target without an external id must be able to assume the role, too.
    let ids: Option<Vec<&str>> = roles.iter().map(|role| role.external_id.as_deref()).collect();
    if let Some(ids) = ids {
        statement["Condition"] = json!({"StringEquals": {"sts:ExternalId": ids}});
    }
    Some(policy(&[statement]))
}

/// The policy of a person who runs `init` and `check --aws`. Both look at
/// every distribution, and `ListDistributions` takes no narrower resource.
pub fn setup(place: Place<'_>) -> Value {
    let Place { partition, account } = place;
    policy(&[
        statement("ListDistributions", &["cloudfront:ListDistributions"], &json!("*")),
        statement(
            "ReadDistributions",
            &["cloudfront:GetDistributionConfig"],
            &json!([format!("arn:{partition}:cloudfront::{account}:distribution/*")]),
        ),
    ])
}

/// The roles that targets name.
pub fn roles(targets: &[Target]) -> impl Iterator<Item = &Role> {
    targets.iter().filter_map(|target| target.distribution.role.as_ref())
}

/// The partition and account of `arn:PARTITION:iam::ACCOUNT:role/NAME`.
fn role_place(arn: &str) -> Option<Place<'_>> {
    let mut parts = arn.split(':').skip(1);
    let partition = parts.next()?;
    let account = parts.nth(2)?;
    Some(Place { partition, account })
}

fn invalidate<'a>(
    targets: impl IntoIterator<Item = &'a Target>,
    Place { partition, account }: Place<'_>,
    tenants: Tenants,
) -> Vec<Value> {
    let mut distribution_arns = BTreeSet::new();
    let mut tenant_arns = BTreeSet::new();
    let arn = |kind, id| format!("arn:{partition}:cloudfront::{account}:{kind}/{id}");
    for target in targets {
        match &target.distribution.id {
            DistributionId::Distribution(id) => distribution_arns.insert(arn("distribution", id)),
            DistributionId::Tenant(id) => tenant_arns.insert(arn("distribution-tenant", id)),
        };
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
        let resource = match tenants {
            Tenants::Exact => json!(tenant_arns),
            Tenants::All => json!("*"),
        };
        statements.push(statement(
            "InvalidateTenants",
            &["cloudfront:CreateInvalidationForDistributionTenant"],
            &resource,
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
    use s3_cloudfront_invalidator::{distribution::Distribution, item::PathSettings};

    const PLACE: Place<'_> = Place { partition: "aws", account: "111122223333" };
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

    #[test]
    fn function_policy_names_exactly_what_the_rules_name() {
        let function_of = Function {
            region: "eu-west-1",
            log_group: "/aws/lambda/invalidator",
            queue: Some("changes"),
        };
        assert_eq!(
            function(&targets(), PLACE, Tenants::Exact, function_of),
            json!({"Version": "2012-10-17", "Statement": [
                {"Sid": "InvalidateDistributions", "Effect": "Allow",
                 "Action": ["cloudfront:CreateInvalidation"],
                 "Resource": ["arn:aws:cloudfront::111122223333:distribution/E1EXAMPLE1WWW",
                              "arn:aws:cloudfront::111122223333:distribution/E2EXAMPLE2BLOG"]},
                {"Sid": "InvalidateTenants", "Effect": "Allow",
                 "Action": ["cloudfront:CreateInvalidationForDistributionTenant"],
                 "Resource": ["arn:aws:cloudfront::111122223333:distribution-tenant/dt_EXAMPLE"]},
                {"Sid": "AssumeRoles", "Effect": "Allow",
                 "Action": ["sts:AssumeRole"], "Resource": [PARTNER]},
                {"Sid": "WriteLogs", "Effect": "Allow",
                 "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                 "Resource": ["arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/invalidator:*"]},
                {"Sid": "ReadQueue", "Effect": "Allow",
                 "Action": ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
                 "Resource": ["arn:aws:sqs:eu-west-1:111122223333:changes"]},
            ]})
        );
    }

    #[test]
    fn rules_without_targets_need_nothing() {
        assert_eq!(rules_statements(&[], PLACE, Tenants::Exact), Vec::<Value>::new());
    }

    #[test]
    fn all_tenants() {
        let statements = rules_statements(&targets(), PLACE, Tenants::All);
        assert_eq!(statements[1]["Resource"], json!("*"));
        assert_ne!(statements[0]["Resource"], json!("*"));
    }

    #[test]
    fn a_role_invalidates_in_its_own_account_and_partition() {
        let policy = assumed_role(&targets(), PARTNER, Tenants::Exact).expect("a named role");
        let resources: Vec<&Value> = policy["Statement"]
            .as_array()
            .expect("statements")
            .iter()
            .map(|statement| &statement["Resource"])
            .collect();
        assert_eq!(
            resources,
            [
                &json!(["arn:aws-cn:cloudfront::444455556666:distribution/E3EXAMPLE3"]),
                &json!(["arn:aws-cn:cloudfront::444455556666:distribution-tenant/dt_OTHER"]),
            ]
        );
        assert_eq!(assumed_role(&targets(), "arn:aws:iam::1:role/x", Tenants::Exact), None);
    }

    #[test]
    fn trust_asks_for_the_external_id_where_every_target_has_one() {
        let function_role = "arn:aws:iam::111122223333:role/function";
        let condition = |targets: &[Target]| {
            trust(targets, PARTNER, function_role).expect("a named role")["Statement"][0]
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
