//! Members of unexpected types are treated as missing, not as errors.

use std::{borrow::Cow, fmt, marker::PhantomData, ops::Deref};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// A member that is missing if its JSON has an unexpected type.
pub(super) struct Lenient<T>(Option<T>);

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Lenient<T> {
    type Target = Option<T>;

    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<'de, T: Member<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As an option, which serde's derive takes as `None` if the member is missing.
        deserializer.deserialize_option(LenientVisitor(PhantomData)).map(Self)
    }
}

/// Reads a member that has its default if it is missing.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Member<'de>,
{
    Lenient::deserialize(deserializer).map(|Lenient(member)| member.unwrap_or_default())
}

/// A string that is missing if it is empty.
pub(super) type Text<'a> = Lenient<Cow<'a, str>>;

/// The types of JSON that a member may have; no type is expected by default.
pub(super) trait Member<'de>: Sized {
    fn string(_: Cow<'de, str>) -> Option<Self> {
        None
    }

    fn integer(_: u64) -> Option<Self> {
        None
    }

    fn object<A: MapAccess<'de>>(members: A) -> Result<Option<Self>, A::Error> {
        IgnoredAny.visit_map(members)?;
        Ok(None)
    }

    fn list<A: SeqAccess<'de>>(elements: A) -> Result<Option<Self>, A::Error> {
        IgnoredAny.visit_seq(elements)?;
        Ok(None)
    }
}

impl<'de: 'a, 'a> Member<'de> for Cow<'a, str> {
    fn string(text: Cow<'de, str>) -> Option<Self> {
        Some(text).filter(|text| !text.is_empty())
    }
}

impl Member<'_> for u64 {
    fn integer(integer: u64) -> Option<Self> {
        Some(integer)
    }
}

struct LenientVisitor<T>(PhantomData<T>);

impl<'de, T: Member<'de>> Visitor<'de> for LenientVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_none<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, integer: u64) -> Result<Option<T>, E> {
        Ok(T::integer(integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Option<T>, E> {
        Ok(T::string(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<T>, E> {
        Ok(T::string(text.to_owned().into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Option<T>, A::Error> {
        T::object(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Option<T>, A::Error> {
        T::list(elements)
    }
}
