use crate::{
    distribution::{Distribution, DistributionId},
    event::{Identity, Kind, Occurrence},
    item::PathSettings,
    rules::Invalidate,
};

use super::*;

fn change(bucket: &str, key: &str) -> Change {
    Change {
        bucket: bucket.into(),
        key: key.to_owned(),
        kind: Kind::Created,
        time_ms: None,
        size: None,
        account: None,
        region: None,
        identity: Identity::new(bucket, key, Kind::Created, None, Occurrence::Only, None),
    }
}

fn target(name: &str, origin_path: &str) -> Target {
    let id = DistributionId::distribution("E1EXAMPLE1WWW").expect("an id");
    let mut paths = PathSettings::default();
    paths.set_origin_path(origin_path);
    Target { name: name.into(), distribution: Distribution::from(id), paths, collapse: None }
}

fn rule(conditions: Conditions, action: Action) -> Rule {
    Rule { name: String::new(), line: 1, conditions, except: Vec::new(), action }
}

fn invalidate(targets: &[(usize, &[&str], &[&str])], regexes: &[RuleRegex], stop: bool) -> Action {
    let one = |&(target, paths, tags): &(usize, &[&str], &[&str])| Invalidate {
        target: TargetIndex(target),
        paths: paths.iter().map(|path| PathTemplate::parse(path, regexes).expect(path)).collect(),
        tags: tags.iter().map(|tag| TagTemplate::parse(tag, regexes).expect(tag)).collect(),
    };
    Action::Invalidate { targets: targets.iter().map(one).collect(), stop }
}

fn regexes(patterns: &[&str]) -> Vec<RuleRegex> {
    patterns.iter().map(|pattern| RuleRegex::new(pattern).expect(pattern)).collect()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// The items as text, each unaddressable one as `!`.
fn items(made: &Made) -> Vec<String> {
    let text = |item: &Result<Addressed, _>| {
        item.as_ref().map_or_else(|_| "!".to_owned(), |one| one.item.to_string())
    };
    made.items.iter().map(text).collect()
}

#[test]
fn the_first_condition_that_fails_is_named() {
    let all = || Conditions {
        buckets: vec![BucketPattern::Exact("b".to_owned()), BucketPattern::Prefix("x-".to_owned())],
        prefixes: strings(&["p/", "q/"]),
        suffixes: strings(&[".html"]),
        regexes: regexes(&["[0-9]"]),
        events: Some(vec![Kind::Created, Kind::Deleted]),
        accounts: strings(&["111122223333"]),
        regions: strings(&["eu-west-1"]),
        min_size: Some(10),
        max_size: Some(20),
    };
    let good = Change {
        account: Some("111122223333".into()),
        region: Some("eu-west-1".into()),
        size: Some(10),
        ..change("b", "p/1.html")
    };
    let set = |edit: fn(&mut Change)| {
        let mut change = good.clone();
        edit(&mut change);
        change
    };
    use Condition::*;
    let cases: [(Change, Condition, &[&str], Option<&str>); 11] = [
        (set(|c| c.bucket = "c".into()), Bucket, &["b", "x-*"], Some("c")),
        (set(|c| c.key = "1.html".into()), Prefix, &["p/", "q/"], Some("1.html")),
        (set(|c| c.key = "p/1".into()), Suffix, &[".html"], Some("p/1")),
        (set(|c| c.kind = Kind::Restored), Events, &["created", "deleted"], Some("restored")),
        (set(|c| c.account = None), Account, &["111122223333"], None),
        (set(|c| c.account = Some("4".into())), Account, &["111122223333"], Some("4")),
        (set(|c| c.region = Some("x".into())), Region, &["eu-west-1"], Some("x")),
        (set(|c| c.size = None), MinSize, &["10"], None),
        (set(|c| c.size = Some(9)), MinSize, &["10"], Some("9")),
        (set(|c| c.size = Some(21)), MaxSize, &["20"], Some("21")),
        (set(|c| c.key = "p/a.html".into()), Regex, &["[0-9]"], Some("p/a.html")),
    ];
    let rules = [rule(all(), Action::Ignore)];
    let reading = |change: &Change| explain(&rules, &[], None, change).readings.remove(0);
    assert!(matches!(reading(&good), Reading::Matched { .. }));
    for (change, condition, wanted, actual) in cases {
        let mismatch =
            Mismatch { condition, wanted: strings(wanted), actual: actual.map(str::to_owned) };
        assert_eq!(reading(&change), Reading::Failed(mismatch));
    }
}

#[test]
fn rules_after_the_last_one_are_not_read() {
    let any = Conditions::default;
    let to_www = |stop| invalidate(&[(0, &["{path}"], &[])], &[], stop);
    let targets = [target("www", "")];
    for (action, verdict) in [(to_www(true), Verdict::Matched), (Action::Ignore, Verdict::Matched)]
    {
        let rules = [
            rule(any(), to_www(false)),
            rule(any(), action),
            rule(any(), to_www(false)),
            rule(any(), to_www(false)),
        ];
        let explanation = explain(&rules, &targets, Some(TargetIndex(0)), &change("b", "a"));
        assert_eq!(explanation.verdict, verdict);
        assert_eq!(explanation.fallback, Fallback::NotNeeded);
        let not_read = Reading::NotRead { after: RuleIndex(1) };
        assert_eq!(explanation.readings[2..], [not_read.clone(), not_read]);
    }
}

#[test]
fn except_sets_are_named() {
    let set = |prefix: &str| Conditions { prefixes: strings(&[prefix]), ..Conditions::default() };
    let mut rules = [rule(Conditions::default(), Action::Ignore)];
    rules[0].except = vec![set("x/"), set("drafts/")];
    let reading = explain(&rules, &[], None, &change("b", "drafts/a")).readings.remove(0);
    assert_eq!(reading, Reading::Excepted { set: 1, conditions: vec![Condition::Prefix] });
}

#[test]
fn items_are_given_with_their_templates() {
    let patterns = regexes(&["^public/(?P<lang>[a-z]{2})/(x)?"]);
    let www = (0, &["{path}", "/{lang}/feed.xml", "/{2}"][..], &["posts-{lang}", "a-{file}"][..]);
    let action = invalidate(&[www, (1, &["{path}"], &[])], &patterns, false);
    let conditions = Conditions { regexes: patterns, ..Conditions::default() };
    let rules = [rule(conditions, action)];
    let targets = [target("www", "public"), target("blog", "blog")];
    let explanation = explain(&rules, &targets, None, &change("b", "public/en/a b.html"));

    let captures = vec![("lang".to_owned(), Some("en".to_owned())), ("2".to_owned(), None)];
    let regex = Some("^public/(?P<lang>[a-z]{2})/(x)?".to_owned());
    assert_eq!(explanation.readings, [Reading::Matched { regex, captures }]);
    let [www, blog] = &*explanation.targets else { panic!("{explanation:?}") };
    assert_eq!((www.target, www.served), (TargetIndex(0), true));
    let made: Vec<_> = www.made.iter().map(|made| (&*made.template, items(made))).collect();
    assert_eq!(
        made,
        [
            ("{path}", strings(&["/en/a%20b.html"])),
            ("/{lang}/feed.xml", strings(&["/en/feed.xml"])),
            ("/{2}", vec![]),
            ("posts-{lang}", strings(&["#posts-en"])),
            ("a-{file}", strings(&["!"])),
        ]
    );
    assert_eq!((blog.target, blog.served), (TargetIndex(1), false));
    assert_eq!(items(&blog.made[0]), [""; 0]);
}

#[test]
fn one_target_named_twice_keeps_its_templates_apart() {
    let action = invalidate(&[(0, &["/a"], &[]), (0, &["/b"], &[])], &[], false);
    let rules = [rule(Conditions::default(), action)];
    let explanation = explain(&rules, &[target("www", "")], None, &change("b", "k"));
    let made: Vec<_> = explanation.targets[0].made.iter().map(items).collect();
    assert_eq!(made, [["/a"], ["/b"]]);
}

#[test]
fn the_fallback_takes_what_no_rule_speaks_for() {
    let ignore = [rule(
        Conditions { prefixes: strings(&["tmp/"]), ..Conditions::default() },
        Action::Ignore,
    )];
    let targets = [target("DistributionId", "")];
    let set = Some(TargetIndex(0));
    for (key, kind, fallback, outcome, made) in [
        ("a+b", Kind::Created, set, Fallback::Taken, &["/a+b", "/a%2Bb"][..]),
        ("a", Kind::Deleted, set, Fallback::Taken, &["/a"]),
        ("a", Kind::TagsChanged, set, Fallback::OtherEvent, &[]),
        ("a", Kind::Created, None, Fallback::NotSet, &[]),
        ("tmp/a", Kind::Created, set, Fallback::NotNeeded, &[]),
    ] {
        let change = Change { kind, ..change("b", key) };
        let explanation = explain(&ignore, &targets, fallback, &change);
        assert_eq!(explanation.fallback, outcome, "{key} {kind}");
        let all = explanation.targets.iter().flat_map(|target| &target.made);
        assert_eq!(all.flat_map(items).collect::<Vec<_>>(), made, "{key} {kind}");
    }
}
