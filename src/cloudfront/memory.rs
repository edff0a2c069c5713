//! What a process remembers of earlier invocations: accepted items of messages
//! that are redelivered, refused items, and the batches of direct payloads.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use super::{Invalidation, Outcome, Submission, SubmittedItem};
use crate::{distribution::Distribution, event::Delivery, item::Item};

/// What a process remembers from one invocation to the next. All of it is safe
/// to lose.
#[derive(Debug, Default)]
pub(super) struct Memory {
    accepted: AcceptedItems,
    /// The distributions of what is remembered: those of the rules.
    distributions: HashSet<Arc<Distribution>>,
    /// Items that CloudFront refused when they were sent alone. They are sent
    /// alone again, so that no other batch is refused because of them.
    quarantine: BTreeSet<(Arc<Distribution>, Item)>,
    /// The batches of direct payloads, by caller reference.
    batches: HashMap<(Arc<Distribution>, String), KnownBatch>,
    max_items: HashMap<Arc<Distribution>, MaxItems>,
}

/// The most items of a request without and of one with wildcards, once CloudFront
/// did not accept a larger one because of a quota.
pub(super) type MaxItems = [usize; 2];

/// What earlier invocations found out about an item.
pub(super) enum KnownItem {
    Unknown,
    /// It was accepted for all of its messages.
    Accepted(Arc<Invalidation>),
    /// It was refused when it was sent alone.
    Quarantined,
}

/// What CloudFront answered to a batch of a direct payload. A redelivery of the
/// payload makes the same batches.
#[derive(Clone, Debug)]
pub(super) enum KnownBatch {
    Accepted(Arc<Invalidation>),
    /// One of its items was refused.
    Refused,
}

/// The most items in quarantine: with the longest paths, 4 MB.
const QUARANTINE_ITEMS: usize = 1_000;

/// The most batches: with their references, 2 MB. All are forgotten beyond it.
const BATCHES: usize = 10_000;

impl Memory {
    /// Returns what is known about an item that `messages` need.
    pub(super) fn item<'m>(
        &self,
        distribution: &Arc<Distribution>,
        item: &Item,
        messages: impl Iterator<Item = &'m str>,
    ) -> KnownItem {
        let find = |message| self.accepted.find(message, distribution, item);
        match messages.map(find).collect::<Option<Vec<_>>>().as_deref() {
            Some([invalidation, ..]) => KnownItem::Accepted(Arc::clone(invalidation)),
            _ if self.quarantine.contains(&(Arc::clone(distribution), item.clone())) => {
                KnownItem::Quarantined
            }
            _ => KnownItem::Unknown,
        }
    }

    /// Returns how many items the next invocation may send to a distribution in
    /// one request: twice as many as the last one, so that the number grows again.
    pub(super) fn max_items(&mut self, distribution: &Arc<Distribution>) -> MaxItems {
        let Some(learned) = self.max_items.get_mut(distribution) else { return [usize::MAX; 2] };
        *learned = learned.map(|items| items.saturating_mul(2));
        *learned
    }

    pub(super) fn set_max_items(&mut self, distribution: &Arc<Distribution>, items: MaxItems) {
        self.max_items.insert(Arc::clone(distribution), items);
    }

    /// Returns what is known about a batch of a direct payload.
    pub(super) fn batch(
        &self,
        distribution: &Arc<Distribution>,
        reference: &str,
    ) -> Option<KnownBatch> {
        self.batches.get(&(Arc::clone(distribution), reference.to_owned())).cloned()
    }

    pub(super) fn insert_batch(
        &mut self,
        distribution: &Arc<Distribution>,
        reference: &str,
        known: KnownBatch,
    ) {
        if self.batches.len() >= BATCHES {
            self.batches.clear();
        }
        self.batches.insert((Arc::clone(distribution), reference.to_owned()), known);
    }

    /// Returns the shared value of a distribution.
    fn share(&mut self, distribution: &Distribution) -> Arc<Distribution> {
        if let Some(known) = self.distributions.get(distribution) {
            return Arc::clone(known);
        }
        let new = Arc::new(distribution.clone());
        self.distributions.insert(Arc::clone(&new));
        new
    }

    /// Remembers the items that were accepted for messages that are redelivered,
    /// forgets the other messages, and updates the quarantine.
    pub(super) fn update(&mut self, submission: &Submission, deliveries: &[Delivery]) {
        let Submission { changes, distributions, needs_redelivery, .. } = submission;
        let done = deliveries.iter().zip(needs_redelivery).filter(|(_, failed)| !**failed);
        self.accepted.forget(done.filter_map(|(delivery, _)| delivery.id.as_deref()));
        for part in distributions {
            let distribution = self.share(&part.distribution);
            for SubmittedItem { planned, outcome } in part.items() {
                let item = &planned.item;
                match outcome {
                    Outcome::Accepted(invalidation) => {
                        self.quarantine.remove(&(Arc::clone(&distribution), item.clone()));
                        for change in &planned.changes {
                            let at = changes[*change as usize].delivery as usize;
                            if let (Some(id), true) = (&deliveries[at].id, needs_redelivery[at]) {
                                self.accepted.insert(id, &distribution, item, invalidation);
                            }
                        }
                    }
                    Outcome::Refused(failure) if failure.is_refused_item() => {
                        self.quarantine.insert((Arc::clone(&distribution), item.clone()));
                        if self.quarantine.len() > QUARANTINE_ITEMS {
                            self.quarantine.pop_first();
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

/// What an allocation takes beside its text: the counters of an `Arc`, and what
/// the allocator adds.
const ALLOCATION_BYTES: usize = 32;

/// Items that were accepted for messages that are redelivered because of other
/// items, by message id. They do not count for another message, which is
/// another change.
#[derive(Debug, Default)]
struct AcceptedItems {
    /// Sorted by [`AcceptedItem::key`].
    messages: HashMap<Arc<str>, Vec<AcceptedItem>>,
    /// The messages, the oldest first.
    order: VecDeque<Arc<str>>,
    bytes: usize,
}

#[derive(Debug)]
struct AcceptedItem {
    distribution: Arc<Distribution>,
    item: Item,
    invalidation: Arc<Invalidation>,
}

/// The most bytes of accepted items; the oldest messages are dropped. A message
/// with one item takes some 600, so this is enough for about 28,000, and little
/// of the smallest function's 128 MB.
const ACCEPTED_BYTES: usize = 16 << 20;

/// The size of a message beside its id: twice its entries in the map and in the
/// order, which grow by doubling, and the first allocation of its items.
const MESSAGE_BYTES: usize =
    2 * (size_of::<(Arc<str>, Vec<AcceptedItem>)>() + size_of::<Arc<str>>()) + 2 * ALLOCATION_BYTES;

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
        let id = Arc::<str>::from(message);
        if !self.messages.contains_key(&id) {
            self.order.push_back(Arc::clone(&id));
            self.bytes += message_bytes(message);
        }
        let (distribution, invalidation) = (Arc::clone(distribution), Arc::clone(invalidation));
        let accepted = AcceptedItem { distribution, item: item.clone(), invalidation };
        self.bytes += accepted.bytes();
        let items = self.messages.entry(id).or_default();
        // Most messages have one item.
        if items.is_empty() {
            items.reserve_exact(1);
        }
        let at = items.partition_point(|one| one.key() < accepted.key());
        items.insert(at, accepted);
        while self.bytes > ACCEPTED_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.remove(&oldest);
        }
    }

    /// Returns the invalidation of the item or of a wildcard that covers it:
    /// the plan of a larger batch may have collapsed the item.
    fn find(
        &self,
        message: &str,
        distribution: &Arc<Distribution>,
        item: &Item,
    ) -> Option<&Arc<Invalidation>> {
        let items = self.messages.get(message)?;
        let key = (!item.is_wildcard(), distribution, item);
        let accepted = match items.binary_search_by_key(&key, AcceptedItem::key) {
            Ok(at) => &items[at],
            Err(_) => items.iter().take_while(|one| one.item.is_wildcard()).find(|wildcard| {
                wildcard.distribution == *distribution && wildcard.item.covers(item)
            })?,
        };
        Some(&accepted.invalidation)
    }

    fn forget<'a>(&mut self, messages: impl Iterator<Item = &'a str>) {
        messages.for_each(|message| self.remove(message));
        self.order.retain(|message| self.messages.contains_key(message));
    }

    fn remove(&mut self, message: &str) {
        if let Some(removed) = self.messages.remove(message) {
            self.bytes -= message_bytes(message);
            self.bytes -= removed.iter().map(AcceptedItem::bytes).sum::<usize>();
        }
    }
}

fn message_bytes(id: &str) -> usize {
    id.len() + MESSAGE_BYTES
}

impl AcceptedItem {
    /// Wildcards come first.
    fn key(&self) -> (bool, &Arc<Distribution>, &Item) {
        (!self.item.is_wildcard(), &self.distribution, &self.item)
    }

    /// Returns the size of the item and of its share of the list, which grows by
    /// doubling, with the invalidation as if no other item had it.
    fn bytes(&self) -> usize {
        let Invalidation { id, status } = &*self.invalidation;
        let texts = self.item.as_str().len() + id.len() + status.len();
        2 * size_of::<Self>() + size_of::<Invalidation>() + texts + 4 * ALLOCATION_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{distribution::DistributionId, item::address};

    #[test]
    fn the_oldest_accepted_items_are_dropped() {
        let mut memory = AcceptedItems::default();
        let id = DistributionId::distribution("E1EXAMPLE").unwrap();
        let distribution = Arc::new(Distribution::from(id));
        let item = address(&format!("/{}", "x".repeat(3_999)), "/", "/", true).unwrap();
        let names: Vec<String> = (0..10_000).map(|n| format!("m{n}")).collect();
        for name in &names {
            memory.insert(name, &distribution, &item, &Arc::new(Invalidation::default()));
        }
        let most = (16 << 20) / 4_000;
        assert!((most * 8 / 10..most).contains(&memory.messages.len()));
        assert!(memory.find("m9999", &distribution, &item).is_some());
        assert!(memory.find("m0", &distribution, &item).is_none());
        memory.forget(names.iter().map(String::as_str));
        assert_eq!((memory.messages.len(), memory.order.len(), memory.bytes), (0, 0, 0));
    }

    /// The least that is allocated for what is kept, without what an allocator
    /// adds.
    fn allocated(memory: &AcceptedItems) -> usize {
        let order = memory.order.capacity() * size_of::<Arc<str>>();
        let map = memory.messages.capacity() * size_of::<(Arc<str>, Vec<AcceptedItem>)>();
        let lists = memory.messages.iter().map(|(id, items)| {
            let texts: usize = items.iter().map(|one| one.item.as_str().len()).sum();
            16 + id.len() + items.capacity() * size_of::<AcceptedItem>() + texts
        });
        let invalidations: HashMap<*const Invalidation, usize> = memory
            .messages
            .values()
            .flatten()
            .map(|one| (Arc::as_ptr(&one.invalidation), one.invalidation.id.len() + 64))
            .collect();
        order + map + lists.sum::<usize>() + invalidations.into_values().sum::<usize>()
    }

    #[test]
    fn all_that_is_kept_is_counted() {
        let id = DistributionId::distribution("E1EXAMPLE").unwrap();
        let distribution = Arc::new(Distribution::from(id));
        for (items, shared) in [(1, true), (1, false), (5, true), (40, false)] {
            let mut memory = AcceptedItems::default();
            let all = Arc::new(Invalidation::default());
            for n in 0..200_000 / items {
                let message = format!("{n:036}");
                for item in 0..items {
                    let item = address(&format!("/{item}"), "/", "/", true).unwrap();
                    let own =
                        || Arc::new(Invalidation { id: "I".repeat(14), ..Invalidation::default() });
                    let invalidation = if shared { Arc::clone(&all) } else { own() };
                    memory.insert(&message, &distribution, &item, &invalidation);
                }
            }
            let allocated = allocated(&memory);
            assert!((4 << 20..=16 << 20).contains(&allocated), "{items} {shared}: {allocated}");
        }
    }

    #[test]
    fn items_are_found_in_whatever_order_they_came() {
        let of = |id: &str| Arc::new(Distribution::from(DistributionId::distribution(id).unwrap()));
        let (one, two) = (of("E1EXAMPLE"), of("E2EXAMPLE"));
        let mut memory = AcceptedItems::default();
        let invalidation = |id: &str| Invalidation { id: id.to_owned(), ..Invalidation::default() };
        for (distribution, item) in
            [(&one, "/c"), (&one, "/a*"), (&two, "/b*"), (&one, "/b"), (&one, "/c")]
        {
            let item = address(item, "/", "/", true).unwrap();
            memory.insert("m", distribution, &item, &Arc::new(invalidation(item.as_str())));
        }
        assert_eq!(memory.messages["m"].len(), 4);
        for (distribution, item, found) in [
            (&one, "/c", Some("/c")),
            (&one, "/b", Some("/b")),
            (&one, "/ab", Some("/a*")),
            (&one, "/a*", Some("/a*")),
            (&one, "/bc", None),
            (&two, "/bc", Some("/b*")),
            (&two, "/c", None),
        ] {
            let item = address(item, "/", "/", true).unwrap();
            let id = memory.find("m", distribution, &item).map(|accepted| &*accepted.id);
            assert_eq!(id, found, "{item}");
        }
    }

    #[test]
    fn distributions_are_shared() {
        let mut memory = Memory::default();
        let of = |id: &str| Distribution::from(DistributionId::distribution(id).unwrap());
        let first = memory.share(&of("E1EXAMPLE"));
        assert!(Arc::ptr_eq(&first, &memory.share(&of("E1EXAMPLE"))));
        assert!(!Arc::ptr_eq(&first, &memory.share(&of("E2EXAMPLE"))));
    }
}
