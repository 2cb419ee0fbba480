//! Phases: runs of consecutive training timesteps, each evaluated by one backbone. Checks them, and parses overrides.

use serde::{Deserialize, Serialize};

use super::BackboneSpec;
use super::text::{echo, hint};

/// A run of training timesteps evaluated by one backbone, in sampling order: `first >= last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Index into [`super::PairSpec::backbones`].
    pub backbone: usize,
    /// The first (largest) timestep evaluated.
    pub first: u32,
    /// The last (smallest) timestep evaluated.
    pub last: u32,
}

/// Phases that do not cover every training timestep exactly once, in sampling order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhaseError {
    /// No phase at all.
    #[error("there are no phases -- name at least one, e.g. deep:{steps}")]
    Empty {
        /// Training timesteps of the process.
        steps: u32,
    },
    /// A phase is not written as in `shallow:300`.
    #[error("`{found}` is not a phase -- write BACKBONE:TIMESTEPS, e.g. shallow:300")]
    Syntax {
        /// What was written.
        found: String,
    },
    /// A phase names a backbone that does not exist.
    #[error("there is no backbone `{found}` -- {hint}")]
    Unknown {
        /// What was written.
        found: String,
        /// What to write instead.
        hint: String,
    },
    /// A phase's backbone is an index without a backbone.
    #[error("phase {phase} runs backbone {found}, but there are {count}")]
    Backbone {
        /// Position of the phase.
        phase: usize,
        /// Its backbone.
        found: usize,
        /// Number of backbones.
        count: usize,
    },
    /// The counts of an override do not add up.
    #[error("the phases count {found} timesteps, the process has {steps} -- {mend}")]
    Sum {
        /// Sum of the counts.
        found: u64,
        /// Training timesteps of the process.
        steps: u32,
        /// What to change.
        mend: String,
    },
    /// A range is written from small to large t.
    #[error("phase `{name}` ascends from {first} to {last} -- ranges run in sampling order, write {last}..={first}")]
    Ascending {
        /// The phase's backbone.
        name: String,
        /// Its first timestep.
        first: u32,
        /// Its last timestep.
        last: u32,
    },
    /// Timesteps that no phase covers.
    #[error("no phase covers timesteps {first}..={last} -- extend {mend}")]
    Gap {
        /// The first timestep that is not covered.
        first: u32,
        /// The last timestep that is not covered.
        last: u32,
        /// Which phase to extend, and how.
        mend: String,
    },
    /// Timesteps that more than one phase covers.
    #[error("timesteps {first}..={last} are covered twice, last by `{name}` -- let `{name}` start at {start}")]
    Overlap {
        /// The later phase's backbone.
        name: String,
        /// The first timestep covered twice.
        first: u32,
        /// The last timestep covered twice.
        last: u32,
        /// Where the later phase should start.
        start: u32,
    },
    /// A phase starts where all timesteps are covered already.
    #[error("phase `{name}` at {first}..={last} comes after timestep 0 -- all timesteps are covered already, remove it")]
    Superfluous {
        /// The phase's backbone.
        name: String,
        /// Its first timestep.
        first: u32,
        /// Its last timestep.
        last: u32,
    },
    /// A phase starts beyond the process.
    #[error("phase `{name}` starts at timestep {first}, the process has {steps} -- start at {last}")]
    Beyond {
        /// The phase's backbone.
        name: String,
        /// Its first timestep.
        first: u32,
        /// Training timesteps of the process.
        steps: u32,
        /// The largest timestep.
        last: u32,
    },
}

impl Phase {
    /// Checks that `phases` cover every timestep of a process of `steps` exactly once, in sampling order.
    pub fn check(phases: &[Self], backbones: &[BackboneSpec], steps: u32) -> Result<(), PhaseError> {
        let Some(largest) = steps.checked_sub(1).filter(|_| !phases.is_empty()) else { return Err(PhaseError::Empty { steps }) };
        let mut next = Some(largest);
        let mut before: Option<&str> = None;
        for (position, phase) in phases.iter().enumerate() {
            let found = phase.backbone;
            let count = backbones.len();
            let Some(spec) = backbones.get(found) else { return Err(PhaseError::Backbone { phase: position, found, count }) };
            phase.check_one(&spec.name, before, next, steps)?;
            next = phase.last.checked_sub(1);
            before = Some(&spec.name);
        }
        match (next, before) {
            (Some(first), Some(name)) => Err(PhaseError::Gap { first, last: 0, mend: format!("`{name}` down to 0") }),
            _ => Ok(()),
        }
    }

    /// Checks one phase that should start at `next` (`None`: all timesteps are covered already).
    fn check_one(self, name: &str, before: Option<&str>, next: Option<u32>, steps: u32) -> Result<(), PhaseError> {
        let Self { first, last, .. } = self;
        let name = name.to_owned();
        if first < last {
            return Err(PhaseError::Ascending { name, first, last });
        }
        let Some(start) = next else { return Err(PhaseError::Superfluous { name, first, last }) };
        match before {
            _ if first == start => Ok(()),
            None if first > start => Err(PhaseError::Beyond { name, first, steps, last: steps - 1 }),
            _ if first > start => Err(PhaseError::Overlap { name, first, last: last.max(start + 1), start }),
            None => Err(PhaseError::Gap { first: start, last: first + 1, mend: format!("`{name}` up to {start}") }),
            Some(before) => {
                let mend = format!("`{before}` down to {} or `{name}` up to {start}", first + 1);
                Err(PhaseError::Gap { first: start, last: first + 1, mend })
            }
        }
    }

    /// Parses an override such as `shallow:300,deep:700`: counts of training timesteps in sampling order, together `steps`.
    ///
    /// A count of 0 leaves the phase out.
    pub fn parse(text: &str, backbones: &[BackboneSpec], steps: u32) -> Result<Vec<Self>, PhaseError> {
        let counts = text.split(',').map(|item| parse_item(item.trim(), backbones)).collect::<Result<Vec<_>, _>>()?;
        let found: u64 = counts.iter().map(|(_, count)| u64::from(*count)).sum();
        if found != u64::from(steps) {
            return Err(PhaseError::Sum { found, steps, mend: mend_sum(&counts, found, backbones, steps) });
        }
        let mut rest = steps;
        let mut phases = Vec::new();
        for (backbone, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            phases.push(Self { backbone, first: rest - 1, last: rest - count });
            rest -= count;
        }
        Self::check(&phases, backbones, steps)?;
        Ok(phases)
    }

    /// The phases as [`Self::parse`] reads them, e.g. `shallow:300,deep:700`.
    pub fn format(phases: &[Self], backbones: &[BackboneSpec]) -> String {
        let item = |phase: &Self| format!("{}:{}", backbones[phase.backbone].name, phase.count());
        phases.iter().map(item).collect::<Vec<_>>().join(",")
    }

    /// Number of training timesteps.
    pub fn count(self) -> u32 {
        self.first - self.last + 1
    }
}

/// `name:count` as (backbone, count).
fn parse_item(item: &str, backbones: &[BackboneSpec]) -> Result<(usize, u32), PhaseError> {
    let syntax = || PhaseError::Syntax { found: echo(item) };
    let (name, count) = item.split_once(':').ok_or_else(syntax)?;
    let name = name.trim();
    let names: Vec<&str> = backbones.iter().map(|backbone| backbone.name.as_str()).collect();
    let unknown = || PhaseError::Unknown { found: echo(name), hint: hint(name, &names) };
    let backbone = names.iter().position(|known| *known == name).ok_or_else(unknown)?;
    let count = count.trim();
    let digits = count.bytes().all(|byte| byte.is_ascii_digit());
    let count = count.parse().ok().filter(|_| digits).ok_or_else(syntax)?;
    Ok((backbone, count))
}

/// How to make the sum right: by a backbone that is not named yet, or by another last count.
fn mend_sum(counts: &[(usize, u32)], found: u64, backbones: &[BackboneSpec], steps: u32) -> String {
    let Some(&(last, count)) = counts.last() else { return "name at least one".to_owned() };
    let missing = u64::from(steps).saturating_sub(found);
    let unnamed = (0..backbones.len()).find(|index| counts.iter().all(|(named, _)| named != index));
    match (unnamed, u64::from(steps).checked_sub(found - u64::from(count))) {
        (Some(next), _) if missing > 0 => format!("for example add {}:{missing}", backbones[next].name),
        (_, Some(right)) => format!("for example {}:{right}", backbones[last].name),
        _ => "take some away".to_owned(),
    }
}

#[cfg(test)]
mod tests;
