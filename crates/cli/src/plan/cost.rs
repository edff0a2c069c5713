//! What CloudFront bills for invalidations.

use std::fmt;

/// The number of free paths per month and account.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PayingForInvalidation.html>
pub const FREE_PATHS_PER_MONTH: u64 = 1_000;

/// The price of each further path, in thousandths of a US dollar. A path, a
/// wildcard and a tag count as one path each.
/// <https://aws.amazon.com/cloudfront/pricing/>
const MILLIDOLLARS_PER_PATH: u64 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub paths: u64,
    /// How many of them are free.
    pub free: u64,
    pub price: Dollars,
}

impl Cost {
    /// The cost of `paths` if the account sent `month_to_date` paths before.
    pub fn of(paths: u64, month_to_date: u64) -> Self {
        let free = FREE_PATHS_PER_MONTH.saturating_sub(month_to_date).min(paths);
        let price = Dollars { thousandths: (paths - free).saturating_mul(MILLIDOLLARS_PER_PATH) };
        Self { paths, free, price }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dollars {
    thousandths: u64,
}

impl Dollars {
    pub fn thousandths(self) -> u64 {
        self.thousandths
    }
}

/// `0.005`: always three decimals, since one path costs half a cent.
impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.thousandths / 1_000, self.thousandths % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_thousand_of_a_month_are_free() {
        for (paths, month_to_date, free, price) in [
            (0, 0, 0, "0.000"),
            (1_000, 0, 1_000, "0.000"),
            (1_001, 0, 1_000, "0.005"),
            (10_000, 0, 1_000, "45.000"),
            (10_000, 400, 600, "47.000"),
            (3, 999, 1, "0.010"),
            (3, 1_000, 0, "0.015"),
            (3, u64::MAX, 0, "0.015"),
        ] {
            let cost = Cost::of(paths, month_to_date);
            let actual = (cost.free, cost.price.to_string());
            assert_eq!(actual, (free, price.to_owned()), "{paths} paths after {month_to_date}");
        }
    }
}
