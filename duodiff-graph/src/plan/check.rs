//! What the networks of a pair must agree on before they are planned.

use crate::program::{Cost, Net, Op, Origin, VerifyError};
use crate::spec::PairSpec;

/// Networks that do not make up the declared pair.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Not one network per backbone.
    #[error("{found} networks found, {wanted} wanted -- one per declared backbone")]
    Count {
        /// Number of networks.
        found: usize,
        /// Number of declared backbones.
        wanted: usize,
    },
    /// A network that breaks a rule.
    #[error("backbone {backbone}: {error}")]
    Verify {
        /// The backbone.
        backbone: String,
        /// The rule.
        #[source]
        error: VerifyError,
    },
    /// A network that reads or returns something else than the pair's image.
    #[error("backbone {backbone} {does} {found}, {wanted} wanted -- the shape of the pair's image")]
    Image {
        /// The backbone.
        backbone: String,
        /// `reads` or `returns`.
        does: &'static str,
        /// The shapes.
        found: String,
        /// The shape of the pair's image.
        wanted: String,
    },
    /// A label embedding that does not have one row per class.
    #[error("backbone {backbone} embeds {found} classes, {wanted} wanted -- as many as the pair declares")]
    Classes {
        /// The backbone.
        backbone: String,
        /// Rows of the embedding.
        found: usize,
        /// Declared classes, the null label included; 0 for unconditional pairs.
        wanted: usize,
    },
}

/// Checks every network against the pair.
pub(super) fn check(spec: &PairSpec, nets: &[(Net, Cost)]) -> Result<(), PlanError> {
    if nets.len() != spec.backbones.len() {
        return Err(PlanError::Count { found: nets.len(), wanted: spec.backbones.len() });
    }
    for ((net, _), backbone) in nets.iter().zip(&spec.backbones) {
        net.verify().map_err(|error| PlanError::Verify { backbone: backbone.name.clone(), error })?;
        check_images(spec, net, &backbone.name)?;
        check_classes(spec, net, &backbone.name)?;
    }
    Ok(())
}

fn check_images(spec: &PairSpec, net: &Net, backbone: &str) -> Result<(), PlanError> {
    let wanted = vec![spec.image.channels, spec.image.height, spec.image.width];
    let error = |does, found: String| PlanError::Image { backbone: backbone.into(), does, found, wanted: format!("{wanted:?}") };
    let images = net.body.values.iter().filter(|value| value.origin == Origin::Image);
    if let Some(image) = images.into_iter().find(|image| image.shape != wanted) {
        return Err(error("reads", format!("{:?}", image.shape)));
    }
    match net.body.outputs.iter().map(|output| &net.body.value(*output).shape).collect::<Vec<_>>()[..] {
        [only] if *only == wanted => Ok(()),
        [only] => Err(error("returns", format!("{only:?}"))),
        ref several => Err(error("returns", format!("{} tensors", several.len()))),
    }
}

fn check_classes(spec: &PairSpec, net: &Net, backbone: &str) -> Result<(), PlanError> {
    let wanted = spec.classes.map_or(0, |classes| classes.count as usize);
    for op in &net.body.ops {
        let Op::Embedding(embedding) = op else { continue };
        let found = net.body.value(embedding.table).shape[0];
        if found != wanted {
            return Err(PlanError::Classes { backbone: backbone.into(), found, wanted });
        }
    }
    Ok(())
}
