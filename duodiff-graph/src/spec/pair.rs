//! A pair: backbones of one architecture, what they predict, and which of them runs when.

use serde::{Deserialize, Serialize};

use super::{Phase, Process};

/// Everything about a pair but the networks themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairSpec {
    /// The declared name, e.g. `Cifar10`.
    pub name: String,
    /// The doc comment, lines joined by `\n`.
    pub doc: String,
    /// Shape of one sample.
    pub image: ImageShape,
    /// The diffusion process that the backbones were trained on, where a backbone does not name its own.
    pub process: Process,
    /// What the network is fed as time, where a backbone does not name its own.
    pub time: TimeMap,
    /// What the network's output means.
    pub predicts: Prediction,
    /// Class labels, for conditional networks.
    pub classes: Option<Classes>,
    /// Classifier-free guidance, if declared.
    pub guidance: Option<Guidance>,
    /// Two backbones or more, in the order of declaration.
    pub backbones: Vec<BackboneSpec>,
    /// In sampling order; they cover every training timestep once.
    pub phases: Vec<Phase>,
    /// What a multistep solver does with its history where the backbone changes.
    pub history: History,
}

/// Shape of one sample: channels, rows, columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageShape {
    /// Channels C.
    pub channels: usize,
    /// Rows H.
    pub height: usize,
    /// Columns W.
    pub width: usize,
}

impl ImageShape {
    /// Elements of one image, C·H·W.
    pub fn elements(self) -> usize {
        self.channels * self.height * self.width
    }
}

/// The number that the network is fed for a training timestep t: `t · times / over + plus`, each step in float32.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeMap {
    /// Factor, applied first.
    pub times: f32,
    /// Divisor, applied second.
    pub over: f32,
    /// Summand, applied last.
    pub plus: f32,
}

impl TimeMap {
    /// The training timestep itself.
    pub const IDENTITY: Self = Self { times: 1.0, over: 1.0, plus: 0.0 };

    /// What the network is fed at training timestep `t` (a whole number, or a real one under SNR stitching).
    pub fn at(self, t: f32) -> f32 {
        t * self.times / self.over + self.plus
    }
}

/// What a network's output f means, at signal level ᾱ with x = √ᾱ·x0 + √(1−ᾱ)·ε.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prediction {
    /// The noise ε.
    Epsilon,
    /// The clean image x0.
    X0,
    /// The posterior mean of the previous state.
    Previous,
    /// v = √ᾱ·ε − √(1−ᾱ)·x0 (Salimans and Ho 2022).
    V,
    /// The velocity ε − x0 of a straight path (flow matching).
    Flow,
}

/// Class labels of a conditional pair: 0..count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    /// Rows of the label embedding, the null label included.
    pub count: u32,
    /// The label that stands for "no class".
    pub null: Option<u32>,
}

/// Classifier-free guidance `f_c + scale·(f_c − f_u)` (the U-ViT form; diffusers' scale is 1 + this one).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guidance {
    /// Default strength; 0 is unguided.
    pub scale: f32,
}

/// A backbone: a named instance of the pair's architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackboneSpec {
    /// E.g. `shallow`.
    pub name: String,
    /// Its own process, if it was trained on another one than the pair's (SNR stitching).
    pub process: Option<Process>,
    /// Its own time map, if it differs from the pair's.
    pub time: Option<TimeMap>,
}

/// What a multistep solver does with its history where the backbone changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum History {
    /// Outputs of the earlier backbone go on being used.
    #[default]
    Carry,
    /// The first step of a phase is a single-step one.
    Restart,
}

impl PairSpec {
    /// The process of backbone `index`.
    pub fn process_of(&self, index: usize) -> Process {
        self.backbones[index].process.unwrap_or(self.process)
    }

    /// The time map of backbone `index`.
    pub fn time_of(&self, index: usize) -> TimeMap {
        self.backbones[index].time.unwrap_or(self.time)
    }
}
