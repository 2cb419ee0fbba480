//! The rows: one coefficient table for all solvers, computed in float64 and rounded once.

use super::{HISTORY, Levels, Row, Settings, Steps, StepsError};
use crate::spec::{PairSpec, Phase, Prediction};

impl Steps {
    /// The trajectory of `spec` under `settings`.
    pub fn new(spec: &PairSpec, settings: &Settings) -> Result<Self, StepsError> {
        let levels = Levels::new(spec.process)?;
        let count = settings.steps.unwrap_or(settings.solver.default_steps(levels.count()));
        if !(1..=levels.count()).contains(&count) {
            return Err(StepsError::Count { found: count, most: levels.count() });
        }
        if let Some(found) = settings.clip.filter(|clip| !(*clip > 0.0 && clip.is_finite())) {
            return Err(StepsError::Clip { found });
        }
        let phases = settings.phases.as_deref().unwrap_or(&spec.phases);
        Phase::check(phases, &spec.backbones, levels.count())?;
        let guidance = guidance(spec, settings)?;
        let feeds = (0..spec.backbones.len()).map(|index| Feed::new(spec, index)).collect::<Result<Vec<_>, _>>()?;

        let jumps = jumps(&levels, &grid(levels.count(), count), settings.solver.eta())?;
        let row = |jump: &Jump| -> Result<Row, StepsError> {
            let backbone = backbone_at(phases, jump.t);
            let (scale, time) = feeds[backbone].at(&levels, jump.t)?;
            let clean = convert(spec.predicts, &levels, jump.t)?;
            let update = if settings.clip.is_some() { Update::converted(jump, clean) } else { Update::direct(jump, clean) };
            Ok(update.row(Row { backbone, t: jump.t as f32, time, scale, clip: settings.clip, ..EMPTY }))
        };
        Ok(Self { rows: jumps.iter().map(row).collect::<Result<_, _>>()?, guidance })
    }
}

/// A row that keeps nothing.
const EMPTY: Row = Row {
    backbone: 0,
    t: 0.0,
    time: 0.0,
    scale: 1.0,
    a: 0.0,
    b: 0.0,
    clip: None,
    c0: 0.0,
    cs: 0.0,
    history: [0.0; HISTORY],
    cz: 0.0,
    save: false,
};

/// The timesteps of `count` steps, in sampling order: floor((timesteps − 1)·i / (count − 1)), i falling; the last
/// timestep alone for one step.
pub fn grid(timesteps: u32, count: u32) -> Vec<u32> {
    let last = u64::from(timesteps.saturating_sub(1));
    let at = |i: u32| if count == 1 { last } else { last * u64::from(i) / u64::from(count - 1) };
    (0..count).rev().map(|i| u32::try_from(at(i)).expect("invariant: at most `timesteps`")).collect()
}

/// The backbone that is evaluated at `t`: that of the first phase whose last timestep is not above it.
fn backbone_at(phases: &[Phase], t: u32) -> usize {
    phases.iter().find(|phase| phase.last <= t).map(|phase| phase.backbone).expect("invariant: phases cover every timestep")
}

/// The strength of guidance, checked against what the pair has.
fn guidance(spec: &PairSpec, settings: &Settings) -> Result<f32, StepsError> {
    let found = settings.guidance.or(spec.guidance.map(|guidance| guidance.scale)).unwrap_or(0.0);
    if !found.is_finite() {
        return Err(StepsError::GuidanceNotFinite { found });
    }
    match spec.classes {
        _ if found == 0.0 => Ok(found),
        None => Err(StepsError::Guidance { found, lack: "the pair has no classes" }),
        Some(classes) if classes.null.is_none() => Err(StepsError::Guidance { found, lack: "the pair has no null label" }),
        Some(_) => Ok(found),
    }
}

/// How one backbone is fed.
enum Feed<'a> {
    /// It was trained on the pair's process.
    Same(&'a PairSpec, usize),
    /// It was trained on another one: fed at the timestep of equal signal-to-noise ratio.
    Matched(&'a PairSpec, usize, Levels),
}

impl<'a> Feed<'a> {
    fn new(spec: &'a PairSpec, backbone: usize) -> Result<Self, StepsError> {
        let own = spec.process_of(backbone);
        if own == spec.process {
            return Ok(Self::Same(spec, backbone));
        }
        if spec.predicts == Prediction::Previous {
            return Err(StepsError::Previous { name: spec.backbones[backbone].name.clone() });
        }
        Ok(Self::Matched(spec, backbone, Levels::new(own)?))
    }

    /// (factor of x, time) at the pair's timestep `t`.
    fn at(&self, levels: &Levels, t: u32) -> Result<(f32, f32), StepsError> {
        match self {
            Self::Same(spec, backbone) => Ok((1.0, spec.time_of(*backbone).at(t as f32))),
            Self::Matched(spec, backbone, own) => {
                let found = levels.log_snr(t);
                let out_of_range = || StepsError::OutOfRange {
                    name: spec.backbones[*backbone].name.clone(),
                    t,
                    found,
                    low: own.log_snr(own.count() - 1),
                    high: own.log_snr(0),
                };
                let matched = own.timestep(found).ok_or_else(out_of_range)?;
                // Both processes preserve variance: equal signal-to-noise ratio means equal signal, so x needs no factor.
                Ok((1.0, spec.time_of(*backbone).at(matched as f32)))
            }
        }
    }
}

/// (a, b) such that a·x + b·f is the clean image that output f at `t` stands for.
fn convert(predicts: Prediction, levels: &Levels, t: u32) -> Result<(f64, f64), StepsError> {
    let bar = levels.bar(Some(t));
    let (signal, noise) = (bar.sqrt(), (1.0 - bar).sqrt());
    match predicts {
        Prediction::Epsilon => Ok((1.0 / signal, -noise / signal)),
        Prediction::X0 => Ok((0.0, 1.0)),
        Prediction::V => Ok((signal, -noise)),
        Prediction::Previous => {
            let posterior = Jump::new(levels, t, t.checked_sub(1), 1.0);
            Ok((-posterior.x / posterior.m, 1.0 / posterior.m))
        }
        Prediction::Flow => Err(StepsError::Flow),
    }
}

/// The update from timestep `t` to the next: `x' = x·x + m·m + z·z`, m the estimated clean image.
struct Jump {
    t: u32,
    x: f64,
    m: f64,
    z: f64,
}

impl Jump {
    /// DDIM's update (Song et al. 2021, equation 12), whose eta 1 is the ancestral one; `to` is `None` for the clean image.
    fn new(levels: &Levels, t: u32, to: Option<u32>, eta: f64) -> Self {
        let (from, target) = (levels.bar(Some(t)), levels.bar(to));
        let ancestral = (1.0 - target) / (1.0 - from) * (1.0 - from / target);
        let variance = eta * eta * ancestral;
        let x = ((1.0 - target - variance).max(0.0) / (1.0 - from)).sqrt();
        Self { t, x, m: target.sqrt() - from.sqrt() * x, z: variance.sqrt() }
    }
}

/// A step's coefficients in float64: `m = a·x + b·f`, `x' = x·x + m·m + z·z`.
struct Update {
    a: f64,
    b: f64,
    x: f64,
    m: f64,
    z: f64,
}

impl Update {
    /// By way of the clean image, which can then be clipped.
    fn converted(jump: &Jump, (a, b): (f64, f64)) -> Self {
        Self { a, b, x: jump.x, m: jump.m, z: jump.z }
    }

    /// From the output itself. The clean image at t = 999 is a difference of numbers 150 times as large: without it, a
    /// thousand steps lose less to rounding.
    fn direct(jump: &Jump, (a, b): (f64, f64)) -> Self {
        Self { a: 0.0, b: 1.0, x: jump.x + jump.m * a, m: jump.m * b, z: jump.z }
    }

    /// `row` with these coefficients, rounded.
    fn row(&self, row: Row) -> Row {
        let mut history = [0.0; HISTORY];
        history[0] = self.m as f32;
        Row { a: self.a as f32, b: self.b as f32, c0: self.x as f32, history, cz: self.z as f32, ..row }
    }
}

/// One update per timestep of `grid`; the last one jumps to the clean image.
fn jumps(levels: &Levels, grid: &[u32], eta: f64) -> Result<Vec<Jump>, StepsError> {
    let targets = grid.iter().skip(1).copied().map(Some).chain([None]);
    let pairs = || grid.iter().copied().zip(targets.clone());
    let most = pairs().map(|(t, to)| most_eta(levels, t, to)).fold(f64::INFINITY, f64::min);
    if !(0.0..=most).contains(&eta) || eta.is_infinite() {
        return Err(StepsError::Eta { found: eta, most });
    }
    Ok(pairs().map(|(t, to)| Jump::new(levels, t, to, eta)).collect())
}

/// The largest eta that leaves the update from `t` to `to` a variance: more noise than the target holds cannot be added.
fn most_eta(levels: &Levels, t: u32, to: Option<u32>) -> f64 {
    let (from, target) = (levels.bar(Some(t)), levels.bar(to));
    if to.is_none() { f64::INFINITY } else { ((1.0 - from) / (1.0 - from / target)).sqrt() }
}
