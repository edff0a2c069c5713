use std::{collections::VecDeque, sync::Arc};

use super::{Failure, Invalidation, Outcome, error::Error, failure::Teller};
use crate::{
    item::Item,
    plan::{DistributionPlan, Plan, PlannedItem, caller_reference},
};

/// How many requests one distribution may take in one invocation while refused
/// batches are taken apart. Thirty-two isolate the one bad item of 3,000 and
/// take about a minute at the rate CloudFront is said to allow (one request
/// every two seconds, <https://github.com/aws/aws-sdk-js/issues/3983>).
pub(super) const REQUEST_LIMIT: u32 = 32;

/// Makes another reference for a batch whose first one CloudFront says it has
/// seen with other items.
const SALT: &str = "again";

/// What is left to send to one distribution, and what became of the rest.
///
/// Batches are sent in this order: those of the plan; then parts of refused
/// batches, the largest first, so that as many items as possible are accepted
/// before the limit is reached; then items known to be refused, one by one.
pub(super) struct Work<'a> {
    plan: &'a Plan,
    part: &'a DistributionPlan,
    teller: Teller<'a>,
    outcomes: Vec<Vec<Option<Outcome>>>,
    planned: VecDeque<Batch>,
    parts: VecDeque<Batch>,
    apart: VecDeque<Batch>,
    sent: u32,
}

/// Items to be sent in one request.
#[derive(Debug)]
pub(super) struct Batch {
    /// Their places in the plan: request, item.
    places: Vec<(usize, usize)>,
    pub(super) reference: String,
    salted: bool,
}

/// What is known of an item before it is sent.
pub(super) enum Known {
    /// Nothing.
    Nothing,
    /// It was accepted for every delivery behind it.
    Accepted(Arc<Invalidation>),
    /// It was refused when it was alone.
    Refused,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        part: &'a DistributionPlan,
        teller: Teller<'a>,
        known: impl Fn(&PlannedItem) -> Known,
    ) -> Self {
        let outcomes = part.requests.iter().map(|request| vec![None; request.items.len()]);
        let mut work = Self {
            plan,
            part,
            teller,
            outcomes: outcomes.collect(),
            planned: VecDeque::new(),
            parts: VecDeque::new(),
            apart: VecDeque::new(),
            sent: 0,
        };
        for (r, request) in part.requests.iter().enumerate() {
            let mut places = Vec::with_capacity(request.items.len());
            for (i, item) in request.items.iter().enumerate() {
                match known(item) {
                    Known::Nothing => places.push((r, i)),
                    Known::Accepted(invalidation) => {
                        work.outcomes[r][i] = Some(Outcome::Remembered(invalidation));
                    }
                    Known::Refused => {
                        let batch = work.batch(vec![(r, i)]);
                        work.apart.push_back(batch);
                    }
                }
            }
            if places.len() == request.items.len() && !places.is_empty() {
                let reference = request.caller_reference.clone();
                work.planned.push_back(Batch { places, reference, salted: false });
            } else if !places.is_empty() {
                let batch = work.batch(places);
                work.planned.push_back(batch);
            }
        }
        work
    }

    /// The next batch to send, if any is left that may be sent.
    pub(super) fn next(&mut self) -> Option<Batch> {
        if let Some(batch) = self.planned.pop_front() {
            self.sent += 1;
            return Some(batch);
        }
        if self.sent >= REQUEST_LIMIT {
            let failure = self.teller.not_isolated(REQUEST_LIMIT);
            self.give_up(&failure, false);
        }
        let batch = self.parts.pop_front().or_else(|| self.apart.pop_front())?;
        self.sent += 1;
        Some(batch)
    }

    /// The items of a batch, as the plan has them.
    pub(super) fn items(&self, batch: &Batch) -> impl Iterator<Item = &'a PlannedItem> {
        let part = self.part;
        batch.places.clone().into_iter().map(move |(r, i)| &part.requests[r].items[i])
    }

    /// The item of a batch that has just one.
    pub(super) fn alone(&self, batch: &Batch) -> Option<&'a Item> {
        match batch.places[..] {
            [(r, i)] => Some(&self.part.requests[r].items[i].item),
            _ => None,
        }
    }

    pub(super) fn accepted(&mut self, batch: &Batch, invalidation: &Arc<Invalidation>) {
        self.set(batch, &Outcome::Accepted(Arc::clone(invalidation)));
    }

    /// Settles a batch that was not accepted, or sends it another way.
    pub(super) fn failed(&mut self, batch: Batch, error: &Error) {
        let alone = self.alone(&batch);
        if error.is_batch_exists() && !batch.salted {
            let reference = self.reference(&batch.places, Some(SALT));
            self.planned.push_front(Batch { reference, salted: true, ..batch });
        } else if error.is_batch_too_large() && alone.is_none() {
            let (left, right) = self.halves(batch);
            self.planned.push_front(right);
            self.planned.push_front(left);
        } else if error.is_refused_path() && alone.is_none() {
            let (left, right) = self.halves(batch);
            self.parts.extend([left, right]);
        } else {
            let failure = self.teller.failure(error, alone);
            let outcome = outcome(&failure, error.is_permanent());
            self.set(&batch, &outcome);
            if error.ends_distribution() {
                self.give_up(&failure, error.is_permanent());
            }
        }
    }

    /// What became of every item.
    pub(super) fn finish(self) -> Vec<Vec<Outcome>> {
        let settled = |outcome: Option<Outcome>| outcome.expect("every batch was settled");
        self.outcomes
            .into_iter()
            .map(|outcomes| outcomes.into_iter().map(settled).collect())
            .collect()
    }

    /// Settles everything that is left.
    fn give_up(&mut self, failure: &Arc<Failure>, permanent: bool) {
        let outcome = outcome(failure, permanent);
        let queues = [&mut self.planned, &mut self.parts, &mut self.apart];
        let rest: Vec<Batch> = queues.into_iter().flat_map(std::mem::take).collect();
        for batch in rest {
            self.set(&batch, &outcome);
        }
    }

    fn set(&mut self, batch: &Batch, outcome: &Outcome) {
        for &(r, i) in &batch.places {
            self.outcomes[r][i] = Some(outcome.clone());
        }
    }

    fn halves(&self, mut batch: Batch) -> (Batch, Batch) {
        let right = batch.places.split_off(batch.places.len() / 2);
        (self.batch(batch.places), self.batch(right))
    }

    fn batch(&self, places: Vec<(usize, usize)>) -> Batch {
        let reference = self.reference(&places, None);
        Batch { places, reference, salted: false }
    }

    fn reference(&self, places: &[(usize, usize)], salt: Option<&str>) -> String {
        let items = places.iter().map(|&(r, i)| &self.part.requests[r].items[i]);
        let changes = items.clone().flat_map(|item| &item.changes);
        caller_reference(
            &self.part.distribution.id,
            items.map(|item| &item.item),
            changes.map(|&change| self.plan.changes[change as usize].identity),
            salt,
        )
    }
}

fn outcome(failure: &Arc<Failure>, permanent: bool) -> Outcome {
    let failure = Arc::clone(failure);
    if permanent { Outcome::Refused(failure) } else { Outcome::Retry(failure) }
}
