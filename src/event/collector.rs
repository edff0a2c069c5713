use std::{collections::HashSet, fmt::Write, sync::Arc};

use super::{Change, Delivery, Unreadable};

/// How many refusals of one delivery are put into words. One is enough to make
/// it fail; a payload of a million bad elements must not become a gigabyte.
const MAX_UNREADABLE: usize = 20;

/// Names that many changes of a payload share: buckets, accounts and regions.
#[derive(Default)]
pub(super) struct Names {
    /// The first few, which mostly are all: comparing beats hashing.
    first: Vec<Arc<str>>,
    others: HashSet<Arc<str>>,
}

impl Names {
    pub(super) fn share(&mut self, name: &str) -> Arc<str> {
        let known = self.first.iter().find(|known| ***known == *name);
        if let Some(known) = known.or_else(|| self.others.get(name)) {
            return Arc::clone(known);
        }
        let new = Arc::<str>::from(name);
        if self.first.len() < 8 {
            self.first.push(Arc::clone(&new));
        } else {
            self.others.insert(Arc::clone(&new));
        }
        new
    }
}

/// A delivery that is being filled.
pub(super) struct Collector<'a> {
    /// What tells a change from others when the change itself has no name: the
    /// message id, or the invocation's request id.
    pub(super) id: &'a str,
    delivery: Delivery,
    /// The element that is being read, and those it is in.
    path: Vec<(&'static str, usize)>,
    unlisted: usize,
}

impl<'a> Collector<'a> {
    /// An empty direct delivery.
    pub(super) fn direct(request_id: &'a str) -> Self {
        Self { id: request_id, delivery: Delivery::default(), path: Vec::new(), unlisted: 0 }
    }

    /// An empty delivery of a queue's message.
    pub(super) fn message(id: &'a str, group: Option<&str>) -> Self {
        let mut collector = Self::direct(id);
        collector.delivery.id = Some(id.to_owned());
        collector.delivery.group = group.map(str::to_owned);
        collector
    }

    /// Begins the element of a list.
    pub(super) fn enter(&mut self, list: &'static str, at: usize) {
        self.path.push((list, at));
    }

    /// Ends the element begun last.
    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    pub(super) fn add(&mut self, change: Change) {
        // Most deliveries bring one change, and a queue thousands of deliveries.
        if self.delivery.changes.is_empty() {
            self.delivery.changes.reserve_exact(1);
        }
        self.delivery.changes.push(change);
    }

    /// Counts an event that is understood and asks for nothing.
    pub(super) fn skip(&mut self) {
        self.delivery.skipped += 1;
    }

    /// Takes what could not be read, unless it could.
    pub(super) fn check(&mut self, result: Result<(), Unreadable>) {
        if let Err(unreadable) = result {
            self.refuse(&unreadable);
        }
    }

    fn refuse(&mut self, unreadable: &Unreadable) {
        if self.delivery.unreadable.len() == MAX_UNREADABLE {
            self.unlisted += 1;
            return;
        }
        let mut message = String::new();
        for (list, at) in &self.path {
            let _ = write!(message, "{list}[{at}]: ");
        }
        let _ = write!(message, "{unreadable}");
        self.delivery.unreadable.push(Unreadable::new(message));
    }

    /// Whether nothing at all was put in.
    pub(super) fn is_empty(&self) -> bool {
        let Delivery { changes, unreadable, skipped, .. } = &self.delivery;
        changes.is_empty() && unreadable.is_empty() && *skipped == 0
    }

    pub(super) fn finish(mut self) -> Delivery {
        if self.unlisted > 0 {
            let more = Unreadable::new(format!("and {} more that are unreadable", self.unlisted));
            self.delivery.unreadable.push(more);
        }
        self.delivery
    }
}
