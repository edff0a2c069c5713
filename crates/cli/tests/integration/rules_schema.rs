//! schemas/rules.schema.json: it has the same fields as the program, and accepts
//! and rejects the same files.

use std::{fs, path::Path, process::Command};

use jsonschema::Validator;
use s3_cloudfront_invalidator::{
    event::Kind,
    rules::{
        RuleSet,
        mapping::{self, MappingKind},
    },
};
use serde_json::Value;

use crate::rules_docs;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/rules.schema.json");

#[test]
fn the_command_prints_the_schema() {
    let output = Command::new(env!("CARGO_BIN_EXE_invalidator")).arg("schema").output().unwrap();
    assert!(output.status.success());
    assert!(output.stdout == fs::read(SCHEMA).unwrap());
}

fn schema() -> Value {
    let schema = fs::read_to_string(SCHEMA).unwrap();
    serde_json::from_str(&schema).expect("JSON")
}

#[test]
fn fields_are_those_that_are_read() {
    let schema = schema();
    let same = |part: &Value, kind: &MappingKind| {
        let mut names: Vec<&String> = part["properties"].as_object().unwrap().keys().collect();
        let mut fields: Vec<&str> = kind.fields().collect();
        names.sort_unstable();
        fields.sort_unstable();
        assert_eq!(names, fields, "{}", kind.name);
        assert_eq!(part["additionalProperties"], false, "{}", kind.name);
    };
    same(&schema, &mapping::FILE);
    for (name, kind) in [
        ("settings", mapping::DEFAULTS),
        ("target", mapping::TARGET),
        ("collapse", mapping::COLLAPSE),
        ("rule", mapping::RULE),
        ("conditions", mapping::EXCEPT),
        ("invalidate", mapping::INVALIDATE),
        ("test", mapping::TEST),
    ] {
        same(&schema["definitions"][name], &kind);
    }
    let events = &schema["definitions"]["event"]["enum"];
    assert_eq!(*events, Value::from(Kind::ALL.map(Kind::name).to_vec()));
}

fn validator() -> Validator {
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema));
    jsonschema::validator_for(&schema).expect("a valid schema")
}

/// Editors offer the examples as completions.
#[test]
fn examples_are_valid() {
    fn examples<'s>(value: &'s Value, found: &mut Vec<&'s Value>) {
        found.extend(value.get("examples").is_some_and(Value::is_array).then_some(value));
        match value {
            Value::Object(fields) => fields.values().for_each(|value| examples(value, found)),
            Value::Array(values) => values.iter().for_each(|value| examples(value, found)),
            _ => {}
        }
    }
    let schema = schema();
    let mut parts = Vec::new();
    examples(&schema, &mut parts);
    assert!(parts.len() > 15, "{}", parts.len());
    for part in parts {
        let mut whole = part.clone();
        whole["definitions"] = schema["definitions"].clone();
        let validator = jsonschema::validator_for(&whole).expect("a valid schema");
        for example in part["examples"].as_array().unwrap() {
            assert!(validator.is_valid(example), "{example}");
        }
    }
}

fn errors(validator: &Validator, yaml: &str) -> Vec<String> {
    let value: Value = serde_yaml::from_str(yaml).expect("YAML");
    validator.iter_errors(&value).map(|error| error.to_string()).collect()
}

#[test]
fn valid_files_pass() {
    let validator = validator();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules.yaml");
    let shipped = fs::read_to_string(shipped).unwrap();
    let mut files = vec![("rules.yaml".to_owned(), shipped)];
    files.extend(rules_docs::valid_files());
    files.extend(VALID.iter().map(|yaml| ((*yaml).to_owned(), format!("version: 1\n{yaml}"))));
    for (name, yaml) in files {
        RuleSet::parse(&name, yaml.as_bytes()).unwrap();
        assert_eq!(errors(&validator, &yaml), [""; 0], "{name}");
    }
}

#[test]
fn invalid_files_fail() {
    let validator = validator();
    for yaml in INVALID {
        let yaml = if yaml.contains("version") {
            (*yaml).to_owned()
        } else {
            format!("version: 1\n{yaml}")
        };
        let report = rules_docs::check(&yaml);
        assert_ne!(report["errors"], 0, "no error: {yaml}");
        assert!(!errors(&validator, &yaml).is_empty(), "passes the schema: {yaml}");
    }
}

/// Every form that a field can take.
const VALID: &[&str] = &[
    "",
    "targets:\nrules:\ntests:\n",
    "targets: {}\nrules: []\ntests: []\ndefaults: {}",
    "targets: { a: E1EXAMPLE1WWW, b: { distribution: E1EXAMPLE1WWW }, c: { tenant: dt_1a } }",
    "targets: { a: { tenant: dt_1a, role_arn: 'arn:aws:iam::444455556666:role/x/y', external_id: ab } }",
    "defaults: { role_arn: 'arn:aws-cn:iam::444455556666:role/x' }\ntargets: { a: { tenant: dt_1a, role_arn: null, external_id: null } }",
    "defaults: { origin_path: /x, default_root_object: null, index_documents: [], plus: raw }",
    "defaults: { default_root_object: home.html, index_documents: index.html, plus: encoded }",
    "defaults: { index_documents: [a, b], directory_redirects: true, query_strings: true, plus: both }",
    "defaults: { clean_urls: true, viewer_prefix: /media/x }",
    "targets: { a: { distribution: E1EXAMPLE1WWW, clean_urls: false, viewer_prefix: '' } }",
    "defaults: { collapse: false }",
    "defaults: { protect: /preview/ }",
    "targets: { a: { distribution: E1EXAMPLE1WWW, protect: [/a/, /b] }, b: { tenant: dt_1a, protect: [] } }",
    "rules: [{ name: a, ignore: true, allow_wildcards: true, prefix: assets/ }]",
    "defaults: { collapse: true }",
    "defaults: { collapse: {} }",
    "defaults: { collapse: { above: 0, weight: 1, min_depth: 0, max_wildcards: 15 } }",
    "rules: [{ name: a, ignore: true }]",
    "rules: [{ name: a, ignore: false, stop: true, invalidate: E1EXAMPLE1WWW }]",
    "rules: [{ name: a, invalidate: [E1EXAMPLE1WWW, { target: E1EXAMPLE1WWX }] }]",
    "rules: [{ name: a, invalidate: { target: E1EXAMPLE1WWW, paths: '/x*', tags: [t] } }]",
    "rules: [{ name: a, invalidate: { target: E1EXAMPLE1WWW, paths: [], tags: t } }]",
    "rules: [{ name: a, ignore: true, bucket: b, prefix: p, suffix: s, regex: r, events: created, account: '011122223333', region: eu-west-1, min_size: 1, max_size: 2 }]",
    "rules: [{ name: a, ignore: true, bucket: [b, c-*], prefix: [p], suffix: [s], regex: [r], events: [created, restored], account: [111122223333], region: [eu-west-1] }]",
    "rules: [{ name: a, ignore: true, stop: false }]",
    "rules: [{ name: a, regex: '(?P<größe>.)', invalidate: { target: E1EXAMPLE1WWW, paths: ['{dir}*', '/{1}'], tags: 'a{größe}' } }]",
    "rules: [{ name: a, ignore: true, except: { prefix: p } }]",
    "rules: [{ name: a, ignore: true, except: [{ prefix: p }, { account: 111122223333 }] }]",
    "tests: [{ key: s3://b/k, expect: unmatched }]",
    "tests: [{ key: s3://b/k, event: deleted, size: 0, account: 111122223333, region: eu-west-1, expect: unmatched }]",
    "rules: [{ name: a, invalidate: E1EXAMPLE1WWW }]\ntests: [{ key: s3://b/k, expect: { E1EXAMPLE1WWW: /k } }, { key: s3://b/k, expect: {} }, { key: s3://b/k, expect: { E1EXAMPLE1WWW: [] } }]",
];

/// Errors that can be seen in one value or mapping.
const INVALID: &[&str] = &[
    "defaults: { protect: / }",
    "defaults: { protect: '' }",
    "defaults: { protect: preview/ }",
    "defaults: { protect: ['/preview/*'] }",
    "rules: [{ name: a, ignore: true, allow_wildcards: 'yes' }]",
    "[version]",
    "{ rules: [], x-version: 1 }",
    "version: 2",
    "version: '1'",
    "unknown: 1",
    "targets: []",
    "targets: { a: null }",
    "targets: { a: 1 }",
    "targets: { a: [] }",
    "targets: { a: d1example }",
    "targets: { a: dt_1a }",
    "targets: { a: {} }",
    "targets: { a: { distribution: E1 } }",
    "targets: { a: { distribution: E1EXAMPLE1WWW, tenant: dt_1a } }",
    "targets: { a: { tenant: E1EXAMPLE1WWW } }",
    "targets: { a: { distribution: E1EXAMPLE1WWW, orgin_path: x } }",
    "targets: { a: { distribution: E1EXAMPLE1WWW, role_arn: 'arn:aws:iam::1:role/x' } }",
    "defaults: { distribution: E1EXAMPLE1WWW }",
    "defaults: { external_id: a }",
    "defaults: { origin_path: 1 }",
    "defaults: { origin_path: }",
    "defaults: { default_root_object: '' }",
    "defaults: { default_root_object: /index.html }",
    "defaults: { index_documents: [docs/index.html] }",
    "defaults: { index_documents: null }",
    "defaults: { directory_redirects: 'true' }",
    "defaults: { query_strings: 1 }",
    "defaults: { clean_urls: 'true' }",
    "defaults: { viewer_prefix: /media/* }",
    "defaults: { viewer_prefix: /a b }",
    "defaults: { viewer_prefix: null }",
    "defaults: { plus: neither }",
    "defaults: { collapse: never }",
    "defaults: { collapse: { above: -1 } }",
    "defaults: { collapse: { weight: 0 } }",
    "defaults: { collapse: { max_wildcards: 16 } }",
    "defaults: { collapse: { min_depth: 1.5 } }",
    "defaults: { collapse: { depth: 1 } }",
    "rules: {}",
    "rules: [name]",
    "rules: [{ ignore: true }]",
    "rules: [{ name: a }]",
    "rules: [{ name: '', ignore: true }]",
    "rules: [{ name: 404, ignore: true }]",
    "rules: [{ name: a, ignore: false }]",
    "rules: [{ name: a, ignore: yes }]",
    "rules: [{ name: a, ignore: true, stop: 1 }]",
    "rules: [{ name: a, ignore: true, bucket: [] }]",
    "rules: [{ name: a, ignore: true, bucket: { b: c } }]",
    "rules: [{ name: a, ignore: true, bucket: 's3://b' }]",
    "rules: [{ name: a, ignore: true, prefix: }]",
    "rules: [{ name: a, ignore: true, prefix: [a, null] }]",
    "rules: [{ name: a, ignore: true, suffix: 1 }]",
    "rules: [{ name: a, ignore: true, regex: [[a]] }]",
    "rules: [{ name: a, ignore: true, events: 'ObjectCreated:*' }]",
    "rules: [{ name: a, ignore: true, events: [] }]",
    "rules: [{ name: a, ignore: true, account: '1' }]",
    "rules: [{ name: a, ignore: true, account: true }]",
    "rules: [{ name: a, ignore: true, region: Frankfurt }]",
    "rules: [{ name: a, ignore: true, min_size: 1MB }]",
    "rules: [{ name: a, ignore: true, max_size: -1 }]",
    "rules: [{ name: a, ignore: true, except: [] }]",
    "rules: [{ name: a, ignore: true, except: prefix }]",
    "rules: [{ name: a, ignore: true, except: { name: x } }]",
    "rules: [{ name: a, invalidate: [] }]",
    "rules: [{ name: a, invalidate: }]",
    "rules: [{ name: a, invalidate: 1 }]",
    "rules: [{ name: ' ', ignore: true }]",
    "rules: [{ name: a, ignore: true, invalidate: E1EXAMPLE1WWW }]",
    "rules: [{ name: a, ignore: true, stop: true }]",
    "rules: [{ name: a, invalidate: { target: E1EXAMPLE1WWW, paths: [] } }]",
    "rules: [{ name: a, invalidate: { target: E1EXAMPLE1WWW, paths: [], tags: [] } }]",
    "rules: [{ name: a, invalidate: { target: E1EXAMPLE1WWW, paths: feed.xml } }]",
    "rules: [{ name: a, invalidate: { target: E1EXAMPLE1WWW, paths: ['https://www.example.com/'] } }]",
    "rules: [{ name: a, invalidate: { target: E1EXAMPLE1WWW, tags: '#posts' } }]",
    "rules: [{ name: a, invalidate: { target: E1EXAMPLE1WWW, tags: [a b] } }]",
    "targets: { DistributionId: E1EXAMPLE1WWW }",
    "targets: { a: { distribution: E1EXAMPLE1WWW, role_arn: 'arn:aws:iam::444455556666:role/a b' } }",
    "targets: { a: { distribution: E1EXAMPLE1WWW, role_arn: 'arn:aws:iam::444455556666:role/a', external_id: 'a b' } }",
    "tests: [{ key: s3://b/, expect: unmatched }]",
    "rules: [{ name: a, invalidate: { paths: /x } }]",
    "rules: [{ name: a, invalidate: { target: E1EXAMPLE1WWW, path: /x } }]",
    "rules: [{ name: a, invalidate: { target: E1EXAMPLE1WWW, paths: {path} } }]",
    "rules: [{ name: a, invalidate: { target: E1EXAMPLE1WWW, tags: [1] } }]",
    "tests: {}",
    "tests: [{ key: s3://b/k }]",
    "tests: [{ expect: unmatched }]",
    "tests: [{ key: b/k, expect: unmatched }]",
    "tests: [{ key: s3://b/k, expect: skipped }]",
    "tests: [{ key: s3://b/k, expect: [] }]",
    "tests: [{ key: s3://b/k, event: [created], expect: unmatched }]",
    "tests: [{ key: s3://b/k, size: big, expect: unmatched }]",
];
