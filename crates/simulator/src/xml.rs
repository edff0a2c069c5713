//! Response bodies.

use std::time::SystemTime;

use aws_sdk_cloudfront::primitives::{DateTime, DateTimeFormat};
use quick_xml::escape::escape;

use super::{Recorded, refusal::Refusal, sts::RoleSession};

pub(crate) const CLOUDFRONT: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";
pub(crate) const STS: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

pub(crate) fn error(namespace: &str, refusal: &Refusal) -> String {
    let fault = if refusal.status >= 500 { "Receiver" } else { "Sender" };
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>",
        refusal.code,
        escape(&*refusal.message),
    )
}

/// `created` is the time of `invalidation.accepted_at`.
pub(crate) fn invalidation(invalidation: &Recorded, status: &str, created: SystemTime) -> String {
    let paths: String = invalidation
        .items
        .iter()
        .map(|item| format!("<Path>{}</Path>", escape(item.as_str())))
        .collect();
    format!(
        "<Invalidation xmlns=\"{CLOUDFRONT}\"><Id>{}</Id><Status>{status}</Status><CreateTime>{}</CreateTime><InvalidationBatch><Paths><Quantity>{}</Quantity><Items>{paths}</Items></Paths><CallerReference>{}</CallerReference></InvalidationBatch></Invalidation>",
        invalidation.id,
        timestamp(created),
        invalidation.items.len(),
        escape(&invalidation.caller_reference),
    )
}

/// A list of invalidations, each with its status and creation time.
pub(crate) fn invalidation_list(invalidations: &[(&Recorded, &str, SystemTime)]) -> String {
    let summaries: String = invalidations
        .iter()
        .map(|(invalidation, status, created)| {
            format!(
                "<InvalidationSummary><Id>{}</Id><CreateTime>{}</CreateTime><Status>{status}</Status></InvalidationSummary>",
                invalidation.id,
                timestamp(*created)
            )
        })
        .collect();
    format!(
        "<InvalidationList xmlns=\"{CLOUDFRONT}\"><Marker></Marker><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated><Quantity>{}</Quantity><Items>{summaries}</Items></InvalidationList>",
        invalidations.len(),
    )
}

pub(crate) fn assumed_role(session: &RoleSession, expiration: SystemTime) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"{STS}\"><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>{}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser><Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>{}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
        session.access_key_id,
        escape(&session.caller.arn),
        session.access_key_id,
        timestamp(expiration),
    )
}

/// `2026-04-29T17:16:09.343Z`.
fn timestamp(time: SystemTime) -> String {
    DateTime::from(time).fmt(DateTimeFormat::DateTime).unwrap_or_default()
}
