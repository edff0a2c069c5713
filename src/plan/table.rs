//! The best choices below one directory, by how many wildcards they use.

use std::cmp::Ordering;

/// A set of wildcards below one directory, and what it comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// How many wildcards remain: the chosen ones and those the rules asked for
    /// that no chosen one stands for.
    pub wildcards: usize,
    /// What the choice costs, in tenths of a path.
    pub cost: u64,
    /// How many directories seen in the batch the chosen wildcards purge.
    pub directories: usize,
    /// The chosen directories' numbers, ascending; numbers go in byte order.
    pub chosen: Vec<u32>,
}

/// For each number of wildcards the best choice, as long as it costs less than
/// every choice with fewer wildcards; a choice that does not can never be part
/// of a best one. Ascending in wildcards, descending in cost, never empty.
///
/// Choices of more than `most` wildcards are dropped, unless there is no other:
/// then the one with the fewest stays.
#[derive(Clone, Debug)]
pub(super) struct Table {
    choices: Vec<Choice>,
}

impl Default for Table {
    /// The table of an empty directory.
    fn default() -> Self {
        Self { choices: vec![Choice::default()] }
    }
}

impl Table {
    /// Adds items that no wildcard of this table can stand for.
    pub fn add_items(&mut self, cost: u64, wildcards: usize, most: usize) {
        for choice in &mut self.choices {
            choice.cost += cost;
            choice.wildcards += wildcards;
        }
        self.limit(most);
    }

    /// Adds the choice that replaces everything in this table. It purges more
    /// directories than any of them, so on a tie it loses.
    pub fn offer(&mut self, choice: Choice, most: usize) {
        let at = self.choices.partition_point(|other| other.wildcards < choice.wildcards);
        match self.choices.get_mut(at) {
            Some(other) if other.wildcards == choice.wildcards => {
                if choice.cost < other.cost {
                    *other = choice;
                }
            }
            _ => self.choices.insert(at, choice),
        }
        self.keep_bargains();
        self.limit(most);
    }

    /// Joins the table of a directory that follows, in byte order, all that
    /// this one is made of.
    pub fn join(&mut self, next: &Self, most: usize) {
        if let [only] = &next.choices[..]
            && only.chosen.is_empty()
        {
            return self.add_items(only.cost, only.wildcards, most);
        }
        let least = self.choices[0].wildcards + next.choices[0].wildcards;
        let mut best: Vec<Option<Pair<'_>>> = Vec::new();
        for left in &self.choices {
            for right in &next.choices {
                let pair = Pair { left, right };
                let at = left.wildcards + right.wildcards - least;
                if at > 0 && at + least > most {
                    break;
                }
                if best.len() <= at {
                    best.resize(at + 1, None);
                }
                if best[at].is_none_or(|other| pair.order(other).is_lt()) {
                    best[at] = Some(pair);
                }
            }
        }
        let mut cheapest = u64::MAX;
        let bargains = best.into_iter().flatten().filter(|pair| {
            let bargain = pair.cost() < cheapest;
            cheapest = cheapest.min(pair.cost());
            bargain
        });
        self.choices = bargains.map(Pair::join).collect();
    }

    /// The best choice of all: the fewest wildcards above `most`, then the
    /// least cost, then the fewest wildcards.
    pub fn into_best(mut self) -> Choice {
        self.choices.pop().unwrap_or_default()
    }

    fn keep_bargains(&mut self) {
        let mut cheapest = u64::MAX;
        self.choices.retain(|choice| {
            let bargain = choice.cost < cheapest;
            cheapest = cheapest.min(choice.cost);
            bargain
        });
    }

    fn limit(&mut self, most: usize) {
        let within = self.choices.partition_point(|choice| choice.wildcards <= most);
        self.choices.truncate(within.max(1));
    }
}

/// A choice left and a choice right of a border.
#[derive(Clone, Copy)]
struct Pair<'a> {
    left: &'a Choice,
    right: &'a Choice,
}

impl Pair<'_> {
    fn cost(self) -> u64 {
        self.left.cost + self.right.cost
    }

    fn directories(self) -> usize {
        self.left.directories + self.right.directories
    }

    fn chosen(&self) -> impl Iterator<Item = &u32> {
        self.left.chosen.iter().chain(&self.right.chosen)
    }

    /// Of choices with as many wildcards: the cheaper one, then the one that
    /// purges fewer directories, then the first in byte order.
    fn order(self, other: Pair<'_>) -> Ordering {
        (self.cost().cmp(&other.cost()))
            .then(self.directories().cmp(&other.directories()))
            .then_with(|| self.chosen().cmp(other.chosen()))
    }

    fn join(self) -> Choice {
        Choice {
            wildcards: self.left.wildcards + self.right.wildcards,
            cost: self.cost(),
            directories: self.directories(),
            chosen: self.chosen().copied().collect(),
        }
    }
}
