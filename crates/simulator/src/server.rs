//! The HTTP side.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Response, StatusCode,
    body::{Body, Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{Shared, router::Request, state::Answer};

/// The largest body that is read: 3,000 paths of 4,000 characters, with room
/// for their tags.
const MAX_BODY: usize = 16 << 20;

/// Accepts connections until it is dropped, and they with it.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
                // Too many open files, say: it passes, and asking again at
                // once would only burn time.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // Without it every answer may wait 40 ms for the caller's delayed ACK. A
    // connection that is gone already needs none.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| respond(request, Arc::clone(&shared)));
    // The only errors are those of the connection: the caller's, or the one
    // made on purpose. A caller who hangs up does not take its request back:
    // that is why half-closed connections are served.
    let connection =
        http1::Builder::new().half_close(true).serve_connection(TokioIo::new(stream), service);
    let _ = connection.await;
}

/// The error that makes hyper cut the connection.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is cut on purpose")
    }
}

impl Error for Cut {}

async fn respond(
    request: hyper::Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    // The only other error is a caller that went away in mid-request.
    let body = read(body).await.map_err(|_| Cut)?;
    let request = Request {
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        method: head.method,
        headers: head.headers,
        body,
    };
    let options = &shared.options;
    options.clock.sleep(options.latency).await;
    let answer = shared.state().call(options, &request);
    answer.map(response).ok_or(Cut)
}

/// Reads a body, unless it is too large or says that it will be.
async fn read(body: Incoming) -> Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>> {
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Ok(None);
    }
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => Ok(Some(body.to_bytes().to_vec())),
        Err(error) if error.is::<LengthLimitError>() => Ok(None),
        Err(error) => Err(error),
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    for (name, value) in [
        (HeaderName::from_static("x-amzn-requestid"), Some(answer.request_id)),
        (LOCATION, answer.location),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    response
}
