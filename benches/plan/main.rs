//! How long planning takes, and how plans compare with those of other tools.
//!
//! - `cargo bench --bench plan` measures plans of 1,000 to 1,000,000 changes.
//! - `cargo bench --bench plan -- compare` prints what this plan and other tools
//!   send for five workloads on generated sites: billed paths, API calls, and
//!   unchanged objects purged. The sum is over the first four workloads.
//! - `cargo bench --bench plan -- deploy` prints what a full deploy costs as AWS
//!   delivers it: to one drain, or dealt to the batches of five pollers.

mod example_site;
mod peers;

use std::{collections::HashSet, hint::black_box};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use s3_cloudfront_invalidator::{
    distribution::DistributionId,
    event::{Change, Kind},
    item::PathSettings,
    plan::{Plan, Planner},
    rules::{Contribution, Decision, Verdict},
    target::{Collapse, Excluded, Target, TargetIndex},
};

use example_site::{Layout, Random, Site};

fn target() -> Target {
    let mut paths = PathSettings::default();
    // Two paths for the home page would blur the comparison.
    paths.default_root_object = None;
    Target {
        name: "www".into(),
        distribution: DistributionId::Distribution("E1EXAMPLE1WWW".to_owned()).into(),
        paths,
        collapse: Some(Collapse::default()),
        excluded: Excluded::default(),
    }
}

fn change(key: &str) -> Change {
    Change::listed("example-site", key, Kind::Created)
}

/// The decision of a rule without conditions.
fn decide(target: &Target, change: &Change) -> Decision {
    let bound = target.paths.bound("");
    let path = target.paths.url_path(&change.key);
    let items = path.iter().flat_map(|path| target.paths.items(path, &bound));
    let contributions = items.map(|item| Contribution { rule: None, target: TargetIndex(0), item });
    Decision { verdict: Verdict::Matched, contributions: contributions.collect() }
}

fn plan(target: &Target, changes: &[Change]) -> Plan {
    let mut planner = Planner::new(std::slice::from_ref(target));
    for change in changes {
        planner.add(change, 0, &decide(target, change));
    }
    planner.finish()
}

/// Plans of sites with 20 pages in a directory and 50 directories in a section.
fn planning(criterion: &mut Criterion) {
    let target = target();
    let mut group = criterion.benchmark_group("plan");
    group.sample_size(10);
    for size in [1_000, 10_000, 100_000, 1_000_000] {
        let key = |n: usize| format!("section-{}/topic-{}/page-{}.html", n / 1_000, n / 20, n);
        let mut changes: Vec<Change> = (0..size).map(|number| change(&key(number))).collect();
        let mut random = Random(1);
        changes.sort_by_cached_key(|_| random.next());
        group.throughput(Throughput::Elements(size as u64));
        group.bench_with_input(BenchmarkId::from_parameter(size), &changes, |bencher, changes| {
            bencher.iter_with_large_drop(|| black_box(plan(&target, changes)));
        });
    }
    group.finish();
}

/// Items and API calls.
fn ours(changed: &[String]) -> (Vec<String>, usize) {
    let changes: Vec<Change> = changed.iter().map(|key| change(key)).collect();
    let plan = plan(&target(), &changes);
    let [planned] = &plan.distributions[..] else { unreachable!("one target, some changes") };
    let items = planned.items().map(|planned| planned.item.to_string()).collect();
    (items, planned.requests.len())
}

/// How many of the site's unchanged objects the items purge.
fn unchanged_purged(site: &Site, changed: &[String], items: &[String]) -> usize {
    let changed: HashSet<&String> = changed.iter().collect();
    let prefixes: Vec<&str> = items.iter().filter_map(|item| item.strip_suffix('*')).collect();
    let unchanged = site.keys.iter().filter(|key| !changed.contains(key));
    unchanged
        .filter(|key| prefixes.iter().any(|prefix| format!("/{key}").starts_with(prefix)))
        .count()
}

/// Prints a Markdown table.
fn compare(layout: Layout) {
    type Peer = fn(&[String]) -> Vec<String>;
    let tools: [(&str, Option<Peer>); 5] = [
        ("a path per file", Some(peers::path_per_file)),
        ("more than 3, then 10", Some(peers::three_and_ten)),
        ("`/*`", Some(peers::everything)),
        ("more than 8", Some(peers::more_than_eight)),
        ("this plan", None),
    ];
    let site = Site::new(layout);
    let workloads = site.workloads();
    println!("\n{layout:?}: {} files\n", site.keys.len());
    let names = workloads.iter().map(|work| format!("{} ({})", work.name, work.changed.len()));
    println!("| | {} | sum |", names.collect::<Vec<_>>().join(" | "));
    println!("|---{}", "|--:".repeat(workloads.len() + 1) + "|");
    for (name, peer) in tools {
        print!("| {name} ");
        let mut tenths = 0;
        for (number, workload) in workloads.iter().enumerate() {
            let changed = &workload.changed;
            let paths: Vec<String> = changed.iter().map(|key| format!("/{key}")).collect();
            let (items, calls) = match peer {
                Some(peer) => {
                    let items = peer(&paths);
                    let calls = items.len().div_ceil(1_000);
                    (items, calls)
                }
                None => ours(changed),
            };
            let purged = unchanged_purged(&site, changed, &items);
            print!("| {} / {calls} / {purged} ", items.len());
            if number < 4 {
                tenths += items.len() * 10 + purged;
            }
        }
        println!("| {}.{} |", tenths / 10, tenths % 10);
    }
}

/// The files that a deploy writes in a second, as `aws s3 sync` does.
const FILES_PER_SECOND: usize = 200;

/// How long a poller collects messages: the template's `BatchingWindow`.
const WINDOW_SECONDS: usize = 10;

/// Lambda reads a standard queue with so many pollers at first.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
const POLLERS: usize = 5;

/// Prints a Markdown table of a full deploy.
fn deploy() {
    let changed = Site::new(Layout::Mixed).keys;
    println!("{} files at {FILES_PER_SECOND} a second\n", changed.len());
    println!("| | billed paths | API calls | USD |\n|---|--:|--:|--:|");
    let row = |name: &str, paths: usize, calls: usize| {
        let cents = paths.saturating_sub(1_000) / 2;
        println!("| {name} | {paths} | {calls} | {}.{:02} |", cents / 100, cents % 100);
    };
    let sum = |batches: &mut dyn Iterator<Item = Vec<String>>| {
        batches.map(|batch| ours(&batch)).fold((0, 0), |(paths, calls), (items, requests)| {
            (paths + items.len(), calls + requests)
        })
    };
    let (paths, calls) = sum(&mut std::iter::once(changed.clone()));
    row("one drain", paths, calls);
    let mut random = Random(1);
    let mut dealt = changed.chunks(FILES_PER_SECOND * WINDOW_SECONDS).flat_map(|window| {
        let mut batches = vec![Vec::new(); POLLERS];
        for key in window {
            batches[random.next() as usize % POLLERS].push(key.clone());
        }
        batches
    });
    let (paths, calls) = sum(&mut dealt);
    row("five pollers", paths, calls);
    row("a path per file", changed.len(), changed.len());
    row("`/*` for every file", changed.len(), changed.len());
    row("`/*` once", 1, 1);
}

criterion_group!(benches, planning);

fn main() {
    if std::env::args().any(|argument| argument == "compare") {
        [Layout::Mixed, Layout::PageFolders, Layout::NoIndexPages].into_iter().for_each(compare);
        return;
    }
    if std::env::args().any(|argument| argument == "deploy") {
        return deploy();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
