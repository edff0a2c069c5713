//! The order in which the requests of a distribution are sent, and how refused
//! ones are bisected.

use std::{collections::VecDeque, mem, sync::Arc};

use super::{
    Invalidation, Outcome, SubmittedItem, SubmittedRequest,
    error::{CloudFrontError, ErrorKind},
    failure::FailureContext,
};
use crate::plan::{DeliveredChange, PlannedItem, Request, caller_reference};

/// How many requests one distribution may take in one invocation while refused
/// batches are bisected. Thirty-two isolate the one bad item of 3,000 and take
/// about a minute: users report a limit of one request every two seconds
/// (<https://github.com/aws/aws-sdk-js/issues/3983>).
pub(super) const REQUEST_LIMIT: u32 = 32;

/// Gives a batch another caller reference when CloudFront returns that its
/// first one was used with other items.
const SALT: &str = "again";

/// The requests that are still to be sent to one distribution.
///
/// They are sent in this order: the planned ones; then the halves of refused
/// ones, the largest first, so that as many items as possible are accepted
/// before the limit is reached; then the quarantined items, one by one.
pub(super) struct RequestQueue<'a> {
    context: FailureContext<'a>,
    changes: &'a [DeliveredChange],
    planned: VecDeque<Batch>,
    halves: VecDeque<Batch>,
    quarantined: VecDeque<Batch>,
    sent: u32,
    /// The planned requests, with the items that have an outcome.
    requests: Vec<SubmittedRequest>,
}

/// The items of one request to CloudFront.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) reference: String,
    pub(super) items: Vec<PlannedItem>,
    /// The index of the planned request.
    request: usize,
    salted: bool,
}

/// What earlier invocations found out about an item.
pub(super) enum RememberedItem {
    Unknown,
    /// It was accepted for all of its messages.
    Accepted(Arc<Invalidation>),
    /// It was refused when it was sent alone.
    Quarantined,
}

impl<'a> RequestQueue<'a> {
    pub(super) fn new(
        context: FailureContext<'a>,
        changes: &'a [DeliveredChange],
        requests: Vec<Request>,
        lookup: impl Fn(&PlannedItem) -> RememberedItem,
    ) -> Self {
        let mut queue = Self {
            context,
            changes,
            planned: VecDeque::new(),
            halves: VecDeque::new(),
            quarantined: VecDeque::new(),
            sent: 0,
            requests: Vec::with_capacity(requests.len()),
        };
        for (at, Request { caller_reference, items }) in requests.into_iter().enumerate() {
            let count = items.len();
            let (mut unsent, mut settled) = (Vec::with_capacity(count), Vec::new());
            for planned in items {
                match lookup(&planned) {
                    RememberedItem::Unknown => unsent.push(planned),
                    RememberedItem::Accepted(invalidation) => {
                        let outcome = Outcome::Remembered(invalidation);
                        settled.push(SubmittedItem { planned, outcome });
                    }
                    RememberedItem::Quarantined => {
                        queue.quarantined.push_back(queue.batch(at, vec![planned]));
                    }
                }
            }
            if unsent.len() == count {
                let reference = caller_reference.clone();
                queue.planned.push_back(Batch {
                    reference,
                    items: unsent,
                    request: at,
                    salted: false,
                });
            } else if !unsent.is_empty() {
                queue.planned.push_back(queue.batch(at, unsent));
            }
            queue.requests.push(SubmittedRequest { caller_reference, items: settled });
        }
        queue
    }

    /// Returns the next request to send.
    pub(super) fn next(&mut self) -> Option<Batch> {
        if self.planned.is_empty() && self.sent >= REQUEST_LIMIT {
            self.give_up(&self.context.request_limit(REQUEST_LIMIT));
        }
        let queues = [&mut self.planned, &mut self.halves, &mut self.quarantined];
        let batch = queues.into_iter().find_map(VecDeque::pop_front)?;
        self.sent += 1;
        Some(batch)
    }

    /// Records the outcome of all items of a batch.
    pub(super) fn settle(&mut self, batch: Batch, outcome: &Outcome) {
        let settled = batch
            .items
            .into_iter()
            .map(|planned| SubmittedItem { planned, outcome: outcome.clone() });
        self.requests[batch.request].items.extend(settled);
    }

    /// Records the outcome of a batch that was not accepted, or sends it again
    /// in another way.
    pub(super) fn fail(&mut self, batch: Batch, error: &CloudFrontError) {
        let is_single = batch.items.len() == 1;
        match error.kind {
            ErrorKind::BatchExists if !batch.salted => {
                let reference = self.reference(&batch.items, Some(SALT));
                self.planned.push_front(Batch { reference, salted: true, ..batch });
            }
            ErrorKind::BatchTooLarge if !is_single => {
                let [left, right] = self.bisect(batch);
                self.planned.push_front(right);
                self.planned.push_front(left);
            }
            ErrorKind::RefusedItem if !is_single => {
                let halves = self.bisect(batch);
                self.halves.extend(halves);
            }
            kind => {
                let outcome = self.context.outcome(error, &batch.items[0].item);
                self.settle(batch, &outcome);
                if kind.ends_distribution() {
                    self.give_up(&outcome);
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
        let queues = [&mut self.planned, &mut self.halves, &mut self.quarantined];
        let rest: Vec<Batch> = queues.into_iter().flat_map(mem::take).collect();
        for batch in rest {
            self.settle(batch, outcome);
        }
    }

    fn bisect(&self, mut batch: Batch) -> [Batch; 2] {
        let right = batch.items.split_off(batch.items.len() / 2);
        [batch.items, right].map(|items| self.batch(batch.request, items))
    }

    fn batch(&self, request: usize, items: Vec<PlannedItem>) -> Batch {
        Batch { reference: self.reference(&items, None), items, request, salted: false }
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
