//! The input of an evaluation, read from a .safetensors file and checked against the pair.

use std::path::Path;

use duodiff::graph::noise::{Noise, Philox};
use duodiff::spec::{PairSpec, Phase};

use crate::error::{Failure, Result};
use crate::tensors::Tensors;

/// What a backbone is fed.
pub struct Case {
    /// `[B, C, H, W]`.
    pub x: Vec<f32>,
    /// `[B]`, training timesteps.
    pub t: Vec<f32>,
    /// `[B]`, for pairs with classes.
    pub y: Option<Vec<u32>>,
}

impl Case {
    /// Noise at times that the backbone is evaluated at, evenly through its phase; images take turns through the classes.
    pub fn draw(spec: &PairSpec, backbone: usize, batch: usize) -> Self {
        let all = Phase { backbone, first: spec.process.steps.saturating_sub(1), last: 0 };
        let Phase { first, last, .. } = spec.phases.iter().copied().find(|phase| phase.backbone == backbone).unwrap_or(all);
        let mut x = vec![0.0; batch * spec.image.elements()];
        for (index, image) in x.chunks_exact_mut(spec.image.elements()).enumerate() {
            Philox { seed: 0 }.fill(index as u64, 0, image);
        }
        let length = f64::from(first - last);
        let t = (0..batch).map(|index| (f64::from(first) - length * (index as f64 + 0.5) / batch as f64).round() as f32);
        let y = spec.classes.map(|classes| (0..batch).map(|index| index as u32 % classes.count).collect());
        Self { x, t: t.collect(), y }
    }

    /// Reads and checks a case.
    pub fn read(path: &Path, spec: &PairSpec) -> Result<Self> {
        let image = spec.image;
        let refuse = |why: String| Failure::input(path, why);
        let wanted = format!("[B, {}, {}, {}]", image.channels, image.height, image.width);
        let mut file = Tensors::open(path)?;
        let shape = file.shape("x").ok_or_else(|| refuse(format!("x is missing -- wanted x {wanted} and t [B]")))?.to_vec();
        let batch = match shape[..] {
            [batch, channels, height, width] if batch > 0 && [channels, height, width] == [image.channels, image.height, image.width] => {
                batch
            }
            _ => return Err(refuse(format!("x is {shape:?}, {} wants {wanted}", spec.name))),
        };
        for (name, is_wanted) in [("t", true), ("y", spec.classes.is_some())] {
            match (file.shape(name), is_wanted) {
                (None, true) => return Err(refuse(format!("{name} is missing -- wanted {name} [{batch}]"))),
                (Some(_), false) => return Err(refuse(format!("{} has no classes -- leave {name} out", spec.name))),
                (Some(shape), true) if shape != [batch] => return Err(refuse(format!("{name} is {shape:?}, x wants [{batch}]"))),
                _ => {}
            }
        }
        let x: Vec<f32> = file.numbers("x")?.into_iter().map(|x| x as f32).collect();
        let t = file.numbers("t")?;
        let last = f64::from(spec.process.steps.saturating_sub(1));
        if !x.iter().all(|x| x.is_finite()) {
            return Err(refuse("x: not every number is finite".to_string()));
        }
        if let Some(t) = t.iter().find(|t| !(0.0..=last).contains(*t)) {
            return Err(refuse(format!("t holds {t} -- wanted finite training timesteps, 0 to {last}")));
        }
        let y = match spec.classes {
            Some(classes) => Some(labels(&file.numbers("y")?, classes.count).map_err(refuse)?),
            None => None,
        };
        Ok(Self { x, t: t.into_iter().map(|t| t as f32).collect(), y })
    }
}

/// Labels are whole numbers below the number of classes.
fn labels(numbers: &[f64], count: u32) -> std::result::Result<Vec<u32>, String> {
    let label = |&number: &f64| {
        let fits = number >= 0.0 && number < f64::from(count) && number.fract() == 0.0;
        if fits { Ok(number as u32) } else { Err(format!("y holds {number} -- wanted classes, 0 to {}", count.saturating_sub(1))) }
    };
    numbers.iter().map(label).collect()
}
