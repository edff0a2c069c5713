//! AssumeRole, and the credentials it gave away.

use std::{collections::HashMap, time::Duration};

use super::{RoleGrant, refusal::Refusal, signature::Caller};

/// How long credentials last unless asked for otherwise, and how long they
/// may.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const DEFAULT_SECONDS: u64 = 3_600;
const SECONDS: std::ops::RangeInclusive<u64> = 900..=43_200;

/// How long a session's name may be; the same page.
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 2..=64;

/// The temporary credentials of a role.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
    pub(super) token: String,
    pub(super) role_arn: String,
    pub(super) name: String,
    pub(super) user_arn: String,
    pub(super) expires_at: Duration,
}

/// All temporary credentials, by access key id.
#[derive(Debug, Default)]
pub(super) struct Sessions(HashMap<String, Session>);

impl Sessions {
    pub(super) fn find(&self, access_key_id: &str) -> Option<&Session> {
        self.0.get(access_key_id)
    }

    /// Answers a form-encoded AssumeRole.
    pub(super) fn assume_role(
        &mut self,
        form: &[u8],
        caller: &Caller,
        roles: &[RoleGrant],
        now: Duration,
    ) -> Result<Session, Refusal> {
        let form = decode_form(form);
        let field = |name: &str| form.get(name).map(String::as_str);
        let required = |name: &str, member: &str| {
            field(name).ok_or_else(|| {
                invalid(format!(
                    "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
                ))
            })
        };
        if field("Action") != Some("AssumeRole") {
            let action = field("Action").unwrap_or_default();
            let message = format!("Could not find operation {action} for version 2011-06-15");
            return Err(Refusal::new(400, "InvalidAction", message));
        }
        let role_arn = required("RoleArn", "roleArn")?;
        let name = required("RoleSessionName", "roleSessionName")?;
        let valid_name = NAME_LENGTH.contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
        if !valid_name {
            return Err(invalid(format!(
                "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
            )));
        }
        let seconds = field("DurationSeconds").map_or(Ok(DEFAULT_SECONDS), str::parse);
        let seconds = seconds
            .ok()
            .filter(|seconds| SECONDS.contains(seconds))
            .ok_or_else(|| invalid("DurationSeconds must be between 900 and 43200".to_owned()))?;
        // A wrong external id and an unknown role look alike, as they should.
        let denied = |why: &str| {
            Refusal::access_denied(&caller.arn, "sts:AssumeRole", role_arn).because(why)
        };
        let granted = roles
            .iter()
            .find(|grant| grant.role.arn == role_arn)
            .ok_or_else(|| denied("there is no such role"))?;
        let external_id = granted.role.external_id.as_deref();
        if external_id.is_some() && external_id != field("ExternalId") {
            return Err(denied("the external id is not the role's"));
        }
        let user_arn =
            user_arn(role_arn, name).ok_or_else(|| invalid(format!("{role_arn} is invalid")))?;
        let number = self.0.len() + 1;
        let session = Session {
            access_key_id: format!("SIMULATORROLE{number}"),
            secret_access_key: format!("simulator-role-secret-{number}"),
            token: format!("simulator-role-session-token-{number}"),
            role_arn: role_arn.to_owned(),
            name: name.to_owned(),
            user_arn,
            expires_at: now + Duration::from_secs(seconds),
        };
        self.0.insert(session.access_key_id.clone(), session.clone());
        Ok(session)
    }
}

fn invalid(message: String) -> Refusal {
    Refusal::new(400, "ValidationError", message)
}

/// `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION` of
/// `arn:aws:iam::ACCOUNT:role/PATH/NAME`.
fn user_arn(role_arn: &str, session: &str) -> Option<String> {
    match role_arn.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", partition, "iam", "", account, resource] => {
            let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
            Some(format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}"))
        }
        _ => None,
    }
}

/// `application/x-www-form-urlencoded`.
fn decode_form(form: &[u8]) -> HashMap<String, String> {
    String::from_utf8_lossy(form)
        .split('&')
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// Decodes one name or value of a form or of a query.
pub(super) fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}
