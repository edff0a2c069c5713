//! The JSON Schema of rules.yaml, made from the types that read it.
//!
//! It holds what editors can check as one types: fields, types, ids, names of
//! events. What takes more than one value to decide is left to `check`.

use std::borrow::Cow;

use schemars::{
    JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema,
    transform::transform_subschemas,
};
use serde_json::Value;

use crate::event::Kind;

use super::{
    file::{
        AccountId, BucketName, CollapseForm, EventName, ExpectForm, FileNames, InvalidateForm,
        LongTarget, RawCollapse, RawInvalidate, RawRule, RawTest, RegionName, Rules, RulesFile,
        TargetForm, Targets, Tests, Texts,
    },
    value::{Given, OneOrMany, OrNull},
};

/// The JSON Schema of rules.yaml, as pretty-printed JSON with a final newline.
pub fn schema() -> String {
    // Draft 7 is what editors' YAML support reads best.
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<RulesFile>();
    schema.insert("title".to_owned(), "rules.yaml of s3-cloudfront-invalidator".into());
    join_lines(&mut schema);
    format!("{schema:#}\n", schema = schema.as_value())
}

/// Makes descriptions one line each: where the comments of the code break their
/// lines says nothing.
fn join_lines(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
    transform_subschemas(&mut join_lines, schema);
}

/// Implements `JsonSchema` for a type that stands in the schema where it is
/// used.
macro_rules! inline {
    ($([$($generic:ident)?] $type:ty: |$generator:ident| $schema:expr;)+) => {
        $(impl$(<$generic: JsonSchema>)? JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        })+
    };
}

inline! {
    [T] Given<T>: |generator| generator.subschema_for::<T>();
    [T] OneOrMany<T>: |generator| {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    };
    [T] OrNull<T>: |generator| {
        let mut schema = generator.subschema_for::<T>();
        let on = schema.remove("type");
        schema.insert("type".to_owned(), [on.unwrap_or_default(), "null".into()].to_vec().into());
        schema
    };
    [] Texts: |_generator| json_schema!({
        "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
    });
    [] FileNames: |_generator| {
        let name = json_schema!({ "type": "string", "pattern": "^[^/]+$" });
        json_schema!({ "anyOf": [name, { "type": "array", "items": name }] })
    };
    [] BucketName: |_generator| {
        json_schema!({ "type": "string", "pattern": "^([0-9A-Za-z._-]+\\*?|\\*)$" })
    };
    [] RegionName: |_generator| {
        json_schema!({ "type": "string", "pattern": "^[0-9a-z]*-[0-9a-z-]*$" })
    };
    [] EventName: |_generator| {
        json_schema!({ "type": "string", "enum": Kind::ALL.map(Kind::name) })
    };
    [] AccountId: |_generator| json_schema!({
        "type": ["string", "integer"],
        "pattern": "^[0-9]{12}$",
        "minimum": 0,
        "maximum": 999_999_999_999_u64,
        "examples": ["111122223333"]
    });
    [] Targets: |generator| json_schema!({
        "type": ["object", "null"],
        "additionalProperties": generator.subschema_for::<TargetForm>()
    });
    [] Rules: |generator| json_schema!({
        "type": ["array", "null"],
        "items": generator.subschema_for::<RawRule>()
    });
    [] Tests: |generator| json_schema!({
        "type": ["array", "null"],
        "items": generator.subschema_for::<RawTest>()
    });
    [] TargetForm: |generator| {
        let long = generator.subschema_for::<LongTarget>();
        json_schema!({ "anyOf": [{
            "type": "string",
            "description": "The id of a distribution.",
            "pattern": "^E[0-9A-Z]{5,31}$"
        }, long] })
    };
    [] CollapseForm: |generator| {
        let settings = generator.subschema_for::<RawCollapse>();
        json_schema!({ "anyOf": [{ "type": "boolean" }, settings] })
    };
    [] InvalidateForm: |generator| {
        let long = generator.subschema_for::<RawInvalidate>();
        json_schema!({ "anyOf": [{ "type": "string", "minLength": 1 }, long] })
    };
    [] ExpectForm: |generator| {
        let items = generator.subschema_for::<Texts>();
        json_schema!({ "anyOf": [
            { "type": "string", "enum": ["ignored", "unmatched"] },
            { "type": "object", "additionalProperties": items }
        ] })
    };
}
