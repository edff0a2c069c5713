//! What is generated from the rules for AWS: the event pattern and the IAM policy.
