use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use super::Invalidation;
use crate::{distribution::Distribution, item::Item};

/// What the process keeps of accepted items, in bytes. A path takes some 200,
/// so this is the memory of about 80,000: ten times what one invocation can
/// bring, and little beside the smallest function's 128 MB.
const ACCEPTED_BYTES: usize = 16 << 20;

/// What an entry takes beside the item's text: its place in the list, two
/// counted references, the allocation.
const ENTRY_BYTES: usize = 96;

/// Items accepted for messages that come again, for another item's sake.
///
/// Keyed by message id, distribution and item: another message is another
/// change, and is never answered from here.
#[derive(Debug)]
pub(super) struct Accepted {
    limit: usize,
    bytes: usize,
    messages: HashMap<Arc<str>, Message>,
    /// The messages by age, so that the oldest goes when memory is full.
    ages: BTreeMap<u64, Arc<str>>,
    next_age: u64,
}

#[derive(Debug, Default)]
struct Message {
    age: u64,
    bytes: usize,
    /// By distribution and the item as it compares.
    items: HashMap<(Arc<Distribution>, Box<str>), Arc<Invalidation>>,
    /// The wildcards among them, which are few.
    wildcards: Vec<Wildcard>,
}

#[derive(Debug)]
struct Wildcard {
    distribution: Arc<Distribution>,
    item: Item,
    invalidation: Arc<Invalidation>,
}

impl Default for Accepted {
    fn default() -> Self {
        Self::with_limit(ACCEPTED_BYTES)
    }
}

impl Accepted {
    fn with_limit(limit: usize) -> Self {
        let (messages, ages) = Default::default();
        Self { limit, bytes: 0, messages, ages, next_age: 0 }
    }

    /// Keeps that an item was accepted for a message.
    pub(super) fn remember(
        &mut self,
        message: &str,
        distribution: &Arc<Distribution>,
        item: &Item,
        invalidation: &Arc<Invalidation>,
    ) {
        if !self.messages.contains_key(message) {
            let (id, age) = (Arc::<str>::from(message), self.next_age);
            self.next_age += 1;
            self.ages.insert(age, Arc::clone(&id));
            self.messages.insert(id, Message { age, ..Message::default() });
        }
        let Some(kept) = self.messages.get_mut(message) else { return };
        let key = (Arc::clone(distribution), item.folded().into());
        if kept.items.insert(key, Arc::clone(invalidation)).is_some() {
            return;
        }
        if item.is_wildcard() {
            kept.wildcards.push(Wildcard {
                distribution: Arc::clone(distribution),
                item: item.clone(),
                invalidation: Arc::clone(invalidation),
            });
        }
        let bytes = item.as_str().len() + ENTRY_BYTES;
        kept.bytes += bytes;
        self.bytes += bytes;
        while self.bytes > self.limit
            && let Some((_, oldest)) = self.ages.first_key_value()
        {
            let oldest = Arc::clone(oldest);
            self.forget(&oldest);
        }
    }

    /// The invalidation that was accepted for a message and did the item's
    /// work: of the item itself, or of a wildcard that covers it, which
    /// collapse made of it when more messages came together.
    pub(super) fn recall(
        &self,
        message: &str,
        distribution: &Arc<Distribution>,
        item: &Item,
    ) -> Option<&Arc<Invalidation>> {
        let kept = self.messages.get(message)?;
        let itself = kept.items.get(&(Arc::clone(distribution), item.folded().into()));
        itself.or_else(|| {
            let covers = |wildcard: &&Wildcard| {
                wildcard.distribution == *distribution && wildcard.item.covers(item)
            };
            Some(&kept.wildcards.iter().find(covers)?.invalidation)
        })
    }

    /// Drops what is kept of a message that does not come again.
    pub(super) fn forget(&mut self, message: &str) {
        if let Some(kept) = self.messages.remove(message) {
            self.bytes -= kept.bytes;
            self.ages.remove(&kept.age);
        }
    }

    #[cfg(test)]
    pub(super) fn messages(&self) -> usize {
        self.messages.len()
    }
}

/// How many refused items the process keeps apart: with the longest paths, 4 MB.
const APART_ITEMS: usize = 1_000;

/// Items that CloudFront refused when they were alone. They are sent alone
/// again, after all others, so that they do not spoil a batch a second time.
#[derive(Debug, Default)]
pub(super) struct Apart {
    items: BTreeSet<(Arc<Distribution>, Item)>,
    /// The same by age, so that the oldest goes when memory is full.
    ages: VecDeque<(Arc<Distribution>, Item)>,
}

impl Apart {
    pub(super) fn insert(&mut self, distribution: &Arc<Distribution>, item: &Item) {
        let key = (Arc::clone(distribution), item.clone());
        if !self.items.insert(key.clone()) {
            return;
        }
        self.ages.push_back(key);
        if self.ages.len() > APART_ITEMS
            && let Some(oldest) = self.ages.pop_front()
        {
            self.items.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, distribution: &Arc<Distribution>, item: &Item) -> bool {
        !self.items.is_empty() && self.items.contains(&(Arc::clone(distribution), item.clone()))
    }

    pub(super) fn remove(&mut self, distribution: &Arc<Distribution>, item: &Item) {
        if self.items.is_empty() {
            return;
        }
        let key = (Arc::clone(distribution), item.clone());
        if self.items.remove(&key) {
            self.ages.retain(|kept| *kept != key);
        }
    }
}
