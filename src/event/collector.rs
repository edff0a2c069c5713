use std::{collections::HashSet, fmt::Write, sync::Arc};

use serde_json::value::RawValue;

use super::{Change, Delivery, Unreadable, wire::Attributes};

/// How many refusals of one delivery are put into words. One is enough to make
/// it fail; a payload of a million bad elements must not become a gigabyte.
const MAX_UNREADABLE: usize = 20;

/// Names that many changes of a payload share.
#[derive(Default)]
pub(super) struct Names(HashSet<Arc<str>>);

impl Names {
    pub(super) fn share(&mut self, name: &str) -> Arc<str> {
        if let Some(shared) = self.0.get(name) {
            return Arc::clone(shared);
        }
        let shared = Arc::<str>::from(name);
        self.0.insert(Arc::clone(&shared));
        shared
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
    pub(super) fn message(id: &'a str, attributes: Option<&RawValue>) -> Self {
        let attributes: Attributes<'_> = attributes
            .and_then(|attributes| serde_json::from_str(attributes.get()).ok())
            .unwrap_or_default();
        let mut collector = Self::direct(id);
        collector.delivery.id = Some(id.to_owned());
        collector.delivery.group = attributes.group.get().map(str::to_owned);
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
        self.delivery.changes.push(change);
    }

    /// Counts an event that is understood and asks for nothing.
    pub(super) fn skip(&mut self) {
        self.delivery.skipped += 1;
    }

    /// Takes what could not be read, unless it could.
    pub(super) fn check(&mut self, result: Result<(), Unreadable>) {
        if let Err(unreadable) = result {
            self.refuse(unreadable);
        }
    }

    pub(super) fn refuse(&mut self, unreadable: Unreadable) {
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
