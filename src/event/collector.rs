//! Fills a delivery.

use std::{collections::HashSet, fmt::Write, sync::Arc};

use super::{Change, Delivery, Unreadable, unreadable::Quoted};

/// The number of errors that are kept of one delivery, so that a payload of a
/// million bad elements does not make an error of a gigabyte.
const MAX_UNREADABLE: usize = 20;

/// Names that many changes of a payload share: buckets, accounts and regions.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<Arc<str>>);

impl Names {
    pub(super) fn share(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let new = Arc::<str>::from(name);
        self.0.insert(Arc::clone(&new));
        new
    }
}

/// A delivery that is being filled.
pub(super) struct Collector<'a> {
    /// The message id, or the request id of the invocation. It identifies
    /// changes that carry no id.
    pub(super) id: &'a str,
    pub(super) names: &'a mut Names,
    delivery: Delivery,
    /// The position of the list element that is being read.
    path: Vec<(&'static str, usize)>,
    /// The number of errors that are not in `delivery.unreadable`.
    omitted: usize,
}

impl<'a> Collector<'a> {
    pub(super) fn new(id: &'a str, names: &'a mut Names) -> Self {
        Self { id, names, delivery: Delivery::default(), path: Vec::new(), omitted: 0 }
    }

    /// Starts an element of a list.
    pub(super) fn enter(&mut self, list: &'static str, at: usize) {
        self.path.push((list, at));
    }

    /// Ends the element that was started last.
    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    /// Adds a change, or counts an event that no rule can match.
    pub(super) fn add(&mut self, change: Option<Change>) {
        self.delivery.skipped += usize::from(change.is_none());
        // Exactly: a queue has thousands of deliveries, most with one change.
        if self.delivery.changes.is_empty() {
            self.delivery.changes.reserve_exact(1);
        }
        self.delivery.changes.extend(change);
    }

    /// Notes the type of an event that is not S3's own.
    pub(super) fn note_foreign(&mut self, detail_type: &str) {
        self.delivery.foreign.get_or_insert_with(|| Quoted(detail_type).to_string());
    }

    /// Records an error with the position at which it occurred.
    pub(super) fn check(&mut self, result: Result<(), Unreadable>) {
        let Err(unreadable) = result else { return };
        if self.delivery.unreadable.len() == MAX_UNREADABLE {
            self.omitted += 1;
            return;
        }
        let mut message = String::new();
        for (list, at) in &self.path {
            let _ = write!(message, "{list}[{at}]: ");
        }
        self.delivery.unreadable.push(Unreadable::new(format!("{message}{unreadable}")));
    }

    pub(super) fn finish(mut self) -> Delivery {
        if self.omitted > 0 {
            let more = format!("and {} more that are unreadable", self.omitted);
            self.delivery.unreadable.push(Unreadable::new(more));
        }
        self.delivery
    }
}
