//! When a drain stops receiving: a state machine without clock or I/O.

use std::{collections::VecDeque, time::Duration};

/// The most messages of one drain; those beyond it are left to the next drain.
pub(super) const MAX_MESSAGES: usize = 50_000;

/// As many messages within the quiet time are no deploy: somebody edits. They
/// are in the batch, and the drain ends all the same.
const FEW_MESSAGES: usize = 2;

/// How many messages a drain takes that holds a message received this often,
/// this time included. A message that ends the process would otherwise raise the receive
/// counts of all others until they are dead letters.
const SHRUNK: [(u32, usize); 3] = [(SUSPICIOUS, 10), (4, 100), (3, 1_000)];

/// A message received this often is taken alone by a cautious drain.
pub(super) const SUSPICIOUS: u32 = 5;

/// Receives that fail in a row before the drain goes on with what it has.
const MAX_FAILURES: usize = 5;

/// The most receives in flight.
pub(super) const MAX_RECEIVERS: usize = 8;

/// The limits of one drain, as times since its start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How long few messages must have come.
    pub quiet: Duration,
    /// Whether to wait for a first message as long.
    pub wait_for_first: bool,
    /// When to stop receiving in any case.
    pub until: Duration,
    /// Whether to receive one message first, and to take it alone if it is
    /// suspicious: in a new process, or after a suspicious message.
    pub cautious: bool,
}

/// What has been received so far.
#[derive(Debug)]
pub(super) struct Gather {
    limits: Limits,
    receivers: usize,
    received: usize,
    limit: usize,
    ended: bool,
    /// Whether no answer came yet.
    is_first: bool,
    /// Receives that failed since the last answer.
    failures: usize,
    suspicious: bool,
    /// When messages were received within the quiet time, and how many.
    recent: VecDeque<(Duration, usize)>,
}

impl Gather {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            receivers: 1,
            received: 0,
            limit: MAX_MESSAGES,
            ended: false,
            is_first: true,
            failures: 0,
            suspicious: false,
            recent: VecDeque::new(),
        }
    }

    /// How many receives should be in flight; 0 when the drain has ended.
    pub(super) fn receivers(&self) -> usize {
        if self.ended { 0 } else { self.receivers.min((self.limit - self.received).div_ceil(10)) }
    }

    /// How many messages to receive at once.
    pub(super) fn messages_per_receive(&self) -> i32 {
        if self.is_first && self.limits.cautious { 1 } else { 10 }
    }

    /// Whether a suspicious message was received.
    pub(super) fn suspicious(&self) -> bool {
        self.suspicious
    }

    /// The most messages the drain may keep.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Ends the drain.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Notes a receive that failed.
    pub(super) fn failed(&mut self, now: Duration) {
        self.receivers = 1;
        self.failures += 1;
        self.ended |= self.failures >= MAX_FAILURES || now >= self.limits.until;
    }

    /// Notes the answer to a receive: how often each of its messages was
    /// received, this time included.
    pub(super) fn answered(&mut self, now: Duration, receives: impl IntoIterator<Item = u32>) {
        let mut count = 0;
        for receives in receives {
            count += 1;
            self.suspicious |= receives >= SUSPICIOUS;
            if let Some((_, limit)) = SHRUNK.iter().find(|(least, _)| receives >= *least) {
                self.limit = self.limit.min(*limit);
            }
        }
        let is_full = usize::try_from(self.messages_per_receive()).is_ok_and(|most| count >= most);
        self.failures = 0;
        self.received += count;
        // A full answer means that more messages wait; an empty one that none does.
        match count {
            0 => self.receivers = 1,
            10.. => self.receivers = MAX_RECEIVERS.min(self.receivers + 1),
            _ => {}
        }
        if count > 0 {
            self.recent.push_back((now, count));
        }
        while self.recent.front().is_some_and(|(at, _)| *at + self.limits.quiet <= now) {
            self.recent.pop_front();
        }
        let recent: usize = self.recent.iter().map(|(_, count)| count).sum();
        let quiet = now >= self.limits.quiet && recent <= FEW_MESSAGES && !is_full;
        let nothing = self.received == 0 && !self.limits.wait_for_first;
        let alone = self.is_first && self.limits.cautious && self.suspicious;
        let full = self.received >= self.limit;
        self.ended |= quiet || nothing || alone || full || now >= self.limits.until;
        self.is_first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        quiet: Duration::from_secs(5),
        wait_for_first: false,
        until: Duration::from_secs(120),
        cautious: false,
    };

    /// Receives one after another, `arrivals(second)` messages in each, and
    /// returns the second in which the drain ends.
    fn end(limits: Limits, arrivals: impl Fn(u64) -> usize) -> u64 {
        let mut gather = Gather::new(limits);
        (0..)
            .find(|&second| {
                gather.answered(Duration::from_secs(second), vec![1; arrivals(second)]);
                gather.receivers() == 0
            })
            .unwrap()
    }

    #[test]
    fn ends_when_quiet() {
        assert_eq!(end(LIMITS, |_| 0), 0, "nothing to do");
        assert_eq!(end(Limits { wait_for_first: true, ..LIMITS }, |_| 0), 5);
        assert_eq!(end(LIMITS, |second| usize::from(second == 0)), 5, "one edit");
        assert_eq!(end(LIMITS, |second| usize::from(second % 4 == 0)), 5, "an edit every 4 s");
        assert_eq!(end(LIMITS, |second| if second < 30 { 200 } else { 0 }), 34, "a deploy");
        assert_eq!(end(LIMITS, |_| 100), 120, "never quiet");
        assert_eq!(end(LIMITS, |_| 5_000), 9, "as many as fit");
        for cautious in [false, true] {
            let limits = Limits { quiet: Duration::ZERO, cautious, ..LIMITS };
            let arrivals = |second| match second {
                0 if cautious => 1,
                0..4 => 10,
                _ => 9,
            };
            assert_eq!(end(limits, arrivals), 4, "what waits, without waiting for more");
        }
    }

    #[test]
    fn receives_in_parallel_while_answers_are_full() {
        let mut gather = Gather::new(LIMITS);
        let mut receivers = |messages: usize| {
            gather.answered(Duration::ZERO, vec![1; messages]);
            gather.receivers()
        };
        assert_eq!([10, 10, 7, 10, 0, 10].map(&mut receivers), [2, 3, 3, 4, 1, 2]);
    }

    #[test]
    fn ends_after_failures_in_a_row() {
        let mut gather = Gather::new(LIMITS);
        for _ in 1..MAX_FAILURES {
            gather.failed(Duration::ZERO);
        }
        gather.answered(Duration::ZERO, vec![1; 10]);
        for _ in 1..MAX_FAILURES {
            gather.failed(Duration::ZERO);
            assert_eq!(gather.receivers(), 1);
        }
        gather.failed(Duration::ZERO);
        assert_eq!(gather.receivers(), 0);
    }

    #[test]
    fn takes_fewer_when_messages_were_received_before() {
        for (receives, limit) in
            [(1, MAX_MESSAGES), (2, MAX_MESSAGES), (3, 1_000), (4, 100), (5, 10), (9, 10)]
        {
            let mut gather = Gather::new(LIMITS);
            gather.answered(Duration::ZERO, [1, receives, 2]);
            assert_eq!(gather.limit(), limit, "{receives}");
        }
        let mut gather = Gather::new(LIMITS);
        gather.answered(Duration::ZERO, vec![1; 500]);
        gather.answered(Duration::ZERO, [5]);
        assert_eq!((gather.limit(), gather.receivers()), (10, 0));
    }

    #[test]
    fn a_cautious_drain_takes_a_suspicious_message_alone() {
        let mut gather = Gather::new(Limits { cautious: true, ..LIMITS });
        assert_eq!(gather.messages_per_receive(), 1);
        gather.answered(Duration::ZERO, [5]);
        assert!(gather.receivers() == 0 && gather.suspicious());
        let mut gather = Gather::new(Limits { cautious: true, ..LIMITS });
        gather.answered(Duration::ZERO, [4]);
        assert_eq!((gather.receivers(), gather.messages_per_receive()), (1, 10));
    }
}
