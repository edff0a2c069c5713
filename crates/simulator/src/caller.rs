//! The caller of a request, by the credentials that signed it.

use std::time::Duration;

use hyper::{HeaderMap, header::AUTHORIZATION};

use super::{ACCESS_KEY_ID, ACCOUNT_ID, Operation, REGION, refusal::Refusal, sts::RoleSession};

#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The ARN in error messages.
    pub(crate) arn: String,
    /// The ARN of the role whose credentials signed the request; `None` for the
    /// simulator's own credentials.
    pub(crate) role: Option<String>,
}

impl Caller {
    /// Checks that a request is signed for the operation's service with known,
    /// unexpired credentials. Neither the signature nor its date is verified,
    /// because the SDK's signer is not under test.
    pub(crate) fn of(
        headers: &HeaderMap,
        operation: Operation,
        sessions: &[RoleSession],
        now: Duration,
    ) -> Result<Self, Refusal> {
        let refused = |code, message| Err(Refusal::new(403, code, message));
        let Some(authorization) = headers.get(AUTHORIZATION) else {
            let message = "Request is missing Authentication Token";
            return refused("MissingAuthenticationToken", message);
        };
        // AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=…
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
        let credential = authorization
            .to_str()
            .ok()
            .and_then(|header| header.split_once("Credential=")?.1.split(',').next())
            .unwrap_or_default();
        // STS has an endpoint in every region.
        let is_sts = operation == Operation::AssumeRole;
        let key = match credential.split('/').collect::<Vec<_>>()[..] {
            [key, _, _, "sts", "aws4_request"] if is_sts => key,
            [key, _, REGION, "cloudfront", "aws4_request"] if !is_sts => key,
            _ => {
                let message =
                    "Credential should be scoped to a valid region and the correct service.";
                return refused("SignatureDoesNotMatch", message);
            }
        };
        if key == ACCESS_KEY_ID {
            let arn = format!("arn:aws:sts::{ACCOUNT_ID}:assumed-role/simulator/function");
            return Ok(Self { arn, role: None });
        }
        match sessions.iter().find(|session| session.access_key_id == key) {
            Some(session) if session.expires_at > now => Ok(session.caller.clone()),
            Some(_) => {
                refused("ExpiredToken", "The security token included in the request is expired")
            }
            None => refused(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            ),
        }
    }
}
