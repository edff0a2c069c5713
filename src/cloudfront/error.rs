//! AWS's error codes, sorted by what they mean for the items of a request.

use std::error::Error;

use aws_sdk_cloudfront::error::{ProvideErrorMetadata, SdkError};

/// Why a CreateInvalidation call did not create an invalidation.
#[derive(Debug)]
pub(super) struct CloudFrontError {
    pub(super) kind: ErrorKind,
    /// AWS's error code, or a name in the same style.
    pub(super) code: String,
    /// AWS's message, or the SDK's error with its causes.
    pub(super) message: String,
    /// CloudFront may have accepted the request: the response to an attempt was
    /// lost, late or a server error.
    pub(super) may_be_accepted: bool,
}

/// What an error means for the request and its distribution. docs/failures.md
/// has a row for each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorKind {
    /// Too many paths or wildcards are being invalidated, usually for a few minutes.
    TooManyInvalidations,
    Throttled,
    /// CloudFront refuses one of the items. It does not say which.
    RefusedItem,
    /// The caller reference was used before. It is a hash of the batch, so this
    /// batch was accepted before.
    /// <https://github.com/aws/aws-cdk/issues/3878>
    UsedReference,
    /// The caller reference was used before, with other items.
    BatchExists,
    BatchTooLarge,
    /// The account has no such distribution or tenant.
    UnknownDistribution,
    AccessDenied,
    /// The credentials are expired or wrong.
    BadCredentials,
    /// There are no credentials, or the SDK refuses the configuration.
    NotSent,
    Deadline,
    Other,
}

/// Returns whether an error code of AWS means that requests are sent too fast.
pub(super) fn is_throttling_code(code: &str) -> bool {
    code.contains("Throttl")
        || ["TooManyRequestsException", "RequestLimitExceeded", "SlowDown"].contains(&code)
}

impl ErrorKind {
    fn of(code: &str, message: &str) -> Self {
        match code {
            "TooManyInvalidationsInProgress" => Self::TooManyInvalidations,
            "InvalidArgument" if says_reference_was_used(message) => Self::UsedReference,
            "InvalidArgument" => Self::RefusedItem,
            "InvalidationBatchAlreadyExists" => Self::BatchExists,
            "BatchTooLarge" => Self::BatchTooLarge,
            "NoSuchDistribution" | "EntityNotFound" => Self::UnknownDistribution,
            "AccessDenied" | "AccessDeniedException" => Self::AccessDenied,
            // <https://docs.aws.amazon.com/cloudfront/latest/APIReference/CommonErrors.html>
            "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "RequestExpired"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException" => Self::BadCredentials,
            code if is_throttling_code(code) => Self::Throttled,
            _ => Self::Other,
        }
    }

    /// Returns whether every further request to the distribution would fail the
    /// same way in this invocation.
    pub(super) fn ends_distribution(self) -> bool {
        matches!(
            self,
            Self::UnknownDistribution | Self::AccessDenied | Self::BadCredentials | Self::NotSent
        )
    }

    /// Returns whether a quota is used up: of paths or of wildcards, in progress
    /// or per second.
    pub(super) fn is_quota(self) -> bool {
        matches!(self, Self::TooManyInvalidations | Self::Throttled)
    }

    /// Returns whether a retry fails until somebody changes the item, the rules
    /// or a policy.
    pub(super) fn is_permanent(self) -> bool {
        matches!(self, Self::RefusedItem | Self::UnknownDistribution | Self::AccessDenied)
    }
}

impl CloudFrontError {
    /// Makes the error of an invocation that has no time left. `last_response` is
    /// CloudFront's error response to the last attempt.
    pub(super) fn deadline(may_be_accepted: bool, last_response: Option<&str>) -> Self {
        let mut message = "the deadline of the invocation is near".to_owned();
        if let Some(response) = last_response {
            message += &format!("; CloudFront's last response was {response}");
        }
        let code = "DeadlineExceeded".to_owned();
        Self { kind: ErrorKind::Deadline, code, message, may_be_accepted }
    }

    /// Returns the error of a request of which no attempt was sent.
    pub(super) fn not_sent(self) -> Self {
        Self { kind: ErrorKind::NotSent, code: "RequestNotSent".to_owned(), ..self }
    }
}

impl<E> From<SdkError<E>> for CloudFrontError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        let message = error.message().map_or_else(|| with_causes(&error), str::to_owned);
        let code = match &error {
            _ if error.code().is_some() => error.code().unwrap_or_default().to_owned(),
            SdkError::TimeoutError(_) => "RequestTimeout".to_owned(),
            SdkError::DispatchFailure(_) => "ConnectionFailed".to_owned(),
            SdkError::ServiceError(error) => format!("Http{}", error.raw().status().as_u16()),
            _ => "UnreadableResponse".to_owned(),
        };
        Self { kind: ErrorKind::of(&code, &message), code, message, may_be_accepted: false }
    }
}

fn says_reference_was_used(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["caller reference", "callerreference"].iter().any(|name| message.contains(name))
        && message.contains("was used")
}

/// Returns the text of an error and its causes: SDK errors say what failed in
/// general, and their causes say why.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text += &format!(": {next}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_used_reference_is_an_acceptance() {
        let kind = |message| ErrorKind::of("InvalidArgument", message);
        let used = "Your request contains a caller reference that was used for a previous invalidation batch.";
        assert_eq!(kind(used), ErrorKind::UsedReference);
        for refused in [
            "Your request contains one or more invalid invalidation paths.",
            "The path /docs/API_CallerReference.html is invalid.",
            "Your request contains an empty caller reference.",
        ] {
            assert_eq!(kind(refused), ErrorKind::RefusedItem, "{refused}");
        }
    }
}
