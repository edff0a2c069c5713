//! A CloudFront that answers from a script, on tokio's paused clock: nothing
//! here waits, and nothing leaves the process.

mod deadline;
mod failures;
mod memory;
mod order;
mod wire;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudfront::{
    config::{Credentials, SharedCredentialsProvider, retry::RetryConfig},
    error::ConnectorError,
};
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
            http_client_fn,
        },
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use tokio::time::Instant;

use super::*;
use crate::{
    distribution::{DistributionId, Role},
    event::{Identity, Kind, Occurrence},
    item::{Item, address},
    plan::{DeliveredChange, Request, caller_reference},
};

/// One request that arrived.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    pub(super) reference: String,
    pub(super) items: Vec<String>,
    pub(super) at: Instant,
}

impl Sent {
    pub(super) fn is_to(&self, id: &str) -> bool {
        self.uri.contains(&format!("/{id}/"))
    }
}

/// What the script answers.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Created,
    /// An error of AWS: status, code, message.
    Error(u16, &'static str, &'static str),
    /// Any other status and body.
    Raw(u16, String),
    /// The connection breaks.
    Drop,
    /// Nothing ever comes.
    Hang,
}

pub(super) const TOO_MANY: Answer = Answer::Error(
    400,
    "TooManyInvalidationsInProgress",
    "Processing your request will cause you to exceed the maximum number of in-progress wildcard invalidations.",
);
pub(super) const THROTTLED: Answer = Answer::Error(400, "Throttling", "Rate exceeded");
pub(super) const BAD_PATH: Answer = Answer::Error(
    400,
    "InvalidArgument",
    "Your request contains one or more invalid invalidation paths.",
);
pub(super) const USED_REFERENCE: Answer = Answer::Error(
    400,
    "InvalidArgument",
    "Your request contains a caller reference that was used for a previous invalidation batch for the same distribution.",
);

/// How long the scripted CloudFront takes to answer.
pub(super) const LATENCY: Duration = Duration::from_millis(100);

type Script = dyn FnMut(&Sent) -> Answer + Send;

/// The scripted CloudFront.
#[derive(Clone)]
pub(super) struct Server(Arc<Mutex<State>>);

struct State {
    script: Box<Script>,
    sent: Vec<Sent>,
    running: usize,
    most_running: usize,
}

impl Server {
    pub(super) fn new(script: impl FnMut(&Sent) -> Answer + Send + 'static) -> Self {
        let script = Box::new(script);
        Self(Arc::new(Mutex::new(State { script, sent: vec![], running: 0, most_running: 0 })))
    }

    /// Answers in turn, then `Created`.
    pub(super) fn in_turn(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers = answers.into_iter().collect::<Vec<_>>().into_iter();
        Self::new(move |_| answers.next().unwrap_or(Answer::Created))
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().sent.clone()
    }

    /// The items of every request, in the order they came.
    pub(super) fn batches(&self) -> Vec<String> {
        self.sent().iter().map(|sent| sent.items.join(" ")).collect()
    }

    pub(super) fn most_running(&self) -> usize {
        self.0.lock().unwrap().most_running
    }

    pub(super) fn sdk_config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        sdk_config(http_client_fn(move |_, _| connector.clone()))
    }

    pub(super) fn cloudfront(&self) -> CloudFront {
        CloudFront::new(&self.sdk_config(), Settings::default())
    }
}

pub(super) fn sdk_config(http: SharedHttpClient) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http);
    builder.set_time_source(Some(Default::default()));
    builder.build()
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl HttpConnector for Server {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let state = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let answer = {
                let mut state = state.lock().unwrap();
                let sent = read(&request);
                state.sent.push(sent.clone());
                state.running += 1;
                state.most_running = state.most_running.max(state.running);
                (state.script)(&sent)
            };
            let _running = Running(Arc::clone(&state));
            tokio::time::sleep(LATENCY).await;
            respond(answer).await
        })
    }
}

/// A request that is being answered; dropped, it is not.
struct Running(Arc<Mutex<State>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().unwrap().running -= 1;
    }
}

async fn respond(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let (status, body) = match answer {
        Answer::Created => (201, created("I1EXAMPLE")),
        Answer::Error(status, code, message) => (status, error(code, message)),
        Answer::Raw(status, body) => (status, body),
        Answer::Drop => return Err(ConnectorError::io("connection reset by peer".into())),
        Answer::Hang => std::future::pending().await,
    };
    let status = StatusCode::try_from(status).unwrap();
    Ok(HttpResponse::new(status, body.into()))
}

pub(super) fn created(id: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><Invalidation xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Id>{id}</Id><Status>InProgress</Status><CreateTime>2026-11-01T00:00:00Z</CreateTime><InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>/a</Path></Items></Paths><CallerReference>r</CallerReference></InvalidationBatch></Invalidation>"#
    )
}

fn error(code: &str, message: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"#
    )
}

fn read(request: &HttpRequest) -> Sent {
    let body = String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap();
    let between = |start: &str, end: &str| -> Vec<String> {
        let parts = body.split(start).skip(1);
        parts.filter_map(|part| Some(part.split_once(end)?.0.to_owned())).collect()
    };
    Sent {
        method: request.method().to_owned(),
        uri: request.uri().to_owned(),
        headers: request.headers().iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        reference: between("<CallerReference>", "<").concat(),
        items: between("<Path>", "</Path>"),
        body,
        at: Instant::now(),
    }
}

/// A plan by hand, with the deliveries it answers.
#[derive(Default)]
pub(super) struct Site {
    pub(super) plan: Plan,
    pub(super) deliveries: Vec<Delivery>,
}

impl Site {
    /// One request with these items, all asked for by one direct payload.
    pub(super) fn direct(id: &str, items: &[&str]) -> Self {
        Self::default()
            .delivery(None)
            .request(id, &items.iter().map(|i| (*i, &[0][..])).collect::<Vec<_>>())
    }

    pub(super) fn delivery(mut self, id: Option<&str>) -> Self {
        let id = id.map(str::to_owned);
        self.deliveries.push(Delivery { id, ..Delivery::default() });
        self
    }

    /// A request of items, each with the deliveries that ask for it.
    pub(super) fn request(self, id: &str, items: &[(&str, &[u32])]) -> Self {
        self.request_as(distribution(id), items)
    }

    pub(super) fn request_as(
        mut self,
        distribution: Distribution,
        items: &[(&str, &[u32])],
    ) -> Self {
        let mut planned = Vec::new();
        for (text, deliveries) in items {
            let mut changes = Vec::new();
            for &delivery in *deliveries {
                let name = self.deliveries[delivery as usize].id.clone().unwrap_or_default();
                let identity = Identity::new(
                    "bucket",
                    text,
                    Kind::Created,
                    None,
                    Occurrence::Delivery(&name),
                    None,
                );
                changes.push(u32::try_from(self.plan.changes.len()).unwrap());
                self.plan.changes.push(DeliveredChange { delivery, identity });
            }
            planned.push(PlannedItem { item: item(text), changes, replaces: 1 });
        }
        planned.sort_by(|a, b| a.item.cmp(&b.item));
        let changes = planned.iter().flat_map(|item| &item.changes);
        let caller_reference = caller_reference(
            &distribution.id,
            planned.iter().map(|item| &item.item),
            changes.map(|&change| self.plan.changes[change as usize].identity),
            None,
        );
        let request = Request { caller_reference, items: planned };
        let plans = &mut self.plan.distributions;
        match plans.iter_mut().find(|plan| plan.distribution == distribution) {
            Some(plan) => plan.requests.push(request),
            None => plans.push(DistributionPlan {
                distribution,
                targets: vec!["www".into()],
                requests: vec![request],
                unaddressable: Vec::new(),
            }),
        }
        self
    }

    pub(super) async fn submit(&self, cloudfront: &CloudFront) -> Submission {
        self.submit_within(cloudfront, Duration::from_secs(900)).await
    }

    pub(super) async fn submit_within(
        &self,
        cloudfront: &CloudFront,
        time: Duration,
    ) -> Submission {
        let deadline = Instant::now() + time;
        let submission = cloudfront.submit(&self.plan, &self.deliveries, deadline).await;
        assert!(Instant::now() <= deadline, "submitting took longer than the deadline");
        let shape = |outcomes: &[Vec<Outcome>]| outcomes.iter().map(Vec::len).collect::<Vec<_>>();
        for (part, submitted) in self.plan.distributions.iter().zip(&submission.distributions) {
            let planned: Vec<_> = part.requests.iter().map(|r| r.items.len()).collect();
            assert_eq!(shape(&submitted.outcomes), planned);
        }
        submission
    }
}

pub(super) fn distribution(id: &str) -> Distribution {
    let id = if id.starts_with("dt_") {
        DistributionId::tenant(id)
    } else {
        DistributionId::distribution(id)
    };
    id.unwrap().into()
}

pub(super) fn with_role(id: &str, arn: &str) -> Distribution {
    let role = Role { arn: arn.to_owned(), external_id: Some("shared-word".to_owned()) };
    Distribution { role: Some(role), ..distribution(id) }
}

/// An item as it is written: `#tag`, `/dir/*` or a path.
pub(super) fn item(text: &str) -> Item {
    match text.strip_prefix('#') {
        Some(tag) => Item::tag(tag).unwrap(),
        None => address(text, "/", "/", true).unwrap(),
    }
}

/// Every outcome as one word, in the plan's order: the invalidation's id, or
/// `remembered`, or the failure's code behind `refused:` or `retry:`.
pub(super) fn words(submission: &Submission) -> Vec<String> {
    let outcomes = submission.distributions.iter().flat_map(|d| d.outcomes.iter().flatten());
    outcomes
        .map(|outcome| match outcome {
            Outcome::Accepted(invalidation) => invalidation.id.clone(),
            Outcome::Remembered(_) => "remembered".to_owned(),
            Outcome::DryRun => "dry-run".to_owned(),
            Outcome::Refused(failure) => format!("refused:{}", failure.code),
            Outcome::Retry(failure) => format!("retry:{}", failure.code),
        })
        .collect()
}

/// The message of the only kind of failure there is.
pub(super) fn message(submission: &Submission) -> String {
    let outcomes = submission.distributions.iter().flat_map(|d| d.outcomes.iter().flatten());
    let mut messages: Vec<_> =
        outcomes.filter_map(Outcome::failure).map(|f| f.message.clone()).collect();
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_sends_nothing() {
    let server = Server::in_turn([]);
    let cloudfront =
        CloudFront::new(&server.sdk_config(), Settings { dry_run: true, ..Settings::default() });
    let submission = Site::direct("E1EXAMPLE", &["/a", "/b"]).submit(&cloudfront).await;
    assert_eq!(words(&submission), ["dry-run", "dry-run"]);
    assert!(server.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn retries_can_be_set() {
    let server = Server::new(|_| THROTTLED);
    let retry = Some(RetryConfig::standard().with_max_attempts(4));
    let cloudfront =
        CloudFront::new(&server.sdk_config(), Settings { retry, ..Settings::default() });
    let submission = Site::direct("E1EXAMPLE", &["/a"]).submit(&cloudfront).await;
    assert_eq!(words(&submission), ["retry:Throttling"]);
    assert_eq!(server.sent().len(), 4);
}
