//! Serves the CloudFront simulator on a free port of 127.0.0.1 until it is
//! killed, for the distributions named on the command line. The first line it
//! prints is the environment that leads there, as a JSON object.

use std::{collections::BTreeMap, future, io};

use cloudfront_simulator::{Options, Simulator};
use s3_cloudfront_invalidator::distribution::DistributionId;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let known = std::env::args()
        .skip(1)
        .map(|id| DistributionId::distribution(&id).map_err(io::Error::other))
        .collect::<io::Result<_>>()?;
    let options = Options { known: Some(known), ..Options::default() };
    let simulator = Simulator::start(options).await?;
    let environment: BTreeMap<_, _> = simulator.environment().into_iter().collect();
    println!("{}", serde_json::to_string(&environment)?);
    future::pending().await
}
