//! The answers, as AWS writes them.

use std::time::Duration;

use quick_xml::escape::escape;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Clock, Recorded, refusal::Refusal, sts::Session};

const CLOUDFRONT: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";
const STS: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Whose dialect an error is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    CloudFront,
    Sts,
}

pub(super) fn error(service: Service, refusal: &Refusal, request_id: &str) -> String {
    let namespace = match service {
        Service::CloudFront => CLOUDFRONT,
        Service::Sts => STS,
    };
    let fault = if refusal.status >= 500 { "Receiver" } else { "Sender" };
    document(&format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(&*refusal.code),
        escape(&*refusal.message),
    ))
}

pub(super) fn invalidation(invalidation: &Recorded, status: &str, clock: &Clock) -> String {
    let paths: String = invalidation
        .items
        .iter()
        .map(|item| format!("<Path>{}</Path>", escape(item.as_str())))
        .collect();
    document(&format!(
        "<Invalidation xmlns=\"{CLOUDFRONT}\"><Id>{}</Id><Status>{status}</Status><CreateTime>{}</CreateTime><InvalidationBatch><Paths><Quantity>{}</Quantity><Items>{paths}</Items></Paths><CallerReference>{}</CallerReference></InvalidationBatch></Invalidation>",
        invalidation.id,
        timestamp(clock, invalidation.accepted_at),
        invalidation.items.len(),
        escape(&invalidation.caller_reference),
    ))
}

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) marker: &'a str,
    pub(super) max_items: usize,
    /// The invalidations of the page, each with its status.
    pub(super) items: Vec<(&'a Recorded, &'static str)>,
    pub(super) truncated: bool,
}

pub(super) fn invalidation_list(page: &Page<'_>, clock: &Clock) -> String {
    let summaries: String = page
        .items
        .iter()
        .map(|(invalidation, status)| {
            format!(
                "<InvalidationSummary><Id>{}</Id><CreateTime>{}</CreateTime><Status>{status}</Status></InvalidationSummary>",
                invalidation.id,
                timestamp(clock, invalidation.accepted_at)
            )
        })
        .collect();
    let items =
        if summaries.is_empty() { summaries } else { format!("<Items>{summaries}</Items>") };
    let next = match page.items.last() {
        Some((last, _)) if page.truncated => format!("<NextMarker>{}</NextMarker>", last.id),
        _ => String::new(),
    };
    document(&format!(
        "<InvalidationList xmlns=\"{CLOUDFRONT}\"><Marker>{}</Marker>{next}<MaxItems>{}</MaxItems><IsTruncated>{}</IsTruncated><Quantity>{}</Quantity>{items}</InvalidationList>",
        escape(page.marker),
        page.max_items,
        page.truncated,
        page.items.len(),
    ))
}

pub(super) fn assumed_role(session: &Session, clock: &Clock, request_id: &str) -> String {
    document(&format!(
        "<AssumeRoleResponse xmlns=\"{STS}\"><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>{}:{}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser><Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></AssumeRoleResponse>",
        session.access_key_id,
        session.name,
        escape(&session.user_arn),
        session.access_key_id,
        session.secret_access_key,
        session.token,
        timestamp(clock, session.expires_at),
    ))
}

fn document(root: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n{root}")
}

/// `2026-04-29T17:16:09.343Z`.
fn timestamp(clock: &Clock, at: Duration) -> String {
    let date = OffsetDateTime::from(clock.date(at));
    let date = date.replace_millisecond(date.millisecond()).unwrap_or(date);
    date.format(&Rfc3339).unwrap_or_default()
}
