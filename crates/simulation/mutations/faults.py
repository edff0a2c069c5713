"""Faults: for each, a file, a text that it contains once, and the text in its place."""

FAULTS = {
    # What was not accepted.
    "deleted before acceptance": (
        "src/queue/mod.rs",
        "let list = match again {",
        "let list = match &(*again && !delivery.unreadable.is_empty()) {",
    ),
    "partial failures are not reported": (
        "src/response/mod.rs",
        "response.add_failure(id);",
        "let _ = id;",
    ),
    "a direct payload always succeeds": (
        "src/response/mod.rs",
        "PayloadSource::Direct if failed.next().is_some() =>",
        "PayloadSource::Direct if failed.next().is_none() && false =>",
    ),
    "to be retried counts as done": (
        "src/cloudfront/submission.rs",
        "Self::Refused(failure) | Self::Retry(failure) => Some(failure),\n            ",
        "Self::Refused(failure) => Some(failure),\n            Self::Retry(_) | ",
    ),
    "perhaps accepted counts as accepted": (
        "src/cloudfront/create_invalidation.rs",
        "Some(Err(error)) if error.kind == ErrorKind::UsedReference =>",
        "Some(Err(error)) if error.kind == ErrorKind::UsedReference || may_be_accepted =>",
    ),
    "unreadable messages are deleted": (
        "src/cloudfront/submission.rs",
        "deliveries.iter().map(|delivery| !delivery.unreadable.is_empty()).collect();",
        "deliveries.iter().map(|_| false).collect();",
    ),
    # Splitting.
    "half of a refused batch is lost": (
        "src/cloudfront/request_queue.rs",
        "self.halves.push(Batch { origin: Origin::Half, ..right });",
        "drop(right);",
    ),
    "half of a batch beyond a quota is lost": (
        "src/cloudfront/request_queue.rs",
        "self.planned.push_front(right);",
        "drop(right);",
    ),
    "a batch beyond a quota is not split": (
        "src/cloudfront/request_queue.rs",
        "error_kind if error_kind.is_quota() && !batch.is_small() && !error.may_be_accepted =>",
        "error_kind if error_kind.is_quota() && batch.items.is_empty() =>",
    ),
    # References and memory.
    "a reference without identities": (
        "src/plan/reference.rs",
        "identities.iter().for_each(|identity| hash.update(identity.as_bytes()));",
        "",
    ),
    "a reference without items": (
        "src/plan/reference.rs",
        "items.iter().for_each(|item| text(item.as_str()));",
        "text(\"\");",
    ),
    "an accepted item counts for every message": (
        "src/cloudfront/memory.rs",
        "self.messages.get(message)?;",
        """self.messages.values().find(|items| {
            !message.is_empty() && items.iter().any(|one| one.distribution == *distribution && one.item.covers(item))
        })?;""",
    ),
    "accepted items are forgotten": (
        "src/cloudfront/memory.rs",
        "self.accepted.insert(id, &distribution, item, invalidation);",
        "let _ = (id, invalidation);",
    ),
    # What is purged.
    "a wildcard one level up": (
        "src/plan/collapse/mod.rs",
        "chosen.into_iter().map(|index| walk.names[index as usize]).collect()",
        "chosen\n        .into_iter()\n        .map(|index| walk.names[index as usize])\n        .map(|name| &name[..=name[..name.len() - 1].rfind('/').unwrap_or(0)])\n        .collect()",
    ),
    "a wildcard covers what is excluded": (
        "src/plan/collapse/mod.rs",
        "&& self.length >= self.floor",
        "",
    ),
    "a wildcard exceeds the prefix": (
        "src/plan/cover.rs",
        "if item.stem().starts_with(&**bound) { bound.len() } else { UNBOUND }",
        "if item.stem().starts_with(&**bound) { 1 } else { UNBOUND }",
    ),
    "a few paths are collapsed": (
        "src/plan/collapse/mod.rs",
        "paths - wildcards <= settings.above &&",
        "paths - wildcards <= settings.above.min(2) &&",
    ),
    "ignore does not end the evaluation": (
        "src/rules/walk/mod.rs",
        "if rule.is_last() {",
        "if rule.is_last() && !matches!(rule.action, Action::Ignore { .. }) {",
    ),
    "a covered path is nobody's": (
        "src/plan/cover.rs",
        "kept.planned.changes.append(&mut next.planned.changes);",
        "if kept.planned.item == next.planned.item {\n                kept.planned.changes.append(&mut next.planned.changes);\n            }",
    ),
    # Other paths of an object.
    "no path of the directory": (
        "src/item/settings.rs",
        "            paths.push(directory);",
        "            let _ = directory;",
    ),
    "no query strings of a directory": (
        "src/item/settings.rs",
        "                            items.push(wildcard.map(addressed));\n",
        "                            let _ = wildcard;\n",
    ),
    "deletes change nothing": (
        "src/rules/load/rule_entries.rs",
        "const DEFAULT_EVENTS: &[Kind] = &[Kind::Created, Kind::Deleted];",
        "const DEFAULT_EVENTS: &[Kind] = &[Kind::Created];",
    ),
    # Time.
    "submits beyond the deadline": (
        "src/cloudfront/mod.rs",
        "let stop = keep(MARGIN, deadline);",
        "let stop = deadline + deadline.saturating_duration_since(Instant::now());",
    ),
}
