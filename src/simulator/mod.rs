//! A CloudFront that lives in this process and behaves like the real one where
//! it matters.
