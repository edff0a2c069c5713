//! The function between S3, EventBridge, SQS, Lambda, CloudFront and viewers, on
//! one simulated clock.
//!
//! Everything is in one thread and in the paused time of tokio, without a
//! socket, and a seed decides about all that is random: the same seed always
//! gives the same day. The function runs as it is shipped, with the SDK's
//! clients; only their HTTP connectors are replaced.
//!
//! - [`World::random`] makes a site with rules and changes, and decides what goes
//!   wrong: events that are late, out of order and delivered twice; processes
//!   that are killed or frozen at any await point; a queue that throttles,
//!   duplicates and samples at random; and a CloudFront with quotas, throttling,
//!   errors, cut connections, slow responses and refused paths.
//! - [`World::run`] runs the function in it.
//! - [`violations`] checks what must hold after every day, with an interpretation
//!   of the rules that shares nothing with the function.
//!
//! `cargo run --bin sim -- --seeds 10000` simulates many worlds. A world in which
//! something goes wrong is printed with its seed, and
//! `cargo test --test sim -- --seed 123` replays it, makes it as small as possible
//! and prints what happened.

mod audit;
mod command;
mod day;
mod interruption;
mod shrink;
mod site;
mod story;
mod verdict;
mod viewers;
mod world;

pub use audit::{ExpectedItem, expected, lost};
pub use command::command;
pub use day::{Day, DayOptions, End, Invocation, Reader, SentMessage, simulate_day};
pub use shrink::shrink;
pub use story::tell;
pub use verdict::{Violation, violations};
pub use world::World;
