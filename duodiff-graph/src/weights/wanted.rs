//! What a plan wants of a file of weights.

use std::collections::BTreeMap;

use super::WeightsError;
use super::tensors::{Dtype, Entry};
use crate::plan::Plan;
use crate::program::Net;

/// The parameters of one backbone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The backbone's name.
    pub backbone: String,
    /// Shape in the checkpoint, by key.
    pub params: BTreeMap<String, Vec<usize>>,
}

impl Wanted {
    /// What a network wants.
    pub fn of(backbone: &str, net: &Net) -> Self {
        let params = net.prelude.params().chain(net.body.params());
        Self { backbone: backbone.to_owned(), params: params.map(|(_, key, shape)| (key.to_owned(), shape.to_vec())).collect() }
    }

    /// What each backbone of a plan wants.
    pub fn all(plan: &Plan) -> Vec<Self> {
        plan.spec.backbones.iter().zip(&plan.backbones).map(|(spec, planned)| Self::of(&spec.name, &planned.net)).collect()
    }

    /// Whether names and shapes are exactly the wanted ones.
    pub fn fits(&self, entries: &[Entry]) -> bool {
        entries.len() == self.params.len() && entries.iter().all(|entry| self.params.get(&entry.name) == Some(&entry.shape))
    }

    /// Matches the tensors of a file with what backbone `which` of `all` wants.
    pub(super) fn check(all: &[Self], which: usize, entries: &[Entry]) -> Result<(), WeightsError> {
        let this = &all[which];
        if this.fits(entries) {
            return check_dtypes(entries);
        }
        if let Some(other) = all.iter().find(|other| other.fits(entries)) {
            return Err(WeightsError::Swapped { found: other.backbone.clone(), wanted: this.backbone.clone() });
        }
        this.check_present(entries)?;
        let (backbone, by_name) = (this.backbone.clone(), |name: &String| this.params.get(name));
        if let Some(entry) = entries.iter().find(|entry| by_name(&entry.name).is_some_and(|wanted| *wanted != entry.shape)) {
            let (found, wanted) = (entry.shape.clone(), this.params[&entry.name].clone());
            return Err(WeightsError::Shape { backbone, name: entry.name.clone(), found, wanted });
        }
        let mut superfluous = entries.iter().filter(|entry| by_name(&entry.name).is_none());
        match superfluous.next() {
            None => check_dtypes(entries),
            Some(Entry { name, shape, .. }) => {
                let (name, shape, more) = (name.clone(), shape.clone(), superfluous.count());
                Err(WeightsError::Superfluous { backbone, name, shape, more })
            }
        }
    }

    /// Refuses a file that lacks parameters.
    fn check_present(&self, entries: &[Entry]) -> Result<(), WeightsError> {
        let mut missing = self.params.iter().filter(|(name, _)| !entries.iter().any(|entry| entry.name == **name));
        let Some((name, shape)) = missing.next() else { return Ok(()) };
        let prefix = entries.iter().find_map(|entry| entry.name.strip_suffix(name.as_str()).filter(|prefix| prefix.ends_with('.')));
        let mend = match prefix {
            Some(prefix) => format!("the file has it under `{}`: take that prefix off the names", crate::spec::text::echo(prefix)),
            None => format!("`{}` has {} tensors, the file has {}", self.backbone, self.params.len(), entries.len()),
        };
        let (backbone, name, shape, more) = (self.backbone.clone(), name.clone(), shape.clone(), missing.count());
        Err(WeightsError::Missing { backbone, name, shape, more, mend })
    }
}

/// Refuses types that are no weights.
fn check_dtypes(entries: &[Entry]) -> Result<(), WeightsError> {
    let other = entries.iter().find(|entry| !matches!(entry.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16));
    other.map_or(Ok(()), |entry| Err(WeightsError::Dtype { name: entry.name.clone(), found: entry.dtype.name() }))
}
