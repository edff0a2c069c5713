//! How long a plan takes, and how it compares.
//!
//! - `cargo bench --bench plan` measures plans of 1,000 to 1,000,000 changes.
//! - `cargo bench --bench plan -- compare` prints what the plan and the ways of
//!   other tools make of five workloads on generated sites: billed paths, API
//!   calls, and unchanged objects purged. The sum is over the first four.

mod peers;
mod site;

use std::{collections::HashSet, hint::black_box};

use comfy_table::{CellAlignment, Table, presets};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group};
use s3_cloudfront_invalidator::{
    distribution::DistributionId,
    event::{Change, Identity, Kind, Occurrence},
    item::PathSettings,
    plan::{Census, Options, Plan, Planner},
    rules::{Collapse, Contribution, Decision, Target, TargetIndex, Verdict},
};

use site::{Layout, Site};

fn target() -> Target {
    let mut paths = PathSettings::default();
    // Two paths for the home page would blur the comparison.
    paths.default_root_object = None;
    Target {
        name: "www".into(),
        distribution: DistributionId::Distribution("E1EXAMPLE1WWW".to_owned()).into(),
        paths,
        collapse: Some(Collapse::default()),
    }
}

fn change(key: &str) -> Change {
    Change {
        bucket: "example-site".into(),
        key: key.to_owned(),
        kind: Kind::Created,
        time_ms: None,
        size: None,
        account: None,
        region: None,
        identity: Identity::new("example-site", key, Kind::Created, None, Occurrence::Only, None),
    }
}

/// What a rule without conditions says.
fn decide(target: &Target, change: &Change) -> Decision {
    let bound = target.paths.bound("");
    let path = target.paths.url_path(&change.key);
    let items = path.iter().flat_map(|path| target.paths.items(path, &bound));
    let contributions = items.map(|item| Contribution { rule: None, target: TargetIndex(0), item });
    Decision { verdict: Verdict::Matched, contributions: contributions.collect() }
}

fn plan(targets: &[Target], changes: &[Change], census: &Census) -> Plan {
    let mut planner = Planner::new(targets, Options::default());
    for change in changes {
        planner.add(change, 0, || decide(&targets[0], change));
    }
    planner.finish_with(census)
}

/// Plans of ever larger sites, each change a key of its own: 20 pages to a
/// directory, 50 directories to a section.
fn planning(criterion: &mut Criterion) {
    let targets = [target()];
    let mut group = criterion.benchmark_group("plan");
    group.sample_size(10);
    for size in [1_000, 10_000, 100_000, 1_000_000] {
        let key = |n: usize| format!("section-{}/topic-{}/page-{}.html", n / 1_000, n / 20, n);
        let mut changes: Vec<Change> = (0..size).map(|number| change(&key(number))).collect();
        fastrand::Rng::with_seed(1).shuffle(&mut changes);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_with_input(BenchmarkId::from_parameter(size), &changes, |bencher, changes| {
            bencher.iter_batched(
                Census::default,
                |census| black_box(plan(&targets, changes, &census)),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

/// What is sent for a workload.
struct Sent {
    items: Vec<String>,
    calls: usize,
}

fn ours(changed: &[String], census: &Census) -> Sent {
    let targets = [target()];
    let changes: Vec<Change> = changed.iter().map(|key| change(key)).collect();
    let plan = plan(&targets, &changes, census);
    let [planned] = &plan.distributions[..] else { unreachable!("one target, some change") };
    let items = planned.items().map(|planned| planned.item.to_string()).collect();
    Sent { items, calls: planned.requests.len() }
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

/// How many workloads the sum is over.
const SUMMED: usize = 4;

fn compare(layout: Layout) {
    type Peer = fn(&[String]) -> Vec<String>;
    let ways: [(&str, Option<Peer>); 6] = [
        ("a path per file", Some(peers::path_per_file)),
        ("more than 3, then 10", Some(peers::three_and_ten)),
        ("`/*`", Some(peers::everything)),
        ("more than 8", Some(peers::more_than_eight)),
        ("this plan", None),
        ("this plan, site known", None),
    ];
    let site = Site::new(layout);
    let workloads = site.workloads();
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    let mut header = vec!["billed paths / calls / unchanged purged".to_owned()];
    header.extend(workloads.iter().map(|work| format!("{} ({})", work.name, work.changed.len())));
    header.push("sum: paths + purged / 10".to_owned());
    table.set_header(header);
    for (name, peer) in ways {
        let mut row = vec![name.to_owned()];
        let mut tenths = 0;
        for (number, workload) in workloads.iter().enumerate() {
            let changed = &workload.changed;
            let paths: Vec<String> = changed.iter().map(|key| format!("/{key}")).collect();
            let sent = match peer {
                Some(peer) => {
                    let items = peer(&paths);
                    let calls = items.len().div_ceil(1_000);
                    Sent { items, calls }
                }
                None if name.ends_with("known") => {
                    let keys: HashSet<&String> = changed.iter().collect();
                    let unchanged = site.keys.iter().filter(|key| !keys.contains(key));
                    let unchanged = unchanged.map(|key| format!("/{key}")).collect();
                    ours(changed, &Census::new([(target().distribution, unchanged)]))
                }
                None => ours(changed, &Census::default()),
            };
            let purged = unchanged_purged(&site, changed, &sent.items);
            row.push(format!("{} / {} / {purged}", sent.items.len(), sent.calls));
            if number < SUMMED {
                tenths += sent.items.len() * 10 + purged;
            }
        }
        row.push(format!("{}.{}", tenths / 10, tenths % 10));
        table.add_row(row);
    }
    table.column_iter_mut().skip(1).for_each(|c| c.set_cell_alignment(CellAlignment::Right));
    println!("\n{layout:?}: {} files\n\n{table}", site.keys.len());
}

criterion_group!(benches, planning);

fn main() {
    if std::env::args().any(|argument| argument == "compare") {
        [Layout::Mixed, Layout::PageFolders, Layout::NoIndexPages].into_iter().for_each(compare);
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
