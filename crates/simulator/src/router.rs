//! From an HTTP request to an operation.

use hyper::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use super::{Operation, refusal::Refusal, sts::decode, xml::Service};
use s3_cloudfront_invalidator::distribution::DistributionId;

/// A request, read to its end.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    /// `None` when it is larger than the server reads.
    pub(super) body: Option<Vec<u8>>,
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    Create(Resource),
    Get(Resource, String),
    List(Resource, ListQuery),
    AssumeRole,
}

/// The distribution or tenant in a URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) kind: Kind,
    /// As the URL names it.
    pub(super) text: String,
    /// `None` when the name is no id at all.
    pub(super) id: Option<DistributionId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Distribution,
    Tenant,
}

/// Which page of a list is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ListQuery {
    pub(super) marker: Option<String>,
    pub(super) max_items: Option<String>,
}

impl Route {
    pub(super) fn of(request: &Request) -> Result<Self, Refusal> {
        let segments: Vec<String> = request
            .path
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (resource, invalidation) = match segments[..] {
            ["", ""] if request.method == Method::POST => return Ok(Self::AssumeRole),
            ["", "2020-05-31", kind, id, "invalidation"] => (Resource::new(kind, id), None),
            ["", "2020-05-31", kind, id, "invalidation", invalidation] => {
                (Resource::new(kind, id), Some(invalidation))
            }
            _ => (None, None),
        };
        let Some(resource) = resource else {
            let message = format!("The simulator has no {} {}", request.method, request.path);
            return Err(Refusal::new(404, "UnknownOperationException", message));
        };
        match (&request.method, invalidation) {
            (&Method::POST, None) => Ok(Self::Create(resource)),
            (&Method::GET, None) => Ok(Self::List(resource, ListQuery::parse(&request.query))),
            (&Method::GET, Some(id)) => Ok(Self::Get(resource, id.to_owned())),
            (method, _) => {
                let message = format!("The method {method} is not allowed for {}", request.path);
                Err(Refusal::new(405, "MethodNotAllowed", message))
            }
        }
    }

    pub(super) fn operation(&self) -> Operation {
        match self {
            Self::Create(_) => Operation::CreateInvalidation,
            Self::Get(..) => Operation::GetInvalidation,
            Self::List(..) => Operation::ListInvalidations,
            Self::AssumeRole => Operation::AssumeRole,
        }
    }

    pub(super) fn service(&self) -> Service {
        if *self == Self::AssumeRole { Service::Sts } else { Service::CloudFront }
    }
}

impl Resource {
    fn new(kind: &str, text: &str) -> Option<Self> {
        let (kind, id) = match kind {
            "distribution" => (Kind::Distribution, DistributionId::distribution(text)),
            "distribution-tenant" => (Kind::Tenant, DistributionId::tenant(text)),
            _ => return None,
        };
        Some(Self { kind, text: text.to_owned(), id: id.ok() })
    }

    /// `distribution/E1EXAMPLE`, as URLs and ARNs have it.
    pub(super) fn path(&self) -> String {
        let kind = match self.kind {
            Kind::Distribution => "distribution",
            Kind::Tenant => "distribution-tenant",
        };
        format!("{kind}/{}", self.text)
    }

    /// `cloudfront:CreateInvalidationForDistributionTenant`, say.
    pub(super) fn action(&self, operation: Operation) -> String {
        let suffix = match self.kind {
            Kind::Distribution => "",
            Kind::Tenant => "ForDistributionTenant",
        };
        format!("cloudfront:{operation:?}{suffix}")
    }

    pub(super) fn not_found(&self) -> Refusal {
        match self.kind {
            // https://github.com/MikaAK/s3-plugin-webpack/issues/122
            Kind::Distribution => Refusal::new(
                404,
                "NoSuchDistribution",
                "The specified distribution does not exist.",
            ),
            Kind::Tenant => Refusal::new(404, "EntityNotFound", "The entity was not found."),
        }
        .because(format!("`{}` is unknown", self.text))
    }
}

impl ListQuery {
    fn parse(query: &str) -> Self {
        let mut list = Self::default();
        for (name, value) in query.split('&').filter_map(|field| field.split_once('=')) {
            match name {
                "Marker" => list.marker = Some(decode(value)),
                "MaxItems" => list.max_items = Some(decode(value)),
                _ => {}
            }
        }
        list
    }
}
