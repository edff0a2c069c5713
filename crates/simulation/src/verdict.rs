//! What must hold after every day.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use cloudfront_simulator::{CallOutcome, Operation, Recorded};

use crate::{
    day::{Day, End},
    site::DENIED,
    viewers::{Stale, stale},
    world::{ObjectChange, REFUSED, World},
};

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A viewer gets an old object, and its change was not reported as failed.
    Stale(Stale),
    /// A change that could be handled became a dead letter.
    NeedlessDeadLetter { change: usize },
    /// A message that cannot be read is not a dead letter.
    Swallowed { change: usize },
    /// More was billed than the bound.
    Billed { paths: u64, bound: u64 },
    /// Something was purged that no change and no rule asked for.
    NotAskedFor { distribution: String, item: String, reason: &'static str },
    /// An invocation did not end before its deadline.
    Late { from: Duration },
    /// A caller reference was used for two batches.
    Clash { distribution: String, caller_reference: String },
}

/// Checks a day of a world.
pub fn violations(world: &World, day: &Day) -> Vec<Violation> {
    let messages = messages(world);
    let dead: BTreeSet<usize> = day
        .dead_letters
        .iter()
        .filter_map(|letter| messages.get(letter.id.parse::<usize>().ok()?).copied())
        .collect();
    let mut violations = Vec::new();
    for entry in stale(world, &day.accepted) {
        let change = &world.changes[entry.change];
        if !(is_hopeless(world, change) && dead.contains(&entry.change)) {
            violations.push(Violation::Stale(entry));
        }
    }
    for (index, change) in world.changes.iter().enumerate() {
        match (change.is_unreadable, dead.contains(&index)) {
            (true, false) => violations.push(Violation::Swallowed { change: index }),
            (false, true) if !is_hopeless(world, change) => {
                violations.push(Violation::NeedlessDeadLetter { change: index });
            }
            _ => {}
        }
    }
    let (paths, bound) = (day.counters.billed_paths, bill(world, day, &messages));
    if paths > bound {
        violations.push(Violation::Billed { paths, bound });
    }
    violations.extend(not_asked_for(world, &day.accepted));
    let late = day.invocations.iter().filter(|one| one.end == End::Late);
    violations.extend(late.map(|one| Violation::Late { from: one.from }));
    violations.extend(clashes(day));
    violations
}

/// Returns the change of each message, in the order of sending.
fn messages(world: &World) -> Vec<usize> {
    let changes = world.changes.iter().enumerate();
    changes.flat_map(|(n, change)| change.delivered_at.iter().map(move |_| n)).collect()
}

/// Returns whether CloudFront may never accept what a change requires.
fn is_hopeless(world: &World, change: &ObjectChange) -> bool {
    change.is_unreadable
        || world
            .site
            .needs(change.bucket, &change.key)
            .iter()
            .any(|need| need.target.distribution == DENIED || change.key.contains(REFUSED))
}

/// Returns the most that may be billed: every message by itself once, and what
/// CloudFront may have accepted without the function's knowledge once more.
///
/// A message is billed again at most for each time that it is received again
/// after the process that knew of its acceptance ended, another process took it,
/// or the response was lost.
fn bill(world: &World, day: &Day, messages: &[usize]) -> u64 {
    let cost = |change: &ObjectChange| -> u64 {
        if change.is_unreadable {
            return 0;
        }
        let needs = world.site.needs(change.bucket, &change.key).into_iter();
        let is_permitted_later = world.cloudfront.denied_until < Duration::MAX;
        let needs = needs.filter(|need| is_permitted_later || need.target.distribution != DENIED);
        needs.map(|need| need.urls.len() as u64 + u64::from(need.also.is_some())).sum()
    };
    let costs = messages.iter().map(|change| cost(&world.changes[*change]));
    let total: u64 = costs.sum();
    let lost = day.counters.dropped_after
        + day.invocations.iter().filter(|one| one.end != End::Returned).count() as u64;
    let again = match world.day {
        options if options.environments > 1 => u64::from(options.max_receives),
        _ => lost,
    };
    total * (1 + again.min(day.redeliveries as u64))
}

/// Checks each accepted item against the changes so far and the rules.
fn not_asked_for(world: &World, accepted: &[Recorded]) -> Vec<Violation> {
    // For each distribution, what may be sent for which URL.
    let mut asked: BTreeMap<&str, Vec<Asked>> = BTreeMap::new();
    for change in world.changes.iter().filter(|change| !change.is_unreadable) {
        for need in world.site.needs(change.bucket, &change.key) {
            let from = change.delivered_at.iter().min().copied().unwrap_or_default();
            let list = asked.entry(&need.target.distribution).or_default();
            let excluded = world.site.excluded(need.target, need.rule);
            let bound = need.rule.prefix_of(&change.key);
            let bound = bound.and_then(|prefix| need.target.start(prefix));
            let bound = bound.unwrap_or_else(|| format!("{}/", need.target.viewer_prefix));
            let also = need.also.map(str::to_owned);
            for (n, url) in need.urls.into_iter().chain(also).enumerate() {
                list.push(Asked {
                    from,
                    is_object: n == 0,
                    has_query_strings: need.target.query_strings,
                    above: need.target.collapse_above,
                    bound: bound.clone(),
                    excluded: excluded.clone(),
                    url,
                });
            }
        }
    }
    let mut violations = Vec::new();
    for invalidation in accepted {
        let asked = asked.get(&*invalidation.distribution).map(Vec::as_slice).unwrap_or_default();
        let asked: Vec<&Asked> =
            asked.iter().filter(|one| one.from <= invalidation.accepted_at).collect();
        for item in &invalidation.items {
            if let Some(reason) = unasked(item, &asked) {
                violations.push(Violation::NotAskedFor {
                    distribution: invalidation.distribution.clone(),
                    item: item.clone(),
                    reason,
                });
            }
        }
    }
    violations
}

/// A URL that a change requires to be purged.
struct Asked {
    from: Duration,
    /// Whether it is the path of the object itself.
    is_object: bool,
    has_query_strings: bool,
    above: Option<usize>,
    /// No chosen wildcard that replaces it exceeds this.
    bound: String,
    excluded: BTreeSet<String>,
    url: String,
}

/// More wildcards are collapsed, too.
const MAX_WILDCARDS: usize = 10;

/// Returns why an item must not be sent, if so.
fn unasked(item: &str, asked: &[&Asked]) -> Option<&'static str> {
    let of_query_strings = |one: &Asked| {
        one.has_query_strings
            && item
                .strip_suffix('*')
                .is_some_and(|start| start == one.url || start.strip_suffix('?') == Some(&one.url))
    };
    if asked.iter().any(|one| one.url == item || of_query_strings(one)) {
        return None;
    }
    let Some(start) = item.strip_suffix('*') else { return Some("no change requires this path") };
    if !start.ends_with('/') || start == "/" {
        return Some("not the wildcard of a directory");
    }
    let replaced: Vec<&&Asked> = asked.iter().filter(|one| one.url.starts_with(start)).collect();
    let paths: HashSet<&str> = asked.iter().map(|one| &*one.url).collect();
    let objects: HashSet<&str> =
        replaced.iter().filter(|one| one.is_object).map(|one| &*one.url).collect();
    // Each path with query strings is a wildcard.
    let with_query_strings = asked.iter().filter(|one| one.has_query_strings);
    let wildcards: HashSet<&str> = with_query_strings.map(|one| &*one.url).collect();
    let may_collapse = |one: &&&Asked| {
        one.above.is_some_and(|above| paths.len() > above || wildcards.len() > MAX_WILDCARDS)
    };
    let may_replace = |one: &Asked| start.starts_with(&one.bound);
    let overlaps = |one: &Asked| {
        one.excluded.iter().any(|other| other.starts_with(start) || start.starts_with(&**other))
    };
    if objects.is_empty() {
        Some("no object below it changed")
    } else if !replaced.iter().any(may_collapse) {
        Some("not enough paths to collapse")
    } else if !replaced.iter().any(|one| may_replace(one)) {
        Some("beyond the prefix of the rules")
    } else if replaced.iter().all(|one| !may_replace(one) || overlaps(one)) {
        Some("covers what is excluded")
    } else {
        None
    }
}

/// Returns the caller references that stand for two batches.
fn clashes(day: &Day) -> Vec<Violation> {
    let mut known: HashMap<(&str, &str), &Recorded> = HashMap::new();
    let mut violations = Vec::new();
    for invalidation in &day.accepted {
        let key = (&*invalidation.distribution, &*invalidation.caller_reference);
        if known.insert(key, invalidation).is_some() {
            violations.push(clash(invalidation));
        }
    }
    for call in day.calls.iter().filter(|call| call.operation == Operation::CreateInvalidation) {
        if let CallOutcome::Refused { code, message, .. } = &call.outcome
            && (code == "InvalidationBatchAlreadyExists" || message.contains("caller reference"))
        {
            violations.push(Violation::Clash {
                distribution: call.path.clone(),
                caller_reference: call.body.clone(),
            });
        }
    }
    violations
}

fn clash(invalidation: &Recorded) -> Violation {
    Violation::Clash {
        distribution: invalidation.distribution.clone(),
        caller_reference: invalidation.caller_reference.clone(),
    }
}
