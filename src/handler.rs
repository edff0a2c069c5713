//! The line from payload to answer.
