//! The caller reference of a request.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::{distribution::DistributionId, event::Identity, item::Item};

/// Returns the caller reference: a SHA-256, as 64 hexadecimal digits, of the
/// distribution's id, the items and the identities of the changes behind them.
///
/// - It depends neither on the process nor on the order or number of equal items
///   and identities. When a batch is redelivered, the reference is the same, and
///   CloudFront [returns][batch] the invalidation that it already created.
/// - A later change of the same path has another identity, so the reference
///   differs. Otherwise CloudFront would purge nothing.
/// - A `salt` makes another reference for the same request.
///
/// [batch]: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html
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

    let mut hash = Sha256::new();
    // Each part is preceded by its length, and the items are followed by their
    // number, so that different requests never hash the same bytes.
    let mut text = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    };
    text(match distribution {
        DistributionId::Distribution(_) => "distribution",
        DistributionId::Tenant(_) => "tenant",
    });
    text(distribution.as_str());
    text(salt.unwrap_or_default());
    items.iter().for_each(|item| text(item.as_str()));
    hash.update((items.len() as u64).to_be_bytes());
    identities.iter().for_each(|identity| hash.update(identity.as_bytes()));

    hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{Kind, Occurrence},
        item::tests::item,
    };

    fn identity(sequencer: &str) -> Identity {
        let occurrence = Occurrence::Sequencer(sequencer);
        Identity::new("bucket", "key", Kind::Created, None, occurrence, None)
    }

    fn reference(id: &str, items: &[&str], sequencers: &[&str], salt: Option<&str>) -> String {
        let id = DistributionId::distribution(id).unwrap();
        let items: Vec<Item> = items.iter().map(|text| item(text)).collect();
        caller_reference(&id, &items, sequencers.iter().map(|text| identity(text)), salt)
    }

    #[test]
    fn is_the_same_in_every_process_and_order() {
        let pinned = reference("E1EXAMPLE", &["/a", "/b/*"], &["01", "02"], None);
        // With another value, a redelivery during a deployment is billed again.
        assert_eq!(pinned, "fae7334412626884082f750240d20b2ec3f7a8e5b83742e1626c40447824b236");
        let other_order = reference("E1EXAMPLE", &["/b/*", "/a", "/a"], &["02", "01", "01"], None);
        assert_eq!(pinned, other_order);
    }

    #[test]
    fn depends_on_every_part() {
        let references = [
            reference("E1EXAMPLE", &["/a"], &["01"], None),
            reference("E2EXAMPLE", &["/a"], &["01"], None),
            reference("E1EXAMPLE", &["/b"], &["01"], None),
            reference("E1EXAMPLE", &["/a", "/b"], &["01"], None),
            reference("E1EXAMPLE", &["/a"], &["02"], None),
            reference("E1EXAMPLE", &["/a"], &["01", "02"], None),
            reference("E1EXAMPLE", &["/a"], &["01"], Some("1")),
            reference("E1EXAMPLE", &["/a"], &["01"], Some("2")),
        ];
        for (index, reference) in references.iter().enumerate() {
            assert_eq!(reference.len(), 64);
            assert!(!references[..index].contains(reference), "{index}");
        }
    }
}
