//! The order in which the requests of a distribution are sent, and how requests
//! are split that CloudFront does not accept.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex},
};

use super::{
    Invalidation, Outcome, SubmittedItem, SubmittedRequest,
    error::{CloudFrontError, ErrorKind},
    failure::FailureContext,
    lock,
    memory::{KnownBatch, KnownItem, MaxItems, Memory},
};
use crate::{
    event::Delivery,
    plan::{DeliveredChange, PlannedItem, Request, caller_reference},
};

/// How many requests one distribution may take in one invocation to isolate
/// refused items. One of 1,000 items takes up to twenty. Sixty-four take two minutes
/// at the limit that users report, one request every two seconds
/// (<https://github.com/aws/aws-sdk-js/issues/3983>).
pub(super) const REQUEST_LIMIT: u32 = 64;

/// A request of at most so many items, without and with wildcards, is not halved
/// because of a quota. Since 2026 CloudFront's quota is quoted as 150 paths and
/// one wildcard a second
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-invalidations>).
const SMALL: [usize; 2] = [100, 1];

/// Gives a batch another caller reference when CloudFront returns that its
/// first one was used with other items.
const SALT: &str = "again";

/// The requests that are still to be sent to one distribution.
///
/// They are sent in this order: the planned ones; then the halves of refused
/// ones, depth first, so that each invocation isolates items; then the
/// quarantined items, one by one.
pub(super) struct RequestQueue<'a> {
    context: FailureContext<'a>,
    changes: &'a [DeliveredChange],
    memory: &'a Mutex<Memory>,
    /// Whether a redelivery makes the same batches, as that of a direct payload
    /// does.
    is_direct: bool,
    planned: VecDeque<Batch>,
    /// A stack.
    halves: Vec<Batch>,
    quarantined: VecDeque<Batch>,
    max_items: MaxItems,
    /// Halves and quarantined items that were sent.
    isolating: u32,
    /// For each kind of request whose quota is used up, the outcome of the last.
    used_up: [Option<Outcome>; 2],
    /// What waits for a quota.
    waiting: Vec<Batch>,
    /// The planned requests, with the items that have an outcome.
    requests: Vec<SubmittedRequest>,
}

/// What to do next for a distribution.
pub(super) enum Step {
    Send(Batch),
    /// All requests that are left wait for a quota.
    Wait,
    Done,
}

/// The items of one request to CloudFront.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) reference: String,
    pub(super) items: Vec<PlannedItem>,
    /// The index of the planned request.
    request: usize,
    salted: bool,
    origin: Origin,
    suspicion: Suspicion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Planned,
    /// A half of a refused batch.
    Half,
    Quarantined,
}

/// What is known about refused items in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Suspicion {
    None,
    /// If there is none in this half, there is one in the half that is next on
    /// the stack.
    ThisOrNext,
    /// There is at least one.
    Certain,
}

impl<'a> RequestQueue<'a> {
    pub(super) fn new(
        context: FailureContext<'a>,
        changes: &'a [DeliveredChange],
        deliveries: &[Delivery],
        requests: Vec<Request>,
        memory: &'a Mutex<Memory>,
    ) -> Self {
        let is_direct = deliveries.iter().any(|delivery| delivery.id.is_none());
        // A redelivered direct payload must make the same batches.
        let max_items = match is_direct {
            true => [usize::MAX; 2],
            false => lock(memory).max_items(context.distribution),
        };
        let mut queue = Self {
            context,
            changes,
            memory,
            is_direct,
            planned: VecDeque::new(),
            halves: Vec::new(),
            quarantined: VecDeque::new(),
            max_items,
            isolating: 0,
            used_up: [None, None],
            waiting: Vec::new(),
            requests: Vec::with_capacity(requests.len()),
        };
        for (at, Request { caller_reference, items }) in requests.into_iter().enumerate() {
            let count = items.len();
            let (mut unsent, mut settled) = (Vec::with_capacity(count), Vec::new());
            for planned in items {
                match queue.known_item(&planned, deliveries) {
                    KnownItem::Unknown => unsent.push(planned),
                    KnownItem::Accepted(invalidation) => {
                        let outcome = Outcome::Remembered(invalidation);
                        settled.push(SubmittedItem { planned, outcome });
                    }
                    KnownItem::Quarantined => {
                        queue.quarantine(queue.batch(at, vec![planned], Origin::Planned));
                    }
                }
            }
            if !unsent.is_empty() {
                let is_whole = unsent.len() == count;
                let mut batch = queue.batch(at, unsent, Origin::Planned);
                if is_whole {
                    batch.reference.clone_from(&caller_reference);
                }
                queue.planned.push_back(batch);
            }
            queue.requests.push(SubmittedRequest { caller_reference, items: settled });
        }
        queue
    }

    /// Returns the next request to send.
    pub(super) fn next(&mut self) -> Step {
        loop {
            let batch = self.planned.pop_front();
            let batch = batch.or_else(|| self.halves.pop());
            let Some(batch) = batch.or_else(|| self.quarantined.pop_front()) else {
                return if self.waiting.is_empty() { Step::Done } else { Step::Wait };
            };
            let (kind, is_single) = (batch.kind(), batch.items.len() == 1);
            if self.used_up[kind].is_some() {
                self.waiting.push(batch);
                continue;
            }
            if batch.items.len() > self.max_items[kind] {
                let [left, right] = self.bisect(batch);
                self.planned.push_front(right);
                self.planned.push_front(left);
                continue;
            }
            let is_planned = batch.origin == Origin::Planned;
            match self.known_batch(&batch) {
                Some(KnownBatch::Accepted(invalidation)) => {
                    self.settle_accepted(batch, &Outcome::Remembered(invalidation));
                }
                Some(KnownBatch::Refused) if !is_single => self.isolate(batch),
                Some(KnownBatch::Refused) if batch.origin == Origin::Half => self.quarantine(batch),
                _ if batch.suspicion == Suspicion::Certain && !is_single => self.isolate(batch),
                _ if !is_planned && self.isolating >= REQUEST_LIMIT => {
                    self.settle(batch, &self.context.request_limit(REQUEST_LIMIT));
                }
                _ => {
                    self.isolating += u32::from(!is_planned);
                    return Step::Send(batch);
                }
            }
        }
    }

    /// Lets the requests that wait for a quota be sent again, with twice as many
    /// items: a part of what was in progress may have completed.
    pub(super) fn resume(&mut self) {
        for (used_up, max_items) in self.used_up.iter_mut().zip(&mut self.max_items) {
            if used_up.take().is_some() {
                *max_items = max_items.saturating_mul(2);
            }
        }
        self.planned.extend(mem::take(&mut self.waiting));
    }

    /// Gives up the requests that wait for a quota.
    pub(super) fn stop_waiting(&mut self) {
        for batch in mem::take(&mut self.waiting) {
            let outcome = self.used_up[batch.kind()].clone();
            self.settle(batch, &outcome.expect("the quota of what waits is used up"));
        }
    }

    /// Records that a batch was accepted.
    pub(super) fn accept(&mut self, batch: Batch, invalidation: Invalidation) {
        let invalidation = Arc::new(invalidation);
        self.remember(&batch, KnownBatch::Accepted(Arc::clone(&invalidation)));
        self.settle_accepted(batch, &Outcome::Accepted(invalidation));
    }

    /// Records the outcome of a batch that was not accepted, or splits it.
    pub(super) fn fail(&mut self, batch: Batch, error: &CloudFrontError) {
        let is_single = batch.items.len() == 1;
        match error.kind {
            ErrorKind::BatchExists if !batch.salted => {
                let reference = self.reference(&batch.items, Some(SALT));
                self.planned.push_front(Batch { reference, salted: true, ..batch });
            }
            ErrorKind::BatchTooLarge if !is_single => self.shrink(batch),
            // A batch that may be accepted must not be billed again in halves.
            error_kind if error_kind.is_quota() && !batch.is_small() && !error.may_be_accepted => {
                self.shrink(batch);
            }
            ErrorKind::RefusedItem if !is_single => {
                self.remember(&batch, KnownBatch::Refused);
                self.isolate(batch);
            }
            error_kind => {
                if error_kind == ErrorKind::RefusedItem {
                    self.remember(&batch, KnownBatch::Refused);
                }
                let outcome = self.context.outcome(error, &batch.items[0].item);
                if error_kind.is_quota() {
                    self.used_up[batch.kind()] = Some(outcome);
                    self.waiting.push(batch);
                } else {
                    self.settle(batch, &outcome);
                    if error_kind.ends_distribution() {
                        self.give_up(&outcome);
                    }
                }
            }
        }
    }

    /// Returns the planned requests, with an outcome for every item.
    pub(super) fn finish(mut self) -> Vec<SubmittedRequest> {
        for request in &mut self.requests {
            request.items.sort_by(|a, b| a.planned.item.cmp(&b.planned.item));
        }
        self.requests
    }

    /// Settles everything that is left.
    pub(super) fn give_up(&mut self, outcome: &Outcome) {
        let left = mem::take(&mut self.planned).into_iter().chain(mem::take(&mut self.halves));
        let left = left.chain(mem::take(&mut self.quarantined));
        for batch in left.chain(mem::take(&mut self.waiting)) {
            self.settle(batch, outcome);
        }
    }

    fn settle_accepted(&mut self, batch: Batch, outcome: &Outcome) {
        if let (Suspicion::ThisOrNext, Some(next)) = (batch.suspicion, self.halves.last_mut()) {
            next.suspicion = Suspicion::Certain;
        }
        self.settle(batch, outcome);
    }

    /// Records the outcome of all items of a batch.
    fn settle(&mut self, batch: Batch, outcome: &Outcome) {
        let settled = batch
            .items
            .into_iter()
            .map(|planned| SubmittedItem { planned, outcome: outcome.clone() });
        self.requests[batch.request].items.extend(settled);
    }

    /// Sends a batch, and all others of its kind, in smaller requests.
    fn shrink(&mut self, batch: Batch) {
        self.max_items[batch.kind()] = batch.items.len().div_ceil(2);
        lock(self.memory).set_max_items(self.context.distribution, self.max_items);
        self.planned.push_front(batch);
    }

    /// Puts the halves of a batch with a refused item on the stack.
    fn isolate(&mut self, batch: Batch) {
        let [left, right] = self.bisect(batch);
        self.halves.push(Batch { origin: Origin::Half, ..right });
        let suspicion = Suspicion::ThisOrNext;
        self.halves.push(Batch { origin: Origin::Half, suspicion, ..left });
    }

    fn quarantine(&mut self, batch: Batch) {
        self.quarantined.push_back(Batch { origin: Origin::Quarantined, ..batch });
    }

    fn bisect(&self, mut batch: Batch) -> [Batch; 2] {
        let right = batch.items.split_off(batch.items.len() / 2);
        [batch.items, right].map(|items| self.batch(batch.request, items, batch.origin))
    }

    fn batch(&self, request: usize, items: Vec<PlannedItem>, origin: Origin) -> Batch {
        let (reference, suspicion) = (self.reference(&items, None), Suspicion::None);
        Batch { reference, items, request, salted: false, origin, suspicion }
    }

    /// Returns what earlier invocations found out about an item. Nothing is known
    /// about those of a direct payload: without one of its items a batch would
    /// have another caller reference.
    fn known_item(&self, planned: &PlannedItem, deliveries: &[Delivery]) -> KnownItem {
        if self.is_direct {
            return KnownItem::Unknown;
        }
        let delivery = |change: &u32| &deliveries[self.changes[*change as usize].delivery as usize];
        let messages = planned.changes.iter().filter_map(|change| delivery(change).id.as_deref());
        lock(self.memory).item(self.context.distribution, &planned.item, messages)
    }

    fn known_batch(&self, batch: &Batch) -> Option<KnownBatch> {
        lock(self.memory).batch(self.context.distribution, &batch.reference)
    }

    fn remember(&self, batch: &Batch, known: KnownBatch) {
        if self.is_direct {
            let distribution = self.context.distribution;
            lock(self.memory).insert_batch(distribution, &batch.reference, known);
        }
    }

    fn reference(&self, items: &[PlannedItem], salt: Option<&str>) -> String {
        let changes = items.iter().flat_map(|item| &item.changes);
        caller_reference(
            &self.context.distribution.id,
            items.iter().map(|planned| &planned.item),
            changes.map(|change| self.changes[*change as usize].identity),
            salt,
        )
    }
}

impl Batch {
    /// Returns 1 for a request with wildcards, whose quota is another, or 0.
    fn kind(&self) -> usize {
        usize::from(self.items.iter().any(|planned| planned.item.is_wildcard()))
    }

    /// Returns whether the batch is not halved because of a quota.
    pub(super) fn is_small(&self) -> bool {
        self.items.len() <= SMALL[self.kind()]
    }
}
