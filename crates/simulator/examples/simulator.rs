//! Serves the CloudFront simulator on a free port of 127.0.0.1 until it is
//! killed, with the distributions named on the command line. The first line of
//! output is a JSON object of the environment variables with which a client
//! reaches it.

use std::{collections::BTreeMap, future, io};

use cloudfront_simulator::{SimulatorOptions, SimulatorServer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let known = Some(std::env::args().skip(1).collect());
    let options = SimulatorOptions { known, ..SimulatorOptions::default() };
    let simulator = SimulatorServer::start(options).await?;
    let environment: BTreeMap<_, _> = simulator.environment().into_iter().collect();
    println!("{}", serde_json::to_string(&environment)?);
    future::pending().await
}
