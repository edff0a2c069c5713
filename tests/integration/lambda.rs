//! The built Lambda binary, driven over the Lambda Runtime API.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::{
    fs::File,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc},
    task::JoinHandle,
};

/// A function process and its Runtime API.
pub struct Lambda {
    child: Child,
    directory: TempDir,
    server: JoinHandle<()>,
    events: mpsc::UnboundedSender<Event>,
    replies: mpsc::UnboundedReceiver<Reply>,
    invocations: usize,
}

struct Event {
    request_id: String,
    deadline_ms: u128,
    payload: Vec<u8>,
}

/// What the function answered.
#[derive(Debug)]
pub enum Reply {
    /// A response.
    Response(Value),
    /// An invocation error.
    Error { kind: String, message: String },
}

impl Reply {
    pub fn response(self) -> Value {
        match self {
            Self::Response(value) => value,
            Self::Error { kind, message } => panic!("{kind}: {message}"),
        }
    }

    pub fn error(self) -> (String, String) {
        match self {
            Self::Error { kind, message } => (kind, message),
            Self::Response(value) => panic!("expected an error: {value}"),
        }
    }
}

impl Lambda {
    /// Starts the function with `rules` beside its bootstrap. Its environment is
    /// Lambda's own variables and `environment`.
    pub async fn start(rules: Option<&str>, environment: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (events, queue) = mpsc::unbounded_channel();
        let (answers, replies) = mpsc::unbounded_channel();
        let server = tokio::spawn(serve(listener, Arc::new(Mutex::new(queue)), answers));
        let directory = tempfile::tempdir().unwrap();
        if let Some(rules) = rules {
            std::fs::write(directory.path().join("rules.yaml"), rules).unwrap();
        }
        // tests/e2e names a build with musl that does not unwind.
        let bootstrap = std::env::var_os("BOOTSTRAP")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_s3-cloudfront-invalidator").into());
        let child = Command::new(bootstrap)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "invalidator")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("LAMBDA_TASK_ROOT", directory.path())
            .envs(environment.iter().copied())
            .stdout(File::create(directory.path().join("stdout")).unwrap())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { child, directory, server, events, replies, invocations: 0 }
    }

    /// Invokes the function, with two minutes until its deadline.
    pub async fn invoke(&mut self, payload: impl AsRef<[u8]>) -> Reply {
        self.invoke_within(payload, Duration::from_secs(120)).await
    }

    /// Invokes the function with `left` until its deadline.
    pub async fn invoke_within(&mut self, payload: impl AsRef<[u8]>, left: Duration) -> Reply {
        self.invocations += 1;
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + left;
        self.events
            .send(Event {
                request_id: format!("00000000-0000-4000-8000-{:012}", self.invocations),
                deadline_ms: deadline.as_millis(),
                payload: payload.as_ref().to_vec(),
            })
            .unwrap();
        tokio::select! {
            Some(reply) = self.replies.recv() => reply,
            _ = self.child.wait() => panic!("the function ended; it wrote: {}", self.stdout()),
        }
    }

    /// Sends a signal: `STOP` and `CONT` freeze and thaw the function, as Lambda
    /// does between invocations.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        let status = std::process::Command::new("kill").args(["-s", name, &id]).status();
        assert!(status.unwrap().success());
    }

    /// The standard output of the function so far.
    pub fn stdout(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("stdout")).unwrap()
    }

    /// The exit status of a function that does not start.
    pub async fn exit_status(&mut self) -> ExitStatus {
        self.child.wait().await.unwrap()
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Queue = Arc<Mutex<mpsc::UnboundedReceiver<Event>>>;

async fn serve(listener: TcpListener, queue: Queue, answers: mpsc::UnboundedSender<Reply>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let (queue, answers) = (queue.clone(), answers.clone());
        let service = service_fn(move |request| answer(request, queue.clone(), answers.clone()));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    queue: Queue,
    answers: mpsc::UnboundedSender<Reply>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let path = request.uri().path().to_owned();
    if request.method() == Method::GET && path.ends_with("/runtime/invocation/next") {
        let Some(event) = queue.lock().await.recv().await else {
            return std::future::pending().await;
        };
        let response = Response::builder()
            .header("Lambda-Runtime-Aws-Request-Id", event.request_id)
            .header("Lambda-Runtime-Deadline-Ms", event.deadline_ms.to_string())
            .header(
                "Lambda-Runtime-Invoked-Function-Arn",
                "arn:aws:lambda:us-east-1:111122223333:function:invalidator",
            )
            .body(Full::from(event.payload));
        return Ok(response.unwrap());
    }
    let body = request.into_body().collect().await?.to_bytes();
    let value: Value = serde_json::from_slice(&body).unwrap_or_default();
    let reply = if path.ends_with("/error") {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Reply::Error { kind: text("errorType"), message: text("errorMessage") }
    } else {
        Reply::Response(value)
    };
    let _ = answers.send(reply);
    let response = Response::builder().status(StatusCode::ACCEPTED).body(Full::default());
    Ok(response.unwrap())
}
