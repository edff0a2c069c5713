//! The payload of an event source mapping, read in one pass.
//!
//! The reader separates the elements of a list before it reads them, so that one
//! of them can be unreadable. Here they are read at once, in three quarters of the
//! time. Whatever is unusual is left to the reader.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{Delivery, collector::Names, member::Lenient, object::Object, reader};

/// Reads `{"Records": […]}` if it contains complete SQS messages and nothing
/// else.
pub(super) fn read(json: &str, names: &mut Names) -> Option<Vec<Delivery>> {
    let mut deliveries = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_map(Batch { deliveries: &mut deliveries, names }).ok()?;
    deserializer.end().ok()?;
    Some(deliveries).filter(|deliveries| !deliveries.is_empty())
}

/// Visits the payload, and then the list in it.
struct Batch<'b> {
    deliveries: &'b mut Vec<Delivery>,
    names: &'b mut Names,
}

impl<'de> Visitor<'de> for Batch<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a batch of SQS messages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Some("Records") = members.next_key()? else { return Err(unusual()) };
        members.next_value_seed(self)?;
        members.next_key::<IgnoredAny>()?.map_or(Ok(()), |_| Err(unusual()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<Lenient<Object<'_>>>()? {
            let message = element.as_ref().filter(|object| object.is_message());
            let delivery = message.and_then(|message| reader::message(message, self.names).ok());
            self.deliveries.push(delivery.ok_or_else(unusual)?);
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Batch<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

fn unusual<E: Error>() -> E {
    E::custom("not a batch of SQS messages alone")
}
