//! Why a bundle was refused.

use super::sections::VERSION;
use crate::launch::LaunchError;
use crate::plan::PlanError;
use crate::process::StepsError;
use crate::spec::PhaseError;
use crate::weights::WeightsError;

/// What all mends are.
const MEND: &str = "copy the file again, or make it again with `duodiff compile`";

/// A file that is no bundle, a damaged one, or one of another version.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Other first bytes.
    #[error("this is no duodiff bundle -- bundles (.duo) are made with `duodiff compile`")]
    Magic,
    /// Another version of the format.
    #[error("the bundle has format version {found}, this duodiff reads {VERSION} -- make it again with `duodiff compile`")]
    Version {
        /// As the file says.
        found: u32,
    },
    /// Another length than the header says.
    #[error("the bundle has {found} bytes, its header says {wanted} -- {MEND}")]
    Length {
        /// Size of the file.
        found: u64,
        /// Size by the header.
        wanted: u64,
    },
    /// A header whose hash is wrong.
    #[error("the bundle's header is damaged -- {MEND}")]
    Header,
    /// A section whose hash is wrong.
    #[error("section {index} ({section}) of the bundle is damaged -- {MEND}")]
    Damaged {
        /// What it holds.
        section: &'static str,
        /// Its number among those of its kind.
        index: u32,
    },
    /// Sections that are missing, superfluous or in another order.
    #[error("the bundle does not have the sections it should have -- {MEND}")]
    Sections,
    /// A section beyond its bound.
    #[error("the bundle's {section} has {found} bytes, at most {most} are read -- {MEND}")]
    Long {
        /// The section.
        section: &'static str,
        /// Its size.
        found: usize,
        /// The bound.
        most: usize,
    },
    /// A section that cannot be decoded.
    #[error("the bundle's {section} is malformed -- {MEND}")]
    Decode {
        /// The section.
        section: &'static str,
    },
    /// A tensor beyond all bounds.
    #[error("the bundle's plan has a tensor of more than 2^31 elements -- {MEND}")]
    Shape,
    /// Networks that break a rule.
    #[error("the bundle's plan: {0} -- {MEND}")]
    Plan(#[from] PlanError),
    /// A process that no trajectory follows from.
    #[error("the bundle's process: {0}")]
    Process(#[from] StepsError),
    /// Phases that do not cover the process.
    #[error("the bundle's phases: {0}")]
    Phases(#[from] PhaseError),
    /// A plan that does not follow from its networks.
    #[error("the bundle's plan is not the one that this duodiff makes -- make it again with `duodiff compile`")]
    Replanned,
    /// Other kernels than the plan launches here.
    #[error("the bundle's kernels are not those that this duodiff launches -- make it again with `duodiff compile`")]
    Kernels,
    /// A plan that no GPU can run.
    #[error("the bundle's plan: {0}")]
    Launch(#[from] LaunchError),
    /// Weights that do not fit the plan.
    #[error("the bundle's weights: {0}")]
    Weights(#[from] WeightsError),
    /// Weights of another hash than the manifest says.
    #[error("the bundle's weights of `{backbone}` are not those it was made with -- {MEND}")]
    Hash {
        /// The backbone.
        backbone: String,
    },
}
