//! How a value of rules.yaml is read: it is what the field takes, or it is
//! known what it is instead.
//!
//! A wrong type does not end the reading, so that all of them are found at once.
//! `null` is a type like any other: a field without its value, as in `prefix:`,
//! is not the same as no field.

use std::{fmt, marker::PhantomData};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The value of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Given<T> {
    /// The field is not there.
    #[default]
    Absent,
    /// What the field takes.
    Value(T),
    /// Something else.
    Wrong(Found),
}

/// What a value is when it is not what the field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Found {
    Null,
    Bool,
    Number,
    Text,
    List,
    Mapping,
}

/// A type of value. Whatever it does not read is [`Given::Wrong`].
pub(super) trait Read: Sized {
    /// What the field takes, in words.
    const EXPECTED: &'static str;

    /// Whether lists and mappings may be tried.
    const LIST: bool = false;
    const MAPPING: bool = false;

    fn null() -> Option<Self> {
        None
    }

    fn bool(_: bool) -> Option<Self> {
        None
    }

    fn number(_: u64) -> Option<Self> {
        None
    }

    fn text(_: &str) -> Option<Self> {
        None
    }

    fn list<'de, A: SeqAccess<'de>>(_: A) -> Result<Option<Self>, A::Error> {
        Ok(None)
    }

    fn mapping<'de, A: MapAccess<'de>>(_: A) -> Result<Option<Self>, A::Error> {
        Ok(None)
    }
}

/// A mapping with known fields.
pub(super) trait Fields: Default {
    /// The names of the fields.
    fn names() -> Vec<&'static str>;

    /// Reads the value of a field, if it is a known one.
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error>;

    /// Reads the whole mapping. Unknown fields are ignored in serde's sense, so
    /// that whoever listens hears of them.
    fn read<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut fields = Self::default();
        while let Some(name) = map.next_key::<String>()? {
            if !fields.take(&name, &mut map)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(fields)
    }
}

/// Implements [`Fields`] for a struct whose fields have the names of the file's;
/// `..inner` are those of a field that is itself such a struct.
macro_rules! fields {
    ($type:ident { $($name:ident),+ $(, ..$inner:ident: $inner_type:ident)? }) => {
        impl $crate::rules::value::Fields for $type {
            fn names() -> Vec<&'static str> {
                let inner: &[Vec<&'static str>] =
                    &[$(<$inner_type as $crate::rules::value::Fields>::names())?];
                [$(stringify!($name)),+].into_iter().chain(inner.concat()).collect()
            }

            fn take<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                map: &mut A,
            ) -> Result<bool, A::Error> {
                match name {
                    $(stringify!($name) => self.$name = map.next_value()?,)+
                    $(_ if self.$inner.take(name, map)? => {})?
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    };
}
pub(super) use fields;

/// One value, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<Given<T>>),
}

impl<T: Read> Read for OneOrMany<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const LIST: bool = true;
    const MAPPING: bool = T::MAPPING;

    fn null() -> Option<Self> {
        T::null().map(Self::One)
    }

    fn bool(value: bool) -> Option<Self> {
        T::bool(value).map(Self::One)
    }

    fn number(value: u64) -> Option<Self> {
        T::number(value).map(Self::One)
    }

    fn text(value: &str) -> Option<Self> {
        T::text(value).map(Self::One)
    }

    fn list<'de, A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        Ok(Vec::list(list)?.map(Self::Many))
    }

    fn mapping<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        Ok(T::mapping(map)?.map(Self::One))
    }
}

impl<T: Read> Read for Vec<Given<T>> {
    const EXPECTED: &'static str = "a list";
    const LIST: bool = true;

    fn list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut items = Self::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Some(items))
    }
}

impl Read for String {
    const EXPECTED: &'static str = "text";

    fn text(value: &str) -> Option<Self> {
        Some(value.to_owned())
    }
}

impl Read for bool {
    const EXPECTED: &'static str = "true or false";

    fn bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Read for u64 {
    const EXPECTED: &'static str = "a whole number";

    fn number(value: u64) -> Option<Self> {
        Some(value)
    }
}

/// A value, or `null` to turn the setting off.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum OrNull<T> {
    Off,
    On(T),
}

impl Read for OrNull<String> {
    const EXPECTED: &'static str = "text, or null";

    fn null() -> Option<Self> {
        Some(Self::Off)
    }

    fn text(value: &str) -> Option<Self> {
        Some(Self::On(value.to_owned()))
    }
}

impl<'de, T: Read> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor(PhantomData))
    }
}

struct GivenVisitor<T>(PhantomData<T>);

fn given<T>(value: Option<T>, found: Found) -> Given<T> {
    value.map_or(Given::Wrong(found), Given::Value)
}

impl<'de, T: Read> Visitor<'de> for GivenVisitor<T> {
    type Value = Given<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_unit<E>(self) -> Result<Given<T>, E> {
        Ok(given(T::null(), Found::Null))
    }

    fn visit_none<E>(self) -> Result<Given<T>, E> {
        Ok(given(T::null(), Found::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Given<T>, E> {
        Ok(given(T::bool(value), Found::Bool))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Given<T>, E> {
        Ok(given(T::number(value), Found::Number))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Given<T>, E> {
        Ok(given(u64::try_from(value).ok().and_then(T::number), Found::Number))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Given<T>, E> {
        Ok(Given::Wrong(Found::Number))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Given<T>, E> {
        Ok(Given::Wrong(Found::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Given<T>, E> {
        Ok(Given::Wrong(Found::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Given<T>, E> {
        Ok(given(T::text(value), Found::Text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Given<T>, A::Error> {
        if T::LIST {
            return Ok(given(T::list(list)?, Found::List));
        }
        while list.next_element::<Skipped>()?.is_some() {}
        Ok(Given::Wrong(Found::List))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given<T>, A::Error> {
        if T::MAPPING {
            return Ok(given(T::mapping(map)?, Found::Mapping));
        }
        while map.next_entry::<Skipped, Skipped>()?.is_some() {}
        Ok(Given::Wrong(Found::Mapping))
    }
}

/// Whatever stands in a value of the wrong type. It is read rather than ignored
/// in serde's sense: its fields are not unknown ones.
struct Skipped;

impl Read for Skipped {
    const EXPECTED: &'static str = "anything";
}

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor::<Self>(PhantomData)).map(|_| Self)
    }
}
