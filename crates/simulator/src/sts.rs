//! AssumeRole, and the sessions that it creates.

use std::time::Duration;

use super::{RoleGrant, caller::Caller, refusal::Refusal};

/// The default of AssumeRole's DurationSeconds, which is ignored.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const SESSION_DURATION: Duration = Duration::from_secs(3_600);

/// Temporary credentials of a role.
#[derive(Clone, Debug)]
pub(crate) struct RoleSession {
    pub(crate) access_key_id: String,
    pub(crate) caller: Caller,
    pub(crate) expires_at: Duration,
}

/// Serves AssumeRole, whose body is a form. Adds the new session to `sessions`.
pub(crate) fn assume_role(
    body: &str,
    caller: &Caller,
    roles: &[RoleGrant],
    sessions: &mut Vec<RoleSession>,
    now: Duration,
) -> Result<RoleSession, Refusal> {
    let field = |name: &str| {
        form_urlencoded::parse(body.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
    };
    if field("Action").as_deref() != Some("AssumeRole") {
        return Err(Refusal::new(400, "InvalidAction", "Could not find the operation"));
    }
    let arn = field("RoleArn").unwrap_or_default();
    let session_name = field("RoleSessionName").unwrap_or_default();
    // As in AWS, an unknown role and a wrong external id have the same response.
    let role = roles
        .iter()
        .filter(|role| role.arn == arn)
        .find(|role| {
            role.external_id.is_none() || role.external_id == field("ExternalId").map(Into::into)
        })
        .ok_or_else(|| Refusal::access_denied(&caller.arn, "sts:AssumeRole", &arn))?;
    // arn:aws:iam::ACCOUNT:role/NAME → arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION
    let assumed = role.arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/");
    let session = RoleSession {
        access_key_id: format!("SIMULATORROLE{}", sessions.len() + 1),
        caller: Caller { arn: format!("{assumed}/{session_name}"), role: Some(role.arn.clone()) },
        expires_at: now + SESSION_DURATION,
    };
    sessions.push(session.clone());
    Ok(session)
}
