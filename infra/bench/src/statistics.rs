//! Many measurements in one figure.

use std::time::Duration;

/// The smallest measurement that so many of a hundred do not exceed.
pub fn percentile(mut measured: Vec<Duration>, percent: usize) -> Duration {
    assert!(!measured.is_empty(), "nothing was measured");
    measured.sort_unstable();
    let rank = (measured.len() * percent).div_ceil(100).max(1);
    measured[rank - 1]
}

pub fn median(measured: Vec<Duration>) -> Duration {
    percentile(measured, 50)
}

pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_measurement_that_was_made() {
        let measured = |numbers: &[u64]| numbers.iter().copied().map(Duration::from_millis).collect::<Vec<_>>();
        for (numbers, percent, wanted) in [
            (vec![7], 50, 7),
            (vec![3, 1, 2], 50, 2),
            (vec![4, 3, 2, 1], 50, 2),
            ((1..=100).collect(), 99, 99),
            ((1..=200).collect(), 99, 198),
            (vec![5, 1], 100, 5),
            (vec![5, 1], 0, 1),
        ] {
            assert_eq!(percentile(measured(&numbers), percent), Duration::from_millis(wanted), "{numbers:?} {percent}");
        }
    }
}
