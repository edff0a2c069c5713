//! The caller reference of a request.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::{distribution::DistributionId, event::Identity, item::Item};

/// What makes CloudFront take two requests for one: a SHA-256, as 64
/// hexadecimal digits, over the distribution's id, the items and the
/// identities of the changes behind them.
///
/// - The order in which items and identities come, and how often, does not
///   matter, nor does the process: a batch that is delivered again makes the
///   same reference, and CloudFront [answers][batch] with the invalidation it
///   has already made.
/// - A later change of the same path has another identity, so it makes another
///   reference: without one, CloudFront would purge nothing.
/// - A `salt` makes a fresh reference for the same request.
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
    // Every part goes in with its length, every list with its own, so that no
    // two requests make the same bytes.
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
    use crate::event::{Kind, Occurrence};

    fn distribution(id: &str) -> DistributionId {
        DistributionId::distribution(id).unwrap()
    }

    fn item(text: &str) -> Item {
        match text.strip_suffix('*') {
            Some(prefix) => Item::wildcard(prefix),
            None => crate::item::address(text, "/", "/", false).unwrap(),
        }
    }

    fn identity(sequencer: &str) -> Identity {
        let occurrence = Occurrence::Sequencer(sequencer);
        Identity::new("bucket", "key", Kind::Created, None, occurrence, None)
    }

    #[test]
    fn is_the_same_in_every_process_and_order() {
        let of = |items: &[&str], identities: &[&str]| {
            let items: Vec<Item> = items.iter().map(|text| item(text)).collect();
            let identities: Vec<Identity> = identities.iter().map(|text| identity(text)).collect();
            caller_reference(&distribution("E1EXAMPLE"), &items, identities, None)
        };
        let reference = of(&["/a", "/b/*"], &["01", "02"]);
        // Pinned: another value would make a redelivery during a deployment
        // be billed again.
        assert_eq!(reference, "fae7334412626884082f750240d20b2ec3f7a8e5b83742e1626c40447824b236");
        assert_eq!(reference, of(&["/b/*", "/a", "/a"], &["02", "01", "01"]));
    }

    #[test]
    fn every_part_tells_requests_apart() {
        let of = |id: &str, items: &[&str], identities: &[&str], salt: Option<&str>| {
            let items: Vec<Item> = items.iter().map(|text| item(text)).collect();
            let identities: Vec<Identity> = identities.iter().map(|text| identity(text)).collect();
            caller_reference(&distribution(id), &items, identities, salt)
        };
        let references = [
            of("E1EXAMPLE", &["/a"], &["01"], None),
            of("E2EXAMPLE", &["/a"], &["01"], None),
            of("E1EXAMPLE", &["/b"], &["01"], None),
            of("E1EXAMPLE", &["/a", "/b"], &["01"], None),
            of("E1EXAMPLE", &["/a"], &["02"], None),
            of("E1EXAMPLE", &["/a"], &["01", "02"], None),
            of("E1EXAMPLE", &["/a"], &["01"], Some("1")),
            of("E1EXAMPLE", &["/a"], &["01"], Some("2")),
        ];
        for (at, reference) in references.iter().enumerate() {
            assert_eq!(reference.len(), 64);
            assert!(!references[..at].contains(reference), "{at}");
        }
    }
}
