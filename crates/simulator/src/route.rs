use hyper::{Method, Request, body::Bytes};
use percent_encoding::percent_decode_str;

use super::{ACCOUNT_ID, Operation, refusal::Refusal};

/// The operation that a request calls.
#[derive(Debug)]
pub(crate) enum Route {
    Create(Resource),
    Get(Resource, String),
    List(Resource),
    AssumeRole,
}

/// The distribution or distribution tenant in a URL.
#[derive(Debug)]
pub(crate) struct Resource {
    is_tenant: bool,
    /// Not necessarily well-formed.
    pub(crate) id: String,
}

impl Route {
    pub(crate) fn of(request: &Request<Bytes>) -> Result<Self, Refusal> {
        let (method, path) = (request.method(), request.uri().path());
        let segments: Vec<String> = path
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let resource = |kind, id: &str| Resource { is_tenant: kind == TENANT, id: id.to_owned() };
        match (method, &segments[..]) {
            (&Method::POST, ["", ""]) => Ok(Self::AssumeRole),
            (&Method::POST, ["", VERSION, kind @ (DISTRIBUTION | TENANT), id, "invalidation"]) => {
                Ok(Self::Create(resource(*kind, id)))
            }
            (&Method::GET, ["", VERSION, kind @ (DISTRIBUTION | TENANT), id, "invalidation"]) => {
                Ok(Self::List(resource(*kind, id)))
            }
            (
                &Method::GET,
                ["", VERSION, kind @ (DISTRIBUTION | TENANT), id, "invalidation", invalidation],
            ) => Ok(Self::Get(resource(*kind, id), (*invalidation).to_owned())),
            _ => {
                let message = format!("The simulator does not implement {method} {path}");
                Err(Refusal::new(404, "UnknownOperationException", message))
            }
        }
    }

    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Create(_) => Operation::CreateInvalidation,
            Self::Get(..) => Operation::GetInvalidation,
            Self::List(_) => Operation::ListInvalidations,
            Self::AssumeRole => Operation::AssumeRole,
        }
    }
}

const VERSION: &str = "2020-05-31";
const DISTRIBUTION: &str = "distribution";
const TENANT: &str = "distribution-tenant";

impl Resource {
    /// Whether the id can exist: `E` and 5 to 31 more of `0-9A-Z` for a
    /// distribution, `dt_` and letters or digits for a tenant.
    pub(crate) fn is_well_formed(&self) -> bool {
        if self.is_tenant {
            let suffix = self.id.strip_prefix("dt_").unwrap_or_default();
            return !suffix.is_empty() && suffix.bytes().all(|b| b.is_ascii_alphanumeric());
        }
        (6..=32).contains(&self.id.len())
            && self.id.starts_with('E')
            && self.id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    }

    /// `distribution/E1EXAMPLE`, as in URLs and ARNs.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", if self.is_tenant { TENANT } else { DISTRIBUTION }, self.id)
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:cloudfront::{ACCOUNT_ID}:{}", self.path())
    }

    /// The IAM action of an operation on this resource.
    pub(crate) fn action(&self, operation: Operation) -> String {
        let suffix = if self.is_tenant { "ForDistributionTenant" } else { "" };
        format!("cloudfront:{operation:?}{suffix}")
    }

    pub(crate) fn not_found(&self) -> Refusal {
        if self.is_tenant {
            return Refusal::new(404, "EntityNotFound", "The entity was not found.");
        }
        // https://github.com/MikaAK/s3-plugin-webpack/issues/122
        Refusal::new(404, "NoSuchDistribution", "The specified distribution does not exist.")
    }
}
