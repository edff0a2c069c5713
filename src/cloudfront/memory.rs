use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{Invalidation, Outcome, Submission, request_queue::Known};
use crate::{distribution::Distribution, event::Delivery, item::Item};

/// What a process remembers from one invocation to the next. All of it is safe
/// to lose.
#[derive(Debug, Default)]
pub(super) struct Memory {
    accepted: AcceptedItems,
    quarantine: Quarantine,
}

impl Memory {
    /// What is known about an item that `messages` need.
    pub(super) fn lookup(
        &self,
        distribution: &Arc<Distribution>,
        item: &Item,
        messages: &[&str],
    ) -> Known {
        let find = |message: &&str| self.accepted.find(message, distribution, item);
        match messages.iter().map(find).collect::<Option<Vec<_>>>().as_deref() {
            Some([invalidation, ..]) => Known::Accepted(Arc::clone(invalidation)),
            _ if self.quarantine.contains(distribution, item) => Known::Quarantined,
            _ => Known::Nothing,
        }
    }

    /// Remembers the items that were accepted for messages that are redelivered,
    /// forgets the messages that are not, and updates the quarantine.
    pub(super) fn update(&mut self, submission: &Submission, deliveries: &[Delivery]) {
        for (delivery, needs_redelivery) in deliveries.iter().zip(&submission.needs_redelivery) {
            if let (Some(id), false) = (&delivery.id, needs_redelivery) {
                self.accepted.forget(id);
            }
        }
        for part in &submission.distributions {
            let distribution = Arc::new(part.distribution.clone());
            for submitted in part.items() {
                let item = &submitted.planned.item;
                match &submitted.outcome {
                    Outcome::Accepted(invalidation) => {
                        self.quarantine.remove(&distribution, item);
                        for change in &submitted.planned.changes {
                            let at = submission.changes[*change as usize].delivery as usize;
                            if let (Some(id), true) =
                                (&deliveries[at].id, submission.needs_redelivery[at])
                            {
                                self.accepted.insert(id, &distribution, item, invalidation);
                            }
                        }
                    }
                    Outcome::Refused(failure) if failure.is_refused_item() => {
                        self.quarantine.insert(&distribution, item);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// The most bytes of accepted items. A path takes some 200, so this is enough
/// for about 80,000: ten times what one invocation can bring, and little of the
/// smallest function's 128 MB.
const ACCEPTED_BYTES: usize = 16 << 20;

/// The size of an entry beside the item's text.
const ENTRY_BYTES: usize = 96;

/// Items that were accepted for messages that are redelivered because of other
/// items, by message id. Another message is another change, which no entry
/// answers.
#[derive(Debug, Default)]
struct AcceptedItems {
    messages: HashMap<Arc<str>, Message>,
    /// The messages by age: the oldest are dropped when the memory is full.
    ages: BTreeMap<u64, Arc<str>>,
    next_age: u64,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Message {
    age: u64,
    bytes: usize,
    items: Vec<AcceptedItem>,
}

#[derive(Debug)]
struct AcceptedItem {
    distribution: Arc<Distribution>,
    item: Item,
    invalidation: Arc<Invalidation>,
}

impl AcceptedItems {
    fn insert(
        &mut self,
        message: &str,
        distribution: &Arc<Distribution>,
        item: &Item,
        invalidation: &Arc<Invalidation>,
    ) {
        if self.find(message, distribution, item).is_some() {
            return;
        }
        if !self.messages.contains_key(message) {
            let (id, age) = (Arc::<str>::from(message), self.next_age);
            self.next_age += 1;
            self.ages.insert(age, Arc::clone(&id));
            self.messages.insert(id, Message { age, ..Message::default() });
        }
        let Some(kept) = self.messages.get_mut(message) else { return };
        kept.items.push(AcceptedItem {
            distribution: Arc::clone(distribution),
            item: item.clone(),
            invalidation: Arc::clone(invalidation),
        });
        let bytes = item.as_str().len() + ENTRY_BYTES;
        kept.bytes += bytes;
        self.bytes += bytes;
        while self.bytes > ACCEPTED_BYTES
            && let Some((_, oldest)) = self.ages.pop_first()
        {
            self.forget(&oldest);
        }
    }

    /// The invalidation of the item or of a wildcard that covers it: the plan of
    /// a larger batch may have collapsed the item.
    fn find(
        &self,
        message: &str,
        distribution: &Arc<Distribution>,
        item: &Item,
    ) -> Option<&Arc<Invalidation>> {
        let accepted = self.messages.get(message)?.items.iter().find(|accepted| {
            accepted.distribution == *distribution && accepted.item.covers(item)
        })?;
        Some(&accepted.invalidation)
    }

    fn forget(&mut self, message: &str) {
        if let Some(kept) = self.messages.remove(message) {
            self.bytes -= kept.bytes;
            self.ages.remove(&kept.age);
        }
    }
}

/// The most items in quarantine: with the longest paths, 4 MB.
const QUARANTINE_ITEMS: usize = 1_000;

/// Items that CloudFront refused when they were sent alone. They are sent alone
/// again, after all others, so that no other batch is refused because of them.
#[derive(Debug, Default)]
struct Quarantine(BTreeSet<(Arc<Distribution>, Item)>);

impl Quarantine {
    fn insert(&mut self, distribution: &Arc<Distribution>, item: &Item) {
        self.0.insert((Arc::clone(distribution), item.clone()));
        if self.0.len() > QUARANTINE_ITEMS {
            self.0.pop_first();
        }
    }

    fn contains(&self, distribution: &Arc<Distribution>, item: &Item) -> bool {
        !self.0.is_empty() && self.0.contains(&(Arc::clone(distribution), item.clone()))
    }

    fn remove(&mut self, distribution: &Arc<Distribution>, item: &Item) {
        if !self.0.is_empty() {
            self.0.remove(&(Arc::clone(distribution), item.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{distribution::DistributionId, item::address};

    fn distribution() -> Arc<Distribution> {
        Arc::new(DistributionId::distribution("E1EXAMPLE").unwrap().into())
    }

    fn path(text: &str) -> Item {
        address(text, "/", "/", true).unwrap()
    }

    #[test]
    fn the_oldest_accepted_items_are_dropped() {
        let mut memory = AcceptedItems::default();
        let distribution = distribution();
        let item = path(&format!("/{}", "x".repeat(3_999)));
        for message in 0..10_000 {
            let invalidation = Arc::new(Invalidation::unnamed());
            memory.insert(&format!("m{message}"), &distribution, &item, &invalidation);
        }
        // 16 MiB of paths of 4,000 bytes and their entries.
        assert_eq!(memory.messages.len(), (16 << 20) / 4_096);
        assert!(memory.find("m9999", &distribution, &item).is_some());
        assert!(memory.find("m0", &distribution, &item).is_none());
        for message in 0..10_000 {
            memory.forget(&format!("m{message}"));
        }
        assert_eq!((memory.messages.len(), memory.ages.len(), memory.bytes), (0, 0, 0));
    }

    #[test]
    fn the_quarantine_is_bounded() {
        let mut quarantine = Quarantine::default();
        for n in 0..2 * QUARANTINE_ITEMS {
            quarantine.insert(&distribution(), &path(&format!("/{n}")));
        }
        assert_eq!(quarantine.0.len(), QUARANTINE_ITEMS);
    }
}
