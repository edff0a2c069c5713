//! The complexity of a pattern, as EventBridge computes it.
//!
//! EventBridge refuses patterns that are "too complex", and documents no
//! number. It runs event-ruler, whose `MachineComplexityEvaluator` counts the
//! wildcards that one value may match partially at the same time:
//!
//! - The wildcards of a field form an automaton over bytes. `p*s` is the path
//!   of `p`, then a loop for `*`, then the path of `s` from that loop. Equal
//!   starts share their path, and so do suffixes behind the same `p*`.
//! - A state counts the wildcards that can still be reached from it. Several
//!   states are possible at the same time; their counts are added. A state
//!   that a `*` follows also counts that loop.
//! - The complexity is the largest sum for any value. The quotes around a JSON
//!   string belong to the value, so it is at least the number of wildcards.
//!
//! One prefix with *n* suffixes has the complexity 2 *n*.
//!
//! event-ruler compares the keys of a pattern's alternatives together if they
//! may concern the same bucket. This module assumes so for all alternatives
//! that share a bucket, directly or through others.
//!
//! <https://github.com/aws/event-ruler>

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Returns the complexity of a [pattern](super::json::pattern), or `cap` if it
/// is greater.
pub(super) fn complexity(pattern: &Value, cap: usize) -> usize {
    let machines = machines(pattern);
    machines
        .iter()
        .map(|machine| Automaton::new(&machine.wildcards).complexity(cap))
        .max()
        .unwrap_or(0)
}

/// Alternatives whose keys are compared together.
#[derive(Default)]
struct Machine {
    /// The entries of `bucket.name`; one null if there are none.
    buckets: BTreeSet<String>,
    /// Prefix and suffix of each wildcard, with the quotes of JSON.
    wildcards: BTreeSet<[String; 2]>,
}

fn machines(pattern: &Value) -> Vec<Machine> {
    let mut machines: Vec<Machine> = Vec::new();
    for detail in alternatives(pattern) {
        let every_bucket = vec![Value::Null];
        let buckets = detail["bucket"]["name"].as_array().unwrap_or(&every_bucket);
        let keys = detail["object"]["key"].as_array().into_iter().flatten();
        let mut machine = Machine {
            buckets: buckets.iter().map(Value::to_string).collect(),
            wildcards: keys.filter_map(|key| key["wildcard"].as_str()).map(ends).collect(),
        };
        let (touched, others): (Vec<_>, Vec<_>) =
            machines.into_iter().partition(|other| !other.buckets.is_disjoint(&machine.buckets));
        for other in touched {
            machine.buckets.extend(other.buckets);
            machine.wildcards.extend(other.wildcards);
        }
        machines = others;
        machines.push(machine);
    }
    machines
}

/// Returns the `detail` of every alternative.
fn alternatives(pattern: &Value) -> Vec<&Value> {
    fn split(value: &Value) -> Vec<&Value> {
        match value["$or"].as_array() {
            Some(list) => list.iter().collect(),
            None => vec![value],
        }
    }
    split(pattern).into_iter().flat_map(|event| split(&event["detail"])).collect()
}

/// Splits a wildcard at its only `*` that is not escaped.
fn ends(wildcard: &str) -> [String; 2] {
    let mut ends = ["\"".to_owned(), String::new()];
    let (mut at, mut characters) = (0, wildcard.chars());
    while let Some(character) = characters.next() {
        match character {
            '*' => at = 1,
            '\\' => ends[at].extend(characters.next()),
            other => ends[at].push(other),
        }
    }
    ends[1].push('"');
    ends
}

#[derive(Default)]
struct State {
    next: BTreeMap<u8, usize>,
    /// The state that loops for the `*` that may follow.
    star: Option<usize>,
    is_star: bool,
    /// The number of wildcards that can be reached.
    wildcards: usize,
}

struct Automaton {
    states: Vec<State>,
}

const START: usize = 0;

impl Automaton {
    fn new(wildcards: &BTreeSet<[String; 2]>) -> Self {
        let mut automaton = Self { states: vec![State::default()] };
        for [prefix, suffix] in wildcards {
            let end = automaton.add(START, prefix);
            let star = match automaton.states[end].star {
                Some(star) => star,
                None => automaton.push(State { is_star: true, ..State::default() }),
            };
            automaton.states[end].star = Some(star);
            automaton.states[star].wildcards += 1;
            automaton.add(star, suffix);
        }
        automaton
    }

    fn push(&mut self, state: State) -> usize {
        self.states.push(state);
        self.states.len() - 1
    }

    /// Adds a path for a text of one wildcard, and returns its end.
    fn add(&mut self, from: usize, text: &str) -> usize {
        text.bytes().fold(from, |from, byte| {
            let to = match self.states[from].next.get(&byte) {
                Some(to) => *to,
                None => self.push(State::default()),
            };
            self.states[from].next.insert(byte, to);
            self.states[to].wildcards += 1;
            to
        })
    }

    fn complexity(&self, cap: usize) -> usize {
        let mut seen = BTreeSet::new();
        let mut to_do = vec![BTreeSet::from([START])];
        let mut complexity = 0;
        while let Some(states) = to_do.pop() {
            if !seen.insert(states.clone()) {
                continue;
            }
            complexity = complexity.max(self.count(&states));
            if complexity >= cap {
                return cap;
            }
            let stars = states.iter().filter_map(|&state| self.states[state].star);
            let sources = stars.chain(states.iter().copied());
            let bytes: BTreeSet<u8> =
                sources.flat_map(|state| self.states[state].next.keys().copied()).collect();
            let any_other = None;
            let bytes = bytes.into_iter().map(Some).chain([any_other]);
            to_do.extend(bytes.map(|byte| self.step(&states, byte)));
        }
        complexity
    }

    /// Counts the wildcards that are possible in these states.
    fn count(&self, states: &BTreeSet<usize>) -> usize {
        let count = |&state: &usize| {
            let star = self.states[state].star.filter(|star| !states.contains(star));
            self.states[state].wildcards + star.map_or(0, |star| self.states[star].wildcards)
        };
        states.iter().map(count).sum()
    }

    /// Returns the states after a byte; `None` is one that no path has.
    fn step(&self, states: &BTreeSet<usize>, byte: Option<u8>) -> BTreeSet<usize> {
        let mut after = BTreeSet::new();
        for &state in states {
            let here = &self.states[state];
            let star = here.star.or(here.is_star.then_some(state));
            after.extend(star);
            for from in [Some(state), here.star].into_iter().flatten() {
                after.extend(byte.and_then(|byte| self.states[from].next.get(&byte)));
            }
        }
        after
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys(wildcards: &[&str]) -> Value {
        let entries: Vec<Value> = wildcards.iter().map(|one| json!({"wildcard": one})).collect();
        json!({"source": ["aws.s3"], "detail": {"object": {"key": entries}}})
    }

    /// The expected values are those of event-ruler's own evaluator.
    #[test]
    fn complexity_is_that_of_event_ruler() {
        for (wildcards, expected) in [
            (&[][..], 0),
            (&["public/*.html"], 2),
            (&["public/*.html", "docs/*.html"], 2),
            (&["public/*.html", "public/*.json"], 4),
            (&["p/*.html", "p/*.json", "p/*.txt", "p/*.xml"], 8),
            (&["p/*html", "p/*json", "p/*txt", "p/*xml"], 8),
            (&["p/*.html", "p/*.json", "p/*.txt", "p/*.xml", "p/*.css", "p/*.js"], 12),
            (&["p/*.html", "p/q/*.html", "p/q/r/*.html"], 6),
            (&["p/*.min.min.js"], 4),
            (&["p/*aaaa"], 5),
            (&["aa*.json", "ab*.htm", "p*.htm"], 3),
            (&["a*.1", "b*.2", "c*.3", "d*.4", "e*.5", "f*.6", "g*.7", "h*.8", "i*.9"], 9),
            (&[r"a\*b*\\", r"a\*b*c"], 4),
            (&["é*ü", "è*ü"], 2),
        ] {
            assert_eq!(complexity(&keys(wildcards), 100), expected, "{wildcards:?}");
        }
        assert_eq!(complexity(&keys(&["p/*.min.min.js"]), 3), 3);
    }

    #[test]
    fn only_keys_of_the_same_bucket_count_together() {
        let detail = |buckets: &[&str], wildcard: &str| json!({"bucket": {"name": buckets}, "object": {"key": [{"wildcard": wildcard}]}});
        for (buckets, expected) in [
            ([&["a"][..], &["b"], &["c"]], 2),
            ([&["a"], &["a"], &["c"]], 4),
            ([&["a", "b"], &["b", "c"], &["c"]], 6),
        ] {
            let details: Vec<Value> = buckets
                .iter()
                .zip(["p/*.html", "p/*.json", "p/*.txt"])
                .map(|(buckets, wildcard)| detail(buckets, wildcard))
                .collect();
            let within = json!({"detail": {"$or": details}});
            assert_eq!(complexity(&within, 100), expected, "{within}");
            let events: Vec<Value> =
                details.iter().map(|detail| json!({"detail": detail})).collect();
            assert_eq!(complexity(&json!({"$or": events}), 100), expected, "{events:?}");
        }
    }
}
