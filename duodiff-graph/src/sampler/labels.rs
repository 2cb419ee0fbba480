//! Which class each image of a run gets.

use super::SamplerError;
use crate::noise::Philox;
use crate::spec::{Classes, PairSpec};

/// Which class each image of a run gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Labels {
    /// None for unconditional pairs; else drawn from the seed and the image's index, never the null label.
    #[default]
    Any,
    /// Image i gets entry i modulo the length.
    Turns(Vec<u32>),
}

impl Labels {
    /// Checks the labels against the pair.
    pub fn check(&self, spec: &PairSpec) -> Result<(), SamplerError> {
        let Self::Turns(turns) = self else { return Ok(()) };
        let Some(Classes { count, .. }) = spec.classes else { return Err(SamplerError::Unconditional) };
        let found = turns.iter().find(|class| **class >= count);
        match (turns.is_empty(), found) {
            (true, _) => Err(SamplerError::NoClass),
            (_, Some(found)) => Err(SamplerError::Class { found: *found, last: count.saturating_sub(1) }),
            _ => Ok(()),
        }
    }

    /// The class of image `index`.
    pub fn of(&self, index: u64, seed: u64, classes: Option<Classes>) -> Option<u32> {
        match (self, classes?) {
            (Self::Turns(turns), _) => turns.get(usize::try_from(index % turns.len().max(1) as u64).ok()?).copied(),
            (Self::Any, Classes { count, null: None }) => Some(Philox { seed }.choice(index, count)),
            (Self::Any, Classes { count, null: Some(null) }) => {
                let drawn = Philox { seed }.choice(index, count.saturating_sub(1));
                Some(if drawn < null { drawn } else { drawn + 1 })
            }
        }
    }
}
