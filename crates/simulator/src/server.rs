//! The simulator on a port, for clients in other processes.

use std::{io, net::Ipv4Addr, ops::Deref, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::{JoinHandle, JoinSet},
};

use super::{
    ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, SESSION_TOKEN, Simulator, SimulatorOptions,
    connector::Service,
};

/// A [`Simulator`] that listens on a port of 127.0.0.1. Dropping it closes the
/// port and all connections.
#[derive(Debug)]
pub struct SimulatorServer {
    simulator: Simulator,
    endpoint_url: String,
    /// Requests to close all connections, answered once they are closed.
    close: mpsc::UnboundedSender<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl SimulatorServer {
    /// Listens on a free port and serves in a task of the current runtime.
    pub async fn start(options: SimulatorOptions) -> io::Result<Self> {
        let simulator = Simulator::new(options);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint_url = format!("http://{}", listener.local_addr()?);
        let (close, requests) = mpsc::unbounded_channel();
        let task = tokio::spawn(serve(listener, simulator.clone(), requests));
        Ok(Self { simulator, endpoint_url, close, task })
    }

    /// Closes all connections, as CloudFront does after some idle time.
    pub async fn close_connections(&self) {
        let (closed, is_closed) = oneshot::channel();
        // The task ends only when the server is dropped.
        let _ = self.close.send(closed);
        let _ = is_closed.await;
    }

    /// The environment variables with which another process reaches this
    /// simulator, and nothing else of AWS.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        [
            ("AWS_ENDPOINT_URL_CLOUDFRONT", self.endpoint_url.as_str()),
            ("AWS_ENDPOINT_URL_STS", &self.endpoint_url),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false"),
            ("AWS_USE_FIPS_ENDPOINT", "false"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "false"),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
            ("AWS_SESSION_TOKEN", SESSION_TOKEN),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
    }
}

impl Deref for SimulatorServer {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.simulator
    }
}

impl Drop for SimulatorServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    listener: TcpListener,
    simulator: Simulator,
    mut close: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
) {
    // Aborts the connections when the server is dropped.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, simulator.clone()));
                }
                // Such as too many open files, which is temporary.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(closed) = close.recv() => {
                connections.shutdown().await;
                let _ = closed.send(());
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve_connection(stream: TcpStream, simulator: Simulator) {
    // Avoids 40 ms of delayed ACK per response. Fails only if the connection is
    // closed already.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| {
        let simulator = simulator.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let response = simulator.respond(Request::from_parts(head, body)).await;
            // An error makes hyper close the connection.
            let cut = || io::Error::other("the connection is cut on purpose");
            response.map(|response: Response<Bytes>| response.map(Full::new)).ok_or_else(cut)
        }
    });
    // Fails if the caller disconnects, or if the connection is cut on purpose.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
