//! The Pareto front of the choices below one directory: fewer wildcards against
//! lower cost.

use std::ops::Add;

/// A set of wildcards below one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// How many wildcards are sent: the chosen ones, and those requested by
    /// rules that no chosen one replaces.
    pub wildcards: usize,
    pub price: Price,
    /// The indexes of the chosen directories, ascending, which is byte order.
    pub chosen: Vec<u32>,
}

/// What decides between choices with equally many wildcards, before byte order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Price {
    pub cost: u64,
    /// How many directories of the batch the chosen wildcards purge.
    pub purged_directories: usize,
}

impl Add for Price {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            cost: self.cost + other.cost,
            purged_directories: self.purged_directories + other.purged_directories,
        }
    }
}

/// The choices that no other choice dominates, from the fewest wildcards and
/// the highest cost to the most wildcards and the lowest cost.
///
/// A choice is dominated if another one costs no more with no more wildcards.
/// It can never be part of the best choice for the whole tree. Choices of more
/// than `max_wildcards` are dropped, except for the first one.
#[derive(Clone, Debug)]
pub(super) struct ParetoFront {
    /// Never empty.
    choices: Vec<Choice>,
}

impl Default for ParetoFront {
    /// Returns the front of an empty directory.
    fn default() -> Self {
        Self { choices: vec![Choice::default()] }
    }
}

impl ParetoFront {
    /// Adds items that are sent whatever is chosen here.
    pub fn add_items(&mut self, items: u64, wildcards: usize, max_wildcards: usize) {
        for choice in &mut self.choices {
            choice.price.cost += items;
            choice.wildcards += wildcards;
        }
        self.prune_dominated(max_wildcards);
    }

    /// Adds an alternative to all choices so far.
    pub fn add_choice(&mut self, choice: Choice, max_wildcards: usize) {
        self.choices.push(choice);
        self.choices.sort_by_key(|choice| (choice.wildcards, choice.price));
        self.prune_dominated(max_wildcards);
    }

    /// Combines this front with that of a sibling directory, which is behind all
    /// directories of this one in byte order.
    pub fn join(&mut self, next: &Self, max_wildcards: usize) {
        if let [only] = &next.choices[..]
            && only.chosen.is_empty()
        {
            return self.add_items(only.price.cost, only.wildcards, max_wildcards);
        }
        let fewest = self.choices[0].wildcards + next.choices[0].wildcards;
        // The best pair for each number of wildcards; most pairs never get a list of
        // their own.
        let mut best: Vec<Option<Pair<'_>>> = Vec::new();
        for left in &self.choices {
            for right in &next.choices {
                let pair = Pair { left, right };
                let index = left.wildcards + right.wildcards - fewest;
                best.resize(best.len().max(index + 1), None);
                if best[index].is_none_or(|other| pair.is_better_than(other)) {
                    best[index] = Some(pair);
                }
            }
        }
        self.choices = best.into_iter().flatten().map(Pair::join).collect();
        self.prune_dominated(max_wildcards);
    }

    /// Returns the best choice: the fewest wildcards beyond `max_wildcards`,
    /// then the lowest cost, then the fewest wildcards.
    pub fn into_best(mut self) -> Choice {
        self.choices.pop().unwrap_or_default()
    }

    /// `choices` are sorted by wildcards, then by price.
    fn prune_dominated(&mut self, max_wildcards: usize) {
        let mut lowest = None;
        self.choices.retain(|choice| {
            let keeps = match lowest {
                None => true,
                Some(lowest) => choice.price.cost < lowest && choice.wildcards <= max_wildcards,
            };
            if keeps {
                lowest = Some(choice.price.cost);
            }
            keeps
        });
    }
}

/// A choice on the left and a choice on the right of a border.
#[derive(Clone, Copy)]
struct Pair<'a> {
    left: &'a Choice,
    right: &'a Choice,
}

impl Pair<'_> {
    fn price(self) -> Price {
        self.left.price + self.right.price
    }

    fn chosen(&self) -> impl Iterator<Item = &u32> {
        self.left.chosen.iter().chain(&self.right.chosen)
    }

    fn is_better_than(self, other: Pair<'_>) -> bool {
        let by_price = self.price().cmp(&other.price());
        by_price.then_with(|| self.chosen().cmp(other.chosen())).is_lt()
    }

    fn join(self) -> Choice {
        Choice {
            wildcards: self.left.wildcards + self.right.wildcards,
            price: self.price(),
            chosen: self.chosen().copied().collect(),
        }
    }
}
