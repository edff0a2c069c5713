//! Outcomes in, the answer the caller understands out.
