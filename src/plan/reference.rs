use sha2::{Digest, Sha256};

use crate::{distribution::DistributionId, event::Identity, item::Item};

/// The `CallerReference` of a request: a SHA-256, in hex, over the
/// distribution, the sorted items and the sorted distinct identities behind
/// them.
///
/// CloudFront answers a reference it knows, sent with the same items, with the
/// invalidation it already has, and bills nothing. So the same batch delivered
/// again is the same request, in every process; and a later change of the same
/// path, which has another identity, is a new one. `salt` makes another
/// reference of the same batch.
pub fn caller_reference<'a>(
    distribution: &DistributionId,
    items: impl IntoIterator<Item = &'a Item>,
    identities: impl IntoIterator<Item = Identity>,
    salt: Option<&str>,
) -> String {
    let mut items: Vec<&Item> = items.into_iter().collect();
    items.sort_unstable();
    items.dedup();
    let mut identities: Vec<Identity> = identities.into_iter().collect();
    identities.sort_unstable();
    identities.dedup();

    let mut hasher = Sha256::new();
    // Every part says how long it is, so that no two lists run into the same bytes.
    let mut text = |part: &str| {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    };
    text(distribution.as_str());
    text(salt.unwrap_or_default());
    text(&items.len().to_string());
    for item in items {
        text(item.as_str());
    }
    for identity in identities {
        hasher.update(identity.as_bytes());
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Kind, Occurrence};

    fn identity(sequencer: &str) -> Identity {
        Identity::new("b", "k", Kind::Created, None, Occurrence::Sequencer(sequencer), None)
    }

    fn reference(id: &str, items: &[&str], sequencers: &[&str], salt: Option<&str>) -> String {
        let items: Vec<Item> = items.iter().map(|prefix| Item::wildcard(prefix)).collect();
        let id = DistributionId::distribution(id).expect("a valid id");
        caller_reference(&id, &items, sequencers.iter().map(|s| identity(s)), salt)
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        let one = reference("E1EXAMPLE", &["/a", "/b"], &["01", "02"], None);
        assert_eq!(one.len(), 64);
        assert_eq!(one, reference("E1EXAMPLE", &["/b", "/a", "/b"], &["02", "01", "01"], None));
    }

    #[test]
    fn every_part_counts() {
        let one = reference("E1EXAMPLE", &["/a", "/b"], &["01", "02"], None);
        for other in [
            reference("E2EXAMPLE", &["/a", "/b"], &["01", "02"], None),
            reference("E1EXAMPLE", &["/a"], &["01", "02"], None),
            reference("E1EXAMPLE", &["/a", "/c"], &["01", "02"], None),
            reference("E1EXAMPLE", &["/a", "/b"], &["01"], None),
            reference("E1EXAMPLE", &["/a", "/b"], &["01", "03"], None),
            reference("E1EXAMPLE", &["/a", "/b"], &["01", "02"], Some("again")),
        ] {
            assert_ne!(one, other);
        }
    }
}
