//! A CloudFront (and STS) that answers from a script, on tokio's paused clock:
//! nothing waits, and nothing leaves the process.

use std::{
    collections::BTreeMap,
    fmt,
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
use s3_cloudfront_invalidator::cloudfront::{CloudFront, CloudFrontOptions};
use tokio::time::Instant;

/// One request that arrived.
#[derive(Clone, Debug)]
pub struct Sent {
    pub method: String,
    pub uri: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    pub reference: String,
    pub items: Vec<String>,
    pub at: Instant,
}

impl Sent {
    pub fn is_to(&self, id: &str) -> bool {
        self.uri.contains(&format!("/{id}/"))
    }

    pub fn is_to_sts(&self) -> bool {
        self.uri.contains("sts")
    }
}

#[derive(Clone, Debug)]
pub enum Answer {
    Created,
    /// An error of AWS: status, code, message.
    Error(u16, &'static str, &'static str),
    /// Any other status and body.
    Raw(u16, String),
    /// The connection breaks.
    Drop,
    /// No response ever comes.
    Hang,
}

pub const TOO_MANY: Answer = Answer::Error(
    400,
    "TooManyInvalidationsInProgress",
    "Processing your request will cause you to exceed the maximum number of in-progress wildcard invalidations.",
);
pub const THROTTLED: Answer = Answer::Error(400, "Throttling", "Rate exceeded");
pub const BAD_PATH: Answer = Answer::Error(
    400,
    "InvalidArgument",
    "Your request contains one or more invalid invalidation paths.",
);
pub const USED_REFERENCE: Answer = Answer::Error(
    400,
    "InvalidArgument",
    "Your request contains a caller reference that was used for a previous invalidation batch for the same distribution.",
);

/// How long every response takes.
pub const LATENCY: Duration = Duration::from_millis(100);

type Script = dyn FnMut(&Sent) -> Answer + Send;

#[derive(Clone)]
pub struct ScriptedCloudFront(Arc<Mutex<State>>);

struct State {
    script: Box<Script>,
    sent: Vec<Sent>,
    running: usize,
    most_running: usize,
}

impl ScriptedCloudFront {
    pub fn new(script: impl FnMut(&Sent) -> Answer + Send + 'static) -> Self {
        let script = Box::new(script);
        Self(Arc::new(Mutex::new(State { script, sent: vec![], running: 0, most_running: 0 })))
    }

    /// Gives these answers one after another, then `Created`.
    pub fn in_turn(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers = answers.into_iter().collect::<Vec<_>>().into_iter();
        Self::new(move |_| answers.next().unwrap_or(Answer::Created))
    }

    /// Always gives the same answer.
    pub fn always(answer: Answer) -> Self {
        Self::new(move |_| answer.clone())
    }

    /// Gives an answer to requests to one distribution, and `Created` to others.
    pub fn to(id: &'static str, answer: Answer) -> Self {
        Self::new(move |sent| if sent.is_to(id) { answer.clone() } else { Answer::Created })
    }

    /// Refuses every request with an item that contains `bad`.
    pub fn refusing(bad: &'static str) -> Self {
        Self::new(move |sent| {
            let refused = sent.items.iter().any(|item| item.contains(bad));
            if refused { BAD_PATH } else { Answer::Created }
        })
    }

    /// Grants every role, and answers the requests to CloudFront.
    pub fn with_sts(mut script: impl FnMut(&Sent) -> Answer + Send + 'static) -> Self {
        Self::new(move |sent| if sent.is_to_sts() { assumed("AKIDROLE") } else { script(sent) })
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().sent.clone()
    }

    /// The items of every request, in the order of arrival.
    pub fn batches(&self) -> Vec<String> {
        self.sent().iter().map(|sent| sent.items.join(" ")).collect()
    }

    pub fn references(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.reference).collect()
    }

    /// The most requests that were answered at the same time.
    pub fn most_running(&self) -> usize {
        self.0.lock().unwrap().most_running
    }

    pub fn sdk_config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        sdk_config(http_client_fn(move |_, _| connector.clone()))
    }

    /// A client with the default attempts.
    pub fn client(&self) -> CloudFront {
        client(&self.sdk_config())
    }
}

/// A client with the default attempts and a back-off that is not random.
pub fn client(sdk_config: &SdkConfig) -> CloudFront {
    let retry = Some(retry_config());
    CloudFront::new(sdk_config, CloudFrontOptions { retry, ..CloudFrontOptions::default() })
}

/// Ten attempts with a back-off of 1, 2, 4, 8, 16 and then 20 seconds.
pub fn retry_config() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(10).with_use_static_exponential_base(true)
}

fn sdk_config(http: SharedHttpClient) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http);
    builder.set_time_source(Some(Default::default()));
    builder.build()
}

impl fmt::Debug for ScriptedCloudFront {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptedCloudFront")
    }
}

impl HttpConnector for ScriptedCloudFront {
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
            let _running = Running(state);
            tokio::time::sleep(LATENCY).await;
            respond(answer).await
        })
    }
}

/// Counts a request as running until it is answered or dropped.
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
    Ok(HttpResponse::new(StatusCode::try_from(status).unwrap(), body.into()))
}

/// The document of a created invalidation.
pub fn created(id: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><Invalidation xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Id>{id}</Id><Status>InProgress</Status><CreateTime>2026-11-01T00:00:00Z</CreateTime><InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>/a</Path></Items></Paths><CallerReference>r</CallerReference></InvalidationBatch></Invalidation>"#
    )
}

fn error(code: &str, message: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"#
    )
}

/// The response of STS to AssumeRole.
pub fn assumed(key: &str) -> Answer {
    Answer::Raw(
        200,
        format!(
            r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::444455556666:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"#
        ),
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
