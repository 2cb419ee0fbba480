//! The distance of two tensors.

use serde::Serialize;

/// How far a tensor is from the reference's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// The largest absolute value of the reference's tensor.
    pub largest: f64,
    /// The largest absolute difference; infinite where a number is none.
    pub error: f64,
}

impl Difference {
    /// Of what was found from what is right.
    ///
    /// # Panics
    /// If the tensors have different sizes.
    pub fn new<T: Copy + Into<f64>>(expected: &[f64], found: &[T]) -> Self {
        assert_eq!(expected.len(), found.len(), "invariant: tensors of one value have one size");
        let mut all = Self::default();
        for (expected, found) in expected.iter().zip(found) {
            let error = ((*found).into() - expected).abs();
            // The maximum of f64 would pass over a NaN.
            all.error = if error.is_nan() { f64::INFINITY } else { all.error.max(error) };
            all.largest = all.largest.max(expected.abs());
        }
        all
    }

    /// The error as a share of the largest value.
    pub fn relative(self) -> f64 {
        match (self.error, self.largest) {
            (0.0, _) => 0.0,
            (error, largest) if error.is_infinite() || largest == 0.0 => f64::INFINITY,
            (error, largest) => error / largest,
        }
    }

    /// The worse of both, for tensors that are compared piece by piece.
    pub(super) fn merge(&mut self, other: Self) {
        self.largest = self.largest.max(other.largest);
        self.error = self.error.max(other.error);
    }
}
