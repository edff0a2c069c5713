use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::watch;

/// The simulator's time, counted from its making. Clones are the same clock,
/// so that a test and its simulators can share one.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The date at which the clock stood at zero.
    epoch: SystemTime,
    /// `None` when only [`Clock::advance`] moves the clock.
    running: Option<Instant>,
    advanced: watch::Sender<Duration>,
}

impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}

impl Clock {
    /// A clock that runs.
    pub fn real() -> Self {
        Self::new(Some(Instant::now()))
    }

    /// A clock that stands still until it is advanced.
    pub fn manual() -> Self {
        Self::new(None)
    }

    fn new(running: Option<Instant>) -> Self {
        let advanced = watch::Sender::new(Duration::ZERO);
        Self(Arc::new(Inner { epoch: SystemTime::now(), running, advanced }))
    }

    /// The time since the clock was made.
    pub fn now(&self) -> Duration {
        let ran = self.0.running.map_or(Duration::ZERO, |started| started.elapsed());
        ran + *self.0.advanced.borrow()
    }

    /// Moves the clock forward, a running one too.
    pub fn advance(&self, by: Duration) {
        self.0.advanced.send_modify(|advanced| *advanced += by);
    }

    /// The date at a time of this clock.
    pub fn date(&self, at: Duration) -> SystemTime {
        self.0.epoch + at
    }

    /// Waits until this clock, not the machine's, has moved on.
    pub async fn sleep(&self, duration: Duration) {
        let mut advances = self.0.advanced.subscribe();
        let deadline = self.now() + duration;
        loop {
            advances.mark_unchanged();
            let left = deadline.saturating_sub(self.now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                // The sender lives as long as the clock: no error to handle.
                _ = advances.changed() => {}
                () = tokio::time::sleep(left), if self.0.running.is_some() => {}
            }
        }
    }
}
