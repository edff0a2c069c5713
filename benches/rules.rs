//! How the costs grow from 1 to 10,000 rules of every kind.
//!
//! - `rules/match`: keys decided per second, with the index.
//! - `rules/loop`: the same with a plain loop over all rules.
//! - `rules/load`: rules loaded per second.
//!
//! ```sh
//! cargo bench --bench rules
//! ```

use std::{fmt::Write, hint::black_box};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use s3_cloudfront_invalidator::{
    event::{Change, Kind},
    rules::{Decision, RuleSet},
};

const SIZES: [usize; 4] = [1, 100, 1_000, 10_000];

/// The keys of one iteration.
const KEYS: usize = 1_000;

/// A rules file that mixes all kinds of conditions.
fn rules(count: usize) -> String {
    let mut yaml = String::from("version: 1\ntargets: {www: E1EXAMPLE1WWW}\nrules:\n");
    for n in 0..count {
        let conditions = match n % 6 {
            0 => format!("bucket: site-{n}, prefix: public/, suffix: [.html, .json]"),
            1 => format!("bucket: shared, prefix: [site-{n}/, blog-{n}/]"),
            2 => format!("bucket: shared, suffix: -{n}.html, except: {{prefix: drafts/}}"),
            3 => format!("bucket: 'team-{n}-*', events: created"),
            4 => format!(r"bucket: shared, regex: '^docs-{n}/(?P<lang>[a-z]{{2}})/'"),
            _ => format!(r"bucket: shared, regex: '/tenant-{n}/[0-9]+\.xml$'"),
        };
        let _ = writeln!(yaml, "  - {{name: rule {n}, {conditions}, invalidate: www}}");
    }
    yaml
}

/// Changes that match rules all over the file, and some that match none.
fn changes(count: usize) -> Vec<Change> {
    (0..KEYS)
        .map(|index| {
            // A stride that reaches every kind of rule.
            let n = (index * 7_919) % count;
            let (bucket, key) = match (index % 8, n % 6) {
                (0, _) => ("shared".to_owned(), format!("nobody/{n}/a.css")),
                (1, _) => (format!("nobody-{n}"), "public/a.html".to_owned()),
                (_, 0) => (format!("site-{n}"), format!("public/docs/{index}/index.html")),
                (_, 1) => ("shared".to_owned(), format!("blog-{n}/2026/{index}.jpg")),
                (_, 2) => ("shared".to_owned(), format!("posts/{index}/hello-{n}.html")),
                (_, 3) => (format!("team-{n}-eu"), format!("assets/{index}.svg")),
                (_, 4) => ("shared".to_owned(), format!("docs-{n}/en/{index}/index.html")),
                (_, _) => ("shared".to_owned(), format!("feeds/tenant-{n}/{index}.xml")),
            };
            change(bucket, key)
        })
        .collect()
}

fn change(bucket: String, key: String) -> Change {
    Change::listed(bucket, key, Kind::Created)
}

fn load(yaml: &str) -> RuleSet {
    RuleSet::parse("rules.yaml", yaml.as_bytes()).expect("a sound file")
}

fn matching(criterion: &mut Criterion) {
    type Decide = fn(&RuleSet, &Change) -> Decision;
    let ways: [(&str, Decide); 2] = [
        ("rules/match", RuleSet::decide),
        ("rules/loop", |rules, change| rules.observe(change, &mut ())),
    ];
    for (name, decide) in ways {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20).throughput(Throughput::Elements(KEYS as u64));
        for size in SIZES {
            let rules = load(&rules(size));
            let changes = changes(size);
            let hits =
                changes.iter().filter(|change| !rules.decide(change).contributions.is_empty());
            assert!(hits.count() * 10 >= KEYS * 7, "most keys match a rule");
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                bencher.iter(|| {
                    changes.iter().map(|change| decide(&rules, change)).for_each(|one| {
                        black_box(one);
                    });
                });
            });
        }
        group.finish();
    }
}

fn loading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rules/load");
    group.sample_size(10);
    for size in SIZES {
        let yaml = rules(size);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            // The function never drops its rules.
            bencher.iter_with_large_drop(|| load(&yaml));
        });
    }
    group.finish();
}

criterion_group!(benches, matching, loading);
criterion_main!(benches);
