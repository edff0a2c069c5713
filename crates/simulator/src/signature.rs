//! Who makes a call, by the credentials it is signed with.

use std::time::Duration;

use hyper::{HeaderMap, header::AUTHORIZATION};

use super::{
    ACCESS_KEY_ID, ACCOUNT, REGION, SESSION_TOKEN, refusal::Refusal, sts::Sessions, xml::Service,
};

/// Who makes a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// As errors name it.
    pub(super) arn: String,
    /// The role whose credentials were used; `None` for the simulator's own.
    pub(super) role: Option<String>,
}

/// The parts of `Authorization: AWS4-HMAC-SHA256 …`.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html>
#[derive(Debug, PartialEq, Eq)]
struct Authorization<'a> {
    access_key_id: &'a str,
    region: &'a str,
    service: &'a str,
}

/// Checks that a call is signed, for the right service, with credentials that
/// are known and still good.
pub(super) fn check(
    headers: &HeaderMap,
    service: Service,
    sessions: &Sessions,
    now: Duration,
) -> Result<Caller, Refusal> {
    let Some(header) = headers.get(AUTHORIZATION) else {
        let message = "Request is missing Authentication Token";
        return Err(Refusal::new(403, "MissingAuthenticationToken", message));
    };
    let authorization = header
        .to_str()
        .ok()
        .and_then(Authorization::parse)
        .filter(|_| headers.contains_key("x-amz-date"));
    let Some(authorization) = authorization else {
        let message = "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters, and existence of an 'X-Amz-Date' header.";
        return Err(Refusal::new(400, "IncompleteSignature", message));
    };
    authorization.check_scope(service)?;
    let token = headers.get("x-amz-security-token").and_then(|token| token.to_str().ok());
    let unknown = || {
        let message = "The security token included in the request is invalid.";
        Refusal::new(403, "InvalidClientTokenId", message)
    };
    if authorization.access_key_id == ACCESS_KEY_ID {
        if token != Some(SESSION_TOKEN) {
            return Err(unknown());
        }
        let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/simulator/function");
        return Ok(Caller { arn, role: None });
    }
    let session = sessions.find(authorization.access_key_id).ok_or_else(unknown)?;
    if token != Some(&session.token) {
        return Err(unknown());
    }
    if session.expires_at <= now {
        let message = "The security token included in the request is expired";
        return Err(Refusal::new(403, "ExpiredToken", message));
    }
    Ok(Caller { arn: session.user_arn.clone(), role: Some(session.role_arn.clone()) })
}

impl<'a> Authorization<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let parameters = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let parameter = |name: &str| {
            parameters
                .split(',')
                .find_map(|parameter| parameter.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let signed: Vec<&str> = parameter("SignedHeaders")?.split(';').collect();
        if !["host", "x-amz-date"].iter().all(|header| signed.contains(header)) {
            return None;
        }
        let signature = parameter("Signature")?;
        if signature.len() != 64 || !signature.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        match parameter("Credential")?.split('/').collect::<Vec<_>>()[..] {
            [access_key_id, date, region, service, "aws4_request"]
                if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                Some(Self { access_key_id, region, service })
            }
            _ => None,
        }
    }

    /// CloudFront is one service in one region; STS is in every region.
    fn check_scope(&self, service: Service) -> Result<(), Refusal> {
        let mismatch = |message: String| Err(Refusal::new(403, "SignatureDoesNotMatch", message));
        let name = match service {
            Service::CloudFront => "cloudfront",
            Service::Sts => "sts",
        };
        if self.service != name {
            return mismatch(format!("Credential should be scoped to correct service: '{name}'. "));
        }
        if service == Service::CloudFront && self.region != REGION {
            return mismatch(format!(
                "Credential should be scoped to a valid region, not '{}'. ",
                self.region
            ));
        }
        Ok(())
    }
}
