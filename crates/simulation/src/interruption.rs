//! What happens to an invocation from outside, at any of its await points.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

/// An interruption of an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The process ends.
    Kill,
    /// The process gets no processor time for so long.
    Freeze(Duration),
}

/// Runs a future that is interrupted when it is not ready after so many polls.
/// Returns `None` if it was killed.
pub async fn interrupted<T>(
    future: impl Future<Output = T>,
    interruption: Option<(u32, Interruption)>,
) -> Option<T> {
    let mut future = pin!(future);
    let Some((polls, interruption)) = interruption else { return Some(future.await) };
    let mut left = polls;
    let first = poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => {
            left = left.saturating_sub(1);
            if left == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await;
    match (first, interruption) {
        (Some(value), _) => Some(value),
        (None, Interruption::Kill) => None,
        (None, Interruption::Freeze(time)) => {
            tokio::time::sleep(time).await;
            Some(future.await)
        }
    }
}
